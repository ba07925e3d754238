"""Pages rendered by a real Chromium: their scripts' text, within time and size, and nowhere they must not reach."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from importlib.util import find_spec

import pytest

from pipeline.adapters.browser import NAMES, RENDERED, Browser, find_browser
from pipeline.adapters.clock import SystemClock
from pipeline.adapters.http import FetchLimits
from pipeline.errors import ConfigError, FetchError
from tests.adapters.rawsite import RawSite, page, serving
from tests.agents.shells import FILLED, shell

MISSING = (
    "no Chromium on PATH"
    if not any(map(shutil.which, NAMES))
    else "Playwright is not installed (extra browser)"
    if find_spec("playwright") is None
    else ""
)
needs_browser = pytest.mark.skipif(bool(MISSING), reason=f"PAGES WERE NOT RENDERED: {MISSING}")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    limits = FetchLimits(total_s=30.0, max_bytes=200_000)
    path = find_browser("auto")
    async with Browser(
        path=path, clock=SystemClock(), limits=limits, agent="clausewire/1 (+test)", sandbox=False
    ) as open_:
        yield open_


@pytest.fixture
async def site() -> AsyncIterator[RawSite]:
    async with serving({"/terms": shell()}) as running:
        yield running


@needs_browser
@pytest.mark.slow
async def test_scripts_fill_the_page(browser: Browser, site: RawSite) -> None:
    """What a script puts on the page is in the bytes, and a header says that they were rendered."""
    fetched = await browser.render(site.url("/terms"))
    assert FILLED in (fetched.body or b"").decode()
    assert (fetched.status, fetched.headers[RENDERED], fetched.validators) == (200, "chromium", None)


@needs_browser
@pytest.mark.slow
async def test_says_who_it_is(browser: Browser, site: RawSite) -> None:
    """The browser's own name is sent with ours behind it."""
    await browser.render(site.url("/terms"))
    assert site.asked("/terms")[0].headers["user-agent"].endswith("clausewire/1 (+test)")


@needs_browser
@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ("while (true) {}", "timeout"),
        ("document.body.innerText = 'x'.repeat(300000)", "size"),
        ("for (let i = 0; i < 9; i++) fetch('/large?' + i)", "size"),
    ],
    ids=["never yields", "large text", "large downloads"],
)
async def test_bounds_hold(browser: Browser, script: str, kind: str) -> None:
    """A page that never ends, or is too large, is given up; the next page is rendered all the same."""
    browser.limits = FetchLimits(total_s=6.0 if kind == "timeout" else 30.0, max_bytes=200_000)
    large = {f"/large?{i}": page(b"x" * 50_000) for i in range(9)}
    async with serving({"/bad": shell(script), "/good": shell(), **large}) as site:
        with pytest.raises(FetchError) as caught:
            await browser.render(site.url("/bad"))
        browser.limits = FetchLimits(total_s=30.0, max_bytes=200_000)
        assert FILLED in (await browser.render(site.url("/good"))).body.decode()  # type: ignore[union-attr]
    assert caught.value.kind == kind


@needs_browser
@pytest.mark.slow
async def test_own_network_is_out_of_reach(browser: Browser) -> None:
    """A page's scripts reach no other address of our own network."""
    async with serving({"/secret": page(b"secret")}, host="127.0.0.2") as other:
        script = f"fetch('{other.url('/secret')}', {{mode: 'no-cors'}}).catch(() => 0).then(() => fill())"
        async with serving({"/": shell(script)}) as led:
            await browser.render(led.url("/"))
        assert other.requests == []


@needs_browser
@pytest.mark.slow
async def test_redirect_into_own_network_ends_the_page(browser: Browser) -> None:
    """A page whose request is redirected to our own network is given up, and says where it was led."""
    async with serving({"/secret": page(b"secret")}, host="127.0.0.2") as other:
        hop = page(b"", status="302 Found", Location=other.url("/secret"))
        script = "fetch('/hop', {mode: 'no-cors'}).catch(() => 0).then(() => fill())"
        async with serving({"/": shell(script), "/hop": hop}) as led:
            with pytest.raises(FetchError, match=r"127\.0\.0\.2") as caught:
                await browser.render(led.url("/"))
    assert caught.value.kind == "browser"


@needs_browser
@pytest.mark.slow
async def test_nobody_there(browser: Browser) -> None:
    """A host that does not answer is trouble of the source, with a remedy."""
    with pytest.raises(FetchError) as caught:
        await browser.render("http://127.0.0.1:9/")
    assert (caught.value.kind, bool(caught.value.remedy)) == ("browser", True)


def test_browser_that_is_not_there() -> None:
    """A browser that is configured and not installed is said so, with the key."""
    with pytest.raises(ConfigError) as caught:
        find_browser("/nowhere/chromium")
    assert caught.value.key == "fetch.browser"


async def test_other_schemes_are_refused() -> None:
    """Only http and https are shown."""
    with pytest.raises(FetchError):
        await Browser(path="x", clock=SystemClock()).render("file:///etc/passwd")
