"""Which endpoints may be posted to: every address that is not public is refused, in every way to write it."""

import ipaddress
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.adapters import ssrf
from pipeline.adapters.ssrf import Accepted, Allow, Refused, check_url, why_refused

BAD = [
    "0.0.0.0", "0.1.2.3", "10.254.0.0", "100.64.0.1", "100.100.0.0", "100.100.100.200", "127.0.0.1",
    "127.254.254.254", "168.63.129.16", "169.254.45.1", "169.254.169.254", "172.16.10.65",
    "172.31.255.255", "192.0.0.0", "192.0.0.192", "192.0.0.255", "192.0.2.255", "192.88.99.3",
    "192.168.10.65", "198.18.0.0", "198.19.255.255", "198.51.100.65", "203.0.113.6", "224.1.2.3",
    "233.252.0.16", "240.240.240.240", "255.255.255.255", "::", "::1", "::0", "::127.0.0.1",
    "::5efe:7f00:1", "::ffff:0:127.0.0.1", "::ffff:0.0.0.1", "::ffff:127.0.0.1",
    "::ffff:169.254.169.254", "::ffff:7f00:1", "64:ff9b::7f00:1", "64:ff9b::808:808",
    "64:ff9b::a9fe:a9fe", "64:ff9b::c0a8:0", "64:ff9b::c058:6301", "64:ff9b::e000:1",
    "64:ff9b:1::dead:beef", "100::1:2:3:4", "100:0:0:1::1", "2001::1", "2001:10::1", "2001:1ff::1",
    "2001:db8::1", "2002:7f00:1::1", "2002:c000:204::dead:beef", "2002:c0a8:1::dead:beef",
    "2620:4f:8000::1", "3fff::dead:beef", "4000::1", "5f00::dead:beef", "fc00::1", "fd00:ec2::254",
    "fd7a:115c:a1e0::1", "fdee:3a45:9057::1", "fe80::dead:beef", "febf:ffff::dead:beef", "fec0::1",
    "ff02::1",
]  # fmt: skip
GOOD = [
    "1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.0", "172.15.255.255",
    "172.32.0.0", "192.0.1.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "::ffff:8.8.8.8",
    "2001:200::1", "2001:4860:4860::8888", "2606:4700:4700::1111", "2a00::1",
]  # fmt: skip


def url_of(address: str) -> str:
    return f"https://[{address}]/hook" if ":" in address else f"https://{address}/hook"


class Names:
    """A resolver that knows a few names, and counts how often it is asked."""

    def __init__(self, **names: Sequence[str]) -> None:
        self.names = names
        self.asked = 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        if host.partition(".")[0] not in self.names:
            raise OSError(-2, "Name or service not known")
        return self.names[host.partition(".")[0]]


@pytest.mark.parametrize("address", BAD)
async def test_special_address_is_refused(address: str) -> None:
    """An address that is not given out for public use is refused, with the reason."""
    verdict = await check_url(url_of(address), resolve=Names())
    assert not verdict.accepted
    assert "not a public address" in verdict.reason


@pytest.mark.parametrize("address", GOOD)
async def test_public_address_is_accepted(address: str) -> None:
    """A public address is accepted, an IPv4-mapped one for the IPv4 address inside it."""
    verdict = await check_url(url_of(address), resolve=Names())
    assert verdict == Accepted(url_of(address), (str(ipaddress.ip_address(address)),))


