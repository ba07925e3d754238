"""Posts to real endpoints on loopback: signed, guarded, bounded, and nothing secret in what is recorded."""

import asyncio
import logging
import time
import traceback
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from pipeline.adapters.clock import SystemClock
from pipeline.adapters.ssrf import Allow
from pipeline.adapters.webhook import WebhookClient, WebhookNotifier
from pipeline.alerts.render import webhook as render
from pipeline.errors import DeliveryError, PipelineError, RefusedError
from tests.adapters.hooks import Receiver, certificates, client, receiving
from tests.alerts.samples import due

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TOKEN = "Bearer s3cr3t-token-of-ours"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def web() -> AsyncIterator[WebhookClient]:
    async with client() as web:
        yield web


def notifier(web: WebhookClient, url: str, **also: object) -> WebhookNotifier:
    values = {"url": url, "compose": render.compose, "sign": render.signer([SECRET]), "clock": SystemClock()}
    return WebhookNotifier(web, **(values | also))  # type: ignore[arg-type]


async def refusal(web: WebhookClient, url: str) -> PipelineError:
    with pytest.raises(PipelineError) as caught:
        await notifier(web, url).send(due(), parent=None)
    return caught.value


async def test_rate_is_kept(receiver: Receiver, web: WebhookClient) -> None:
    """What an endpoint takes a minute is not passed: the next post is due when its turn comes, by no fault of its own."""
    slow = notifier(web, receiver.url(), rate=2)
    await slow.send(due(), parent=None)
    with pytest.raises(DeliveryError, match="takes 2 posts a minute") as caught:
        await slow.send(due(delivery_id="dlv-second"), parent=None)
    assert (len(receiver.got), caught.value.ours) == (1, True)
    assert 25 < (caught.value.retry_after_s or 0) <= 30


async def test_post_verifies(receiver: Receiver, web: WebhookClient) -> None:
    """What arrives verifies with Standard Webhooks' own library, and is typed as a CloudEvent."""
    sent = await notifier(web, receiver.url()).send(due(), parent=None)
    ((_, headers, body),) = receiver.got
    assert Webhook(SECRET).verify(body, headers)["data"]["alert_id"] == "alt-aaaa"
    assert headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"
    assert (sent.status, sent.response) == (200, "taken")


async def test_retry_keeps_id(receiver: Receiver, web: WebhookClient) -> None:
    """A second attempt carries the same webhook-id, so that the receiver can tell it is the same."""
    receiver.script = [500, 200]
    sender = notifier(web, receiver.url())
    with pytest.raises(DeliveryError):
        await sender.send(due(), parent=None)
    await sender.send(due(), parent=None)
    assert {headers["webhook-id"] for _, headers, _ in receiver.got} == {"dlv-1"}


@pytest.mark.parametrize("status", [301, 302, 400, 401, 404, 408, 413, 429, 500, 502, 503, 504])
async def test_other_status_is_tried_again(receiver: Receiver, web: WebhookClient, status: int) -> None:
    """Anything but 2xx and 410 may heal."""
    receiver.script = [status]
    error = await refusal(web, receiver.url())
    assert isinstance(error, DeliveryError)
    assert error.status == status


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_success_is_2xx(receiver: Receiver, web: WebhookClient, status: int) -> None:
    """Every 2xx takes the message."""
    receiver.script = [status]
    assert (await notifier(web, receiver.url()).send(due(), parent=None)).status == status


async def test_gone_disables(receiver: Receiver, web: WebhookClient) -> None:
    """410 ends the subscription."""
    error = await refusal(web, receiver.url("gone"))
    assert isinstance(error, RefusedError)
    assert error.disable


async def test_retry_after_is_kept(receiver: Receiver, web: WebhookClient) -> None:
    """The wait that an endpoint asks for is handed on in full."""
    error = await refusal(web, receiver.url("busy"))
    assert isinstance(error, DeliveryError)
    assert error.retry_after_s == 7_200


async def test_late_answer_counts(receiver: Receiver, web: WebhookClient) -> None:
    """An answer shortly before the time is up is an answer."""
    assert (await notifier(web, receiver.url("late")).send(due(), parent=None)).response == "late but there"


async def test_silence_is_ambiguous(receiver: Receiver, web: WebhookClient) -> None:
    """Without an answer in time the post is tried again, knowing that it may have arrived."""
    error = await refusal(web, receiver.url("hang"))
    assert isinstance(error, DeliveryError)
    assert error.ambiguous


async def test_broken_connection_is_ambiguous(receiver: Receiver, web: WebhookClient) -> None:
    """A connection that breaks after the post may have delivered it."""
    error = await refusal(web, receiver.url("drop"))
    assert isinstance(error, DeliveryError)
    assert error.ambiguous


@pytest.mark.parametrize("path", ["endless", "trickle"])
async def test_endless_answer_is_cut(receiver: Receiver, web: WebhookClient, path: str) -> None:
    """An answer without end is read for 2 kB or until the time is up; its status counts."""
    began = time.monotonic()
    sent = await notifier(web, receiver.url(path)).send(due(), parent=None)
    assert sent.status == 200
    assert len(sent.response) <= 2_000
    assert time.monotonic() - began < 3


