"""Base URLs and origins: which address is the place that a token may go to."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.origin import check_base_url, is_loopback, origin, same_origin


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://api.example.com/", "https://api.example.com"),
        ("https://api.example.com/prefix/", "https://api.example.com/prefix"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:1/", "http://localhost:1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_base_url_is_kept_without_its_last_slash(given: str, kept: str) -> None:
    assert check_base_url(given) == kept


@pytest.mark.parametrize(
    "bad",
    [
        "api.example.com",
        "ftp://api.example.com",
        "http://api.example.com",
        "http://127.0.0.1.evil.com",
        "http://0x7f.1",
        "http://2130706433",
        "https://user:pass@api.example.com",
        "https://good.com@evil.com",
        "https://api.example.com/?a=b",
        "https://api.example.com/#x",
        "https://api.example.com?",
        "https://exa mple.com",
        "https://a\\b.com",
        "https://api.example.com:99999",
        "https://a_ü.example.com",
        "https://" + "ü" * 80 + ".example.com",
        "https://",
        "",
    ],
)
def test_base_url_says_what_is_wrong(bad: str) -> None:
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        check_base_url(bad)


def test_origin_gives_the_port_and_ignores_case_and_path() -> None:
    assert origin("HTTPS://Api.Example.com/x?y") == "https://api.example.com:443"
    assert same_origin("https://a.com/x", "https://A.com:443/y")
    assert not same_origin("https://a.com", "http://a.com")
    assert not same_origin("https://a.com", "https://a.com:444")
    assert not same_origin("https://a.com", "nonsense")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://api.example.com", "HTTPS://API.example.COM.:443/v2?x#y"),
        ("https://bücher.example", "https://XN--BCHER-KVA.example/"),
        ("https://BÜCHER.example", "https://bücher.example"),
        ("https://api。example.com", "https://api.example.com"),
        ("http://[::1]:80", "http://[0:0:0:0:0:0:0:1]"),
        ("http://127.0.0.1", "http://127.0.0.1:80/x"),
    ],
)
def test_spellings_of_one_place_are_one_origin(one: str, other: str) -> None:
    assert origin(one) == origin(other)
    assert same_origin(one, other)


@pytest.mark.parametrize(
    "other",
    [
        "https://api.example.com:8443",
        "http://api.example.com:443",
        "https://api.example.com:0",
        "https://api.example.com.evil.example",
        "https://xapi.example.com",
        "https://api.example.com@evil.example",
        "https://evil.example\\@api.example.com",
        "https://аpi.example.com",  # a Cyrillic a
        "https://ex%61mple.com",
        "https://api..example.com",
        "https://api.example.com..",
        "https://api\u2060.example.com",
        "https://" + "ü" * 80 + ".example",
        "https://[api.example.com]",
        "//api.example.com",
    ],
)
def test_what_only_looks_like_a_place_is_another(other: str) -> None:
    assert not same_origin("https://api.example.com", other)


@pytest.mark.parametrize("hidden", ["{0}@{1}", "{1}\\@{0}", "{1}#@{0}", "{1}?@{0}", "{1}/@{0}"])
@pytest.mark.parametrize("odd", ["", "\t", "\n", " ", "%00", "。", "\ufeff", "\u3000"])
def test_an_address_that_passes_for_the_same_place_is_asked_there(hidden: str, odd: str) -> None:
    """Where `same_origin` and the HTTP library read a host otherwise, a token would go astray."""
    import httpx

    url = f"https://{odd}" + hidden.format("api.example.com", "evil.example") + odd
    try:
        asked = httpx.URL(url)
    except httpx.InvalidURL:
        return
    if same_origin(url, "https://api.example.com"):
        assert (asked.scheme, asked.raw_host.rstrip(b".")) == ("https", b"api.example.com")


_PIECES = st.sampled_from(
    ["api.example.com", "evil.example", "bücher.example", "xn--bcher-kva.example", "[::1]", "127.1"]
    + [
        *"@:/\\?#.%[]-_ \t\n",
        "。",
        "\u00ad",
        "\u200b",
        "ß",
        "K",
        "ⓐ",
        ":443",
        ":80",
        ":0",
        "//",
        "A",
    ]
)
HOMES = ("https://api.example.com", "https://bücher.example", "http://[::1]")


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, str]:
    """An account's own place, and an address made of it with a few odd pieces put in."""
    home = draw(st.sampled_from(HOMES))
    url = draw(st.sampled_from([home, home.upper(), home.replace("//", "//evil.example@")]))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(url)))
        url = url[:at] + draw(_PIECES) + url[at:]
    return url, home


PORTS = {"https": 443, "http": 80}


def host_of(raw: bytes) -> str:
    name = raw.decode()
    return str(ipaddress.IPv6Address(name)) if ":" in name else name.removesuffix(".")


@settings(max_examples=300)
@given(spellings())
def test_the_same_origin_is_the_same_place_for_the_http_library(spelling: tuple[str, str]) -> None:
    """Of any text that passes for an account's own place the library asks that place, or nobody."""
    import httpx

    url, home = spelling
    if not same_origin(url, home):
        return
    try:
        asked, own = httpx.URL(url), httpx.URL(home)
    except httpx.InvalidURL:
        return
    places = [
        (one.scheme, host_of(one.raw_host), one.port or PORTS[one.scheme]) for one in (asked, own)
    ]
    assert places[0] == places[1]


def test_only_literal_loopback_is_loopback() -> None:
    assert [is_loopback(host) for host in ("localhost", "127.9.9.9", "::1", "10.0.0.1", "x")] == [
        True,
        True,
        True,
        False,
        False,
    ]
