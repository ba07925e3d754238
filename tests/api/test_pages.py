"""What a reader sees who follows the links of a message: every change, and what proves it."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import zipfile
from dataclasses import replace as changed
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from msgspec.structs import replace

from agents.api import links
from agents.api.pages_proof import evidence, file_name
from agents.api.pages_view import numbered
from agents.dossier import dossier, exhibits
from agents.told import Told
from pipeline.adapters.blobs import BlobValues, squeezed
from pipeline.adapters.vault import new_key
from pipeline.events import AlertRaised, AlertUpdated, AlertWithdrawn, Change, ChangeType, Event, Span
from tests.api.desk import Desk, desk
from tests.api.seen import HOSTILE, SCRIPT, page, watched
from tests.fakes import NOON
from tests.flow.line import CLAUSES


async def shown(api: Desk, alert_id: str, template: str = links.REDLINE, **more: Any) -> tuple[int, str]:
    """Return status and text of an alert's page, asked for without a key or cookie."""
    path = links.path(template, more.pop("key", api.office.key), alert_id, **more)
    async with api.session.get(path, allow_redirects=False) as response:
        return response.status, await response.text()


async def test_redline_tells_every_change(tmp_path: Path) -> None:
    """Each change has its place on the page, gravest first, with what went struck and what came underlined."""
    async with desk(tmp_path) as api:
        (alert,) = await watched(api, page(CLAUSES), page(HOSTILE))
        status, text = await shown(api, alert.alert_id)
        found = await dossier(api.office.told, BlobValues(api.office.blobs), alert.alert_id)
    assert found is not None
    ids = re.findall(r'<article class="change [a-z-]+" id="c(\d+)"', text)
    assert (status, sorted(map(int, ids))) == (200, [change.number for change in numbered(found)])
    assert '<del dir="auto">30</del> <ins dir="auto">90</ins>' in text


@pytest.mark.parametrize("template", [links.REDLINE, links.EVIDENCE])
async def test_clause_stays_text(tmp_path: Path, template: str) -> None:
    """A clause, a heading or a header that is markup is shown as the characters it is."""
    async with desk(tmp_path) as api:
        (alert,) = await watched(api, page(CLAUSES), page(HOSTILE))
        _, text = await shown(api, alert.alert_id, template)
    assert SCRIPT.replace("<", "&lt;").replace(">", "&gt;") in text
    assert not re.search(r"<(script|b|i)\b", text)


@pytest.mark.parametrize("template", [links.REDLINE, links.EVIDENCE])
async def test_nothing_is_loaded_or_run(tmp_path: Path, template: str) -> None:
    """A page allows its own style sheet, by its digest, and nothing else; it is not indexed and sends no referrer."""
    async with desk(tmp_path) as api:
        (alert,) = await watched(api, page(CLAUSES), page(HOSTILE))
        async with api.session.get(links.path(template, api.office.key, alert.alert_id)) as response:
            text, headers = await response.text(), response.headers
    style = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    assert headers["Content-Security-Policy"].startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert not re.search(r"\b(src|srcset|on\w+|style)=|<(link|form|iframe|img|object)\b|url\(|@import", text)
    assert ("noindex" in headers["X-Robots-Tag"], headers["Referrer-Policy"]) == (True, "no-referrer")


async def test_evidence_checks_out(tmp_path: Path) -> None:
    """Every quote is found again, at its offsets and in the page's bytes; digests, times and headers are there."""
    async with desk(tmp_path) as api:
        old, new = page(CLAUSES), page(HOSTILE)
        (alert,) = await watched(api, old, new)
        status, text = await shown(api, alert.alert_id, links.EVIDENCE)
    digests = [hashlib.sha256(body).hexdigest() for body in (old, new)]
    assert (status, "Everything checks out" in text, 'class="no"' in text) == (200, True, False)
    assert all(word in text for word in (*digests, "2024-10-17T12:00:00Z", "&#34;&lt;i&gt;1&lt;/i&gt;&#34;"))


async def test_changed_bytes_are_told(tmp_path: Path) -> None:
    """Where the stored bytes are not those that were fetched, the page says so and hands nothing out as them."""
    async with desk(tmp_path) as api:
        (alert,) = await watched(api, page(CLAUSES), page(HOSTILE))
        assert alert.evidence is not None
        stored: Any = api.office.blobs
        stored.path(alert.evidence.new.body).write_bytes(squeezed(b"something else"))
        status, text = await shown(api, alert.alert_id, links.EVIDENCE)
        handed, _ = await shown(api, alert.alert_id, links.PAGE, side="new")
    assert (status, "Not everything checks out" in text, "Only 1 of 2 pages" in text) == (200, True, True)
    assert handed == 404


