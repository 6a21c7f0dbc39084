"""The one place that speaks to a vendor: auth, timeouts, retries, rate limits, redaction.

The credential is added to a request only here, and only when its origin is the account's own.
Nothing that leaves this module as an error carries a token, a header or the query of a URL.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import math
import os
import random
import re
import sys
import time
import zlib
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, ClassVar, Self
from urllib.parse import urlsplit

from providers import limits
from providers.base import Login, Secret
from providers.concurrency import to_its_end
from providers.counts import counted
from providers.decoding import TooMany, loads
from providers.errors import (
    AuthError,
    BadAnswer,
    Broken,
    Forbidden,
    NotFound,
    ProviderError,
    RateLimited,
    Rejected,
    Unreachable,
    VariableError,
    causes,
    reason,
)
from providers.fields import to_count, to_number, to_time
from providers.model import Json
from providers.origin import check_base_url, same_origin
from providers.pages import SIGN_IN, is_page, page_words
from providers.proxy import Proxy, failures, proxies_of
from providers.redirects import HOOKS, MOST, NoAddress, target
from providers.said import instead_of_json
from providers.said import said as words_of
from providers.sanitize import SAID, safe_text
from providers.trust import trusted

if TYPE_CHECKING:
    import httpx

Params = Sequence[tuple[str, str]]

log = logging.getLogger("ringback.http")

TRIES = 4
LONGEST_WAIT_S = 60.0
LONGEST_TOLD_S = 24 * 3600.0
REQUEST_S = 180.0
CHECK = "Check the network, the base URL and the proxy settings: ringback doctor"
_NOT_MEANT_S = 2 * 365 * 24 * 3600.0
_UNIX_FROM_S = 1e9  # a wait of 30 years is none: it is the moment, in Unix time
_RETRY_STATUS = {429, 502, 503, 504}
_QUERY = re.compile(r"\?[^\s\"'<>]+")


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: httpx.Headers
    body: bytes
    whole: bool
    """Whether the end of a packed body came."""


class _Again(Exception):
    """Worth another try; `error` is what to raise when there is none left."""

    def __init__(self, error: ProviderError, wait_s: float | None = None) -> None:
        self.error = error
        error.retry_after_s = wait_s


class VendorClient:
    """GET requests to one account's base URL, answered as JSON.

    `auth` is the header that carries the token. `error_codes` are a vendor's own error codes
    (field ``code`` of the body) that mean a refused token (`AuthError`, `Forbidden`) or "try again"
    (`RateLimited`, `Unreachable`), whatever the HTTP status.
    At most `concurrency` requests run at a time; `sleep` waits between tries.
    """

    def __init__(
        self,
        base_url: str,
        auth: Mapping[str, Secret],
        *,
        error_codes: Mapping[int, type[ProviderError]] | None = None,
        concurrency: int = 4,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        body_limit: int = limits.BODY,
        connect_s: float = 10.0,
        read_s: float = 30.0,
    ) -> None:
        try:
            self.base_url = check_base_url(base_url)
        except ValueError as error:
            raise ProviderError("Base URL not allowed", f"{error}.") from None
        self.host = urlsplit(self.base_url).hostname or ""
        self._auth = {name: _checked(secret) for name, secret in auth.items()}
        self._error_codes = error_codes or {}
        self._slots = asyncio.Semaphore(concurrency)
        self._sleep = sleep
        self._body_limit = body_limit
        try:
            proxies = proxies_of()
            self._proxy, self._left_out = proxies.of(self.base_url), proxies.problems
            self._client = _open_client(self.base_url, self._proxy, concurrency, connect_s, read_s)
        except VariableError as error:
            raise Unreachable("Network setting unusable", f"{error}.", error.hint) from None

    async def aclose(self) -> None:
        await to_its_end(self._client.aclose())

    async def get(self, path: str, params: Params = ()) -> Json:
        """The JSON at a path below the base URL. Raises a kind of `ProviderError`."""
        async with self._slots:
            for attempt in range(1, TRIES + 1):
                try:
                    return self._judge(await self._ask(path, params))
                except _Again as again:
                    error, wait = again.error, again.error.retry_after_s or _backoff(attempt)
                except ProviderError as failed:
                    error = failed
                    break
                if wait > LONGEST_WAIT_S:
                    error.hint = f"Ask again in {_wait_words(wait)}."
                if attempt == TRIES or wait > LONGEST_WAIT_S:
                    break
                log.debug("GET %s: again in %.1f s", path, wait)
                await self._sleep(wait)
        error.__context__ = error.__cause__ = None
        raise error.with_traceback(None)  # its frames hold the answer, and it may be kept

    async def _ask(self, path: str, params: Params) -> _Answer:
        """One request with its redirects. Raises `_Again` where the connection fails."""
        import httpx

        began, way = time.monotonic(), through(self._proxy)
        try:
            url = httpx.URL(self.base_url + path)
        except httpx.InvalidURL:
            raise Rejected("Request impossible", "There is no address with such an id.") from None
        try:
            async with asyncio.timeout(REQUEST_S):
                answer = await self._follow(url, params)
        except NoAddress:
            message = f"{self.host} redirects to no address."
            raise BadAnswer("Bad redirect", message) from None
        except (httpx.TimeoutException, TimeoutError):
            message = f"{self.host} did not answer in time{way}."
            raise _Again(Unreachable("No answer", message)) from None
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
            message = f"{self.host} broke the connection{way}."
            raise _Again(Unreachable("No answer", message)) from None
        except failures() as error:
            raise Unreachable(
                "No connection",
                f"{self.host} cannot be reached{way}: {why(error)}.",
                "\n".join([CHECK, *self._left_out[:1]]),
            ) from None
        log.debug("GET %s: %d in %.2f s", path, answer.status, time.monotonic() - began)
        body = answer.body
        for secret in self._auth.values():
            body = secret.cut_out(body)
        return replace(answer, body=body)

    async def _follow(self, url: httpx.URL, params: Params) -> _Answer:
        """Follow redirects within the account's own origin; any other is an error.

        Raises `NoAddress`.
        """
        if params:
            url = url.copy_with(params=list(params))
        for _ in range(MOST + 1):
            where, headers = _at_loopback(url)
            headers |= {name: secret.reveal() for name, secret in self._auth.items()}
            async with self._client.stream("GET", where, headers=headers) as response:
                to = target(response, url)
                if to is None:
                    body, whole = await _read(response, self._body_limit, self.host)
                    return _Answer(response.status_code, response.headers, body, whole)
            url = to
            if not same_origin(str(url), self.base_url) or url.userinfo:
                raise BadAnswer(
                    "Redirect refused",
                    f"{self.host} redirects to another place; the token stays here.",
                    f"{SIGN_IN}\nIf the vendor has moved, change the account's base URL.",
                )
        raise BadAnswer("Too many redirects", f"{self.host} redirects more than {MOST} times.")

    def _judge(self, answer: _Answer) -> Json:
        """The body of a good answer; raises for any other, with the vendor's own words."""
        body, readable = _decode(answer.body, self.host)
        page = not readable and is_page(answer.body, answer.headers.get("content-type", ""))
        said = self._words(page_words(answer.body) if page else words_of(body, answer.body))
        status, what = answer.status, f"{self.host} answered {answer.status}"
        message = f"{what}: {said}" if said else f"{what}."
        wait = _retry_after(answer.headers)
        kind = self._error_codes.get(_code(body)) if isinstance(body, dict) else None
        if status == 429 or kind is RateLimited:
            odd = wait is None and "retry-after" in answer.headers
            hint = "How long, it does not say in a sensible way. " if odd else ""
            hint += "Wait a little, then try again."
            raise _Again(RateLimited("Too many requests", message, hint), wait)
        if status in _RETRY_STATUS or kind is Unreachable:
            raise _Again(
                Unreachable("Vendor not available", message, SIGN_IN if page else ""), wait
            )
        refused = kind or {401: AuthError, 403: Forbidden}.get(status)
        if refused in (AuthError, Forbidden):
            hint = "Check the account's token; it may have been withdrawn."
            raise refused("Token refused", message, f"{hint}\n{SIGN_IN}" if page else hint)
        if status in (404, 410):
            raise NotFound("Not found", message, "Check the id and the account's base URL.")
        if status >= 500 or status == 408:
            raise Broken("Vendor failed", message, SIGN_IN if page else "")
        if status >= 400:
            raise Rejected("Request rejected", message, SIGN_IN if page else "", status=status)
        if not readable or status >= 300:
            hint = "Check the account's base URL."
            if not (page or readable):
                came = (
                    instead_of_json(answer.body) if answer.whole else "an answer that was cut off"
                )
                message = f"{what}, but with {came}"
                message += f": {said}" if said else "."
            raise BadAnswer("Not an API answer", message, f"{SIGN_IN}\n{hint}" if page else hint)
        return body

    def _words(self, text: str) -> str:
        """What the vendor says in an answer, without secrets and fit for one line."""
        text = text[: limits.TEXT]
        for secret in self._auth.values():
            text = secret.hidden(text)
        return safe_text(_QUERY.sub("?…", text).strip(), SAID)


