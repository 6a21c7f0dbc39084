"""The one place that fetches a recording: a client that holds no token.

A recording's address comes from a server, so it is not trusted: https only, and never an address
inside our own network unless the account itself lives there. The name is resolved once, checked,
and the connection goes to the very address that was checked. Environment proxies are not used:
behind one, nobody could say where the connection ends.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from providers.errors import RecordingError
from providers.http import silence_loggers, user_agent
from providers.sniff import HEAD as FULL_HEAD
from providers.sniff import is_undecided, sniff, what_else

if TYPE_CHECKING:
    import httpx

__all__ = ["LIMIT", "Body", "Credential", "Remote", "allows_private"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]
Credential = Callable[[str], Awaitable[dict[str, str]]]

LIMIT = 500 * 1000 * 1000
HEAD = 64
REDIRECTS = 5
_REDIRECT_STATUS = {301, 302, 303, 307, 308}
_METADATA = {
    ipaddress.ip_address(text)
    for text in ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16")
}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


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


@dataclass(frozen=True, slots=True)
class Body:
    """An answer that has begun: the bytes of a recording from `start` on."""

    start: int
    """The first byte's place; 0 from a host that knows no ranges, whatever was asked for."""
    end: int | None
    """The place after its last byte, where that is known."""
    total: int | None
    """All bytes of the recording, where that is known."""
    tag: str
    """The host's name for these very bytes (a strong ETag), or nothing."""
    ranges: bool
    """Whether the host gave the range that was asked for."""
    chunks: AsyncIterator[bytes]
    """Raises `RecordingError`: `unreachable` when it is cut off, or `too_large`."""
    close: Callable[[], Awaitable[None]]


class Remote:
    """One recording at its host, to be opened from any byte on. It holds no token.

    Connections are kept for the next part, but only for the host they were made to: another
    name at the same address would be trusted by the first one's certificate.
    """

    def __init__(
        self,
        url: str,
        *,
        allow_private: bool,
        credential: Credential | None = None,
        limit_bytes: int = LIMIT,
        resolve: Resolve = resolve_name,
        verify: ssl.SSLContext | None = None,
    ) -> None:
        """`allow_private` lets the address be on loopback or a private network (see
        `allows_private`), and only there plain http. `credential(url)` is asked once for each
        `open`, after a 401 or 403, and gives headers only for an address of the account's own
        origin.
        """
        self._url, self._allow_private, self._credential = url, allow_private, credential
        self._limit, self._resolve, self._verify = limit_bytes, resolve, verify
        self._clients: dict[tuple[str, str], httpx.AsyncClient] = {}
        self._found: tuple[httpx.URL, dict[str, str]] | None = None

    @property
    def url(self) -> str:
        return self._url

    def move(self, url: str) -> None:
        """From now on it lies at another address."""
        self._url, self._found = url, None

    async def open(self, start: int = 0, end: int | None = None) -> Body:
        """The bytes from `start` on, and before `end`. Raises `RecordingError`.

        Without both the whole recording is asked for, and no range. A host without ranges
        answers with the whole as well: see `Body.start`.
        """
        import httpx

        silence_loggers()
        wanted = _Range(start, end)
        try:
            if self._found:
                try:
                    return await self._follow(*self._found, wanted)
                except RecordingError as error:
                    if error.reason not in ("refused", "gone"):
                        raise
                    self._found = None  # a redirect to an address that serves for a while only
            return await self._follow(_parsed(self._url), {}, wanted)
        except (httpx.TimeoutException, TimeoutError):
            raise RecordingError("unreachable", "no answer in time") from None
        except (httpx.HTTPError, OSError):
            raise RecordingError("unreachable", "the connection failed") from None

    async def close(self) -> None:
        """Close every connection; what is still open ends here."""
        clients = list(self._clients.values())
        self._clients.clear()
        for client in clients:
            await client.aclose()

    async def _follow(self, where: httpx.URL, headers: dict[str, str], wanted: _Range) -> Body:
        """Through redirects and at most one refusal. Every address is checked anew."""
        redirects, credential = 0, self._credential
        while True:
            addresses = await _checked(where, self._allow_private, self._resolve)
            response = await self._send(where, addresses, {**headers, **wanted.headers})
            try:
                status, location = response.status_code, response.headers.get("location")
                if status in _REDIRECT_STATUS and location:
                    redirects += 1
                    if redirects > REDIRECTS:
                        raise RecordingError("unsafe", "too many redirects")
                    where, headers = _parsed(location, where), {}
                elif status in (401, 403) and credential and (own := await credential(str(where))):
                    headers, credential = own, None
                elif status == 416 and wanted.start == 0 and wanted.headers:
                    wanted = _Range(0, None)  # not even one byte, or a host that takes none of it
                else:
                    body = self._body(response, wanted)
                    self._found = (where, headers) if redirects or headers else None
                    return body
            except BaseException:
                await response.aclose()
                raise
            await response.aclose()

    async def _send(
        self, where: httpx.URL, addresses: list[str], headers: dict[str, str]
    ) -> httpx.Response:
        """The answer of the first of the checked addresses that can be connected to."""
        import httpx

        client = self._client(where)
        for address in addresses:
            request = client.build_request(
                "GET",
                where.copy_with(host=address),
                headers={**headers, "Host": where.netloc.decode()},
                extensions={"sni_hostname": where.raw_host.decode()},
            )
            try:
                return await client.send(request, stream=True)
            except httpx.ConnectError:
                if address == addresses[-1]:
                    raise
        raise AssertionError("there is at least one address")

    def _client(self, where: httpx.URL) -> httpx.AsyncClient:
        import httpx

        key = (where.scheme, where.netloc.decode())
        if key not in self._clients:
            context: ssl.SSLContext | bool = False  # serves plain http alone
            if where.scheme == "https":
                context = self._verify or _trusted()
            self._clients[key] = httpx.AsyncClient(
                follow_redirects=False,
                trust_env=False,
                timeout=httpx.Timeout(30, connect=10),
                verify=context,
                headers={"User-Agent": user_agent(), "Accept-Encoding": "identity"},
            )
        return self._clients[key]

    def _body(self, response: httpx.Response, wanted: _Range) -> Body:
        _check_status(response.status_code, ranged=bool(wanted.headers))
        length = _number(response.headers.get("content-length", ""))
        start, end, total = 0, length, length
        if part := response.status_code == 206:
            start, end, total = _content_range(response.headers.get("content-range", ""))
            if start != wanted.start:
                raise RecordingError("unreachable", "the host sent another part")
        if total is not None and total > self._limit:
            raise RecordingError("too_large", f"{total // 10**6} MB")
        tag = response.headers.get("etag", "")
        return Body(
            start=start,
            end=end,
            total=total,
            tag="" if tag.startswith("W/") else tag,
            ranges=part,
            chunks=_chunks(response, self._limit - start),
            close=response.aclose,
        )


