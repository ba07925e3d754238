"""Subscriptions, keys and deliveries by command."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from agents.__main__ import app
from agents.recover import missed
from pipeline.adapters.history import open_history
from pipeline.adapters.vault import new_key
from pipeline.alerts import attempt, recipients
from pipeline.alerts.route import Decision, delivery
from pipeline.errors import PipelineError
from pipeline.events import (
    AlertRaised,
    AlertWithdrawn,
    Channel,
    Filters,
    Origin,
    Severity,
    SubscriptionDeclared,
)
from tests.fakes import NOON

LEGAL = SubscriptionDeclared(
    subscription_id="legal", name="Legal", channel=Channel.CONSOLE, declared_at=NOON, active=False
)
YES = Decision(subscription_id="legal", deliver=True, reason="the route asks for every alert")


def alert(name: str, **also: object) -> AlertRaised:
    given = {"severity": Severity.HIGH, "raised_at": NOON, "kind": "change", **also}
    return AlertRaised(alert_id=name, title=f"X changes {name}", summary="", **given)  # type: ignore[arg-type]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A deployment with one route, in the present folder."""
    (tmp_path / "clausewire.yaml").write_text("routes:\n  - {name: Legal, to: {console: out.txt}}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLAUSEWIRE_SECRET_KEY", new_key())
    return tmp_path


