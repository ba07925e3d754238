"""The recipe learns labels from examples and says when it cannot."""

from __future__ import annotations

import pytest

from pipeline.errors import ConfigError
from pipeline.policy.learn import measured, train

pytest.importorskip("sklearn")
ROWS = [
    (f"We {verb} your {thing} {when}.", {label})
    for verb, label in (
        ("share", "sharing"),
        ("sell", "sharing"),
        ("delete", "retention"),
        ("erase", "retention"),
    )
    for thing in ("name", "address", "posts", "photos")
    for when in ("at once", "in time", "some day")
]


def test_learns_labels() -> None:
    """What was taught is known again."""
    macro, micro, _ = measured(train(ROWS), ROWS)
    assert min(macro, micro) > 95


def test_two_labels() -> None:
    """A text may have more than one label."""
    rows = [*ROWS, *(("We share and delete your data.", {"sharing", "retention"}) for _ in range(6))]
    assert set(train(rows).predict("We share and delete your data.")) == {"sharing", "retention"}


def test_same_again() -> None:
    """Training twice gives the same answers."""
    assert train(ROWS).predict("We sell your name.") == train(ROWS).predict("We sell your name.")


@pytest.mark.parametrize("rows", [[], [("a text", set())]])
def test_nothing_to_learn(rows: list[tuple[str, set[str]]]) -> None:
    """Without rows or labels there is an error that says so."""
    with pytest.raises(ConfigError, match="nothing to learn"):
        train(rows)


def test_one_label_only() -> None:
    """A label that every text has is always told."""
    assert train([(text, {"x"}) for text, _ in ROWS]).predict("anything").keys() == {"x"}
