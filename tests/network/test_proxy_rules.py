"""Which address goes through which proxy, for every way in which people and tools write it."""

from __future__ import annotations

import ipaddress
import random
import ssl
import sys

import pytest

from providers.errors import VariableError
from providers.proxy import SYSTEM, proxies_of

PROXY = "http://proxy.corp:3128"
TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def direct(url: str, no_proxy: str) -> bool:
    return (
        proxies_of({"HTTPS_PROXY": PROXY, "HTTP_PROXY": PROXY, "NO_PROXY": no_proxy}).of(url)
        is None
    )


@pytest.mark.parametrize(
    ("no_proxy", "reached_directly", "through"),
    [
        ("*", "https://example.com https://93.184.216.34 http://[2001:db8::1]", ""),
        (
            "example.com",
            "https://example.com https://EXAMPLE.com. https://a.b.example.com",
            "https://notexample.com https://example.com.evil",
        ),
        (
            ".example.com",
            "https://a.example.com https://a.b.example.com",
            "https://example.com https://xexample.com",
        ),
        ("*.example.com", "https://a.example.com", "https://example.com"),
        ("Example.COM.", "https://example.com", "https://example.org"),
        (
            "example.com:8443",
            "https://example.com:8443 https://a.example.com:8443",
            "https://example.com https://example.com:443",
        ),
        ("example.com:443", "https://example.com https://example.com:443", "http://example.com"),
        ("https://example.com", "https://example.com", "http://example.com"),
        ("all://example.com", "https://example.com http://example.com", "https://example.org"),
        (
            "10.0.0.0/8",
            "https://10.1.2.3 https://10.255.255.255:8443 https://[::ffff:10.0.0.1]",
            "https://11.0.0.1 https://ten.example",
        ),
        ("10.9.8.7/8", "https://10.1.2.3", "https://11.0.0.1"),
        ("10.0.0.0/8:8443", "https://10.1.2.3:8443", "https://10.1.2.3"),
        ("10.1.2.3", "https://10.1.2.3", "https://10.1.2.4"),
        ("10.1.2.3:8443", "https://10.1.2.3:8443", "https://10.1.2.3"),
        (
            "fe80::/10",
            "https://[fe80::1] https://[febf::2]:8443",
            "https://[fec0::1] https://10.0.0.1",
        ),
        ("[fe80::/10]", "https://[fe80::1]", "https://[2001:db8::1]"),
        ("[fe80::]/10", "https://[fe80::1]", "https://[2001:db8::1]"),
        ("2001:db8::1", "https://[2001:db8::1] https://[2001:DB8:0::1]", "https://[2001:db8::2]"),
        ("[2001:db8::1]", "https://[2001:db8::1]:9", "https://[2001:db8::2]"),
        ("[2001:db8::1]:8443", "https://[2001:db8::1]:8443", "https://[2001:db8::1]"),
        ("fe80::1%eth0", "https://[fe80::1]", "https://[fe80::2]"),
        ("::ffff:10.0.0.0/104", "https://10.1.2.3", "https://11.0.0.1"),
        (
            "bücher.example",
            "https://bücher.example https://xn--bcher-kva.example",
            "https://bucher.example",
        ),
        (
            "localhost, 127.0.0.1;".replace(";", ",") + " a.example\tb.example",
            "https://a.example https://b.example",
            "https://c.example",
        ),
        (",, ,", "", "https://example.com"),
        ("[::1]", "", "https://example.com"),
        # as minikube, docker desktop and VPN clients set it
        (
            "localhost,127.0.0.1,::1,[::1],fe80::/10,10.96.0.0/12,192.168.49.0/24,.svc,.cluster.local",
            "https://x.svc https://10.97.1.1 https://[fe80::9]",
            "https://example.com",
        ),
    ],
)
def test_what_no_proxy_excepts(no_proxy: str, reached_directly: str, through: str) -> None:
    assert not proxies_of({"NO_PROXY": no_proxy}).problems
    for url in reached_directly.split():
        assert direct(url, no_proxy), url
    for url in through.split():
        assert not direct(url, no_proxy), url


