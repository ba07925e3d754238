"""The command that checks endpoints before the 58 addresses of the SSRF survey."""

from tests.judges import endpoints


def test_survey_is_whole() -> None:
    """The survey holds 52 addresses to refuse and six to accept."""
    assert sorted(endpoints.wanted().values()) == [False] * 52 + [True] * 6


def test_survey_is_judged_right() -> None:
    """Every address is judged right by the command, with a reason where it is refused."""
    assert endpoints.misjudged() == []