@pytest.mark.parametrize("address", BAD)
async def test_name_is_judged_by_addresses(address: str) -> None:
    """A name is refused when any one of its addresses is, the public ones beside it notwithstanding."""
    verdict = await check_url("https://mixed.example/", resolve=Names(mixed=["8.8.8.8", address]))
    assert isinstance(verdict, Refused)
    assert verdict.addresses == ("8.8.8.8", address)


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://017700000001/",
        "http://127.1/",
        "http://127.0.1/",
        "http://8.8.8.8.8/",
        "http://08.8.8.8/",
        "http://１２７.０.０.１/",
        "http://127。0。0。1/",
        "http://①②⑦.0.0.1/",
        "http://127.0.0.1./",
        "http://[::1]",
        "http://[::1]evil.example/",
        "http://[fe80::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://[8.8.8.8]/",
        "http://[v1.x]/",
        "http://[::1",
        "https://user:password@8.8.8.8/",
        "https://8.8.8.8@127.0.0.1/",
        "https://8.8.8.8\\@127.0.0.1/",
        "https://8.8.8.8/a b",
        "https://8.8.8.8/\r\nHost: evil",
        "https://\x00/",
        "https:///path",
        "https://",
        "",
        "//8.8.8.8/",
        "ftp://8.8.8.8/",
        "file:///etc/passwd",
        "gopher://8.8.8.8/",
        "https://8.8.8.8:0/",
        "https://8.8.8.8:70000/",
        "https://8.8.8.8:x/",
        "https://-a.example/",
        "https://a..example/",
        f"https://{'a' * 64}.example/",
        f"https://{'a.' * 130}example/",
    ],
)
async def test_odd_url_is_refused(url: str) -> None:
    """What an old resolver, a lenient parser or another protocol would make of a URL is not found out."""
    names = Names()
    verdict = await check_url(url, resolve=names)
    assert (verdict.accepted, bool(verdict.reason), names.asked) == (False, True, 0)


async def test_unknown_name_is_refused() -> None:
    """A host that does not resolve here is refused with that reason."""
    verdict = await check_url("https://nowhere.example/", resolve=Names())
    assert verdict.reason == "nowhere.example does not resolve here: Name or service not known"


async def test_name_is_looked_up_once() -> None:
    """A name is resolved once, so that what was judged is what is told."""
    names = Names(public=["8.8.8.8"])
    verdict = await check_url("https://public.example:8443/x?y#z", resolve=names)
    assert (verdict.accepted, verdict.addresses, names.asked) == (True, ("8.8.8.8",), 1)


@pytest.mark.parametrize("entry", ["inner.example", "INNER.example.", "10.1.0.0/16", "10.1.2.3"])
async def test_allowed_is_accepted(entry: str) -> None:
    """A host or network on the allow-list is accepted for people who mean it."""
    verdict = await check_url(
        "https://inner.example/", resolve=Names(inner=["10.1.2.3"]), allow=Allow.of(entry)
    )
    assert (verdict.accepted, verdict.reason) == (True, "on the allow-list")


@pytest.mark.parametrize("entry", ["other.example", "10.2.0.0/16", "example"])
async def test_allowing_one_allows_no_other(entry: str) -> None:
    """An allow-list holds for what it names."""
    verdict = await check_url(
        "https://inner.example/", resolve=Names(inner=["10.1.2.3"]), allow=Allow.of(entry)
    )
    assert not verdict.accepted


async def test_international_name() -> None:
    """A name in another script is looked up in its ASCII form."""
    verdict = await check_url("https://bücher.example/", resolve=Names(**{"xn--bcher-kva": ["8.8.8.8"]}))
    assert verdict.accepted


@given(st.ip_addresses(v=6))
def test_only_global_unicast(address: ipaddress.IPv6Address) -> None:
    """No IPv6 address outside 2000::/3 is accepted, but an IPv4-mapped one whose inside is."""
    inside = address.ipv4_mapped
    expected = bool(why_refused(str(inside))) if inside else address not in ssrf.GLOBAL_UNICAST
    assert bool(why_refused(str(address))) >= expected


@given(st.ip_addresses(v=4))
def test_mapped_is_judged_inside(address: ipaddress.IPv4Address) -> None:
    """An IPv4-mapped address is refused exactly when the IPv4 address is."""
    assert why_refused(f"::ffff:{address}") == why_refused(str(address))


@given(st.ip_addresses())
def test_stricter_than_the_library(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    """What the standard library knows to be private, reserved or multicast is refused."""
    inside = getattr(address, "ipv4_mapped", None) or address
    special = inside.is_private or inside.is_reserved or inside.is_multicast or inside.is_loopback
    assert bool(why_refused(str(address))) >= special


@given(st.text(max_size=80) | st.text(alphabet="htps:/[]@%.#?0123456789abxf::\\\\", max_size=40))
async def test_any_text_gets_a_verdict(text: str) -> None:
    """Whatever is given as a URL is judged, and nothing but a public address is accepted."""
    for url in (text, f"https://{text}"):
        verdict = await check_url(url, resolve=Names())
        assert verdict.reason
        assert not verdict.accepted or not any(map(why_refused, verdict.addresses))