class HttpProvider:
    """What every vendor over HTTP shares: its client's life, and the credential's reach."""

    id: ClassVar[str]
    parser_version: ClassVar[int] = 1
    error_codes: ClassVar[Mapping[int, type[ProviderError]]] = {}

    def __init__(self, login: Login) -> None:
        self.login = login
        self.names = login.names
        self.skip_ids: Container[str] = ()
        self.sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
        self._client: VendorClient | None = None

    @staticmethod
    def auth(token: Secret) -> dict[str, Secret]:
        """The header that carries the token."""
        raise NotImplementedError

    @property
    def client(self) -> VendorClient:
        if self._client is None:
            self._client = VendorClient(
                self.login.base_url,
                self.auth(self.login.token),
                error_codes=self.error_codes,
                sleep=self.sleep,
            )
        return self._client

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._client is not None:
            client, self._client = self._client, None
            await client.aclose()

    def media_headers(self, url: str) -> dict[str, str]:
        """The credential for a recording's address, empty unless its origin is the account's."""
        if not same_origin(url, self.login.base_url):
            return {}
        return {name: secret.reveal() for name, secret in self.auth(self.login.token).items()}


@cache
def user_agent() -> str:
    """``ringback/<version>``."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"ringback/{version('ringback')}"
    except PackageNotFoundError:
        return "ringback"


def silence_loggers() -> None:
    """httpx logs whole URLs at INFO, httpcore headers at DEBUG: both stay silent."""
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _decode(body: bytes, host: str) -> tuple[Json, bool]:
    try:
        return loads(body), True
    except TooMany as error:
        raise BadAnswer("Answer too large", f"{host} sent {error} at once.") from None
    except ValueError:
        return None, False


def _checked(secret: Secret) -> Secret:
    """A token that may stand in a header. The HTTP library's own error would repeat it."""
    value = secret.reveal()
    if not value.strip() or not (value.isascii() and value.isprintable()):
        raise AuthError(
            "Token unusable",
            "The token is empty, or has characters in it that no token has.",
            "Give the token again.",
        )
    return secret


