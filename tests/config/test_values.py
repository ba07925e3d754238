"""Names become identities."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config import slug


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        ("X", "x"),
        ("Privacy Policy", "privacy-policy"),
        ("  Amazon.com, Inc. ", "amazon-com-inc"),
        ("Straße", "strasse"),
        ("微信", "微信"),
        ("ﬁne_print", "fine-print"),
        ("---", ""),
    ],
)
def test_slug_of_name(name: str, identity: str) -> None:
    """An identity is the name's letters and digits, in small letters, joined by hyphens."""
    assert slug(name) == identity


@given(st.text(max_size=40))
def test_slug_is_stable(name: str) -> None:
    """The identity of an identity is itself, and it holds nothing that a path or a URL would trip over."""
    once = slug(name)
    assert slug(once) == once
    assert not set(once) & set("/ \t\n_.?#%")
