"""The one place that fetches a recording: a client that holds no token.

A recording's address comes from a server, so it is not trusted: https only, and never an address
inside our own network unless the account itself lives there. The name is resolved once, checked,
and the connection goes to the very address that was checked. Environment proxies are not used:
behind one, nobody could say where the connection ends.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from providers.errors import RecordingError
from providers.http import silence_loggers, user_agent
from providers.sniff import sniff, what_else

if TYPE_CHECKING:
    import httpx

__all__ = ["LIMIT", "Media", "allows_private", "fetch"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]
Credential = Callable[[str], dict[str, str]]
Progress = Callable[[int, "int | None"], None]

LIMIT = 500 * 1000 * 1000
HEAD = 64
REDIRECTS = 5
_REDIRECT_STATUS = {301, 302, 303, 307, 308}
_METADATA = {
    ipaddress.ip_address(text)
    for text in ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16")
}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Media:
    """What was fetched: its kind by magic bytes (see `sniff`) and its size in bytes."""

    kind: str
    size: int


def _inner(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one, where there is one."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address


def reach(text: str) -> str:
    """What kind of place an IP address is: ``public``, ``private`` (loopback too) or ``never``.

    ``never`` are link-local, multicast, unspecified, reserved and cloud metadata addresses.
    """
    outer = ipaddress.ip_address(text.partition("%")[0])
    address = _inner(outer)
    if (
        address in _METADATA
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or (address.is_reserved and not address.is_loopback)
        or (isinstance(outer, ipaddress.IPv6Address) and (outer.is_site_local or outer.teredo))
    ):
        return "never"
    return "public" if address.is_global else "private"


async def resolve_name(host: str, port: int) -> list[str]:
    """The IP addresses of a name, in the system's order. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def allows_private(base_url: str, resolve: Resolve = resolve_name) -> bool:
    """Whether an account lives on a loopback or private address, so its recordings may as well."""
    import httpx

    try:
        url = httpx.URL(base_url)
        found = await resolve(url.raw_host.decode(), url.port or 443)
        return bool(found) and all(reach(address) == "private" for address in found)
    except (OSError, ValueError, httpx.InvalidURL):
        return False


async def fetch(
    url: str,
    sink: BinaryIO,
    *,
    allow_private: bool,
    credential: Credential | None = None,
    limit_bytes: int = LIMIT,
    progress: Progress | None = None,
    resolve: Resolve = resolve_name,
    verify: ssl.SSLContext | None = None,
) -> Media:
    """Write a recording's bytes to `sink`. Raises `RecordingError`; the sink then holds a part.

    `allow_private` lets the address be on loopback or a private network (see `allows_private`),
    and only there plain http. `credential(url)` is asked once, after a 401 or 403 without one,
    and gives headers only for an address of the account's own origin. `progress` gets the bytes
    so far and, where known, the bytes there will be.
    """
    import httpx

    silence_loggers()
    where, headers, redirects = _parsed(url), dict[str, str](), 0
    while True:
        addresses = await _checked(where, allow_private, resolve)
        try:
            async with _open(where, addresses, headers, verify) as response:
                status = response.status_code
                location = response.headers.get("location")
                if status in _REDIRECT_STATUS and location:
                    redirects += 1
                    if redirects > REDIRECTS:
                        raise RecordingError("unsafe", "too many redirects")
                    where, headers = _parsed(location, where), {}
                elif status in (401, 403) and credential and (own := credential(str(where))):
                    headers, credential = own, None
                else:
                    _check_status(status)
                    return await _copy(response, sink, limit_bytes, progress)
        except (httpx.TimeoutException, TimeoutError):
            raise RecordingError("unreachable", "no answer in time") from None
        except (httpx.HTTPError, OSError):
            raise RecordingError("unreachable", "the connection failed") from None


def _parsed(url: str, base: httpx.URL | None = None) -> httpx.URL:
    """An absolute http or https address without user name. Raises `RecordingError`."""
    import httpx

    try:
        where = base.join(url) if base else httpx.URL(url.strip())
    except (httpx.InvalidURL, ValueError):
        raise RecordingError("unsafe", "not an address") from None
    if where.scheme not in ("https", "http") or not where.host or where.userinfo:
        raise RecordingError("unsafe", "not an https address")
    return where


async def _checked(where: httpx.URL, allow_private: bool, resolve: Resolve) -> list[str]:
    """The addresses behind a name, every one of them allowed."""
    port = where.port or (443 if where.scheme == "https" else 80)
    try:
        found = await resolve(where.raw_host.decode(), port)
        kinds = {reach(address) for address in found}
    except (OSError, ValueError):
        raise RecordingError("unreachable", "its name is not known") from None
    if not found:
        raise RecordingError("unreachable", "its name is not known")
    if "never" in kinds or ("private" in kinds and not allow_private):
        raise RecordingError("unsafe", "a private address")
    if where.scheme == "http" and kinds != {"private"}:
        raise RecordingError("unsafe", "not an https address")
    return found


@asynccontextmanager
async def _open(
    where: httpx.URL, addresses: list[str], headers: dict[str, str], verify: ssl.SSLContext | None
) -> AsyncIterator[httpx.Response]:
    """The answer of the first of the checked addresses that can be connected to."""
    import httpx

    context: ssl.SSLContext | bool = verify or False  # False serves plain http alone
    if verify is None and where.scheme == "https":
        context = httpx.create_ssl_context()
    async with httpx.AsyncClient(
        follow_redirects=False,
        trust_env=False,
        timeout=httpx.Timeout(30, connect=10),
        verify=context,
        headers={"User-Agent": user_agent(), "Accept-Encoding": "identity"},
    ) as client:
        for address in addresses:
            request = client.build_request(
                "GET",
                where.copy_with(host=address),
                headers={**headers, "Host": where.netloc.decode()},
                extensions={"sni_hostname": where.raw_host.decode()},
            )
            try:
                response = await client.send(request, stream=True)
            except httpx.ConnectError:
                if address == addresses[-1]:
                    raise
                continue
            try:
                yield response
            finally:
                await response.aclose()
            return


def _check_status(status: int) -> None:
    if status in (404, 410):
        raise RecordingError("gone", f"status {status}")
    if status >= 500 or status in (408, 429):
        raise RecordingError("unreachable", f"status {status}")
    if status not in (200, 203):
        raise RecordingError("refused", f"status {status}")


async def _copy(
    response: httpx.Response, sink: BinaryIO, limit: int, progress: Progress | None
) -> Media:
    """Copy the body while counting, and tell its kind before the first byte is written."""
    length = response.headers.get("content-length", "")
    total = int(length) if length.isdecimal() and len(length) < 19 else None
    if total is not None and total > limit:
        raise RecordingError("too_large", f"{total // 10**6} MB")
    size, kind, head = 0, None, b""
    async for chunk in response.aiter_raw():
        size += len(chunk)
        if size > limit:
            raise RecordingError("too_large", f"more than {limit // 10**6} MB")
        if kind is None:
            head += chunk
            if len(head) < HEAD:
                continue
            kind, chunk = _kind(head), head
        sink.write(chunk)
        if progress:
            progress(size, total)
    if kind is None:
        kind = _kind(head)
        sink.write(head)
        if progress:
            progress(size, total)
    return Media(kind, size)


def _kind(head: bytes) -> str:
    kind = sniff(head)
    if kind is None:
        raise RecordingError("not_sound", what_else(head))
    return kind