def _open_client(
    base_url: str, proxy: Proxy | None, concurrency: int, connect_s: float, read_s: float
) -> httpx.AsyncClient:
    """Raises `VariableError`."""
    import httpx

    silence_loggers()
    if importlib.util.find_spec("sniffio") is None:  # each lock of httpcore would look for it
        sys.modules["sniffio"] = None  # type: ignore[assignment]  # an import of it fails at once
    secure = urlsplit(base_url).scheme.lower() == "https"
    return httpx.AsyncClient(
        follow_redirects=False,
        event_hooks=HOOKS,
        timeout=httpx.Timeout(read_s, connect=connect_s, pool=None),
        limits=httpx.Limits(max_connections=concurrency),
        trust_env=False,  # `providers.proxy` and `providers.trust` read it
        proxy=proxy.for_httpx(trusted()) if proxy else None,
        verify=trusted() if secure else False,
        headers={
            "User-Agent": user_agent(),
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "Content-Type": "application/json",
        },
    )


def _at_loopback(url: httpx.URL) -> tuple[httpx.URL, dict[str, str]]:
    """Where a request goes, and headers: plain http stays on this machine, for any name server."""
    if url.scheme == "http" and url.host == "localhost":
        return url.copy_with(host="127.0.0.1"), {"Host": url.netloc.decode()}
    return url, {}


