"""What the judges look at: alerts of real pages, of every kind, and hostile ones, as post, message and mail."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import partial
from hashlib import sha256
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from agents.demo.story import FOLDER
from agents.detect_changes import detect_changes
from pipeline.alerts.alert import change_alert
from pipeline.alerts.render import email, slack, webhook
from pipeline.alerts.render.email import Letter
from pipeline.alerts.render.words import Links
from pipeline.events import (
    AlertRaised,
    BodyRef,
    ClausesChanged,
    DeliveryDue,
    DocumentSpec,
    PageRef,
    PageState,
    Severity,
    Verdict,
    Version,
    VersionRecorded,
    derived_id,
)
from pipeline.policy.clauses import segment
from pipeline.policy.page import Page, read_page
from tests.alerts import samples

PROCESSES = 2
SEED = 20_261_122  # of the alerts drawn for digests
DIGESTS = (  # how many alerts, of what, and which draw
    *((50, "weekly", number) for number in range(4)),
    *((12, "daily", number) for number in range(4)),
    (400, "weekly", 0),
)
LINKS = Links(
    redline="https://clausewire.example/alerts/alt-1/redline",
    evidence="https://clausewire.example/alerts/alt-1/evidence",
)
LETTER = Letter(
    sender="Clausewire <alerts@clausewire.example>",
    to=("counsel@example.org",),
    unsubscribe_url="https://clausewire.example/unsubscribe/" + "k3J9" * 24,
    unsubscribe_mail="unsubscribe@clausewire.example",
)


@dataclass(frozen=True, slots=True)
class Case:
    """A delivery to judge, under a name that leads back to where it comes from."""

    name: str
    due: DeliveryDue

    @property
    def hostile(self) -> bool:
        """Say whether an attacker chose every word of it."""
        return self.name.startswith("hostile ")

    def body(self) -> bytes:
        """Return the webhook's body."""
        return webhook.compose(self.due, links=LINKS)

    def messages(self) -> list[slack.Message]:
        """Return the Slack messages: the one posted and, of an update, the alert's refreshed one."""
        return [message for message in slack.compose(self.due, links=LINKS) if message is not None]

    def mail(self) -> EmailMessage:
        """Return the mail."""
        return email.compose(self.due, letter=LETTER, sent_at=self.due.due_at, links=LINKS)

    def html(self) -> str:
        """Return the HTML part of the mail."""
        part = self.mail().get_body(("html",))
        assert part is not None, "a mail has an HTML part"
        return str(part.get_content())


@dataclass(frozen=True, slots=True)
class Pair:
    """Two dated files of one document, one after the other."""

    name: str
    service: str
    document: str
    old: Path
    new: Path


class Kept:
    """A store of values in memory."""

    def __init__(self) -> None:
        self._bodies: dict[str, bytes] = {}

    async def put(self, value: msgspec.Struct) -> BodyRef:
        body = msgspec.json.encode(value)
        ref = BodyRef(sha256=sha256(body).hexdigest(), size=len(body), media_type="application/json")
        self._bodies[ref.sha256] = body
        return ref

    async def get(self, ref: BodyRef, kind: type[Any]) -> Any:
        return msgspec.json.decode(self._bodies[ref.sha256], type=kind)


class Remembered:
    """The memory of one document's state."""

    def __init__(self) -> None:
        self._states: dict[str, Any] = {}

    def recall(self, key: str) -> Any:
        return self._states.get(key)

    def keep(self, key: str, value: Any) -> None:
        self._states[key] = value

    def forget(self, key: str) -> None:
        self._states.pop(key, None)


def told(name: str, what: Any, **also: Any) -> Case:
    """Return a case of an alert, an update or a withdrawal."""
    return Case(name, samples.due(what, delivery_id=derived_id("dlv", name), **also))


def ours() -> list[Case]:
    """Return an alert of each kind, an update of each kind, and every hostile text of the samples."""
    alert = samples.alert(coverage=(samples.story(), samples.story("A second report", outlet="Elsewhere")))
    story = samples.alert(kind="story", changes=(), document=None, evidence=None, coverage=(samples.story(),))
    kinds = [told("an alert", alert), told("a story", story)]
    news = {"coverage": (samples.story(), samples.story("A second report", outlet="Elsewhere"))}
    kinds += [
        told(f"an update: {how}", samples.updated(how, coverage=news.get(how, ())), alert=alert)
        for how in ("confirmed", "coverage", "in-force")
    ]
    kinds.append(told("a withdrawal", samples.withdrawn(), alert=alert))
    many = [
        samples.reworded(f"{n} days", f"{n} months", heading_path=(f"{n}. Retention",)) for n in range(1, 90)
    ]
    kinds.append(told("ninety changes", samples.alert(samples.change(), *many)))
    kinds += _gathered(alert, story)
    return kinds + [case for n, text in enumerate(samples.HOSTILE) for case in _hostile(n, text)]


