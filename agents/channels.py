"""The notifiers that subscriptions ask for: one each, made anew as they change, gone when they are removed."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from types import MappingProxyType, TracebackType
from typing import Any

import structlog
from msgspec.structs import replace

from agents.api import leave, links
from agents.destination import UnusableError
from agents.notify import Notifiers
from pipeline.adapters.apprise import opened
from pipeline.adapters.console import ConsoleNotifier
from pipeline.adapters.dkim import Dkim
from pipeline.adapters.email import EmailNotifier, SmtpServer
from pipeline.adapters.slack import SlackHookNotifier, SlackNotifier
from pipeline.adapters.slack_api import SlackApi, SlackHook
from pipeline.adapters.ssrf import NOTHING, Allow
from pipeline.adapters.vault import KEY, Vault, vault
from pipeline.adapters.webhook import WebhookClient, WebhookNotifier
from pipeline.alerts import recipients
from pipeline.alerts.render import apprise, email, slack, text, webhook
from pipeline.alerts.render.email import Letter
from pipeline.alerts.render.sign import Sign, sign, signer
from pipeline.alerts.render.words import Links
from pipeline.config import Settings, SmtpSettings
from pipeline.errors import ConfigError, DeliveryError, PipelineError
from pipeline.events import Channel, DeliveryDue, SubscriptionDeclared
from pipeline.ports import Clock, Notifier, Receipt
from pipeline.tenure import Tenure

logger = structlog.get_logger(__name__)

TLS = {"starttls": "starttls", "tls": "tls", "none": "plain"}
PRIVATE = Allow.of(
    "localhost", "127.0.0.0/8", "::1", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"
)


class Unopened:
    """Stands where a subscription's channel cannot be opened: says why at every attempt, so that none is lost."""

    def __init__(self, error: PipelineError) -> None:
        self._error = error

    async def send(self, due: DeliveryDue, *, parent: dict[str, str] | None) -> Receipt:
        """Raise DeliveryError with the reason."""
        raise DeliveryError(str(self._error.args[0]), ours=True, remedy=self._error.remedy)