async def _read(response: httpx.Response, limit: int, host: str) -> tuple[bytes, bool]:
    """The decoded body, counted while it is decoded, so that no small body becomes a huge one;
    and whether it came to its end, as far as a packed one tells.
    """
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise BadAnswer("Not an API answer", f"{host} sent an encoding that was not asked for.")
    unzip = None if coding in ("", "identity") else zlib.decompressobj(47)
    body, received, most = bytearray(), 0, limit
    async for chunk in response.aiter_raw():
        received += len(chunk)
        if unzip:
            most = min(limit, max(limits.UNPACKED_AT_LEAST, limits.RATIO * received))
        try:
            body += unzip.decompress(chunk, most + 1 - len(body)) if unzip else chunk
        except zlib.error:
            raise BadAnswer("Not an API answer", f"{host} sent a damaged body.") from None
        if len(body) > most:
            packed = f", packed in {received:,} bytes" if unzip else ""
            what = f"{host} sent more than {most // limits.MB} MB{packed}."
            raise BadAnswer("Answer too large", what)
    return bytes(body), unzip is None or unzip.eof


def _code(body: Json) -> int:
    """A vendor's own error code, where the body is no success."""
    code = body.get("code")
    if body.get("result"):
        return 0
    return to_count(code) or 0


def _retry_after(headers: httpx.Headers) -> float | None:
    """Seconds to wait, up to `LONGEST_TOLD_S`; None when the vendor does not say, or says what
    cannot be meant: no time, or more than `_NOT_MEANT_S`.

    Takes seconds, and a moment as an HTTP date, as ISO 8601 or as Unix time.
    """
    value = headers.get("retry-after", "").strip()
    seconds = to_number(value)
    if seconds is None or seconds >= _UNIX_FROM_S:
        moment = _moment(value)
        seconds = None if moment is None else (moment - datetime.now(UTC)).total_seconds()
    if seconds is None or not 0 < seconds < _NOT_MEANT_S:
        return None
    return min(seconds, LONGEST_TOLD_S)


def _moment(text: str) -> datetime | None:
    from email.utils import parsedate_to_datetime  # it costs start-up time

    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        try:
            return to_time(text)[0]
        except ValueError:
            return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _wait_words(wait_s: float) -> str:
    """``18 minutes``, ``3 hours``: never less than it is."""
    minutes = math.ceil(wait_s / 60)
    return counted(minutes, "minute") if minutes < 120 else counted(math.ceil(minutes / 60), "hour")


def _backoff(attempt: int) -> float:
    return 0.5 * 2.0 ** (attempt - 1) * random.uniform(0.75, 1.25)


def through(proxy: Proxy | None) -> str:
    """The way of a connection, for a message about its failure; nothing where it is direct."""
    return f" through the proxy {proxy}" if proxy else ""


def why(error: BaseException) -> str:
    """The kind of failure in our own words; the library's may hold the URL."""
    text = " ".join(f"{type(one).__name__} {one}" for one in causes(error)).lower()
    for sign, words in (
        ("proxyerror 407", "the proxy wants a user and a password, or other ones"),
        ("proxyerror 5", "the proxy does not get there"),
        ("proxyerror", "the proxy refuses"),
        ("certificate has expired", "its certificate has expired"),
        ("not yet valid", "its certificate is not valid yet, by this machine's clock"),
        ("mismatch", "its certificate is for another name"),
        ("certificate", "its certificate is not trusted (SSL_CERT_FILE names a company's own)"),
        ("protocol version", "it has only versions of TLS that are no longer safe"),
        ("unsupported protocol", "it has only versions of TLS that are no longer safe"),
        ("wrong version number", "it answers without TLS"),
        ("record layer failure", "it answers without TLS"),
        ("ssl", "no secure connection"),
        ("temporary failure", "names cannot be looked up now"),
        ("name", "its name is not known"),
        ("gaierror", "its name is not known"),
        ("refused", "the connection is refused"),
    ):
        if sign in text:
            return words
    numbers = [one.errno for one in causes(error) if isinstance(one, OSError) and one.errno]
    return os.strerror(numbers[-1]) if numbers else reason(error)
