"""Our mails in a headless Chromium, on a phone and a desk, in the light and in the dark."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.judges.cases import Case
from tests.judges.tools import program

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-port=0",
)  # fmt: skip
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTHS = {"phone": 390, "desktop": 1200}
SCHEMES = ("light", "dark")
START_S, ASK_S = 60.0, 60.0
CONTRAST = 4.5  # of normal text against its ground, WCAG 2.2, success criterion 1.4.3

LOOK = Path(__file__).with_name("look.js")


@dataclass(frozen=True, slots=True)
class Screen:
    """A size and a colour scheme to look at a page with."""

    name: str
    width: int
    scheme: str


SCREENS = [Screen(f"{name}-{scheme}", width, scheme) for name, width in WIDTHS.items() for scheme in SCHEMES]


class Browser:
    """A page of a browser, driven by the DevTools protocol."""

    def __init__(self, line: aiohttp.ClientWebSocketResponse) -> None:
        self._line = line
        self._ids = itertools.count(1)
        self._events: list[str] = []

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Return what the browser answers to a command."""
        number = next(self._ids)
        await self._line.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(ASK_S):
            while True:
                said = await self._line.receive_json()
                if said.get("id") == number:
                    return dict(said["result"])
                self._events.append(said.get("method", ""))

    async def show(self, url: str, screen: Screen) -> dict[str, Any]:
        """Load a page on a screen and return what there is to see."""
        phone = screen.width < 600
        await self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=screen.width, height=844, deviceScaleFactor=1, mobile=phone,
        )  # fmt: skip
        scheme = [{"name": "prefers-color-scheme", "value": screen.scheme}]
        await self.ask("Emulation.setEmulatedMedia", features=scheme)
        self._events.clear()
        await self.ask("Page.navigate", url=url)
        async with asyncio.timeout(ASK_S):
            while "Page.loadEventFired" not in self._events:
                self._events.append((await self._line.receive_json()).get("method", ""))
        answer = await self.ask(
            "Runtime.evaluate", expression=f"{LOOK.read_text()}({CONTRAST})", returnByValue=True
        )
        return dict(answer["result"]["value"])

    async def picture(self, seen: dict[str, Any], screen: Screen) -> bytes:
        """Return a PNG of the page, to its end or to eight thousand pixels."""
        width = max(seen["wide"], screen.width)
        clip = {"x": 0, "y": 0, "width": width, "height": min(seen["tall"], 8_000), "scale": 1}
        answer = await self.ask("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        return base64.b64decode(answer["data"])


async def misshapen(cases: Sequence[Case], folder: Path) -> list[str]:
    """Return what is wrong with mails on any screen; their pictures lie in the folder afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    faults: list[str] = []
    async with _browsing() as browser:
        for case in cases:
            file = folder / f"{re.sub(r'[^a-z0-9]+', '-', case.name.lower()).strip('-')}.html"
            file.write_text(case.html(), encoding="utf-8")
            for screen in SCREENS:
                seen = await browser.show(file.resolve().as_uri(), screen)
                picture = await browser.picture(seen, screen)
                file.with_name(f"{file.stem}-{screen.name}.png").write_bytes(picture)
                faults += [f"{case.name}, {screen.name}: {fault}" for fault in _faults(seen, screen)]
    return faults


def _faults(seen: dict[str, Any], screen: Screen) -> list[str]:
    faults = [f"text too faint, {dim}" for dim in seen["dim"][:3]]
    faults += [f"loads {url}" for url in seen["loaded"]]
    if seen["wide"] > screen.width:  # innerWidth itself grows when a phone zooms out to show it all
        faults.append(f"{seen['wide']} pixels wide on {screen.width}")
    return faults


@contextlib.asynccontextmanager
async def _browsing() -> AsyncIterator[Browser]:
    """Run a browser of its own, with a profile that is gone afterwards."""
    named = next(filter(shutil.which, BROWSERS), BROWSERS[0])
    chromium = program(named, "apt-get install chromium")
    with tempfile.TemporaryDirectory(prefix="judge-", ignore_cleanup_errors=True) as profile:
        command = [chromium, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        quiet = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)
        try:
            port = await _port(Path(profile) / "DevToolsActivePort")
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://127.0.0.1:{port}/json") as answer,
            ):
                pages = [page for page in await answer.json() if page["type"] == "page"]
                async with session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as line:
                    browser = Browser(line)
                    await browser.ask("Page.enable")
                    yield browser
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


async def _port(file: Path) -> int:
    async with asyncio.timeout(START_S):
        while not (file.exists() and file.read_text()):  # a few bytes, on this machine
            await asyncio.sleep(0.1)
    return int(file.read_text().split()[0])