async def test_quote_that_is_not_there_is_told(tmp_path: Path) -> None:
    """A quote that stands neither at its offsets nor in the bytes is not called found."""
    async with desk(tmp_path) as api:
        (alert,) = await watched(api, page(CLAUSES), page(HOSTILE))
        change = Change(
            type=ChangeType.ADDED,
            clause_id="c-x",
            new=Span(text="We sell your children.", start=3, end=25),
        )
        wrong = replace(alert, alert_id="alt-wrong", changes=(change,), cause_id="")
        await api.office.log.publish_all([wrong])
        _, text = await shown(api, wrong.alert_id, links.EVIDENCE)
    assert ("Not everything checks out" in text, "not found word for word" in text) == (True, True)
    assert "not found at these offsets" in text


STATES = [
    ([], "Confirmed"),
    (["in-force"], "In force since 19 October 2024"),
    (["withdrawn"], "Withdrawn on 19 October 2024"),
    (["in-force", "withdrawn"], "Withdrawn on 19 October 2024"),
]


@pytest.mark.parametrize(("how", "said"), STATES)
async def test_present_state_is_told(tmp_path: Path, how: list[str], said: str) -> None:
    """The pages say what an alert amounts to now, however it was first told."""
    async with desk(tmp_path) as api:
        (alert,) = await watched(api, page(CLAUSES), page(HOSTILE))
        await api.office.log.publish_all([_sequel(alert, one) for one in how])
        texts = [(await shown(api, alert.alert_id, one))[1] for one in (links.REDLINE, links.EVIDENCE)]
    assert [said in text for text in texts] == [True, True]


def _sequel(alert: AlertRaised, how: str) -> Event:
    at = NOON + timedelta(days=2)
    if how == "withdrawn":
        return AlertWithdrawn(alert_id=alert.alert_id, withdrawn_at=at, reason="back", cause_id="x")
    return AlertUpdated(alert_id=alert.alert_id, updated_at=at, how=how, cause_id="x")


async def test_invented_addresses_lead_nowhere(tmp_path: Path) -> None:
    """An alert's id alone, another alert's tag and another deployment's key open nothing."""
    async with desk(tmp_path) as api:
        (alert,) = await watched(api, page(CLAUSES), page(HOSTILE))
        other = links.tag(api.office.key, "alt-other")
        asked = [f"/a/{alert.alert_id}/{tag}" for tag in ("x", other, "é", "A" * 3000)]
        statuses = [(await api.session.get(path)).status for path in asked]
        strange, _ = await shown(api, alert.alert_id, key=new_key())
        gone, _ = await shown(api, "alt-other")
    assert (statuses, strange, gone) == ([404] * 4, 404, 404)


async def test_rotated_key_opens_old_links(tmp_path: Path) -> None:
    """A link made with an earlier key opens as long as that key is kept; a deployment without a key opens none."""
    old, new = new_key(), new_key()
    async with desk(tmp_path, key=f"{new},{old}") as api:
        (alert,) = await watched(api, page(CLAUSES), page(HOSTILE))
        statuses = [(await shown(api, alert.alert_id, key=key))[0] for key in (old, new)]
    assert (statuses, links.is_ours("", "alt", links.tag("", "alt"))) == ([200, 200], False)


@pytest.mark.parametrize(("side", "number"), [("old", 0), ("new", 1)])
async def test_bytes_are_handed_out_never_shown(tmp_path: Path, side: str, number: int) -> None:
    """The stored bytes come as an attachment of no type, in a sandbox: what a server sent does not run here."""
    bodies = [page(CLAUSES), page(HOSTILE)]
    async with desk(tmp_path) as api:
        (alert,) = await watched(api, *bodies)
        path = links.path(links.PAGE, api.office.key, alert.alert_id, side=side)
        async with api.session.get(path) as response:
            body, headers = await response.read(), response.headers
    assert (body, headers["Content-Type"]) == (bodies[number], "application/octet-stream")
    assert headers["Content-Disposition"].startswith('attachment; filename="example-terms-2024-10-1')
    assert (headers["Content-Security-Policy"], headers["X-Content-Type-Options"]) == (
        "sandbox; default-src 'none'",
        "nosniff",
    )


async def test_links_of_pages_lead_to_pages(tmp_path: Path) -> None:
    """Every link from page to page and to files works, wherever a proxy puts them."""
    async with desk(tmp_path) as api:
        (alert,) = await watched(api, page(CLAUSES), page(HOSTILE))
        for template in (links.REDLINE, links.EVIDENCE):
            path = links.path(template, api.office.key, alert.alert_id)
            text = await (await api.session.get(path)).text()
            asked = {
                urljoin(path, url).partition("#")[0]
                for url in re.findall(r'href="([^"#][^"]*)"', text)
                if ":" not in url
            }
            assert [(await api.session.get(url)).status for url in asked] == [200] * len(asked)
            assert len(asked) == (1 if template == links.REDLINE else 6)