@pytest.mark.parametrize(
    "entry",
    ["[::1", "::1]", "10.0.0.0/99", "fe80::/129", "host:99999", "host:0", "192.168.*", "10.", "300.1.2.3",
     "fe80::1::2", "a..b", "/8", ":80", "ftp://example.com", "a/b", "<local>", "x" * 70],
)  # fmt: skip
def test_what_is_not_understood_is_left_out_and_named(entry: str) -> None:
    found = proxies_of({"HTTPS_PROXY": PROXY, "no_proxy": f"{entry},example.com"})
    [problem] = found.problems
    assert problem.startswith("no_proxy: ") and entry[:60] in problem and "left out" in problem
    assert found.of("https://example.com") is None
    assert found.of("https://example.org") is not None


@pytest.mark.parametrize(
    "url", ["https://localhost", "https://127.0.0.1:8443", "http://127.8.8.8", "https://[::1]",
            "https://[::ffff:127.0.0.1]", "https://vendor.localhost", "http://LOCALHOST."]
)  # fmt: skip
def test_this_machine_is_never_reached_through_a_proxy(url: str) -> None:
    assert direct(url, "")


@pytest.mark.parametrize(
    ("environ", "url", "shown"),
    [
        ({"HTTPS_PROXY": PROXY}, "https://a.example", f"{PROXY} (HTTPS_PROXY)"),
        ({"HTTPS_PROXY": PROXY}, "http://a.example", None),
        ({"HTTP_PROXY": PROXY}, "https://a.example", None),
        ({"HTTP_PROXY": PROXY}, "http://a.example", f"{PROXY} (HTTP_PROXY)"),
        ({"ALL_PROXY": PROXY}, "https://a.example", f"{PROXY} (ALL_PROXY)"),
        ({"all_proxy": PROXY, "HTTPS_PROXY": "one:1"}, "https://a.example", "http://one:1 (HTTPS_PROXY)"),
        ({"https_proxy": "two:2", "HTTPS_PROXY": "one:1"}, "https://a.example", "http://two:2 (https_proxy)"),
        ({"https_proxy": "", "HTTPS_PROXY": "one:1"}, "https://a.example", None),
        ({"HTTPS_PROXY": " proxy.corp:3128 "}, "https://a.example", f"{PROXY} (HTTPS_PROXY)"),
        ({"HTTPS_PROXY": "proxy.corp"}, "https://a.example", "http://proxy.corp (HTTPS_PROXY)"),
        ({"HTTPS_PROXY": "http://proxy.corp:3128/"}, "https://a.example", f"{PROXY} (HTTPS_PROXY)"),
        ({"HTTPS_PROXY": "https://Proxy.Corp:8443"}, "https://a.example", "https://proxy.corp:8443 (HTTPS_PROXY)"),
        ({"HTTPS_PROXY": "[fd00::1]:3128"}, "https://a.example", "http://[fd00::1]:3128 (HTTPS_PROXY)"),
        ({"HTTPS_PROXY": "http://ann:s3cret@proxy.corp:3128"}, "https://a.example", f"{PROXY} (HTTPS_PROXY)"),
        ({"HTTPS_PROXY": "http://ann:s3@cret@proxy.corp:3128"}, "https://a.example", f"{PROXY} (HTTPS_PROXY)"),
        ({}, "https://a.example", None),
    ],
)  # fmt: skip
def test_which_proxy_it_is(environ: dict[str, str], url: str, shown: str | None) -> None:
    found = proxies_of(environ)
    proxy = found.of(url)
    assert (str(proxy) if proxy else None) == shown
    assert not found.problems and "cret" not in repr(proxy)


