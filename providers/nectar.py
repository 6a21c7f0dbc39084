"""Nectar Desk: one call by its id, and saved webhook bodies; no list is documented.

Page: https://api-docs.nectardesk.com/call/get-call-by-id/. An account holds ids and ranges; a
walk asks for each of them.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from typing import ClassVar
from urllib.parse import quote

from providers import nectar_bodies as bodies
from providers import nectar_forms as forms
from providers.base import Secret, parse_each
from providers.concurrency import gather_bounded
from providers.errors import (
    AuthError,
    BadAnswer,
    Broken,
    NotFound,
    ProviderError,
    RateLimited,
    Rejected,
    Unreachable,
    another_came,
)
from providers.fields import bounded_rows, first_text, is_empty, to_number, to_text
from providers.http import HttpProvider
from providers.ids import id_array
from providers.model import Call, CallQuery, Capabilities, Json, Page, Setting
from providers.sanitize import SAID, safe_text
from providers.saved import read_values

BATCH = 50


class Nectar(HttpProvider):
    """One Nectar Desk account. See `providers.base.Provider`.

    `skip_ids` are ids that need not be asked for again: their calls are archived and over.
    """

    id: ClassVar[str] = forms.ID
    title: ClassVar[str] = "Nectar Desk"
    parser_version: ClassVar[int] = 2
    capabilities: ClassVar[Capabilities] = Capabilities(lists_calls=False, page_size=BATCH)
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting(
            "call_ids",
            "--ids",
            "Call ids",
            "Which calls to fetch, for example 1000-1060,1071; Nectar Desk has no list of calls.",
            kind="ids",
        ),
    )

    @staticmethod
    def auth(token: Secret) -> dict[str, Secret]:
        return {"Access-Token": token}

    async def check(self) -> str:
        """Ask for one call; "no such call" proves the token as well."""
        ids = self._ids() or [1]
        try:
            await self._get(str(ids[0]))
        except NotFound:
            return f"Nectar Desk accepts the token; it has no call {ids[0]}."
        return "Nectar Desk accepts the token."

    async def pages(self, query: CallQuery, cursor: str | None = None) -> AsyncIterator[Page]:
        """Ask for the account's ids, 50 a page. The cursor is a place in the list of ids."""
        ids = self._ids()
        start = int(cursor) if cursor and cursor.isdecimal() else 0
        while True:
            batch, place = list[str](), start
            while place < len(ids) and len(batch) < BATCH:
                if (id_ := str(ids[place])) not in self.skip_ids:
                    batch.append(id_)
                place += 1
            yield await self._page(batch, str(place) if place < len(ids) else None)
            start = place
            if place >= len(ids):
                return

    async def discover(
        self, highest: int, stop_after: int = 100, step: int = BATCH
    ) -> AsyncIterator[Page]:
        """Walk on from ``highest + 1``, `step` ids a page, until `stop_after` ids in a row are
        unknown. An id that failed neither ends the row nor counts. The cursor is the next id.
        """
        unknown, start = 0, highest + 1
        while unknown < stop_after:
            ids = [str(id_) for id_ in range(start, start + step)]
            start += step
            page = await self._page(ids, str(start))
            found = {call.id for call in page.calls}
            for id_ in ids:
                unknown = 0 if id_ in found else unknown + (id_ in page.unknown_ids)
            yield page if unknown < stop_after else replace(page, cursor=None)

    async def call(self, call_id: str) -> Call:
        return self.parse(await self._get(call_id))

    async def recordings(self, call: Call) -> Call:
        return call

    def parse(self, raw: Json) -> Call:
        """A REST or webhook body, or a list of them, as a call."""
        return forms.parse(raw, self.login.base_url)

    def merge(self, older: Json, newer: Json) -> Json:
        """The newer body over the older one; a REST and a webhook body stay side by side. What
        is known of a call that is over stays.
        """
        return bodies.merge(older, newer)

    def merge_saved(self, one: Json, other: Json) -> Json:
        """All bodies that tell something, whichever came first."""
        return bodies.merge_saved(one, other)

    @staticmethod
    def read_saved(data: bytes) -> Iterator[tuple[Json, str]]:
        """The bodies in a saved file, bare or in a REST answer's envelope."""
        if not data.strip(b" \t\r\n\0"):
            yield None, "the file is empty"
            return
        for found in read_values(data):
            if found.problem:
                yield None, str(found)
            for body in bounded_rows(bodies.bodies(found.value), every=True):
                if bodies.is_call(body, called=body is not found.value):
                    yield body, ""
                elif not is_empty(body):
                    yield None, f"{found.place}: not a call"

    def _ids(self) -> Sequence[int]:
        try:
            return id_array(self.login.settings.get("call_ids", "") or "")
        except ValueError as error:
            raise ProviderError("Setting not readable", f"call_ids: {error}.") from None

    async def _get(self, call_id: str) -> dict[str, Json]:
        """One call's body. No call in the answer, or an error in it, means that there is none.

        Raises `BadAnswer` where the answer has other calls than the one that was asked for.
        """
        none = NotFound("No such call", f"Nectar Desk has no call {call_id[:20]}.")
        try:
            body = await self.client.get(f"/calls/{quote(call_id, safe='')}")
        except Rejected as error:
            _refuse(error.message.partition(": ")[2], error.status)
            if error.status in (400, 422):
                raise none from None
            raise
        found = [item for item in bounded_rows(bodies.bodies(body)) if not is_empty(item)]
        calls = [item for item in found if isinstance(item, dict) and bodies.is_call(item)]
        if not calls and not any(map(_is_error, (body, *found))):
            calls = [item for item in found if isinstance(item, dict) and _has_id(item, call_id)]
            if found and not calls:
                what = f"{self.client.host} sent JSON without a call in it."
                raise BadAnswer("Not a call", what)
        if not calls:
            raise none
        mine = [item for item in calls if _has_id(item, call_id)]
        mine = mine or [item for item in calls if is_empty(item.get("id"))]
        if not mine:
            raise another_came("call", call_id, to_text(calls[0].get("id")))
        return mine[0]

    async def _page(self, ids: Sequence[str], cursor: str | None) -> Page:
        """Ask for some ids at once. One that fails does not cost the others, but a refused
        token, a rate limit, or a vendor that answers nothing at all ends the walk.
        """
        calls: dict[str, Call] = {}
        unknown: set[str] = set()
        failed: dict[str, ProviderError] = {}

        async def one(id_: str) -> None:
            try:
                found, odd = parse_each(self.parse, [await self._get(id_)])
                if odd:
                    raise BadAnswer("Not a call", f"{odd[0]}.")
                calls[id_] = found[0]
            except NotFound:
                unknown.add(id_)
            except (AuthError, RateLimited):
                raise
            except ProviderError as error:
                failed[id_] = error

        await gather_bounded(one, ids)
        down = [error for error in failed.values() if isinstance(error, Unreachable)]
        broken = all(isinstance(error, Broken) for error in down)
        if down and len(down) == len(ids) and (len(ids) >= BATCH or not broken):
            raise down[0]
        ordered = {calls[id_].id: calls[id_] for id_ in ids if id_ in calls}
        return Page(
            tuple(ordered.values()),
            cursor,
            unknown_ids=tuple(id_ for id_ in ids if id_ in unknown),
            failed=tuple(f"{id_}: {failed[id_]}" for id_ in ids if id_ in failed),
        )


