"""Pollers on Kafka share the sources: each is read by one of them, and none is forgotten when one goes."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import yaml
from aiohttp import web

from agents.serve import running
from pipeline.adapters.clock import SystemClock
from pipeline.adapters.history import KafkaHistory
from pipeline.adapters.kafka.start import kafka_of
from pipeline.config import Settings, parse
from tests.flow.line import page

pytestmark = pytest.mark.kafka
DOCUMENTS = 8
LONG_S = 60.0


class Site:
    """Serves one page per document and counts the reads."""

    def __init__(self) -> None:
        self.reads: Counter[str] = Counter()
        self.port = 0

    async def serve(self, request: web.Request) -> web.Response:
        self.reads[request.match_info["number"]] += 1
        return web.Response(body=page(), content_type="text/html")

    async def all_read_again(self) -> None:
        """Wait until every document was read twice more."""
        before = Counter(self.reads)
        async with asyncio.timeout(LONG_S):
            while any(self.reads[str(n)] < before[str(n)] + 2 for n in range(DOCUMENTS)):
                await asyncio.sleep(0.05)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made, application = Site(), web.Application()
    application.router.add_get("/{number}", made.serve)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.port = runner.addresses[0][1]
    yield made
    await runner.cleanup()


@pytest.fixture
def settings(tmp_path: Path, kafka: str, site: Site) -> Settings:
    """Eight documents, each to be read every second."""
    documents = [
        {"service": f"S{n}", "name": "Terms", "url": f"http://127.0.0.1:{site.port}/{n}", "interval": "1s"}
        for n in range(DOCUMENTS)
    ]
    words = {
        "broker": f"kafka://{kafka}",
        "kafka": {
            "prefix": f"share-{uuid.uuid4().hex[:8]}.",
            "partitions": 4,
            "session_timeout": "6s",
        },
        "fetch": {"spacing": "0s", "jitter": 0.0},
        "documents": documents,
    }
    return parse(yaml.safe_dump(words).encode(), tmp_path / "clausewire.yaml", {})


async def test_pollers_share_sources(settings: Settings, site: Site) -> None:
    """Two pollers read no page twice as often as one; the one that is left reads them all; no page is news again."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(settings, SystemClock(), works=False))
        await site.all_read_again()
        async with running(settings, SystemClock(), works=False):
            await site.all_read_again()
            before = Counter(site.reads)
            await asyncio.sleep(5)
            shared = {n: site.reads[n] - before[n] for n in site.reads}
        await site.all_read_again()
    with KafkaHistory(kafka_of(settings)) as history:
        pages = Counter(record.key for record in history.records("pages.fetched"))
    assert max(shared.values()) <= 7, shared
    assert max(pages.values()) <= 2, "a page, and the read that confirmed it"
