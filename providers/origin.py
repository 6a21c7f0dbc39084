"""Addresses: which base URLs are allowed, and what counts as the same place (RFC 6454)."""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit

_DEFAULT_PORTS = {"https": 443, "http": 80}
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_HOST = re.compile(
    r"(?:localhost|\[[0-9a-f:.]+\]|\d{1,3}(?:\.\d{1,3}){3}|(?:[\w-]+\.)+[a-z][\w-]+)(?::\d{1,5})?",
    re.I,
)
"""What may be a host before the first slash of an address without a scheme."""


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url.strip())
        _ = parts.port  # a bad port shows only when it is asked for
    except ValueError as error:
        raise ValueError("this is not an address") from error
    return parts


def _has_odd_characters(url: str) -> bool:
    return any(character <= " " or character in "\\\x7f" for character in url)


def is_loopback(host: str) -> bool:
    """True for ``localhost`` and for literal loopback addresses (127.0.0.0/8, ::1) only."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def origin(url: str) -> str:
    """``scheme://host:port``: one text for all spellings of a place. Raises ValueError.

    The host is in lower case, in ASCII (IDNA, as the HTTP library does it) and without the dot
    at its end; the port is always given.
    """
    parts = _split(url)
    scheme, host = parts.scheme.lower(), parts.hostname
    if _has_odd_characters(url):  # which each library reads otherwise
        raise ValueError("this is not an address")
    if scheme not in _DEFAULT_PORTS or not host:
        raise ValueError("this is not an http or https address")
    port = _DEFAULT_PORTS[scheme] if parts.port is None else parts.port
    return f"{scheme}://{_plain_host(host)}:{port}"


def _plain_host(host: str) -> str:
    """Raises ValueError for what can be no host's name."""
    if ":" in host:
        with suppress(ValueError):  # one with a zone, say, is left as it is written
            host = str(ipaddress.IPv6Address(host))
        return f"[{host}]"
    if not host.isascii():
        import idna  # httpx needs it too; it takes long to load

        host = idna.encode(host.lower()).decode()
    return host.lower().removesuffix(".")


def same_origin(a: str, b: str) -> bool:
    """Whether two addresses share scheme, host and port; False when either is not an address."""
    try:
        return origin(a) == origin(b)
    except ValueError:
        return False


def absolute_url(address: str, base_url: str) -> str:
    """A vendor's address of a recording as a whole one.

    Without a scheme (``example.com/recording/5``, ``//example.com/5``) it is https, on loopback
    the account's own scheme. Without a host (``/recording/5``) it is at the account's origin.
    """
    text = address.strip()
    if _SCHEME.match(text):
        return text
    base = urlsplit(base_url)
    if not text.startswith("//"):
        host, slash, _ = text.partition("/")
        if not (slash and _HOST.fullmatch(host)):
            return f"{base.scheme}://{base.netloc}/{text.lstrip('/')}"
    bare = text.lstrip("/")
    try:
        host = urlsplit(f"//{bare}").hostname or ""
    except ValueError:
        host = ""
    local = is_loopback(host) and is_loopback(base.hostname or "")
    return f"{base.scheme if local else 'https'}://{bare}"


def check_base_url(url: str) -> str:
    """An account's base URL without a trailing slash. Raises ValueError with what is wrong."""
    text = url.strip()
    if _has_odd_characters(text):
        raise ValueError("a base URL has no spaces or backslashes in it")
    parts = _split(text)
    if parts.scheme.lower() not in _DEFAULT_PORTS or not parts.hostname:
        raise ValueError("a base URL begins with https://, for example https://api.example.com")
    if "@" in parts.netloc:
        raise ValueError("a base URL holds no user name or password; the token is kept apart")
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise ValueError("a base URL has no ? or # part")
    if parts.scheme.lower() == "http" and not is_loopback(parts.hostname):
        raise ValueError("a base URL is https; plain http is for this machine (loopback) alone")
    try:
        origin(text)
    except ValueError:
        raise ValueError("the base URL's host is not a name that a host can have") from None
    return text.rstrip("/")
