"""Which addresses an endpoint may have, so that a URL given to us cannot make us speak to our own network.

The tables follow the IANA registries of special-purpose IPv4 and IPv6 addresses (RFC 6890 and its updates, as of
2026) and the multicast registries; in IPv6 only what IANA gave out for global unicast (2000::/3) is accepted. An
IPv4-mapped address is judged as the IPv4 address inside it; NAT64, 6to4 and Teredo, which carry an IPv4 address to
wherever the local network takes it, are refused. A name is judged by every address that it resolves to, and the
connection goes to those and no others.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import unicodedata
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

REFUSED: tuple[tuple[str, str], ...] = (
    ("0.0.0.0/8", "this network"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "shared by carriers (CGNAT)"),
    ("127.0.0.0/8", "loopback"),
    ("168.63.129.16/32", "a cloud's own service"),
    ("169.254.0.0/16", "link-local, with the clouds' metadata"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "reserved for protocols"),
    ("192.0.2.0/24", "for documentation"),
    ("192.31.196.0/24", "anycast of AS112"),
    ("192.52.193.0/24", "for AMT"),
    ("192.88.99.0/24", "6to4 relays"),
    ("192.168.0.0/16", "private"),
    ("192.175.48.0/24", "anycast of AS112"),
    ("198.18.0.0/15", "for benchmarks"),
    ("198.51.100.0/24", "for documentation"),
    ("203.0.113.0/24", "for documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved, with broadcast"),
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    ("64:ff9b::/96", "NAT64"),
    ("64:ff9b:1::/48", "NAT64 within a network"),
    ("100::/64", "discard-only"),
    ("2001::/32", "Teredo"),
    ("2001::/23", "reserved for protocols"),
    ("2001:db8::/32", "for documentation"),
    ("2002::/16", "6to4"),
    ("2620:4f:8000::/48", "anycast of AS112"),
    ("3fff::/20", "for documentation"),
    ("5f00::/16", "segment routing"),
    ("fc00::/7", "private (unique local)"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "site-local"),
    ("ff00::/8", "multicast"),
)
GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_TABLE = tuple((ipaddress.ip_network(network), why) for network, why in REFUSED)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")


@dataclass(frozen=True, slots=True)
class Allow:
    """Hosts and networks that are accepted although the tables refuse them, for people who mean it."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[IPNetwork, ...] = ()

    @classmethod
    def of(cls, *entries: str) -> Allow:
        """Return the allow-list of hosts, addresses and networks (CIDR); ValueError names one that is none."""
        hosts, networks = set(), []
        for entry in entries:
            try:
                networks.append(ipaddress.ip_network(entry, strict=False))
            except ValueError:
                hosts.add(_named(entry))
        return cls(hosts=frozenset(hosts), networks=tuple(networks))

    def holds(self, host: str, address: IPAddress | None = None) -> bool:
        """Say whether a host, or one of its addresses, is on the list."""
        inside = any(address in network for network in self.networks) if address else False
        return inside or host in self.hosts


@dataclass(frozen=True, slots=True)
class Accepted:
    """An endpoint that may be posted to, at these addresses and no others."""

    url: str
    addresses: tuple[str, ...]
    reason: str = "every address is public"
    accepted: bool = True


@dataclass(frozen=True, slots=True)
class Refused:
    """An endpoint that may not be posted to, and why."""

    url: str
    reason: str
    addresses: tuple[str, ...] = ()
    accepted: bool = False


NOTHING = Allow()


async def check_url(url: str, *, resolve: Resolve, allow: Allow = NOTHING) -> Accepted | Refused:
    """Say whether an endpoint would be accepted, to which addresses it resolves, and why not; posts nothing."""
    target = parse_url(url)
    if isinstance(target, Refused):
        return target
    host, port = target
    try:
        addresses = tuple(await addresses_of(host, port, resolve=resolve))
    except OSError as error:
        return Refused(url, f"{host} does not resolve here: {error.strerror or type(error).__name__}")
    if not addresses:
        return Refused(url, f"{host} has no address")
    return judged(url, host, addresses, allow)


