"""The notifiers that the routes ask for, one per subscription."""

from __future__ import annotations

from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any

from agents.notify import Notifiers
from pipeline.adapters.console import ConsoleNotifier
from pipeline.adapters.email import EmailNotifier, SmtpServer
from pipeline.adapters.slack import SlackHookNotifier, SlackNotifier
from pipeline.adapters.slack_api import SlackApi, SlackHook
from pipeline.adapters.ssrf import NOTHING, Allow
from pipeline.adapters.webhook import WebhookClient, WebhookNotifier
from pipeline.alerts.render import email, slack, webhook
from pipeline.alerts.render.email import Letter
from pipeline.alerts.render.sign import signer
from pipeline.config import Route, Settings, SmtpSettings
from pipeline.errors import ConfigError
from pipeline.events import Channel, DeliveryDue
from pipeline.ports import Clock, Notifier

TLS = {"starttls": "starttls", "tls": "tls", "none": "plain"}
PRIVATE = Allow.of(
    "localhost", "127.0.0.0/8", "::1", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"
)


class Channels:
    """Opens what the routes need and closes it with the context; secrets are looked up here and nowhere else."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._stack = AsyncExitStack()
        self._open: dict[Any, Any] = {}

    async def __aenter__(self) -> Channels:
        made = {route.id: (route.channel, await self._notifier(route)) for route in self._settings.routes}
        self.notifiers: Notifiers = made
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _notifier(self, route: Route) -> Notifier:
        match route.channel:
            case Channel.SLACK:
                return await self._slack(route)
            case Channel.WEBHOOK:
                return await self._webhook(route)
            case Channel.EMAIL:
                return self._email(route)
            case Channel.CONSOLE:
                return ConsoleNotifier(route.target.get("file", ""))

    async def _shared(self, key: Any, made: Any) -> Any:
        """Return the client kept under a key, opening it the first time."""
        if key not in self._open:
            self._open[key] = await self._stack.enter_async_context(made())
        return self._open[key]

    async def _slack(self, route: Route) -> Notifier:
        secrets, target = self._settings.secrets, route.target
        if "webhook_url_env" in target:
            url = secrets[target["webhook_url_env"]]
            hook = await self._shared(("hook", url), lambda: SlackHook(url=url, clock=self._clock))
            return SlackHookNotifier(hook, compose=slack.compose)
        token, base = secrets[target["token_env"]], self._settings.slack.api_url
        api = await self._shared(
            ("slack", token), lambda: SlackApi(token=token, clock=self._clock, base_url=base)
        )
        return SlackNotifier(api, channel=target["channel"], compose=slack.compose)

    async def _webhook(self, route: Route) -> Notifier:
        private = bool(route.target.get("allow_private"))
        allow = PRIVATE if private else NOTHING
        client = await self._shared(("webhook", private), lambda: WebhookClient(allow=allow))
        sign = signer([self._settings.secrets[route.target["secret_env"]]])
        return WebhookNotifier(
            client, url=route.target["url"], compose=webhook.compose, sign=sign, clock=self._clock
        )

    def _email(self, route: Route) -> Notifier:
        smtp = self._settings.smtp
        if smtp is None:
            raise ConfigError(
                f"route {route.name} sends mail and no smtp: is set", remedy="add an smtp: section"
            )
        sender = route.target.get("from") or smtp.sender
        letter = Letter(sender=sender, to=tuple(route.target["to"]))

        def compose(due: DeliveryDue) -> Any:
            return email.compose(due, letter=letter, sent_at=self._clock.now())

        return EmailNotifier(self._server(smtp), compose=compose)

    def _server(self, smtp: SmtpSettings) -> SmtpServer:
        secrets = self._settings.secrets
        return SmtpServer(
            host=smtp.host,
            port=smtp.port,
            tls=TLS[smtp.security],
            username=smtp.username or secrets.get(smtp.username_env),
            password=secrets.get(smtp.password_env),
            timeout_s=smtp.timeout_s,
        )