def _has_id(item: Json, call_id: str) -> bool:
    return isinstance(item, dict) and to_text(item.get("id")) == call_id


_ERROR_FIELDS = ("error", "errors", "message", "detail", "error_description")
_TOKEN_WORDS = re.compile(
    r"token|api.?key|credential|unauthori[sz]ed|forbidden|access denied", re.I
)


def _is_error(body: Json) -> bool:
    """Whether a body says in words that something is wrong.

    Raises `AuthError` and `RateLimited` for what concerns every id alike.
    """
    if not isinstance(body, dict):
        return False
    said = next((body[key] for key in _ERROR_FIELDS if not is_empty(body.get(key))), None)
    said = said[0] if isinstance(said, list) else said
    inner = said if isinstance(said, dict) else {}
    codes = (part.get(key) for part in (body, inner) for key in ("code", "status", "statusCode"))
    code = next((int(number) for value in codes if (number := to_number(value))), 0)
    success = body.get("success")
    if success is True or (said is None and success is None and code < 400):
        return False
    _refuse(first_text(inner, _ERROR_FIELDS) or to_text(said) or "", code)
    return True


def _refuse(words: str, code: int) -> None:
    """Raise what ends a walk: an error in a body is no word about one id when it is about the
    token or the rate.
    """
    words = safe_text(words.strip(), SAID)
    if code in (401, 403) or _TOKEN_WORDS.search(words):
        hint = "Check the account's token; it may have been withdrawn."
        raise AuthError("Token refused", f"Nectar Desk answered: {words or code}", hint)
    if code == 429:
        hint = "Wait a little, then try again."
        raise RateLimited("Too many requests", f"Nectar Desk answered: {words or code}", hint)