def parse_url(url: str) -> tuple[str, int] | Refused:
    """Return the host (an IPv6 address without brackets) and the port of an endpoint, or why it cannot be one."""
    if re.search(r"[\x00-\x20\x7f\\]", url):
        return Refused(url, "a URL holds no blanks, control characters or backslashes")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return Refused(url, f"not a URL: {error}")
    if parts.scheme not in {"https", "http"}:
        return Refused(url, "only https and http can be posted to")
    if "@" in parts.netloc:
        return Refused(url, "a URL with user-info (user:password@) is refused: use a header or the signature")
    return _endpoint(url, parts, port)


def judged(url: str, host: str, addresses: Sequence[str], allow: Allow = NOTHING) -> Accepted | Refused:
    """Return the verdict on a host with these addresses: one that is refused refuses them all."""
    for text in addresses:
        reason = _refusal(host, text, allow)
        if reason:
            return Refused(url, reason, tuple(addresses))
    allowed = all(_why(_address(text)) == "" for text in addresses)
    return Accepted(url, tuple(addresses), "every address is public" if allowed else "on the allow-list")


def why_refused(address: str) -> str:
    """Return why an address may not be connected to; empty when it may."""
    try:
        return _why(_address(address))
    except ValueError:
        return "not an address"


async def addresses_of(host: str, port: int, *, resolve: Resolve) -> Sequence[str]:
    """Return the addresses of a host; an address is its own. OSError when it does not resolve."""
    try:
        return (str(ipaddress.ip_address(host)),)
    except ValueError:
        return await resolve(host, port)


async def system_resolve(host: str, port: int) -> Sequence[str]:
    """Return what the system's resolver knows a host as."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(item[4][0]) for item in found))


def _endpoint(url: str, parts: SplitResult, port: int | None) -> tuple[str, int] | Refused:
    try:
        host = _literal(parts.netloc) if "[" in parts.netloc else _named(parts.hostname or "")
    except ValueError as error:
        return Refused(url, str(error))
    if port == 0:
        return Refused(url, "port 0 cannot be connected to")
    return host, port or (443 if parts.scheme == "https" else 80)


def _literal(netloc: str) -> str:
    """Return the IPv6 address between brackets; ValueError for anything else there."""
    found = re.fullmatch(r"\[([^\]]*)\](?::\d*)?", netloc)
    inside = found[1] if found else ""
    if "%" in inside:
        raise ValueError("an address with a zone id belongs to one network card")
    try:
        return str(ipaddress.IPv6Address(inside))
    except ValueError:
        raise ValueError("what stands in brackets is not an IPv6 address") from None


def _named(host: str) -> str:
    """Return a host in the one form in which it is looked up; ValueError for one that is no name or address.

    Numbers that an old resolver reads as an address (2130706433, 0x7f.1, 0177.0.0.1, 127.1) are refused.
    """
    host = unicodedata.normalize("NFKC", host).rstrip(".").lower()
    if not host.isascii():
        host = _ascii(host)
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise ValueError("an address is written as four decimal numbers, 192.0.2.1") from None
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise ValueError("not a host name")
    return host


def _ascii(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        raise ValueError("not a host name") from None


def _refusal(host: str, text: str, allow: Allow) -> str:
    """Return why one address of a host refuses it, empty when it does not."""
    try:
        address = _address(text)
    except ValueError:
        return f"{host} resolves to {text!r}, which is no address"
    why = _why(address)
    if not why or allow.holds(host, address):
        return ""
    named = f"{text} is" if host == text else f"{host} resolves to {text}, which is"
    return f"{named} not a public address: {why}"


def _address(text: str) -> IPAddress:
    """Return the address that a connection to `text` would reach: the IPv4 one inside an IPv4-mapped one."""
    if "%" in text:
        raise ValueError("a zone id")
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def _why(address: IPAddress) -> str:
    for network, why in _TABLE:
        if address in network:
            return why
    outside = isinstance(address, ipaddress.IPv6Address) and address not in GLOBAL_UNICAST
    return "not given out for global unicast" if outside else ""
