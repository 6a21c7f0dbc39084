"""Nectar Desk: one call by its id, and saved webhook bodies; no list is documented.

Page: https://api-docs.nectardesk.com/call/get-call-by-id/. An account holds ids and ranges; a
walk asks for each of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Container, Iterator, Sequence
from dataclasses import replace
from typing import ClassVar
from urllib.parse import quote

from providers import nectar_forms as forms
from providers.base import Login, Secret
from providers.errors import AuthError, BadAnswer, NotFound, ProviderError, RateLimited, Unreachable
from providers.fields import clean, is_empty, rows, to_text
from providers.http import HttpProvider, gather_bounded, loads
from providers.ids import id_array
from providers.model import Call, CallQuery, Capabilities, Json, Page, Setting

BATCH = 50


class Nectar(HttpProvider):
    """One Nectar Desk account. See `providers.base.Provider`.

    `skip_ids` are ids that need not be asked for again: their calls are archived and over.
    """

    id: ClassVar[str] = forms.ID
    title: ClassVar[str] = "Nectar Desk"
    capabilities: ClassVar[Capabilities] = Capabilities(
        lists_calls=False, page_size=BATCH, imports_saved=True
    )
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting(
            "call_ids",
            "--ids",
            "Call ids",
            "Which calls to fetch, for example 1000-1060,1071; Nectar Desk has no list of calls.",
            ids=True,
        ),
    )

    def __init__(self, login: Login) -> None:
        super().__init__(login)
        self.skip_ids: Container[str] = ()

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
        """A REST or webhook body, or a list of one of each, as a call."""
        return forms.parse(raw, self.login.base_url)

    def merge(self, older: Json, newer: Json) -> Json:
        """The newer body over the older one; a REST and a webhook body stay side by side."""
        return forms.merge(older, newer)

    @staticmethod
    def read_saved(text: str) -> Iterator[tuple[Json, str]]:
        """The bodies in a saved file, and what could not be read. See `read_saved`."""
        return read_saved(text)

    def _ids(self) -> Sequence[int]:
        try:
            return id_array(self.login.settings.get("call_ids", "") or "")
        except ValueError as error:
            raise ProviderError("Setting not readable", f"call_ids: {error}.") from None

    async def _get(self, call_id: str) -> dict[str, Json]:
        """One call's body. An answer without a call in it means there is none."""
        body = await self.client.get(f"/calls/{quote(call_id, safe='')}")
        found = [item for item in forms.bodies(body) if not is_empty(item)]
        if not found:
            raise NotFound("No such call", f"Nectar Desk has no call {call_id[:20]}.")
        objects = [item for item in found if forms.is_call(item)]
        if not objects:
            raise BadAnswer("Not a call", f"{self.client.host} sent JSON without a call in it.")
        asked = (item for item in objects if to_text(item.get("id")) == call_id)
        return next(asked, objects[0])

    async def _page(self, ids: Sequence[str], cursor: str | None) -> Page:
        """Ask for some ids at once. One that fails does not cost the others, but a refused
        token, a rate limit, or a vendor that answers nothing at all ends the walk.
        """
        calls: dict[str, Call] = {}
        unknown: set[str] = set()
        failed: dict[str, ProviderError] = {}

        async def one(id_: str) -> None:
            try:
                calls[id_] = self.parse(await self._get(id_))
            except NotFound:
                unknown.add(id_)
            except (AuthError, RateLimited):
                raise
            except ProviderError as error:
                failed[id_] = error

        await gather_bounded(one, ids)
        if len(failed) == len(ids) > 1 and all(isinstance(e, Unreachable) for e in failed.values()):
            raise failed[ids[0]]
        ordered = {calls[id_].id: calls[id_] for id_ in ids if id_ in calls}
        return Page(
            tuple(ordered.values()),
            cursor,
            unknown_ids=tuple(id_ for id_ in ids if id_ in unknown),
            failed=tuple(f"{id_}: {failed[id_]}" for id_ in ids if id_ in failed),
        )


def read_saved(text: str) -> Iterator[tuple[Json, str]]:
    """Each body in a saved file with no words, or None with what could not be read in words.

    The file is JSON (one body, a list of them, or a REST answer with its envelope) or JSON
    Lines. A byte order mark is tolerated; a bad line costs no other.
    """
    text = text.removeprefix("\ufeff")
    if not text.strip():
        yield None, "the file is empty"
        return
    try:
        documents = _items(loads(text))
    except ValueError as error:
        yield from _read_lines(text, f"not JSON: {clean(str(error))}")
        return
    for number, item in enumerate(documents, 1):
        yield _judged("item", number, item)


def _read_lines(text: str, otherwise: str) -> Iterator[tuple[Json, str]]:
    """The bodies of JSON Lines; `otherwise` is said once where no line is JSON at all."""
    bad: list[tuple[Json, str]] = []
    some = False
    for number, line in enumerate(_lines(text), 1):
        if not line.strip():
            continue
        try:
            items = _items(loads(line))
        except ValueError:
            bad.append((None, f"line {number}: not JSON"))
        else:
            some = True
            for item in items:
                yield _judged("line", number, item)
        if some:
            yield from bad
            bad = []
    if not some:
        yield None, otherwise


def _lines(text: str) -> Iterator[str]:
    """One at a time: a list of them all would double the memory of a large file."""
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield text[start:end]
        start = end + 1
    yield text[start:]


def _judged(kind: str, number: int, item: Json) -> tuple[Json, str]:
    return (item, "") if forms.is_call(item) else (None, f"{kind} {number}: not a call")


def _items(document: Json) -> list[Json]:
    """Bodies in a document; each item of a list may have an envelope of its own."""
    return [body for item in rows(document) for body in (forms.bodies(item) or [item])]