def test_a_socks_proxy_needs_one_package_more(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {"ALL_PROXY": "socks5://proxy.corp:1080"}
    assert (
        str(proxies_of(environ).of("https://a.example")) == "socks5://proxy.corp:1080 (ALL_PROXY)"
    )
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(VariableError, match=r"ALL_PROXY: .*pipx inject ringback socksio"):
        proxies_of(environ).of("https://a.example")


def test_a_password_is_read_as_it_was_meant() -> None:
    proxy = proxies_of({"ALL_PROXY": "http://an%40n:p%23%3A%2F@proxy.corp:1"}).of(
        "https://a.example"
    )
    assert proxy is not None and proxy.auth == ("an@n", "p#:/")


@pytest.mark.parametrize(
    "value",
    ["http://", "http://[::1", "http://ann:s3cret@", "http://proxy:port", "http://proxy:99999", "http://proxy:0",
     "://proxy", "ftp://proxy:21", "socks4://proxy:1080", "s3cret://proxy", "http://a..b:80", "http://" + "s3cret" * 12,
     "http://ann:s3#cret@proxy:3128", "http://ann:s3/cret@proxy:3128", "http://ann:s3?cret@proxy:3128",
     "http://ann:12/s3cret@proxy:3128", "http://pro xy:3128", "http://proxy:3128\x1b[31m", "http://pro<xy>:1",
     "=http://proxy:3128", '"http://proxy:3128"', "$PROXY", "http://fe80::1:3128"],
)  # fmt: skip
def test_a_proxy_that_is_none_keeps_everything_back_and_is_named(value: str) -> None:
    found = proxies_of({"https_proxy": value, "NO_PROXY": "inside.example"})
    [problem] = found.problems
    assert problem.startswith("https_proxy: ") and "cret" not in problem and "\x1b" not in problem
    with pytest.raises(VariableError) as caught:
        found.of("https://a.example")
    assert "https_proxy" in str(caught.value) and "cret" not in str(caught.value) + repr(
        caught.value
    )
    assert found.of("https://inside.example") is None, "what needs no proxy goes on"
    assert found.of("http://a.example") is None


@pytest.mark.parametrize("seed", range(20))
def test_any_text_is_read_without_an_error(seed: int) -> None:
    chance = random.Random(seed)
    letters = "[]:/.,*@%#? -_aé0189fe\x00\x1b漢"
    pieces = [
        "http://",
        "://",
        "::1",
        "10.0.0.0/8",
        "fe80::/10",
        "[::1]:80",
        "example.com",
        "user:s3cret@",
    ]
    for _ in range(300):
        texts = [
            "".join(chance.choice([*letters, *pieces]) for _ in range(chance.randint(0, 8)))
            for _ in range(4)
        ]
        found = proxies_of(
            dict(zip(("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"), texts, strict=True))
        )
        assert "cret" not in " ".join(found.problems)
        for url in ("https://a.example", "http://10.1.2.3:8", "https://[fe80::1]", "https://a..b"):
            try:
                proxy = found.of(url)
            except VariableError:
                continue
            if proxy:
                proxy.for_httpx(TLS)
                assert "cret" not in str(proxy)


@pytest.mark.parametrize("seed", range(20))
def test_networks_hold_exactly_their_addresses(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(100):
        bits = chance.choice([32, 128])
        number = chance.getrandbits(bits)
        kind = ipaddress.IPv4Address if bits == 32 else ipaddress.IPv6Address
        length = chance.randint(0, bits)
        network = ipaddress.ip_network(f"{kind(number)}/{length}", strict=False)
        other = kind(number ^ chance.getrandbits(bits) >> chance.randint(0, bits))
        host = f"[{other}]" if bits == 128 else str(other)
        here = other.is_loopback
        entry = (
            f"[{kind(number)}]/{length}"
            if bits == 128 and chance.random() < 0.5
            else f"{kind(number)}/{length}"
        )
        assert direct(f"https://{host}", entry) == (here or other in network)


def test_the_systems_own_settings_hold_where_nothing_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr("urllib.request.getproxies", lambda: {"https": PROXY, "ftp": "x"})
    monkeypatch.setattr("urllib.request.proxy_bypass", lambda host: host == "inside.example")
    proxy = proxies_of({}).of("https://a.example")
    assert proxy is not None and str(proxy) == f"{PROXY} ({SYSTEM})"
    assert proxies_of({}).of("https://inside.example") is None
    named = proxies_of({"HTTPS_PROXY": "one:1"}).of("https://inside.example")
    assert named is not None and named.host == "one"
