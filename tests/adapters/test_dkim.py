"""Mails signed with DKIM: a verifier agrees, sees every change, and the key is told nobody."""

import logging
import sys
import traceback
from base64 import b64encode
from functools import cache, partial

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from pipeline.adapters.dkim import Dkim
from pipeline.adapters.email import EmailNotifier, SmtpServer
from pipeline.alerts.render import email as render
from pipeline.alerts.render.email import Letter
from pipeline.errors import ConfigError
from tests.adapters.post import mailing
from tests.alerts.samples import SEEN, due

LETTER = Letter(
    sender="Clausewire <alerts@example.org>",
    to=("Zoë <zoe@example.net>",),
    unsubscribe_url="https://cw.example/unsubscribe/" + "a" * 90,
)
NAME = b"cw._domainkey.example.org."
KINDS = ["rsa", "ed25519"]
Key = rsa.RSAPrivateKey | Ed25519PrivateKey | ec.EllipticCurvePrivateKey


@cache
def key(kind: str) -> Key:
    match kind:
        case "rsa":
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)
        case "ed25519":
            return Ed25519PrivateKey.generate()
        case _:
            return ec.generate_private_key(ec.SECP256R1())


def pem(
    kind: str,
    form: PrivateFormat = PrivateFormat.PKCS8,
    encryption: KeySerializationEncryption = NoEncryption(),
) -> str:
    return key(kind).private_bytes(Encoding.PEM, form, encryption).decode()


def record(kind: str) -> bytes:
    """Return the TXT record that a domain publishes for a key (RFC 6376, 3.6.1; RFC 8463, 4.2)."""
    public = key(kind).public_key()
    if kind == "ed25519":
        found = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    else:
        found = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b"v=DKIM1; k=" + kind.encode() + b"; p=" + b64encode(found)


def verified(mail: bytes, kind: str) -> bool:
    def dns(name: bytes, timeout: float = 5) -> bytes | None:
        return record(kind) if name == NAME else None

    return bool(dkim.verify(mail, dnsfunc=dns))


def signed(kind: str = "rsa", letter: Letter = LETTER, key: str = "") -> bytes:
    signer = Dkim(domain="example.org", selector="cw", key=key or pem(kind))
    return signer.sign(render.compose(due(), letter=letter, sent_at=SEEN).as_bytes())


@pytest.mark.parametrize("kind", KINDS)
async def test_signature_arrives(kind: str) -> None:
    """What a mail server takes carries a signature that a verifier accepts."""
    signer = Dkim(domain="example.org", selector="cw", key=pem(kind))
    async with mailing() as box:
        server = SmtpServer(host="127.0.0.1", port=box.port, tls="plain", timeout_s=2, sign=signer.sign)
        compose = partial(render.compose, letter=LETTER, sent_at=SEEN)
        await EmailNotifier(server, compose=compose).send(due(), parent=None)
    content = box.mails[0].original_content
    assert content is not None
    assert f"a={kind}-sha256; c=relaxed/relaxed;" in content.decode()
    assert verified(content, kind)


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(lambda: pem("rsa", PrivateFormat.TraditionalOpenSSL), id="pkcs1"),
        pytest.param(lambda: pem("rsa").replace("\n", "\r\n"), id="crlf"),
        pytest.param(lambda: pem("rsa").replace("\n", "\\n"), id="one line"),
        pytest.param(lambda: pem("rsa").strip(), id="no last line end"),
    ],
)
def test_forms_of_a_key(key) -> None:  # type: ignore[no-untyped-def]
    """A key signs however its PEM is written."""
    assert verified(signed(key=key()), "rsa")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "name",
    [
        *("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "List-Id"),
        *("List-Unsubscribe", "List-Unsubscribe-Post", "MIME-Version", "Content-Type"),
    ],
)
def test_changed_header_is_seen(name: str, kind: str) -> None:
    """A header that reads otherwise than it was signed breaks the signature."""
    start = f"\r\n{name}: ".encode()
    mail = signed(kind)
    assert mail.count(start) >= 1
    assert not verified(mail.replace(start, start + b"x", 1), kind)


@pytest.mark.parametrize("header", [b"From: a@evil.example", b"Subject: Free", b"To: b@evil.example"])
@pytest.mark.parametrize("kind", KINDS)
def test_second_header_is_seen(header: bytes, kind: str) -> None:
    """A second sender, reader or subject put on top breaks the signature."""
    assert not verified(header + b"\r\n" + signed(kind), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_changed_body_is_seen(kind: str) -> None:
    """A word added to the body breaks the signature."""
    mail = signed(kind)
    assert not verified(mail.replace(b"\r\n\r\n", b"\r\n\r\nPay here\r\n", 1), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_relay_may_refold(kind: str) -> None:
    """Blanks that a relay changes and headers that it adds leave the signature whole."""
    mail = signed(kind).replace(b"\r\nSubject: ", b"\r\nSubject:  ", 1) + b"\r\n\r\n"
    assert verified(b"Received: by relay.example.net\r\n" + mail, kind)


def test_mail_without_list_headers() -> None:
    """A mail that offers no unsubscribing is signed for what it has."""
    mail = signed(letter=Letter(sender="alerts@example.org", to=("ann@example.net",)))
    assert b"list-unsubscribe" not in mail.partition(b"bh=")[0]
    assert verified(mail, "rsa")


def halves() -> str:
    form = PublicFormat.SubjectPublicKeyInfo
    return key("rsa").public_key().public_bytes(Encoding.PEM, form).decode()


@pytest.mark.parametrize(
    ("bad", "fact"),
    [
        (lambda: "hunter2-of-ours", "no private key in PEM form"),
        (lambda: pem("rsa")[:800], "no private key in PEM form"),
        (lambda: pem("rsa").replace("A", "é"), "no private key in PEM form"),
        (halves, "the public half"),
        (lambda: pem("ec"), "neither an RSA nor an Ed25519 key"),
        (
            lambda: pem("rsa", encryption=BestAvailableEncryption(b"pa55")),
            "encrypted with a password",
        ),
    ],
)
def test_bad_key_is_told(bad, fact: str) -> None:  # type: ignore[no-untyped-def]
    """A key that cannot sign is told with its name and what to do, and never repeated."""
    written = bad()
    with pytest.raises(ConfigError, match=fact) as caught:
        Dkim(domain="example.org", selector="cw", key=written, name="MAIL_KEY")
    told = "".join([*traceback.format_exception(caught.value), repr(caught.value)])
    assert "MAIL_KEY_FILE" in caught.value.remedy
    assert not [line for line in written.splitlines() if line.strip("-") and line in told]


@pytest.mark.parametrize("kind", KINDS)
def test_key_is_told_nobody(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """The key stands in no repr, no log and no mail."""
    caplog.set_level(logging.DEBUG)
    signer = Dkim(domain="example.org", selector="cw", key=pem(kind))
    mail = signer.sign(render.compose(due(), letter=LETTER, sent_at=SEEN).as_bytes())
    told = repr(signer) + caplog.text + mail.decode()
    lines = pem(kind).splitlines()[1:-1]
    assert not [line for line in lines if line in told]


@pytest.mark.parametrize("module", ["dkim", "nacl.signing"])
def test_missing_library_is_told(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the library that signs is not installed, the error says what to install."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigError) as caught:
        Dkim(domain="example.org", selector="cw", key=pem("ed25519"))
    assert "clausewire[dkim]" in caught.value.remedy