def told(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def put(here: Path, *events: object) -> None:
    with open_history(f"embedded://{here}/.clausewire/log.db", create=True) as history:
        history.append(events)  # type: ignore[arg-type]


def test_mailbox_is_added_paused_and_removed(here: Path) -> None:
    """A subscription made by hand is listed, switched off and removed."""
    assert told("subscriptions", "add", "Press", "--email", "press@example.org").exit_code == 0
    assert "on   email     press  press@example.org  (command)" in told("subscriptions", "list").output
    told("subscriptions", "pause", "press", "--reason", "holidays")
    assert (
        "off  email     press  press@example.org  (command)  holidays" in told("subscriptions", "list").output
    )
    told("subscriptions", "remove", "press")
    assert "press" not in told("subscriptions", "list").output


def test_route_of_the_file_is_paused_but_not_removed(here: Path) -> None:
    """A route of the configuration is switched off by hand, and removed where it stands."""
    assert told("subscriptions", "pause", "Legal").exit_code == 0
    assert "off" in told("subscriptions", "list").output
    assert isinstance(told("subscriptions", "remove", "legal").exception, PipelineError)


@pytest.mark.parametrize(
    "words",
    [
        ("add", "Legal", "--email", "a@b.example"),
        ("add", "!!!", "--email", "a@b.example"),
        ("add", "New", "--email", "nobody"),
        ("add", "New"),
        ("add", "New", "--email", "a@b.example", "--webhook", "https://c.example"),
        ("add", "New", "--webhook", "http://127.0.0.1:1/"),
        ("add", "New", "--email", "a@b.example", "--hours", "always"),
        ("add", "New", "--email", "a@b.example", "--hours", "08:00-18:00", "--zone", "Berlin"),
        ("pause", "nobody"),
        ("rotate", "legal"),
    ],
)
def test_what_cannot_be_is_told(here: Path, words: tuple[str, ...]) -> None:
    """What cannot be done is told in a sentence, and nothing is declared."""
    result = told("subscriptions", *words)
    assert isinstance(result.exception, PipelineError)
    assert told("subscriptions", "list").output.count("\n") == 1


def test_key_is_shown_once_and_revoked(here: Path) -> None:
    """A key is printed when it is made, and never lies in the log."""
    key = told("api-keys", "create", "--scope", "alerts:read").output.split()[-1]
    log = b"".join(path.read_bytes() for path in (here / ".clausewire").glob("log.db*"))
    listed = told("api-keys", "list").output
    assert key.startswith("cwk_")
    assert key.encode() not in log
    told("api-keys", "revoke", listed.split()[0])
    assert told("api-keys", "list").output == ""


def test_missed_alerts_are_recovered(here: Path) -> None:
    """What was raised while a subscription was off is due once it is asked for, and only that."""
    put(here, alert("alt-1"), alert("alt-2"))
    taken = attempt.sent(delivery(alert("alt-1"), YES, due_at=NOON), attempt=1, at=NOON)
    put(here, taken)
    assert "X changes alt-2" in told("subscriptions", "recover", "legal", "--since", "2024-10-01").output
    with open_history(f"embedded://{here}/.clausewire/log.db") as history:
        counts = [(record.value or b"").count(b'"replayed":true') for record in history.records("outbox")]
    assert sorted(counts) == [0, 1]


def test_only_what_stands_is_recovered() -> None:
    """Withdrawn alerts, those of an archive and those that filters refuse are not recovered."""
    raised = [
        alert("gone"),
        AlertWithdrawn(alert_id="gone", withdrawn_at=NOON, reason="", cause_id="c"),
        alert("old", origin=Origin.IMPORT),
        alert("low", severity=Severity.LOW),
        alert("kept"),
    ]
    wants = Filters(min_severity=Severity.MEDIUM)
    wanted = replace(LEGAL, filters=wants)
    assert [due.alert.alert_id for due in missed(wanted, raised, [], at=NOON) if due.alert] == ["kept"]


def test_why_tells_each_attempt(here: Path) -> None:
    """Who was told hears the reason and how each attempt ended."""
    due = delivery(alert("alt-1"), YES, due_at=NOON)
    put(here, alert("alt-1"), due, attempt.sent(due, attempt=1, at=NOON, status=200))
    output = told("why", "alt-1", "--to", "legal").output
    assert "the route asks for every alert" in output
    assert "sent  attempt 1  status 200" in output


def test_why_tells_the_refusal(here: Path) -> None:
    """Who was not told hears the first reason against it."""
    put(here, alert("alt-1", raised_at=NOON.replace(year=2030), kind="health"))
    assert "not told: kind health is not among" in told("why", "alt-1", "--to", "legal").output


@pytest.mark.parametrize("words", [("why", "alt-9", "--to", "legal"), ("deliveries", "show", "dlv-9"),
                                   ("why", "alt-9", "--to", "nobody"), ("deliveries", "retry", "dlv-9")])  # fmt: skip
def test_unknown_ids_are_told(here: Path, words: tuple[str, ...]) -> None:
    """An id that nothing has is told, with where to look."""
    put(here, alert("alt-1"))
    assert isinstance(told(*words).exception, PipelineError)


def test_delivery_is_shown_and_retried(here: Path) -> None:
    """A delivery shows its attempts with their answers; one that was given up is due again."""
    due = delivery(alert("alt-1"), YES, due_at=NOON)
    put(here, due, attempt.sent(due, attempt=1, at=NOON, status=200, response="taken"))
    assert "answer: taken" in told("deliveries", "show", due.delivery_id).output
    assert "is due again" in told("deliveries", "retry", due.delivery_id).output
    assert "sent" in told("deliveries").output


def test_silence_is_added_listed_and_ended(here: Path) -> None:
    """A silence is listed while it holds, with who and why, and ends when it is told to."""
    identity = told("silence", "add", "service=X", "severity!=critical", "--for", "8h", "--to", "legal",
                    "--comment", "relaunch").output.split()[0]  # fmt: skip
    listed = told("silence", "list").output
    assert "service=X severity!=critical  to legal" in listed
    assert "relaunch" in listed
    told("silence", "expire", identity)
    assert told("silence", "list").output == ""
    assert "(over)" in told("silence", "list", "--all").output


@pytest.mark.parametrize("words", [("add", "X"), ("add", "service=X", "--for", "soon"), ("expire", "sil-9"),
                                   ("add", "service=X", "--for", "9999d"), ("add", "service=X", "--to", "nobody")])  # fmt: skip
def test_silence_that_cannot_be_is_told(here: Path, words: tuple[str, ...]) -> None:
    """What silences nothing, nobody or for ever is refused."""
    assert isinstance(told("silence", *words).exception, PipelineError)


LISTED = ("subscriptions", "add", "Press", "--email", "anna@example.org", "--email", "bo@example.org")


def test_one_recipient_is_paused_by_mailbox(here: Path) -> None:
    """One recipient of a list is paused by their mailbox and shown as off; the list goes on, and they come back."""
    told(*LISTED)
    assert told("subscriptions", "pause", "press/Anna@example.org", "--reason", "on leave").exit_code == 0
    listed = [line for line in told("subscriptions", "list").output.splitlines() if "press" in line]
    assert [line[:3] for line in listed] == ["on ", "off", "on "]
    assert listed[1].endswith("anna@example.org  on leave")
    told("subscriptions", "resume", "press/anna@example.org")
    assert "off" not in told("subscriptions", "list").output


def test_removed_list_forgets_who_left(here: Path) -> None:
    """A list that is removed and made again tells everybody whom it names."""
    told(*LISTED)
    told("subscriptions", "pause", "press/bo@example.org")
    told("subscriptions", "remove", "press")
    told(*LISTED)
    assert "off" not in told("subscriptions", "list").output


def test_subscription_is_changed(here: Path) -> None:
    """What is named changes, and the rest stays."""
    told(*LISTED, "--service", "X", "--min-severity", "high")
    result = told("subscriptions", "change", "press", "--email", "cy@example.org", "--min-severity", "low")
    (seen,) = [
        line for line in told("subscriptions", "list", "--json").output.splitlines() if "Press" in line
    ]
    assert result.exit_code == 0, result.exception
    assert '"to":["cy@example.org"]' in seen
    assert '"services":["X","x"]' in seen
    assert '"min_severity":"low"' in seen


@pytest.mark.parametrize(
    "words",
    [
        ("change", "press", "--webhook", "https://h.example/"),
        ("change", "press", "--contact", "me"),
        ("change", "press", "--contact", "me@example.org"),
        ("change", "press/anna@example.org", "--name", "x"),
        ("remove", "press/anna@example.org"),
        ("add", "New", "--webhook", "https://h.example/", "--signature", "v2"),
    ],
)
def test_change_that_cannot_be_is_told(here: Path, words: tuple[str, ...]) -> None:
    """Another channel, a contact without a mail server, a part as if it were a list: told in a sentence."""
    told(*LISTED)
    before = told("subscriptions", "list").output
    assert isinstance(told("subscriptions", *words).exception, PipelineError)
    assert told("subscriptions", "list").output == before


def test_what_each_recipient_missed_is_recovered(here: Path) -> None:
    """Of a list, who took an alert is not told again, even when it was told to the list as a whole."""
    mails = replace(LEGAL, channel=Channel.EMAIL, target={"to": ["a@example.org", "b@example.org"]})
    first, second = recipients.parts(mails)
    one = replace(YES, subscription_id=first.subscription_id)
    sent = attempt.sent(delivery(alert("alt-1"), one, due_at=NOON), attempt=1, at=NOON)
    whole = attempt.sent(delivery(alert("alt-2"), YES, due_at=NOON), attempt=1, at=NOON)
    found = missed(mails, [alert("alt-1"), alert("alt-2")], [sent, whole], at=NOON)
    assert [due.subscription_id for due in found] == [second.subscription_id]


def test_why_tells_of_each_recipient(here: Path) -> None:
    """Who asks why a list was told hears it of every recipient."""
    told(*LISTED)
    put(here, alert("alt-1", raised_at=NOON.replace(year=2030)))
    output = told("why", "alt-1", "--to", "press").output
    assert ("anna@example.org" in output, "bo@example.org" in output) == (True, True)


def test_attempts_of_a_list_are_those_of_its_recipients(here: Path) -> None:
    """Who lists the deliveries of a route sees those to each of its recipients, and nobody else's."""
    names = ("press/aaa", "press/bbb", "press", "pressed", "other/aaa")
    dues = [delivery(alert("alt-1"), replace(YES, subscription_id=name), due_at=NOON) for name in names]
    put(here, *(attempt.sent(due, attempt=1, at=NOON) for due in dues))
    assert [
        len(told("deliveries", "--route", name).output.splitlines()) for name in ("press", "press/aaa")
    ] == [3, 1]