async def test_redirect_is_not_followed(receiver: Receiver, web: WebhookClient) -> None:
    """A redirect, to the metadata service or anywhere, is a failure that says what to do."""
    error = await refusal(web, receiver.url("redirect"))
    assert len(receiver.got) == 1
    assert error.remedy == "Redirects are not followed: give the URL that it leads to"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/", "http://[::1]:9/", "http://169.254.169.254/", "http://2130706433/"]
)
async def test_private_address_is_refused(url: str) -> None:
    """Without an allow-list no address of this machine or network is connected to."""
    async with WebhookClient() as web:
        assert isinstance(await refusal(web, url), RefusedError)


async def test_private_name_is_refused(receiver: Receiver) -> None:
    """A name that resolves to this machine is refused before a connection is made."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async with WebhookClient(resolve=resolve) as web:
        error = await refusal(web, receiver.url().replace("127.0.0.1", "public.example"))
    assert isinstance(error, RefusedError)
    assert "public.example resolves to 127.0.0.1" in str(error)
    assert receiver.got == []


async def test_rebinding_reaches_nothing(receiver: Receiver) -> None:
    """A name with an allowed address when asked first, and another afterwards, never reaches the other."""
    answers = iter([["127.0.0.2"], ["127.0.0.1"]])

    async def resolve(host: str, port: int) -> Sequence[str]:
        return next(answers)

    async with client(resolve=resolve, allow=Allow.of("127.0.0.2")) as web:
        url = receiver.url().replace("127.0.0.1", "rebinding.example")
        assert isinstance(await refusal(web, url), DeliveryError)
        assert isinstance(await refusal(web, url), RefusedError)
    assert receiver.got == []


async def test_checked_address_is_the_one_used(receiver: Receiver) -> None:
    """The connection goes to the address that was checked, without a second look-up."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    async with client(resolve=resolve) as web:
        await notifier(web, receiver.url().replace("127.0.0.1", "inner.example")).send(due(), parent=None)
    assert asked == ["inner.example"]
    assert len(receiver.got) == 1


async def test_every_checked_address_is_tried(receiver: Receiver) -> None:
    """Where the first of a host's addresses does not answer, the next one is tried."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.2", "127.0.0.1"]

    async with client(resolve=resolve) as web:
        await notifier(web, receiver.url().replace("127.0.0.1", "double.example")).send(due(), parent=None)
    assert len(receiver.got) == 1


@pytest.mark.parametrize(("names", "expired"), [(("other.example",), False), (("127.0.0.1",), True)])
async def test_bad_certificate_is_told(names: tuple[str, ...], expired: bool) -> None:
    """A certificate for another name, or out of date, is not accepted, and the error says which."""
    server, trusting = certificates(*names, expired=expired)
    async with receiving(server) as receiver, client(tls=trusting) as web:
        error = await refusal(web, receiver.url().replace("http://", "https://"))
    assert isinstance(error, DeliveryError)
    assert ("expired" if expired else "mismatch") in str(error)
    assert receiver.got == []


async def test_unknown_authority_is_told() -> None:
    """A certificate that nobody vouches for is not accepted."""
    server, _ = certificates("127.0.0.1")
    async with receiving(server) as receiver, client() as web:
        error = await refusal(web, receiver.url().replace("http://", "https://"))
    assert "the certificate of 127.0.0.1" in str(error)


async def test_good_certificate_delivers() -> None:
    """Over TLS with a certificate that verifies, the post arrives."""
    server, trusting = certificates("127.0.0.1")
    async with receiving(server) as receiver, client(tls=trusting) as web:
        url = receiver.url().replace("http://", "https://")
        assert (await notifier(web, url).send(due(), parent=None)).status == 200


async def test_nobody_there(web: WebhookClient) -> None:
    """A port that nobody listens on is tried again, and was surely not posted to."""
    error = await refusal(web, "http://127.0.0.1:9/")
    assert isinstance(error, DeliveryError)
    assert not error.ambiguous


async def test_hanging_delays_no_other(receiver: Receiver) -> None:
    """While many posts hang at one endpoint, another takes its own at once."""
    async with receiving() as other, client(per_endpoint=2, timeout_s=5.0) as web:
        stuck = [
            asyncio.create_task(notifier(web, other.url("hang")).send(due(), parent=None)) for _ in range(20)
        ]
        await asyncio.sleep(0.1)
        began = time.monotonic()
        await notifier(web, receiver.url()).send(due(), parent=None)
        assert time.monotonic() - began < 0.5
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)


async def test_nothing_secret_is_recorded(
    receiver: Receiver, web: WebhookClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the error, nor a repr, nor any log of ours holds a header's value, the URL's path or the key."""
    caplog.set_level(logging.DEBUG)
    sender = notifier(web, receiver.url("echo") + "?key=pa55w0rd-in-url", headers={"Authorization": TOKEN})
    with pytest.raises(DeliveryError) as caught:
        await sender.send(due(), parent=None)
    logged = [
        record.getMessage() for record in caplog.records if record.name != "aiohttp.access"
    ]  # the receiver's
    printed = "".join(traceback.format_exception(caught.value, chain=True)).partition("DeliveryError")[2]
    told = "\n".join((str(caught.value), printed, repr(caught.value), repr(sender), repr(web), *logged))
    assert not [
        secret for secret in (TOKEN, "pa55w0rd", SECRET, SECRET.removeprefix("whsec_")) if secret in told
    ]
    assert "\x1b" not in told


async def test_timestamp_is_of_the_attempt(receiver: Receiver, web: WebhookClient) -> None:
    """The signature's time is that of the attempt, though what it tells happened long ago."""
    await notifier(web, receiver.url()).send(due(), parent=None)
    assert abs(int(receiver.got[0][1]["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 5
