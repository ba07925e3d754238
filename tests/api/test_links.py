"""Messages link the pages of their alerts where there is somewhere to link to, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agents.api import links
from agents.channels import Channels
from pipeline.adapters.vault import new_key
from pipeline.alerts.render import email, slack, text, webhook
from pipeline.alerts.render.words import Links
from pipeline.config.loading import parse
from pipeline.events import DeliveryDue
from tests.alerts import samples
from tests.fakes import FixedClock

KEY = new_key()
PUBLIC = "https://cw.example"
LETTER = email.Letter(sender="cw@example.org", to=("a@example.org",))


def told(due: DeliveryDue, known: Links) -> dict[str, str]:
    """Return every message of a delivery as text."""
    mail = email.compose(due, letter=LETTER, sent_at=samples.SEEN, links=known)
    return {
        "slack": str(slack.compose(due, links=known)),
        "webhook": webhook.compose(due, links=known).decode(),
        "text": text.compose(due, links=known),
        "mail": "".join(part.get_content() for part in mail.walk() if not part.is_multipart()),
    }


def test_messages_link_the_pages() -> None:
    """Slack, webhooks and mails lead to the full redline and to the evidence of their alert."""
    due = samples.due(samples.alert())
    path = f"{PUBLIC}/a/alt-aaaa/{links.tag(KEY, 'alt-aaaa')}"
    found = told(due, links.links(PUBLIC, KEY, due))
    assert all(path in message and f"{path}/evidence" in message for message in found.values()), found


def test_each_member_links_its_own() -> None:
    """In a message about several alerts each leads to its own pages."""
    alerts = [samples.alert(alert_id=name) for name in ("alt-aaaa", "alt-bbbb")]
    due = samples.group(*map(samples.member, alerts))
    known = links.links(PUBLIC, KEY, due)
    paths = [f"{PUBLIC}/a/{one.alert_id}/{links.tag(KEY, one.alert_id)}/evidence" for one in alerts]
    missing = [name for name, message in told(due, known).items() for path in paths if path not in message]
    assert missing == []


@pytest.mark.parametrize(("public", "keys"), [("", KEY), (PUBLIC, "")])
def test_no_dead_links(public: str, keys: str) -> None:
    """Without a public address, or without a key to sign with, no message has a link to us."""
    due = samples.due(samples.alert())
    assert links.links(public, keys, due) == Links()


def test_story_links_no_redline() -> None:
    """What rests on no change has no redline to lead to."""
    due = samples.due(samples.alert(kind="story", evidence=None, changes=()))
    known = links.links(PUBLIC, KEY, due)
    assert (known.redline, known.evidence) == ("", "")


def test_links_are_the_same_every_time() -> None:
    """A message that is made again has the same links, so that a repeat is a repeat."""
    due = samples.due(samples.alert())
    assert links.links(PUBLIC, KEY, due) == links.links(PUBLIC, f"{KEY},{new_key()}", due)


@pytest.mark.parametrize(
    ("api", "linked"), [("api: {public_url: 'https://cw.example/'}\n", True), ("", False)]
)
async def test_channels_pass_links(tmp_path: Path, api: str, linked: bool) -> None:
    """What a subscription's channel sends links our pages exactly where the configuration says where we are."""
    file = f"{api}routes: [{{name: A, to: {{webhook: {{url: 'https://b.example', secret_env: S}}}}}}]\n"
    secrets = {"CLAUSEWIRE_SECRET_KEY": KEY, "S": "whsec_" + "a" * 43 + "="}
    settings = parse(file.encode(), tmp_path / "c.yaml", secrets)
    (route,) = settings.subscriptions(FixedClock().now())
    async with Channels(settings, FixedClock()) as channels:
        notifier: Any = await channels.notifier(route)
        body = notifier._compose(samples.due(samples.alert()))
    assert (b"https://cw.example/a/alt-aaaa/" in body) is linked
