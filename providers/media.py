"""The one place that fetches a recording: a client that holds no token.

A recording's address comes from a server, so it is not trusted: https only, and never an address
inside our own network unless the account itself lives there. The name is resolved once, checked,
and the connection goes to the very address that was checked. Where the environment names a proxy,
names are the proxy's to resolve and thus its to check; what is an address by itself is checked
here. An account may have its recordings fetched directly (`Remote`'s `proxies`).

Hosts answer ranges in many wrong ways. From whatever no place can be told, everything is asked
for instead, once and without a range.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from providers.concurrency import to_its_end
from providers.errors import RecordingError, VariableError
from providers.gunzip import FOREIGN, ZIPPED, gunzip
from providers.http import silence_loggers, through, user_agent, why
from providers.origin import is_loopback
from providers.proxy import DIRECT, Proxies, Proxy, failures, proxies_of
from providers.redirects import HOOKS, MOST, NoAddress, address_of, target
from providers.sniff import HEAD as FULL_HEAD
from providers.sniff import is_undecided, sniff, what_else
from providers.trust import trusted

if TYPE_CHECKING:
    import httpx

__all__ = ["DIRECT", "LIMIT", "Body", "Credential", "Remote", "allows_private", "proxies_of"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]
Credential = Callable[[str], Awaitable[dict[str, str]]]

LIMIT = 500 * 1000 * 1000
HEAD = 64
_RANGE_STATUS = {400, 405, 412, 417, 500, 501}
"""How hosts refuse a range that would give everything; besides 416."""
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


async def by_itself(host: str, port: int) -> list[str]:
    """The address that a host is without asking anybody, old forms (127.1, 0x7f.1) too."""
    if is_loopback(host) or host.endswith(".localhost"):
        return ["127.0.0.1"]
    try:
        return [str(ipaddress.ip_address(host.partition("%")[0]))]
    except ValueError:
        with suppress(OSError):
            return [socket.inet_ntoa(socket.inet_aton(host))]
    return []


async def allows_private(
    base_url: str, resolve: Resolve = resolve_name, proxies: Proxies = DIRECT
) -> bool:
    """Whether an account lives on a loopback or private address, so its recordings may as well.

    A name behind a proxy is not resolved here, and so is none of ours.
    """
    import httpx

    try:
        url = httpx.URL(base_url)
        ask = by_itself if proxies.of(base_url) else resolve
        found = await ask(url.raw_host.decode(), url.port or 443)
        return bool(found) and all(reach(address) == "private" for address in found)
    except (OSError, ValueError, httpx.InvalidURL, VariableError):
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


class _HungUp(RecordingError):
    """The host ended the connection instead of answering."""


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
        proxies: Proxies | None = None,
    ) -> None:
        """`allow_private` lets the address be on loopback or a private network (see
        `allows_private`), and only there plain http. `credential(url)` is asked once for each
        `open`, after a 401 or 403, and gives headers only for an address of the account's own
        origin. `proxies` are those of the environment, unless others are given.
        """
        self._url, self._allow_private, self._credential = url, allow_private, credential
        self._limit, self._resolve, self._verify = limit_bytes, resolve, verify
        self._proxies = proxies_of() if proxies is None else proxies
        self._takes_ranges = True  # until its host has answered one wrongly
        self._has_answered = False
        self._clients: dict[tuple[str, str], httpx.AsyncClient] = {}
        self._found: tuple[httpx.URL, dict[str, str]] | None = None

    @property
    def url(self) -> str:
        return self._url

    def move(self, url: str) -> None:
        """From now on it lies at another address."""
        self._url, self._found, self._takes_ranges = url, None, True

    async def open(self, start: int = 0, end: int | None = None) -> Body:
        """The bytes from `start` on, and before `end`. Raises `RecordingError`.

        Without both the whole recording is asked for, and no range. A host without ranges
        answers with the whole as well, and so is one asked that answers them wrongly: see
        `Body.start`.
        """
        silence_loggers()
        wanted = _Range(start, end) if self._takes_ranges else _EVERYTHING
        if self._found:
            try:
                return await self._follow(*self._found, wanted)
            except RecordingError as error:
                if error.reason not in ("refused", "gone"):
                    raise
                self._found = None  # a redirect to an address that serves for a while only
        try:
            return await self._follow(_parsed(self._url), {}, wanted)
        except _HungUp:  # a server may end over a range as well
            if self._has_answered or not wanted.headers:
                raise
            body = await self._follow(_parsed(self._url), {}, _EVERYTHING)
            self._takes_ranges = False
            return body

    async def close(self) -> None:
        """Close every connection; what is still open ends here."""
        clients = list(self._clients.values())
        self._clients.clear()
        await to_its_end(_close_all(clients))

    async def _follow(self, where: httpx.URL, headers: dict[str, str], wanted: _Range) -> Body:
        """Through redirects, at most one refusal, and at most one wrong answer to a range.

        Every address is checked anew.
        """
        redirects, credential, ranged = 0, self._credential, bool(wanted.headers)
        while True:
            response = await self._send(where, {**headers, **wanted.headers})
            try:
                status = response.status_code
                if to := target(response, where):
                    redirects += 1
                    if redirects > MOST:
                        raise RecordingError("unsafe", "too many redirects")
                    where, headers = _allowed(to), {}
                elif status in (401, 403) and credential and (own := await credential(str(where))):
                    headers, credential = own, None
                elif wanted.headers and self._is_wrong(response, wanted):
                    wanted = _EVERYTHING
                else:
                    body, self._has_answered = self._body(response, wanted), True
                    self._takes_ranges &= bool(wanted.headers) or not ranged
                    self._found = (where, headers) if redirects or headers else None
                    return body
            except BaseException:
                await response.aclose()
                raise
            await response.aclose()

    async def _send(self, where: httpx.URL, headers: dict[str, str]) -> httpx.Response:
        """The answer that has begun, directly or through a proxy. Raises `RecordingError`."""
        import httpx

        try:
            proxy = self._proxies.of(str(where))
        except VariableError as error:
            raise RecordingError("unreachable", str(error)) from None
        way = f"{through(proxy).strip()}: " if proxy else ""
        ask = by_itself if proxy else self._resolve
        addresses = await _checked(where, self._allow_private, ask, through_proxy=bool(proxy))
        try:
            client = self._client(where, proxy)
            if proxy:
                request = client.build_request("GET", where, headers=headers)
                return await client.send(request, stream=True)
            return await _send_to(client, where, addresses, headers)
        except NoAddress:
            raise RecordingError("unsafe", "redirects to no address") from None
        except (httpx.TimeoutException, TimeoutError):
            raise RecordingError("unreachable", f"{way}no answer in time") from None
        except (httpx.ReadError, httpx.RemoteProtocolError):
            raise _HungUp("unreachable", f"{way}the connection failed") from None
        except failures() as error:
            raise RecordingError("unreachable", f"{way}{why(error)}") from None

    def _client(self, where: httpx.URL, proxy: Proxy | None) -> httpx.AsyncClient:
        import httpx

        key = (where.scheme, where.netloc.decode())
        if key not in self._clients:
            try:
                # plain http needs no authorities, which take long to be read
                trust = (self._verify or trusted()) if where.scheme == "https" or proxy else None
            except VariableError as error:
                raise RecordingError("unreachable", str(error)) from None
            self._clients[key] = httpx.AsyncClient(
                follow_redirects=False,
                event_hooks=HOOKS,
                trust_env=False,  # `providers.proxy` and `providers.trust` read it
                timeout=httpx.Timeout(30, connect=10),
                proxy=proxy.for_httpx(trust) if proxy and trust else None,
                verify=trust or False,
                headers={"User-Agent": user_agent(), "Accept-Encoding": "identity"},
            )
        return self._clients[key]

    def _is_wrong(self, response: httpx.Response, wanted: _Range) -> bool:
        """Whether an answer to a range says nothing certain, and everything is better asked for."""
        if response.status_code == 416:
            return True
        if response.status_code != 206:  # from a host that has answered, it is another trouble
            return response.status_code in _RANGE_STATUS and not self._has_answered
        place = _content_range(response)
        if place is None or _coding(response) in ZIPPED:  # a piece of what is packed is of no use
            return True
        start, end, total = place
        length = _number(response.headers.get("content-length"))
        return (
            start != wanted.start
            or total is None  # no telling where it ends
            or length not in (None, end - start)
            or (start, end) == (0, total) == (0, wanted.end)  # gives the part's size as the whole's
        )

    def _body(self, response: httpx.Response, wanted: _Range) -> Body:
        status = response.status_code
        _check_status(status)
        coding = _coding(response)
        if coding in FOREIGN:
            raise RecordingError("refused", "it comes in a coding that was not asked for")
        length = None if coding in ZIPPED else _number(response.headers.get("content-length"))
        place: tuple[int, int | None, int | None] | None = (0, length, length)
        if status == 206:
            place = _content_range(response)
        if place is None:
            raise RecordingError("refused", "a part of it, of no known place")
        start, end, total = place
        if status == 206 and not wanted.headers and (start, end) != (0, total):
            raise RecordingError("refused", "a part of it, when all was asked for")
        if total is not None and total > self._limit:
            raise RecordingError("too_large", f"{total // 10**6} MB")
        chunks = _raw(response)
        tag = response.headers.get("etag", "")
        return Body(
            start=start,
            end=end,
            total=total,
            tag="" if tag.startswith("W/") or coding in ZIPPED else tag,
            ranges=status == 206 and bool(wanted.headers),
            chunks=_limited(gunzip(chunks) if coding in ZIPPED else chunks, self._limit - start),
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


_EVERYTHING = _Range(0, None)


def _coding(response: httpx.Response) -> str:
    coding: str = response.headers.get("content-encoding", "")
    return coding.strip().lower()


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


def _content_range(response: httpx.Response) -> tuple[int, int, int | None] | None:
    """``bytes 0-99/1000`` as start, end and total; None when the answer does not say."""
    text = response.headers.get("content-range", "").strip()
    match = re.fullmatch(r"bytes[ =](\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", text)
    if match is None:
        return None
    start, end, total = int(match[1]), int(match[2]) + 1, _number(match[3])
    return None if end <= start or (total is not None and end > total) else (start, end, total)


async def _send_to(
    client: httpx.AsyncClient, where: httpx.URL, addresses: list[str], headers: dict[str, str]
) -> httpx.Response:
    """The answer of the first of the checked addresses that can be connected to."""
    import httpx

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


async def _close_all(clients: Iterable[httpx.AsyncClient]) -> None:
    for client in clients:
        await client.aclose()


async def _raw(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """The bytes as they come. Raises `RecordingError`."""
    import httpx

    try:
        async for chunk in response.aiter_raw():
            yield chunk
    except (httpx.TimeoutException, TimeoutError):
        raise RecordingError("unreachable", "no answer in time") from None
    except (httpx.HTTPError, OSError):
        raise RecordingError("unreachable", "the connection failed") from None


async def _limited(chunks: AsyncIterator[bytes], limit: int) -> AsyncGenerator[bytes, None]:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise RecordingError("too_large", f"more than {limit // 10**6} MB")
        yield chunk


def _parsed(url: str) -> httpx.URL:
    """An absolute http or https address without user name. Raises `RecordingError`."""
    try:
        return _allowed(address_of(url))
    except NoAddress:
        raise RecordingError("unsafe", "not an https address") from None


def _allowed(where: httpx.URL) -> httpx.URL:
    if where.userinfo:
        raise RecordingError("unsafe", "a user name in its address")
    return where


async def _checked(
    where: httpx.URL, allow_private: bool, resolve: Resolve, *, through_proxy: bool
) -> list[str]:
    """The addresses behind a name, every one of them allowed; none of a name for a proxy."""
    port = where.port or (443 if where.scheme == "https" else 80)
    try:
        found = await resolve(where.raw_host.decode(), port)
        kinds = {reach(address) for address in found}
    except OSError as error:
        raise RecordingError("unreachable", why(error)) from None
    except ValueError:
        raise RecordingError("unreachable", "its name is not known") from None
    if not found and not through_proxy:
        raise RecordingError("unreachable", "its name is not known")
    if "never" in kinds or ("private" in kinds and not allow_private):
        raise RecordingError("unsafe", "a private address")
    if where.scheme == "http" and kinds != {"private"}:
        raise RecordingError("unsafe", "not an https address")
    return found


def _check_status(status: int) -> None:
    if status in (404, 410):
        raise RecordingError("gone", f"status {status}")
    if status >= 500 or status in (408, 429):
        raise RecordingError("unreachable", f"status {status}")
    if status == 416:
        raise RecordingError("changed")
    if status not in (200, 203, 206):
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
