"""The policy poller and pages that only scripts can fill: rendered where allowed, and never otherwise."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import pytest
from msgspec import structs

from agents.poll_policies import PolicyPoller
from pipeline.errors import FetchError
from pipeline.events import DocumentSpec, PageFetched
from pipeline.polling import Fetched, PollState, fresh_state
from tests.agents.polls import ScriptedFetcher, answer, later
from tests.agents.shells import FILLED, markup
from tests.fakes import NOON, FixedClock, ListLog, MemoryBlobs

SPEC = DocumentSpec(
    id="acme/terms", service="Acme", name="Terms of Service", url="https://acme.example/terms"
)
TEXT = f"<h1>Terms of Service</h1><p>{FILLED}</p><p>They hold from the day that you accept them.</p>".encode()


@dataclass
class Renderer:
    """A browser that shows what it was given, or fails."""

    shows: bytes | FetchError
    asked: list[str] = field(default_factory=list)

    async def render(self, url: str, *, language: str = "") -> Fetched:
        self.asked.append(url)
        if isinstance(self.shows, FetchError):
            raise self.shows
        return Fetched(
            url=url, status=200, final_url=url, fetched_at=NOON, elapsed_s=1.0, body=self.shows,
            sha256=hashlib.sha256(self.shows).hexdigest(), headers={"x-clausewire-rendered": "chromium"},
        )  # fmt: skip


async def polled(
    renderer: Renderer | None, *answers: Fetched
) -> tuple[list[PageFetched], PollState, ScriptedFetcher, MemoryBlobs]:
    """Return what came of one poll for each answer."""
    clock, log, blobs = FixedClock(), ListLog(), MemoryBlobs()
    fetcher = ScriptedFetcher(clock, list(answers))
    poller = PolicyPoller(
        fetcher=fetcher, blobs=blobs, publish=log, clock=clock, renders=renderer, jitter=lambda: 0.5
    )
    state = fresh_state(None, SPEC.id, SPEC.url)
    while fetcher.answers:
        state = await poller.poll(SPEC, state)
        later(clock, hours=1)
    return [event for event in log.published if isinstance(event, PageFetched)], state, fetcher, blobs


async def test_rendered_page_is_the_record() -> None:
    """A shell is rendered, and the page on record is the rendered one and says so."""
    (event,), _, _, blobs = await polled(Renderer(TEXT), answer(markup()))
    assert event.body is not None
    assert await blobs.get(event.body) == TEXT
    assert event.headers["x-clausewire-rendered"] == "chromium"


@pytest.mark.parametrize(
    "page",
    [
        answer(TEXT),
        answer(b""),
        answer(None, status=404),
        answer(b"<title>Not found</title><h1>Page not found</h1>"),
    ],
    ids=["text", "empty", "gone", "soft 404"],
)
async def test_other_pages_are_not_rendered(page: Fetched) -> None:
    """Only a shell is shown to the browser."""
    renderer = Renderer(TEXT)
    await polled(renderer, page)
    assert renderer.asked == []


async def test_off_unless_configured() -> None:
    """Without a browser a shell is recorded as it was served."""
    (event,), _, _, blobs = await polled(None, answer(markup()))
    assert event.body is not None
    assert await blobs.get(event.body) == markup()


async def test_equal_rendering_confirms() -> None:
    """A second shell that is rendered to the same page confirms it; its ETag is never asked with."""
    events, _, fetcher, _ = await polled(Renderer(TEXT), *[answer(markup(), etag='"1"')] * 3)
    assert [event.confirms for event in events] == [False, True]
    assert fetcher.asked == [None, None, None]


async def test_failed_rendering_is_trouble() -> None:
    """A page that the browser cannot show is a failed read with its reason, and no page."""
    broken = Renderer(FetchError("the browser cannot show it", kind="browser", remedy="see that it starts"))
    (event,), state, _, _ = await polled(broken, answer(markup()))
    assert (event.body, event.outcome.value, state.failures) == (None, "failed", 1)
    assert "see that it starts" in event.reason


async def test_redirects_before_rendering_are_kept() -> None:
    """The browser is sent to where the plain read ended, and the record names the whole way."""
    renderer = Renderer(TEXT)
    hops = structs.replace(answer(markup()), redirects=("301 https://acme.example/legal",))

    class Redirecting(ScriptedFetcher):
        async def fetch(self, url: str, **_: object) -> Fetched:  # type: ignore[override]
            return structs.replace(self.answers.pop(0), url=url, final_url="https://acme.example/legal")  # type: ignore[arg-type]

    clock, log = FixedClock(), ListLog()
    poller = PolicyPoller(
        fetcher=Redirecting(clock, [hops]), blobs=MemoryBlobs(), publish=log, clock=clock, renders=renderer
    )
    await poller.poll(SPEC, fresh_state(None, SPEC.id, SPEC.url))
    assert renderer.asked == ["https://acme.example/legal"]
    assert log.published[0].redirects == hops.redirects  # type: ignore[attr-defined]
