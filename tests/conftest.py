"""What every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kafka import one_node


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Kafka broker; started once, stopped at the end."""
    yield from one_node(tmp_path_factory.mktemp("kafka") / "cluster")