async def test_bundle_proves_itself(tmp_path: Path) -> None:
    """The zip holds both pages to read, bytes, texts and records, each with its SHA-256, and the same twice."""
    async with desk(tmp_path) as api:
        (alert,) = await watched(api, page(CLAUSES), page(HOSTILE))
        path = links.path(links.BUNDLE, api.office.key, alert.alert_id)
        first, again = [await (await api.session.get(path)).read() for _ in range(2)]
    archive = zipfile.ZipFile(io.BytesIO(first))
    files = {Path(name).name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(files["manifest.json"])
    named = {one["name"]: one["sha256"] for one in manifest["files"]}
    assert {name: hashlib.sha256(files[name]).hexdigest() for name in named} == named
    assert (first == again, len(named), [one["intact"] for one in manifest["pages"]]) == (
        True,
        7,
        [True, True],
    )


async def test_offsets_count_in_the_text(tmp_path: Path) -> None:
    """The text that is handed out has at the offsets of a quote what the evidence quotes."""
    async with desk(tmp_path) as api:
        (alert,) = await watched(api, page(CLAUSES), page(HOSTILE))
        path = links.path(links.TEXT, api.office.key, alert.alert_id, side="new")
        text = (await (await api.session.get(path)).read()).decode()
    added = next(change.new for change in alert.changes if change.type is ChangeType.ADDED and change.new)
    assert "We may share your data with anyone" in text[added.start : added.end]


async def test_story_has_a_page_without_evidence(tmp_path: Path) -> None:
    """An alert that rests on no page shows what it says, and claims no proof."""
    async with desk(tmp_path) as api:
        told = AlertRaised(
            alert_id="alt-story", kind="story", raised_at=NOON, title="X & Y", summary="", severity="medium"
        )
        await api.office.log.publish_all([told])
        answers = [await shown(api, "alt-story", one) for one in (links.REDLINE, links.EVIDENCE)]
    assert [status for status, _ in answers] == [200, 200]
    assert ["X &amp; Y" in text for _, text in answers] == [True, True]
    assert "This alert rests on no page" in answers[1][1]


async def test_reader_is_asked_to_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the index is still being made a page says so, and asks again by itself."""
    async with desk(tmp_path) as api:
        (alert,) = await watched(api, page(CLAUSES), page(HOSTILE))
        monkeypatch.setattr(Told.current, "__defaults__", (0.05,))
        async with api.office.told._lock:  # as the making of the index holds it
            path = links.path(links.REDLINE, api.office.key, alert.alert_id)
            async with api.session.get(path) as response:
                found = response.status, response.headers["Refresh"], "One moment" in await response.text()
            listed, told = await api.call("GET", "/v1/alerts")
    assert (found, listed, told["remedy"]) == ((503, "5", True), 503, "Ask again in a few seconds")


async def test_lost_changes_do_not_check_out(tmp_path: Path) -> None:
    """Where changes are counted and gone, what is left does not make everything check out."""
    async with desk(tmp_path) as api:
        (alert,) = await watched(api, page(CLAUSES), page(HOSTILE))
        found = await dossier(api.office.told, BlobValues(api.office.blobs), alert.alert_id)
        assert found is not None
        shown_, lost = await exhibits(found, api.office.blobs), changed(found, missing=2)
    told = [evidence(one, shown_, NOON)["verdict"] for one in (found, lost)]
    assert [one["holds"] for one in told] == [True, False]
    assert any("2 changes" in line for line in told[1]["told"])


async def test_files_are_named_by_utc(tmp_path: Path) -> None:
    """A page's time in another zone is told in UTC, as the Z of its file's name says."""
    async with desk(tmp_path) as api:
        (alert,) = await watched(api, page(CLAUSES), page(HOSTILE))
        found = await dossier(api.office.told, BlobValues(api.office.blobs), alert.alert_id)
    assert found is not None
    side = found.sides[0]
    away = replace(side.page, fetched_at=side.page.fetched_at.astimezone(timezone(timedelta(hours=9))))
    names = [file_name(found, one, "page") for one in (side, changed(side, page=away))]
    assert names[0] == names[1]


async def test_withdrawn_comes_into_force_on_no_day(tmp_path: Path) -> None:
    """A day ahead is told as a date of the text once the alert is withdrawn, and no longer as what will be."""
    async with desk(tmp_path) as api:
        (alert,) = await watched(api, page(CLAUSES), page(HOSTILE))
        coming = replace(alert, alert_id="alt-coming", effective_date="2025-01-01")
        await api.office.log.publish_all([coming])
        before = (await shown(api, coming.alert_id))[1]
        await api.office.log.publish_all([_sequel(coming, "withdrawn")])
        after = (await shown(api, coming.alert_id))[1]
    assert ["<dt>In force</dt>" in text for text in (before, after)] == [True, False]
