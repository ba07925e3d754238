"""Mails from the wiring itself: signed as the configuration says, or waiting with the reason."""

from pathlib import Path

import pytest

from agents.channels import Channels
from pipeline.config.loading import parse
from pipeline.config.model import Settings
from pipeline.errors import DeliveryError
from tests.adapters.post import mailing
from tests.adapters.test_dkim import pem, verified
from tests.alerts.samples import due
from tests.fakes import FixedClock

FILE = """
smtp:
  host: 127.0.0.1
  port: %d
  security: none
  from: Clausewire <alerts@example.org>
  dkim: {domain: example.org, selector: cw, key_env: DKIM_KEY}
routes:
  - {name: Legal, to: {email: {to: ann@example.net}}}
"""


def settings(folder: Path, key: str, port: int) -> Settings:
    (folder / "dkim.pem").write_text(key)
    env = {"DKIM_KEY_FILE": str(folder / "dkim.pem")}
    return parse((FILE % port).encode(), folder / "clausewire.yaml", env)


async def send(known: Settings) -> None:
    clock = FixedClock()
    (route,) = known.subscriptions(clock.now())
    async with Channels(known, clock) as channels:
        await channels.open(route)
        await channels.notifiers[route.subscription_id][1].send(due(), parent=None)


async def test_mail_is_signed(tmp_path: Path) -> None:
    """A route's mail carries the signature that the configuration asks for."""
    async with mailing() as box:
        await send(settings(tmp_path, pem("ed25519"), box.port))
    content = box.mails[0].original_content
    assert content is not None
    assert verified(content, "ed25519")


async def test_bad_key_waits(tmp_path: Path) -> None:
    """A mail that cannot be signed is not sent unsigned: it waits, and the reason says what to set."""
    async with mailing() as box:
        with pytest.raises(DeliveryError, match="DKIM_KEY is no private key") as caught:
            await send(settings(tmp_path, "hunter2-of-ours", box.port))
    assert "DKIM_KEY_FILE" in caught.value.remedy
    assert box.mails == []
