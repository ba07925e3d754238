"""The policy poller: what it publishes, what it remembers, and in which order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from msgspec import structs

from agents.poll_policies import PolicyPoller, poll_policies
from agents.rounds import Sources
from pipeline.adapters.clock import SystemClock
from pipeline.adapters.http import Fetcher, FetchLimits
from pipeline.errors import FetchError, StoreError
from pipeline.events import DocumentSpec, FetchOutcome, PageFetched
from pipeline.polling import Fetched, Health, PollState, fresh_state
from tests.adapters.rawsite import Request, page, serving
from tests.agents.polls import DictMemory, ScriptedFetcher, answer, later
from tests.fakes import FixedClock, ListLog, MemoryBlobs

DNS = FetchError("the name x does not resolve", kind="dns", remedy="Check the spelling")
ROBOTS = FetchError("robots.txt of x disallows y", kind="robots", remedy="Ask the site")
SPEC = DocumentSpec(id="acme/terms", service="Acme", name="Terms", url="http://127.0.0.1/terms")


class Trial:
    """A poller with fakes around it, polled an hour apart."""

    def __init__(self, *answers: Fetched | FetchError) -> None:
        self.clock = FixedClock()
        self.fetcher = ScriptedFetcher(self.clock, list(answers))
        self.blobs = MemoryBlobs()
        self.log = ListLog()
        self.spec = SPEC
        self.state = fresh_state(None, SPEC.id, SPEC.url)

    async def poll(self) -> list[PageFetched]:
        """Poll once for each answer and return what was published."""
        poller = PolicyPoller(
            fetcher=self.fetcher, blobs=self.blobs, publish=self.log, clock=self.clock, jitter=lambda: 0.5
        )
        while self.fetcher.answers:
            self.state = await poller.poll(self.spec, self.state)
            later(self.clock, hours=1)
        return [event for event in self.log.published if isinstance(event, PageFetched)]


def told(events: list[PageFetched]) -> list[tuple[str, bool, int]]:
    return [(event.outcome.value, event.confirms, event.failures) for event in events]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([answer(b"a")], [("ok", False, 0)]),
        ([answer(b"a"), answer(b"a")], [("ok", False, 0), ("ok", True, 0)]),
        ([answer(b"a"), answer(b"a"), answer(b"a")], [("ok", False, 0), ("ok", True, 0)]),
        ([answer(b"a", etag='"1"'), answer(None, status=304)], [("ok", False, 0), ("ok", True, 0)]),
        ([answer(b"a"), answer(b"b"), answer(b"a")], [("ok", False, 0)] * 3),
        ([answer(b"")], [("ok", False, 0)]),
        ([answer(None, status=304)], [("failed", False, 1)]),
        ([answer(None, status=404)], [("failed", False, 1)]),
        ([answer(None, status=403)], [("blocked", False, 1)]),
        ([ROBOTS], [("blocked", False, 1)]),
        ([DNS] * 4, [("failed", False, 1), ("failed", False, 3)]),
        ([answer(b"a"), answer(b"a"), DNS, answer(b"b")], [("ok", False, 0), ("ok", True, 0), ("failed", False, 1), ("ok", False, 0)]),
        ([answer(b"a"), answer(b"a"), DNS, answer(b"a")], [("ok", False, 0), ("ok", True, 0), ("failed", False, 1), ("unchanged", False, 0)]),
        ([answer(b"a"), DNS, answer(b"a")], [("ok", False, 0), ("failed", False, 1), ("ok", True, 0)]),
    ],
    ids=[
        "first read", "confirmed", "no more records", "confirmed by 304", "back and forth", "empty page",
        "304 unasked", "gone", "refused", "robots", "told sparingly", "trouble, then news", "trouble, then the same", "confirmed after trouble",
    ],
)  # fmt: skip
async def test_records(answers: list[Fetched | FetchError], expected: list[tuple[str, bool, int]]) -> None:
    """Bytes that differ, their first confirmation, trouble now and then, its end: a record; else none."""
    assert told(await Trial(*answers).poll()) == expected


async def test_selectors_changed() -> None:
    """When a source's selectors change, the same page is told once more, to be extracted anew."""
    trial = Trial(*[answer(b"a")] * 3)
    await trial.poll()
    trial.spec = structs.replace(SPEC, select=("main",))
    trial.fetcher.answers.extend([answer(b"a")] * 2)
    events = await trial.poll()
    assert told(events) == [("ok", False, 0), ("ok", True, 0), ("ok", True, 0)]
    assert events[-1].document.select == ("main",)


