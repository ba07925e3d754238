"""How the judges' verdicts are counted and told."""

import pytest

from tests.judges.run import Judge, judged, tell
from tests.judges.verdict import Finding, NotInstalledError


def breaks() -> list[str]:
    raise RuntimeError("fell over")


def missing() -> list[str]:
    raise NotInstalledError("gauge is not installed", "apt-get install gauge")


async def content() -> list[str]:
    return []


@pytest.mark.parametrize(
    ("ask", "looks_at", "holds"),
    [
        (list, 3, True),
        (content, 3, True),
        (lambda: ["wrong"], 3, False),
        (breaks, 3, False),
        (list, 0, False),
    ],
)
def test_only_content_passes(ask: object, looks_at: int, holds: bool) -> None:
    """A judge passes when it looked at something and found nothing; one that falls over has not passed us."""
    found = judged(Judge("gauge", "posts", looks_at, ask))  # type: ignore[arg-type]
    assert isinstance(found, Finding)
    assert found.holds is holds


@pytest.mark.parametrize("strict", [False, True])
def test_missing_judge_is_loud(strict: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """A judge that is not installed says so with the command, and fails where all are asked for."""
    judge = Judge("gauge", "posts", 3, missing)
    assert tell(judge, judged(judge), strict=strict) is not strict
    assert "NOT RUN  gauge: gauge is not installed" in capsys.readouterr().out


def test_faults_are_told_short(capsys: pytest.CaptureFixture[str]) -> None:
    """Of many faults the first five are printed, and how many more there are."""
    judge = Judge("gauge", "posts", 9, lambda: [f"fault {n}" for n in range(9)])
    tell(judge, judged(judge), strict=False)
    assert capsys.readouterr().out.splitlines()[-1].endswith("and 4 more")