class Channels:
    """Opens what subscriptions need and closes it with the context; secrets are looked up here and nowhere else.

    `notifiers` follows what is declared: one per subscription, made anew when it changes.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._stack = AsyncExitStack()
        self._open: dict[Any, Any] = {}
        self._made: dict[str, tuple[Channel, Notifier]] = {}
        self._names: dict[str, tuple[str, ...]] = {}
        self.notifiers: Notifiers = MappingProxyType(self._made)
        self.tenure = Tenure(clock.now())

    async def __aenter__(self) -> Channels:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def open(self, subscription: SubscriptionDeclared) -> None:
        """Have a subscription's messages sent as it is declared; where that cannot be, each attempt says why.

        Each recipient of mails has a notifier of their own, and so has whoever hears when it is switched off.
        """
        wanted = list(_told_of(subscription))
        ready = {one.subscription_id: (one.channel, await self._opened(one)) for one in wanted}
        self.close(subscription.subscription_id)
        self._made |= ready
        self._names[subscription.subscription_id] = tuple(ready)

    async def _opened(self, subscription: SubscriptionDeclared) -> Notifier:
        try:
            return await self.notifier(subscription)
        except PipelineError as error:
            logger.warning(
                "channel.unopened",
                subscription=subscription.subscription_id,
                reason=str(error.args[0]),
                remedy=error.remedy,
            )
            return Unopened(error)

    def close(self, subscription_id: str) -> None:
        """Send nothing more to a subscription, nor to its recipients."""
        for name in self._names.pop(subscription_id, ()):
            self._made.pop(name, None)

    async def notifier(self, subscription: SubscriptionDeclared) -> Notifier:
        """Return what sends a subscription's messages; ConfigError where a secret or a server is missing."""
        match subscription.channel:
            case Channel.SLACK:
                return await self._slack(subscription)
            case Channel.WEBHOOK:
                return await self._webhook(subscription)
            case Channel.EMAIL:
                return self._email(subscription)
            case Channel.CONSOLE:
                return ConsoleNotifier(subscription.target.get("file", ""), compose=self._plain)
            case Channel.APPRISE:
                return await self._apprise(subscription)

    async def _shared(self, key: Any, made: Any) -> Any:
        """Return the client kept under a key, opening it the first time."""
        if key not in self._open:
            self._open[key] = await self._stack.enter_async_context(made())
        return self._open[key]

    def _secret(self, subscription: SubscriptionDeclared, name: str) -> str:
        """Return the secret that the environment holds for a subscription, or that is sealed in it; else nothing."""
        if f"{name}_env" in subscription.target:
            return self._settings.secrets[subscription.target[f"{name}_env"]]
        tokens = [sealed.token for sealed in subscription.sealed if sealed.name == name]
        return self._vault().open(tokens[0]) if tokens else ""

    def _vault(self) -> Vault:
        return vault(self._settings.secrets.get(KEY))

    def _links(self, due: DeliveryDue) -> Links:
        """Return the pages that a message links; none where the API is not public, so that no link is dead."""
        return links.links(self._settings.api.public_url, self._settings.secrets.get(KEY), due)

    def _plain(self, due: DeliveryDue) -> str:
        return text.compose(due, links=self._links(due))

    def _short(self, due: DeliveryDue, *, room: apprise.Room) -> apprise.Message:
        return apprise.compose(due, room=room, links=self._links(due))

    async def _slack(self, subscription: SubscriptionDeclared) -> Notifier:
        if url := self._secret(subscription, "webhook_url"):
            hook = await self._shared(("hook", url), lambda: SlackHook(url=url, clock=self._clock))
            return SlackHookNotifier(hook, compose=lambda due: slack.compose(due, links=self._links(due)))
        token, base = self._secret(subscription, "token"), self._settings.slack.api_url
        api = await self._shared(
            ("slack", token),
            lambda: SlackApi(token=token, clock=self._clock, base_url=base, tenure=self.tenure),
        )
        buttons = subscription.subscription_id if self._settings.slack.signing_secret_env else ""

        def compose(due: DeliveryDue) -> Any:
            return slack.compose(due, links=replace(self._links(due), actions=buttons))

        return SlackNotifier(api, channel=subscription.target["channel"], compose=compose)

    async def webhooks(self, *, private: bool) -> WebhookClient:
        """Return the client that posts to endpoints: public ones, or private ones too."""
        allow = PRIVATE if private else NOTHING
        client: WebhookClient = await self._shared(("webhook", private), lambda: WebhookClient(allow=allow))
        return client

    async def _webhook(self, subscription: SubscriptionDeclared) -> Notifier:
        client = await self.webhooks(private=bool(subscription.target.get("allow_private")))
        return WebhookNotifier(
            client,
            url=subscription.target["url"],
            compose=lambda due: webhook.compose(due, links=self._links(due)),
            sign=self._signer(subscription),
            clock=self._clock,
            rate=subscription.target.get("rate"),
        )

    def _signer(self, subscription: SubscriptionDeclared) -> Sign:
        """Return what signs with the secret, and during a rotation with the one before it as well."""
        if "secret_env" in subscription.target:
            return signer([self._settings.secrets[subscription.target["secret_env"]]])
        locker = self._vault()
        secrets = [(locker.open(one.token), one.until) for one in subscription.sealed if one.name == "secret"]
        signer([secret for secret, _ in secrets])  # an unusable one is told now

        def signed(delivery_id: str, at: datetime, body: bytes) -> Mapping[str, str]:
            held = [secret for secret, until in secrets if until is None or at < until]
            return sign(held, delivery_id=delivery_id, at=at, payload=body)

        return signed

    def _email(self, subscription: SubscriptionDeclared) -> Notifier:
        smtp = self._settings.smtp
        if smtp is None:
            raise ConfigError(
                f"{subscription.name} sends mail and no smtp: is set", remedy="add an smtp: section"
            )
        sender = subscription.target.get("from") or smtp.sender
        to = tuple(subscription.target["to"])
        letter = Letter(sender=sender, to=to, unsubscribe_url=self._leave(subscription))

        def compose(due: DeliveryDue) -> Any:
            return email.compose(due, letter=letter, sent_at=self._clock.now(), links=self._links(due))

        return EmailNotifier(self._server(smtp), compose=compose)

    async def _apprise(self, subscription: SubscriptionDeclared) -> Notifier:
        """Return what sends to one of Apprise's services; strangers may name only those at fixed addresses."""
        url, public = self._secret(subscription, "url"), subscription.by == "api"
        try:
            return await opened(url, compose=self._short, clock=self._clock, public=public)
        except ConfigError as error:
            if not error.key:
                raise
            raise UnusableError(str(error.args[0]), key="to.apprise.url", remedy=error.remedy) from None

    def _leave(self, subscription: SubscriptionDeclared) -> str:
        """Return where the reader of a mail leaves; nothing where the API is not public, or to whom we owe a notice."""
        public, keys = self._settings.api.public_url, self._settings.secrets.get(KEY)
        boxes = recipients.mailboxes(subscription)
        if not public or not keys or len(boxes) != 1 or recipients.is_owner(subscription.subscription_id):
            return ""
        whole = recipients.whole_id(subscription.subscription_id)
        (mailbox,) = boxes.values()
        return leave.address(public, vault(keys), recipients.part_id(whole, mailbox))

    def _server(self, smtp: SmtpSettings) -> SmtpServer:
        """Return the mail server, one for all subscriptions."""
        if "smtp" not in self._open:
            self._open["smtp"] = self._connected(smtp)
        server: SmtpServer = self._open["smtp"]
        return server

    def _connected(self, smtp: SmtpSettings) -> SmtpServer:
        secrets = self._settings.secrets
        return SmtpServer(
            host=smtp.host,
            port=smtp.port,
            tls=TLS[smtp.security],
            username=smtp.username or secrets.get(smtp.username_env),
            password=secrets.get(smtp.password_env),
            timeout_s=smtp.timeout_s,
            context=trusted(smtp),
            sign=self._signing(smtp),
        )

    def _signing(self, smtp: SmtpSettings) -> Callable[[bytes], bytes] | None:
        """Return what signs mails with DKIM, None where no key is named; ConfigError where the key is of no use."""
        if smtp.dkim is None:
            return None
        asked = smtp.dkim
        key = self._settings.secrets[asked.key_env]
        return Dkim(domain=asked.domain, selector=asked.selector, key=key, name=asked.key_env).sign


def _told_of(one: SubscriptionDeclared) -> Iterator[SubscriptionDeclared]:
    """Yield what needs a notifier: the subscription, each of its recipients, and its contact.

    What was due to a list as a whole, or to a recipient who is now alone on it, still goes out.
    """
    yield one
    for name, mailbox in recipients.mailboxes(one).items():
        yield replace(one, subscription_id=name, target={**one.target, "to": [mailbox]})
    if contact := recipients.owner(one):
        yield contact


def trusted(smtp: SmtpSettings) -> ssl.SSLContext | None:
    """Return whom the mail server's certificate may be signed by, where the file names one (else ConfigError)."""
    if not smtp.ca_file:
        return None
    try:
        return ssl.create_default_context(cafile=smtp.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"smtp: ca_file {smtp.ca_file} cannot be used: {error}", remedy="name a PEM file of certificates"
        ) from None
