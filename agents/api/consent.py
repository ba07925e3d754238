"""Whether an endpoint wants our posts: CloudEvents' abuse protection (OPTIONS), or a signed ping answered with 2xx."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from agents.api.office import Office, Opened, Posts
from agents.api.problems import ProblemError
from pipeline.adapters.vault import Vault
from pipeline.alerts import recipients
from pipeline.alerts.render import webhook
from pipeline.errors import DeliveryError, RefusedError
from pipeline.events import Channel, SubscriptionDeclared

REMEDY = "Answer OPTIONS with WebHook-Allowed-Origin, or the signed ping with a 2xx status, within 15 seconds"


async def accepted(
    office: Office, declared: SubscriptionDeclared, before: SubscriptionDeclared | None = None
) -> dict[str, str]:
    """Return how an endpoint consented, nothing for other channels; what cannot be opened here is told now.

    One that led there `before` is not asked again.
    """
    await office.channels.notifier(declared)
    if contact := recipients.owner(declared):
        await office.channels.notifier(contact)
    is_new = before is None or before.target != declared.target
    if declared.channel is not Channel.WEBHOOK or not is_new:
        return {}
    said = await endpoint_consent(
        office.channels,
        office.vault(),
        declared,
        private=office.private,
        origin=office.origin,
        at=office.now(),
    )
    return {"consent": said}


async def endpoint_consent(
    channels: Opened,
    locker: Vault,
    declared: SubscriptionDeclared,
    *,
    private: bool,
    origin: str,
    at: datetime,
) -> str:
    """Return how a webhook's endpoint consented, asked with every secret that holds at a time; ProblemError 422."""
    held = [sealed for sealed in declared.sealed if sealed.until is None or at < sealed.until]
    return await consent(
        await channels.webhooks(private=private),
        declared.target["url"],
        subscription_id=declared.subscription_id,
        secrets=[locker.open(sealed.token) for sealed in held],
        origin=origin,
        at=at,
    )


async def consent(
    posts: Posts, url: str, *, subscription_id: str, secrets: Sequence[str], origin: str, at: datetime
) -> str:
    """Return how an endpoint said that it wants our posts; ProblemError 422 where it did not.

    Source: CloudEvents HTTP 1.1 Web Hooks, section 4; `origin` is the name that we ask under, `secrets` sign the ping.
    """
    try:
        _, _, answered = await posts.ask(url, {"WebHook-Request-Origin": origin})
    except DeliveryError:
        answered = {}  # many endpoints know no OPTIONS; the ping decides
    except RefusedError as error:
        raise ProblemError(422, str(error), remedy=error.remedy, at="to.webhook.url") from None
    if _allows(answered, origin):
        return "handshake"
    return await _pinged(posts, url, subscription_id, secrets, at)


def _allows(headers: Mapping[str, str], origin: str) -> bool:
    allowed = next((v for name, v in headers.items() if name.lower() == "webhook-allowed-origin"), "")
    return allowed == "*" or origin in [word.strip() for word in allowed.split(",")]


async def _pinged(posts: Posts, url: str, subscription_id: str, secrets: Sequence[str], at: datetime) -> str:
    body = webhook.ping(subscription_id, at=at)
    signed = webhook.sign(secrets, delivery_id=f"ping-{subscription_id}", at=at, payload=body)
    try:
        status, _, _ = await posts.post(url, body, {"Content-Type": webhook.CONTENT_TYPE, **signed})
    except (DeliveryError, RefusedError) as error:
        raise ProblemError(
            422, f"the endpoint did not answer our ping: {error}", remedy=REMEDY, at="to.webhook.url"
        ) from None
    if not 200 <= status < 300:
        raise ProblemError(
            422, f"the endpoint answered our ping with {status}", remedy=REMEDY, at="to.webhook.url"
        )
    return "ping"