async def test_body_by_reference() -> None:
    """The page's bytes lie in the store under the hash that the record names."""
    trial = Trial(answer(b"terms"))
    event = (await trial.poll())[0]
    assert event.body is not None
    assert await trial.blobs.get(event.body) == b"terms"
    assert event.body.media_type == "text/html"


async def test_trouble_says_what_to_do() -> None:
    """A record of trouble has no body, and its reason ends with the remedy."""
    event = (await Trial(DNS).poll())[0]
    assert (event.body, event.reason) == (None, "the name x does not resolve. Check the spelling")


async def test_asks_conditionally() -> None:
    """The second read sends the first one's ETag; after a day the page is read in full again."""
    trial = Trial(answer(b"a", etag='"1"'), *[answer(None, status=304, etag='"1"')] * 25)
    await trial.poll()
    assert trial.fetcher.asked[0] is None
    assert [known.etag for known in trial.fetcher.asked[1:24] if known] == ['"1"'] * 23
    assert trial.fetcher.asked[24] is None


async def test_unpublished_is_not_remembered() -> None:
    """When the log cannot take the record, nothing is remembered: the next poll publishes it."""
    trial = Trial(answer(b"a"))
    trial.log = ListLog(failures=[StoreError("disk full")])
    with pytest.raises(StoreError):
        await trial.poll()
    assert trial.state.body is None
    trial.fetcher.answers.append(answer(b"a"))
    assert told(await trial.poll()) == [("ok", False, 0)]


async def test_told_to_wait() -> None:
    """A 429 that names a time is obeyed, and a host that is being spared costs its sources no failure."""
    held = FetchError("wait", kind="held", retry_after_s=900)
    trial = Trial(answer(None, status=429, retry_after_s=7200), held)
    start = trial.clock.now()
    await trial.poll()
    assert trial.state.failures == 1
    assert trial.state.due_at is not None
    assert (trial.state.due_at - start).total_seconds() >= 3600 + 900


async def test_health_is_seen() -> None:
    """A failing source shows since when, why, and when it is tried next."""
    trial = Trial(answer(b"a"), DNS, DNS)
    await trial.poll()
    assert (trial.state.health, trial.state.failures) == (Health.FAILING, 2)
    assert trial.state.failing_since is not None
    assert "does not resolve" in trial.state.reason


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.01)


class Running:
    """The poller running for real: real fetcher, real clock, real rounds."""

    def __init__(self, *specs: DocumentSpec) -> None:
        self.sources: Sources[DocumentSpec] = Sources(specs)
        self.log, self.memory, self.stop = ListLog(), DictMemory(), asyncio.Event()
        self.fetcher = Fetcher(clock=SystemClock(), limits=FetchLimits(spacing_s=0, read_s=0.5, total_s=1))

    async def __aenter__(self) -> Running:
        await self.fetcher.__aenter__()
        self.task = asyncio.create_task(
            poll_policies(
                self.sources, fetcher=self.fetcher, blobs=MemoryBlobs(), publish=self.log,
                memory=self.memory, clock=SystemClock(), stop=self.stop,
            )
        )  # fmt: skip
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop.set()
        await self.task
        await self.fetcher.__aexit__(None, None, None)

    def pages(self, source_id: str) -> list[PageFetched]:
        return [
            event for event in self.log.published if isinstance(event, PageFetched) and event.key == source_id
        ]


def spec(source_id: str, url: str, interval_s: float = 0.05) -> DocumentSpec:
    return DocumentSpec(id=source_id, service="s", name="n", url=url, interval_s=interval_s)


