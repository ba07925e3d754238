"""Which services a text names."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.news.names import Alias, Names, ServiceName, mentions, service_id

KNOWN = Names.load((Path(__file__).parents[2] / "deploy" / "names.yaml").read_text(encoding="utf-8"))
SERVICES = [
    KNOWN.service(name) for name in ("X", "Apple", "Meta", "Google", "Reddit", "Signal", "Amazon", "OpenAI")
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("X's terms now name a court in Texas", {"x"}),
        ("Elon Musk's X shifts legal battles to North Texas", {"x"}),
        ("X, formerly Twitter, has a new rule", {"x"}),
        ("X updates its privacy policy", {"x"}),
        ("Want to sue X? Read the terms of service first", {"x"}),
        ("A change to the block feature on X is sparking backlash", {"x"}),
        ("Twitter is fined", {"x"}),
        ("Apple changes its terms of service", {"apple"}),
        ("Apple's App Store guidelines are rewritten", {"apple"}),
        ("Apple opens Siri to others", {"apple"}),
        ("Instagram will show ads", {"meta"}),
        ("Meta's privacy policy now covers AI", {"meta"}),
        ("Gmail and YouTube share one policy", {"google"}),
        ("ChatGPT keeps deleted chats", {"openai"}),
        ("Signal, the messaging app, leaves", {"signal"}),
    ],
)
def test_named(text: str, expected: set[str]) -> None:
    """A service is named by its name, by an alias, or by an ordinary word with a second cue."""
    assert mentions(text, SERVICES) == expected


@pytest.mark.parametrize(
    "text",
    [
        "User Issues With X",
        "What happens when you press X",
        "Apple in the Toilet",
        "An apple a day: new data on diets",
        "iPhone X-ray",
        "The Model X's new feature",
        "SpaceX's terms with NASA",
        "Malcolm X's agreement",
        "X-ray data policy",
        "Generation X users and their data",
        "A meta analysis of data policy",
        "Amazon rainforest users agreement",
        "A strong signal for the market",
        "Apple pie recipes users love",
        "Redditch council changes its terms",
        "x = 3, and users of algebra know it",
    ],
)
def test_not_named(text: str) -> None:
    """A letter or an ordinary word alone, in another name, or in small letters, names no service."""
    assert mentions(text, SERVICES) == set()


def test_validity() -> None:
    """A name counts only in the time in which it means the service."""
    text = "X updates its privacy policy"
    assert [mentions(text, SERVICES, at=datetime(year, 10, 1, tzinfo=UTC)) for year in (2022, 2024)] == [
        set(),
        {"x"},
    ]


def test_own_aliases() -> None:
    """A service that no list knows is named by its own name and the aliases given with its document."""
    service = KNOWN.service("Acme Cloud", ("AcmeDrive",))
    assert mentions("AcmeDrive raises prices", [service]) == {"acme-cloud"}


def test_short_alias_guarded() -> None:
    """A short alias needs a second cue, although nobody marked it."""
    service = ServiceName(id="q", name="Q Mail", aliases=("Q",))
    assert [mentions(text, [service]) for text in ("Just Q", "Q's privacy policy changes")] == [set(), {"q"}]


def test_expired_alias() -> None:
    """An alias out of use is no longer a name."""
    service = ServiceName(
        id="g", name="Gemini AI", aliases=(Alias("Bard AI", until=datetime(2024, 2, 8, tzinfo=UTC).date()),)
    )
    assert mentions("Bard AI is here", [service], at=datetime(2025, 1, 1, tzinfo=UTC)) == set()


@pytest.mark.parametrize(
    ("service", "expected"), [("X", "x"), ("Google Gemini", "google-gemini"), (" Copy.AI ", "copy-ai")]
)
def test_service_id(service: str, expected: str) -> None:
    """A service's identity is its name in small letters and hyphens."""
    assert service_id(service) == expected


@pytest.mark.parametrize(
    "text",
    [
        "name: X",
        "- aliases: [a]",
        "- name: X\n  alias: [a]",
        "- name: X\n  guarded: [{since: 2024-01-01}]",
        "- [",
        "- name: X\n  cues: 3",
    ],
)
def test_bad_names(text: str) -> None:
    """A list of names that cannot be read says which entry, and what to write instead."""
    with pytest.raises(ConfigError) as caught:
        Names.load(text, file="names.yaml")
    assert caught.value.remedy


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    """Whatever a text holds, the services it names are found or not, and nothing fails."""
    assert mentions(text, SERVICES) <= {service.id for service in SERVICES}
