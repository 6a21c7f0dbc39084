"""What a vendor is to the rest of Ringback, and what it promises.

A vendor is one module with one class that satisfies `Provider`. It turns requests out and
answers into `Call`s; all HTTP goes through `providers.http.VendorClient`.
"""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, runtime_checkable
from urllib.parse import quote

from providers.fields import to_text
from providers.model import Call, CallQuery, Capabilities, Json, Page, Setting, Settings
from providers.sanitize import safe_text

log = logging.getLogger("ringback.providers")

_SHORTEST, _LONG = 4, 12


class Secret:
    """A token that does not show itself: not in repr, str, format, pickle or JSON."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The token itself. Called where a request is signed, and nowhere else."""
        return self._value

    def hidden(self, text: str) -> str:
        """A text of others without the token, in whatever of its `forms` it stands there."""
        for form in self.forms(_SHORTEST):
            text = text.replace(form, "***")
        return text

    def cut_out(self, body: bytes) -> bytes:
        """A vendor's answer without the token; a short one could be part of its data by chance."""
        for form in self.forms(_LONG):
            body = body.replace(form.encode(), b"***")
        return body

    def forms(self, least: int) -> list[str]:
        """The token as others write it, the longest first: as it is, without its scheme, in
        addresses, in JSON and in Base64; none of less than `least` characters.
        """
        plain = {self._value, self._value.rpartition(" ")[2]}
        written = {quote(one, safe="") for one in plain}
        written |= {one.replace("/", "\\/") for one in plain}
        written |= {b64encode(one.encode("utf-8", "replace")).decode() for one in plain}
        return sorted((one for one in plain | written if len(one) >= least), key=len, reverse=True)

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value


@dataclass(slots=True)
class Names:
    """Names behind ids (agents, leads, statuses, lines), kept by the archive between runs.

    Maps ``(kind, id)`` to a flat dict of text fields, e.g. ``("user", "101") -> {"name": "Ann"}``.
    An id that the vendor does not know maps to ``{}``. `fresh` collects what this run learned.
    """

    known: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    fresh: set[tuple[str, str]] = field(default_factory=set)

    def get(self, kind: str, id_: str | None, field_: str = "name") -> str | None:
        """One field of one thing, or None when it is not known."""
        if id_ is None:
            return None
        return self.known.get((kind, id_), {}).get(field_)

    def put(self, kind: str, id_: str, fields: dict[str, str]) -> None:
        if self.known.get((kind, id_)) != fields:
            self.known[kind, id_] = fields
            self.fresh.add((kind, id_))


@dataclass(frozen=True, slots=True)
class Login:
    """What a provider is made from: one account at one vendor."""

    base_url: str
    """Scheme, host, port and path prefix; https, or http on loopback."""
    token: Secret
    settings: Settings = field(default_factory=dict)
    names: Names = field(default_factory=Names)


class Provider(Protocol):
    """One account at one vendor. Use as an async context manager; one event loop only.

    Every coroutine may raise `ProviderError`. Cancelling any of them closes what it opened.
    """

    id: ClassVar[str]
    """Name on the command line and in config, as the registry has it: ``liner``."""
    title: ClassVar[str]
    """Name on the screen: ``Liner``."""
    capabilities: ClassVar[Capabilities]
    settings: ClassVar[tuple[Setting, ...]]
    """What an account has beside name, base URL and token. Options of ``accounts add``, their
    help, the form on the screen and what config.toml may hold are made from it.
    """
    parser_version: ClassVar[int]
    """Counted up whenever `parse` reads more or otherwise: archived calls are then read anew."""

    skip_ids: Container[str]
    """Ids that `pages` leaves out, because their calls have settled in the archive."""

    def __init__(self, login: Login) -> None: ...

    async def __aenter__(self) -> Provider: ...

    async def __aexit__(self, *exc: object) -> None: ...

    async def check(self) -> str:
        """Ask the cheapest question that needs the token; the answer in one line of words."""
        ...

    def pages(self, query: CallQuery, cursor: str | None = None) -> AsyncIterator[Page]:
        """Walk the calls of a period, from the start or from a `Page.cursor` on.

        Each page's calls are new within this walk (de-duplicated by id; where records merge,
        by record). Vendors that give calls by id only (`Capabilities.lists_calls` false) walk
        `ids` of the account's settings and ignore the period.
        """
        ...

    async def call(self, call_id: str) -> Call:
        """One call, fresh from the vendor. Raises `NotFound`."""
        ...

    async def recordings(self, call: Call) -> Call:
        """The call with its list of recordings asked for anew, in `recordings` and in `raw`.

        One more request for some vendors (`Capabilities.separate_recordings`); the others have
        nothing to ask and give the call as it is.
        """
        ...

    def parse(self, raw: Json) -> Call:
        """The vendor's own JSON (what `Call.raw` holds) as a `Call`, using `Login.names`. Pure.

        Never raises on bad fields: what could not be read stands in `Call.problems`, and so does
        what `providers.limits.bounded` cut of it. Raises `ValueError` when not even an id can be
        found or made.
        """
        ...

    def merge(self, older: Json, newer: Json) -> Json:
        """Two raws of the same call as one; the newer wins where both speak, but takes no end
        back that the call had. Pure.
        """
        ...

    def media_headers(self, url: str) -> dict[str, str]:
        """The credential for a recording's address, empty unless its origin is the account's own.

        To be sent only after the same request without it was answered 401 or 403.
        """
        ...


@runtime_checkable
class DiscoversIds(Protocol):
    """What a provider also has that can look for calls above the highest known id: one that gives
    calls by id (`Capabilities.lists_calls` false).
    """

    def discover(self, highest: int, stop_after: int, step: int) -> AsyncIterator[Page]:
        """Walk on from the id above `highest`, `step` ids a page, until `stop_after` in a row
        are unknown.
        """
        ...


@runtime_checkable
class ReadsSaved(Protocol):
    """What a provider also has that reads files of bodies which others saved."""

    def merge_saved(self, one: Json, other: Json) -> Json:
        """Two raws of the same call that were saved by others, nobody knows in which order, as
        one: the same for every order, and for one that comes twice. Pure.
        """
        ...

    def read_saved(self, data: bytes) -> Iterator[tuple[Json, str]]:
        """Each body of a saved file as ``(body, "")``; what is none as ``(None, words)``.

        One after the other, so that a large file is never held parsed.
        """
        ...


@runtime_checkable
class AnswersWebhooks(Protocol):
    """What a provider also has whose webhooks want to hear more than a 2xx."""

    @staticmethod
    def webhook_answer(body: Json) -> Json:
        """What is answered to a body; pure, and never raises."""
        ...


def parse_each(
    parse: Callable[[Json], Call], raws: Iterable[Json]
) -> tuple[tuple[Call, ...], tuple[str, ...]]:
    """A page's calls, and for `Page.unreadable` a line for each row over which `parse` fails: it
    costs the others nothing.
    """
    calls, unreadable = list[Call](), list[str]()
    for raw in raws:
        try:
            calls.append(parse(raw))
        except Exception as error:  # whatever is odd in it; the log has the traceback
            log.warning("a row cannot be read", exc_info=True)
            first = raw[0] if isinstance(raw, list) and raw else raw
            id_ = to_text(first.get("id")) if isinstance(first, dict) else None
            row = f"the row {safe_text(id_, 60)}" if id_ else "a row"
            unreadable.append(f"{row} cannot be read ({type(error).__name__})")
    return tuple(calls), tuple(unreadable)