async def test_polls_for_real() -> None:
    """A real page is read, confirmed, then silent; when its bytes change there is a record."""
    async with serving({"/p": page(b"one")}) as site, Running(spec("p", site.url("/p"))) as running:
        await until(lambda: len(site.asked("/p")) >= 5)
        assert told(running.pages("p")) == [("ok", False, 0), ("ok", True, 0)]
        site.answers["/p"] = page(b"two")
        await until(lambda: len(running.pages("p")) >= 4)
    assert told(running.pages("p"))[2:4] == [("ok", False, 0), ("ok", True, 0)]


async def test_one_failing_source_delays_none() -> None:
    """While one host hangs and another is not there, the others are polled at their pace."""

    async def hangs(_: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    async with (
        serving({"/h": hangs}, host="127.0.0.2") as bad,
        serving({"/p": page(b"one")}) as site,
        Running(
            spec("h", bad.url("/h")), spec("n", "http://127.0.0.3:9/"), spec("p", site.url("/p"))
        ) as running,
    ):
        await until(lambda: len(site.asked("/p")) >= 5 and bool(running.pages("h")))
    assert running.pages("h")[0].outcome is FetchOutcome.FAILED
    assert running.sources.states["n"].health is Health.FAILING


async def test_sources_come_and_go() -> None:
    """A source declared at run time is polled at once; one withdrawn is polled no more."""
    async with (
        serving({"/p": page(b"one"), "/q": page(b"two")}) as site,
        Running(spec("p", site.url("/p"))) as running,
    ):
        await until(lambda: bool(running.pages("p")))
        running.sources.withdraw("p")
        running.sources.declare(spec("q", site.url("/q")))
        await until(lambda: bool(running.pages("q")))
        polled = len(site.asked("/p"))
        await asyncio.sleep(0.3)
        assert len(site.asked("/p")) <= polled + 1


async def test_remembers_across_restarts() -> None:
    """A poller that starts again with what was remembered asks conditionally and publishes nothing twice."""

    def conditional(request: Request) -> bytes:
        return (
            page(b"", status="304 Not Modified")
            if "if-none-match" in request.headers
            else page(b"one", ETag='"1"')
        )

    async with serving({"/p": conditional}) as site:
        async with Running(spec("p", site.url("/p"))) as running:
            await until(lambda: len(running.pages("p")) == 2)
        memory = running.memory
        again = Running(spec("p", site.url("/p")))
        again.memory = memory
        async with again:
            asked = len(site.asked("/p"))
            await until(lambda: len(site.asked("/p")) >= asked + 3)
    assert not again.log.published


async def test_log_trouble_stops_nothing() -> None:
    """While the log takes no writes the poller goes on, and publishes once it can."""
    async with serving({"/p": page(b"one")}) as site:
        running = Running(spec("p", site.url("/p")))
        running.log = ListLog(failures=[StoreError("disk full"), StoreError("disk full")])
        async with running:
            await until(lambda: len(running.pages("p")) == 2)
    assert told(running.pages("p")) == [("ok", False, 0), ("ok", True, 0)]


async def test_our_bug_is_a_crash() -> None:
    """An error that nobody foresaw stops the poller and is raised."""

    class Broken(ListLog):
        async def publish(self, event: object) -> None:
            raise ZeroDivisionError

    async with serving({"/p": page(b"one")}) as site, Fetcher(clock=SystemClock()) as fetcher:
        with pytest.raises(ZeroDivisionError):
            await poll_policies(
                Sources([spec("p", site.url("/p"))]), fetcher=fetcher, blobs=MemoryBlobs(), publish=Broken(),
                memory=DictMemory(), clock=SystemClock(), stop=asyncio.Event(),
            )  # fmt: skip


async def test_stops_at_once() -> None:
    """A poller told to stop while a page hangs is done in little over a second."""

    async def hangs(_: asyncio.StreamWriter) -> None:
        await asyncio.sleep(9)

    async with serving({"/h": hangs}) as site:
        running = Running(spec("h", site.url("/h")))
        async with running:
            await until(lambda: bool(site.asked("/h")))
            started = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - started < 2.5


async def test_state_is_a_value() -> None:
    """What a poll changes is a new state; the old one stands."""
    trial = Trial(answer(b"a"))
    before = trial.state
    await trial.poll()
    assert before == PollState(source_id=SPEC.id, url=SPEC.url)