def _gathered(alert: AlertRaised, story: AlertRaised) -> list[Case]:
    """Return gathered messages of every kind: changes, a story, news of earlier alerts, a withdrawal."""
    terms = samples.alert_of("Meta", "Terms", Severity.CRITICAL)
    trouble = samples.alert_of("X", "Rules", kind="health", changes=(), title="X’s Rules cannot be read")
    news = samples.updated("coverage", "alt-known", coverage=(samples.story(),))
    told_of = msgspec.structs.replace(story, alert_id="alt-story")
    members = [
        *(samples.member(one) for one in (alert, terms, told_of, trouble)),
        samples.member(samples.updated(alert_id="alt-sure"), alert=samples.alert_of("Meta", "Cookies")),
        samples.member(news, alert=samples.alert_of("GitHub", "Privacy")),
        samples.member(samples.withdrawn(alert_id="alt-gone"), alert=samples.alert_of("GitHub", "Terms")),
    ]
    few = [samples.member(samples.alert_of("X", f"Paper {n}")) for n in range(3)]
    return [
        Case("a group", samples.group(*few, delivery_id="dlv-group-few")),
        Case("a group of every kind", samples.group(*members, delivery_id="dlv-group-all")),
        Case("a daily digest", samples.digest(*members, delivery_id="dlv-daily")),
        Case(
            "a weekly digest of news", samples.digest(*members[4:], period="weekly", delivery_id="dlv-news")
        ),
    ]


def _hostile(number: int, text: str) -> list[Case]:
    """Return a delivery in which every word is the given text, and a gathered one."""
    alert = samples.hostile(text)
    gone = samples.withdrawn(text, alert_id="alt-b")
    news = samples.updated("coverage", "alt-c", coverage=alert.coverage, reason=text)
    members = [samples.member(alert), samples.member(gone, alert=alert), samples.member(news, alert=alert)]
    digest = samples.digest(*members, delivery_id=f"dlv-hostile-{number}")
    return [told(f"hostile {number}", alert), Case(f"hostile {number}, gathered", digest)]


def together(cases: Sequence[Case]) -> list[Case]:
    """Return what the alerts of these cases are when they are gathered: a group for each service, and digests."""
    alerts = [case.due.alert for case in cases if case.due.alert]
    services = sorted({alert.service for alert in alerts})
    groups = [
        samples.group(
            *(samples.member(alert) for alert in alerts if alert.service == service),
            delivery_id=derived_id("dlv", "group", service),
            thread=f"group:{service}",
        )
        for service in services
    ]
    named = [Case(f"all of {due.members[0].alert.service}", due) for due in groups if due.members[0].alert]
    draw = Random(SEED)
    digests = [
        samples.digest(
            *(samples.member(alert) for alert in draw.sample(alerts, min(size, len(alerts)))),
            delivery_id=derived_id("dlv", "digest", size, number),
            period=period,
        )
        for size, period, number in DIGESTS
    ]
    return [
        *named,
        *(Case(f"digest {number} of {len(due.members)}", due) for number, due in enumerate(digests)),
    ]


def demo_pairs() -> list[Pair]:
    """Return the consecutive versions of the demo's documents."""
    folders = sorted(folder for folder in (FOLDER / "pages").glob("*/*") if folder.is_dir())
    return [
        Pair(f"{new.relative_to(FOLDER)}", folder.parent.name, folder.name, old, new)
        for folder in folders
        for old, new in pairwise(sorted(folder.iterdir()))
    ]


def data_pairs(data: Path) -> list[Pair]:
    """Return the pairs that the development data lists."""
    root = data / "policies" if (data / "policies").is_dir() else data
    with (root / "pairs.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [
        Pair(row["id"], row["service"], row["document"], root / row["old_file"], root / row["new_file"])
        for row in rows
    ]


def alerts_of(
    pairs: Sequence[Pair], *, processes: int = PROCESSES
) -> Iterator[tuple[Pair, AlertRaised | str | None]]:
    """Yield what each pair raises: an alert, nothing where no wording changed, or the words of an error."""
    if processes == 1:
        yield from ((pair, raised(pair)) for pair in pairs)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from zip(pairs, pool.map(raised, pairs, chunksize=8), strict=True)


def raised(pair: Pair) -> AlertRaised | str | None:
    """Return the alert that a pair raises, through the step that compares versions; an error as its words."""
    try:
        return asyncio.run(_raised(pair))
    except Exception as error:  # one pair that falls over must not hide the others
        return f"{type(error).__name__}: {error}"


async def _raised(pair: Pair) -> AlertRaised | None:
    values, memory, alert = Kept(), Remembered(), None
    step = partial(detect_changes, values=values, memory=memory)
    for at, path in enumerate((pair.old, pair.new)):
        version = read(path)
        if version is None:
            return None
        async for event in step(_recorded(pair, version, await values.put(version), at)):
            if isinstance(event, ClausesChanged) and event.verdict is Verdict.CHANGED:
                alert = change_alert(event)
    return alert


def _recorded(pair: Pair, version: Version, ref: BodyRef, at: int) -> VersionRecorded:
    url = f"https://{pair.service}.example/{pair.document}"
    seen = datetime(2024, 10, 1, 9, tzinfo=UTC) + timedelta(days=at)
    page = PageRef(page_id=f"page-{at}", url=url, final_url=url, fetched_at=seen, body=ref)
    document = DocumentSpec(
        id=f"{pair.service}-{pair.document}", service=pair.service.title(), name=pair.document, url=url
    )
    return VersionRecorded(
        document=document,
        page=page,
        state=PageState.OK,
        fingerprint=derived_id("fp", version.text),
        version=ref,
        extractor=version.extractor,
    )


def read(path: Path) -> Version | None:
    """Read a dated text, or extract a dated page; nothing where the page is not readable."""
    data = path.read_bytes()
    data = gzip.decompress(data) if path.suffix == ".gz" else data
    if ".html" in path.suffixes:
        return read_page(Page(body=data)).version
    text = data.decode("utf-8", "replace")
    return Version(text=text, clauses=segment(text), extractor="archive")