@dataclass(frozen=True, slots=True)
class _Range:
    """From `start` to before `end`; (0, None) is everything, which needs no header."""

    start: int
    end: int | None

    @property
    def headers(self) -> dict[str, str]:
        if self.start == 0 and self.end is None:
            return {}
        last = "" if self.end is None else self.end - 1
        return {"Range": f"bytes={self.start}-{last}"}


@cache
def _trusted() -> ssl.SSLContext:
    """The authorities that are trusted; reading them takes longer than the rest of a start."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _content_range(text: str) -> tuple[int, int, int | None]:
    """``bytes 0-99/1000`` as start, end and total. Raises `RecordingError`."""
    match = re.fullmatch(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", text.strip())
    if match is None or int(match[1]) > int(match[2]):
        raise RecordingError("unreachable", "the host sent a part of no known place")
    return int(match[1]), int(match[2]) + 1, _number(match[3])


async def _chunks(response: httpx.Response, limit: int) -> AsyncIterator[bytes]:
    import httpx

    size = 0
    try:
        async for chunk in response.aiter_raw():
            size += len(chunk)
            if size > limit:
                raise RecordingError("too_large", f"more than {limit // 10**6} MB")
            yield chunk
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


def _check_status(status: int, *, ranged: bool) -> None:
    if status in (404, 410):
        raise RecordingError("gone", f"status {status}")
    if status >= 500 or status in (408, 429):
        raise RecordingError("unreachable", f"status {status}")
    if status == 416:
        raise RecordingError("changed")
    if status not in (200, 203) and not (ranged and status == 206):
        raise RecordingError("refused", f"status {status}")


def too_little(head: bytes) -> bool:
    """Whether more of the first bytes are needed to tell the kind, or that it is no sound."""
    return len(head) < HEAD or (len(head) < FULL_HEAD and is_undecided(head))


def kind_of(head: bytes) -> str:
    """The kind of sound that begins with these bytes. Raises `RecordingError`: it is none."""
    kind = sniff(head)
    if kind is None:
        raise RecordingError("not_sound", what_else(head))
    return kind
