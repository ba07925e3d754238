"""What falls due after a change of a document."""

from datetime import UTC, datetime

import pytest

from pipeline.events import BodyRef, ClausesChanged, DocumentSpec, Evidence, PageRef, Verdict
from pipeline.policy.lifecycle import reminders

SEEN = datetime(2018, 8, 1, 9, tzinfo=UTC)
URL = "https://x.example/privacy"


def changed(effective: str | None) -> ClausesChanged:
    body = BodyRef(sha256="ab" * 32, size=1, media_type="text/html")
    page = PageRef(page_id="p", url=URL, final_url=URL, fetched_at=SEEN, body=body)
    return ClausesChanged(
        document=DocumentSpec(id="x-privacy", service="X", name="Privacy Policy", url=URL),
        old_fingerprint="a",
        new_fingerprint="b",
        verdict=Verdict.CHANGED,
        evidence=Evidence(new=page, old=page),
        effective_date=effective,
    )


@pytest.mark.parametrize(
    ("effective", "what"),
    [
        ("2018-09-15", ["confirm", "in-force"]),
        ("2018-07-15", ["confirm"]),
        ("2018-09", ["confirm"]),
        ("2018", ["confirm"]),
        (None, ["confirm"]),
    ],
)
def test_only_days_fall_due(effective: str | None, what: list[str]) -> None:
    """A day to come is remembered; a day gone by, a month, a year and no date at all are not."""
    assert [reminder.what for reminder in reminders(changed(effective))] == what
