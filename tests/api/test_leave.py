"""One click leaves a list; looking does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agents.api.leave import address
from agents.channels import Channels
from pipeline.adapters.vault import Vault, new_key
from pipeline.alerts.recipients import mailboxes, part_id, parts
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


SEVERAL: dict[str, Any] = {"name": "Press", "to": {"email": {"to": ["anna@example.org", "bo@example.org"]}}}


async def test_only_who_leaves_is_gone(tmp_path: Path) -> None:
    """One of several readers leaves: only they are told no more, and the list goes on."""
    async with desk(tmp_path) as api:
        _, made = await api.call("POST", "/v1/subscriptions", SEVERAL)
        anna = api.office.registry.told()[-2]
        assert (await asked(api, "POST", address("", api.office.vault(), anna.subscription_id)))[0] == 200
        states = [one.active for one in api.office.registry.told()[-2:]]
    assert (states, api.office.registry.by_id[made["id"]].active) == ([False, True], True)


async def test_address_of_a_list_leaves_for_nobody(tmp_path: Path) -> None:
    """An old address that names a list, and one of somebody who is not on it, lead nowhere."""
    async with desk(tmp_path) as api:
        _, made = await api.call("POST", "/v1/subscriptions", SEVERAL)
        names = (made["id"], part_id(made["id"], "eve@example.org"), f"{made['id']}/owner")
        paths = [address("", api.office.vault(), name) for name in names]
        assert [(await asked(api, "POST", path))[0] for path in paths] == [404, 404, 404]


async def test_reader_who_is_left_alone_leaves(tmp_path: Path) -> None:
    """An address from when there were several readers still works for the last of them."""
    async with desk(tmp_path) as api:
        name, _ = await subscribed(api)
        path = address("", api.office.vault(), part_id(name, "Legal <LEGAL@example.org>"))
        await asked(api, "POST", path)
        assert not api.office.registry.by_id[name].active


@pytest.mark.parametrize(("to", "number"), [("a@b.example", 1), ("[a@b.example, c@d.example]", 2)])
async def test_every_reader_is_offered_their_own_click(tmp_path: Path, to: str, number: int) -> None:
    """Each mail says where one click leaves, and each recipient's address is another."""
    text = (
        "api: {public_url: 'https://cw.example/'}\nsmtp: {host: h, from: a@b.c}\n"
        f"routes: [{{name: A, to: {{email: {{to: {to}}}}}}}]\n"
    )
    key = new_key()
    settings = parse(text.encode(), tmp_path / "c.yaml", {"CLAUSEWIRE_SECRET_KEY": key})
    (route,) = settings.subscriptions(FixedClock().now())
    async with Channels(settings, FixedClock()) as channels:
        urls = [channels._leave(part) for part in parts(route)]
    told = [Vault(key).open(url.removeprefix("https://cw.example/unsubscribe/")) for url in urls]
    assert told == [f"leave|{name}" for name in mailboxes(route)]
    assert len(set(told)) == number
