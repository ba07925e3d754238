"""Clauses find their categories, with a confidence, and unclear ones find none."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.policy.classify import ABSTAIN, calibrated, categories, describe
from pipeline.policy.linear import shipped
from pipeline.policy.taxonomy import regulations, taxonomy

CLAUSES = [
    ("We may use your posts to train our artificial intelligence models.", "ai_training"),
    ("We share your personal information with advertisers and other third parties.", "third_party_sharing"),
    (
        "You waive your right to take part in a class action and agree to binding arbitration.",
        "arbitration_class_waiver",
    ),
    ("We retain your data for as long as necessary and delete it within 90 days.", "retention_deletion"),
    ("You may not scrape or crawl the Services, or use bots, without our consent.", "scraping_api_limits"),
    (
        "You grant us a worldwide, royalty-free licence to use, host and display your content.",
        "content_license",
    ),
    ("We may suspend or terminate your account at any time.", "termination"),
    ("You agree to indemnify and hold us harmless.", "indemnity"),
    ("The Services are provided as is, without warranties of any kind.", "warranty_disclaimer"),
    (
        "These Terms are governed by the laws of California, and courts located there have jurisdiction.",
        "governing_law_venue",
    ),
    ("We use cookies and pixels to recognise your device.", "cookies_tracking"),
    ("The Services are not directed to children under 13.", "children"),
    (
        "Your subscription renews automatically and we charge your card; fees are not refundable.",
        "fees_renewal_refund",
    ),
    ("We may update this policy and will notify you of material changes.", "policy_change"),
    ("We disclose data in response to a subpoena or court order from law enforcement.", "law_enforcement"),
    ("We transfer data outside the EEA under standard contractual clauses.", "international_transfer"),
    ("We use encryption and other security measures to protect your data.", "security_breach"),
    ("You have the right to access, correct and delete your personal data.", "user_rights"),
    ("In no event are we liable for indirect or consequential damages.", "liability_cap"),
]


@pytest.mark.parametrize(("text", "category"), CLAUSES)
def test_plain_clause(text: str, category: str) -> None:
    """A plain clause is told under its category first."""
    assert next(iter(categories(text))) == category


@pytest.mark.parametrize(
    "text", ["", "Hello there.", "The weather is fine today.", "Table of contents", "1.2.3", "ツイート"]
)
def test_unclear_text(text: str) -> None:
    """A text about nothing of the kind has no category."""
    assert categories(text) == {}


def test_heading_helps() -> None:
    """A clause that says little is understood by the heading above it."""
    text = "This applies to you as well."
    assert "arbitration_class_waiver" not in categories(text)
    under = categories(
        "Either side can begin it by letter.", path=("Terms", "Binding arbitration and class action waiver")
    )
    alone = categories("Either side can begin it by letter.")
    assert under.get("arbitration_class_waiver", 0) >= alone.get("arbitration_class_waiver", 0)


@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    """Any text gives confidences between abstaining and one, surest first, and the same ones again."""
    found = categories(text)
    assert all(ABSTAIN <= p <= 1 for p in found.values())
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert categories(text) == found


def test_calibration_rises() -> None:
    """A higher score never means less confidence."""
    told = [calibrated(step / 100) for step in range(101)]
    assert told == sorted(told)


def test_taxonomy_is_whole() -> None:
    """Every category has words, seeds and regulations that exist, and the model knows each of them."""
    assert set(shipped().labels) == set(taxonomy())
    assert all(regulations(name) for name in taxonomy())


def test_unknown_category() -> None:
    """A category that is none has no regulations."""
    assert regulations("unclassified") == ()


def test_description() -> None:
    """A description holds categories and facts as plain values."""
    told = describe("We keep your data for 30 days.")
    assert told["categories"][0]["id"] == "retention_deletion"
    assert {
        "kind": "retention",
        "value": {"duration": "P30D"},
        "quote": "30 days",
        "start": 22,
        "end": 29,
    } in told["facts"]


def test_giant_clause() -> None:
    """A clause of half a megabyte is classified in bounded time."""
    start = time.process_time()
    categories("We share your data with partners and others. " * 11_000)
    assert time.process_time() - start < 2
