"""One click leaves a list; looking does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agents.api.leave import address
from agents.channels import Channels
from pipeline.adapters.vault import Vault, new_key
from pipeline.config.loading import parse
from tests.api.desk import Desk, desk
from tests.fakes import FixedClock

MAIL: dict[str, Any] = {"name": "Le<b>gal", "to": {"email": {"to": ["legal@example.org"]}}}


async def asked(api: Desk, method: str, path: str) -> tuple[int, str]:
    """Return status and text of an answer to somebody without a key or cookie."""
    form = {"List-Unsubscribe": "One-Click"} if method == "POST" else None
    async with api.session.request(method, path, data=form, allow_redirects=False) as response:
        return response.status, await response.text()


async def subscribed(api: Desk) -> tuple[str, str]:
    """Return the id of a new mailbox, and where its reader leaves."""
    _, made = await api.call("POST", "/v1/subscriptions", MAIL)
    return made["id"], address("", api.office.vault(), made["id"])


async def test_one_click_leaves(tmp_path: Path) -> None:
    """A POST without a key switches the subscription off, at once and for good."""
    async with desk(tmp_path) as api:
        name, path = await subscribed(api)
        assert [(await asked(api, "POST", path))[0] for _ in range(2)] == [200, 200]
        assert (api.office.registry.by_id[name].active, api.office.registry.by_id[name].reason) == (
            False,
            "unsubscribed by its reader",
        )


async def test_looking_does_not_leave(tmp_path: Path) -> None:
    """A GET, as scanners of mail make it, shows a button and changes nothing."""
    async with desk(tmp_path) as api:
        name, path = await subscribed(api)
        status, text = await asked(api, "GET", path)
        assert (status, "<form" in text, "<b>" in text) == (200, True, False)
        assert api.office.registry.by_id[name].active


@pytest.mark.parametrize("token", ["x", "%00", "..", "gAAAA", "é", "a" * 3000])
async def test_invented_address_leaves_nothing(tmp_path: Path, token: str) -> None:
    """An address that was never given out leads nowhere."""
    async with desk(tmp_path) as api:
        assert (await asked(api, "POST", f"/unsubscribe/{token}"))[0] == 404


async def test_sealed_secret_is_no_address(tmp_path: Path) -> None:
    """What was sealed for something else, or with another key, leads nowhere."""
    async with desk(tmp_path) as api:
        tokens = [api.office.vault().seal("terminal"), Vault(new_key()).seal("leave|terminal")]
        assert [(await asked(api, "POST", f"/unsubscribe/{token}"))[0] for token in tokens] == [404, 404]
        assert api.office.registry.by_id["terminal"].active


@pytest.mark.parametrize(("to", "offered"), [("a@b.example", True), ("[a@b.example, c@d.example]", False)])
async def test_mail_offers_one_click(tmp_path: Path, to: str, offered: bool) -> None:
    """A mail to one reader says where one click leaves; one to several does not, as it would leave for all."""
    text = (
        "api: {public_url: 'https://cw.example/'}\nsmtp: {host: h, from: a@b.c}\n"
        f"routes: [{{name: A, to: {{email: {{to: {to}}}}}}}]\n"
    )
    settings = parse(text.encode(), tmp_path / "c.yaml", {"CLAUSEWIRE_SECRET_KEY": new_key()})
    (route,) = settings.subscriptions(FixedClock().now())
    async with Channels(settings, FixedClock()) as channels:
        url = channels._leave(route, route.target["to"])
    assert url.startswith("https://cw.example/unsubscribe/") is offered
