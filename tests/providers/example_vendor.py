"""Acme, an imaginary vendor: the smallest whole provider. docs/vendors.md prints this file.

Its API: ``GET /calls?workspace=&from=&to=&after=`` answers ``{"calls": [...], "next": "..." or null}``,
``GET /calls/ID`` one call; the token goes in the header ``X-Acme-Token``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import ClassVar
from urllib.parse import quote

from providers.base import Secret, parse_each
from providers.errors import BadAnswer
from providers.fields import Reader, later, made_id, rows, to_text
from providers.http import HttpProvider
from providers.limits import bounded
from providers.model import (
    Call,
    CallQuery,
    Capabilities,
    Contact,
    Json,
    Outcome,
    Page,
    Recording,
    Setting,
)

OUTCOMES = {"ok": Outcome.ANSWERED, "lost": Outcome.MISSED, "busy": Outcome.BUSY}


class Acme(HttpProvider):
    """One account at Acme. See `providers.base.Provider`."""

    id: ClassVar[str] = "acme"
    title: ClassVar[str] = "Acme"
    capabilities: ClassVar[Capabilities] = Capabilities(page_size=100)
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting("workspace", "--workspace", "Workspace", "Whose calls to list; without it: all."),
    )

    @staticmethod
    def auth(token: Secret) -> dict[str, Secret]:
        return {"X-Acme-Token": token}

    async def check(self) -> str:
        await self.client.get("/calls", [("limit", "1")])
        return "Acme accepts the token."

    async def pages(self, query: CallQuery, cursor: str | None = None) -> AsyncIterator[Page]:
        asked = [("from", query.since.isoformat()), ("to", query.until.isoformat())]
        asked += [("workspace", text) for text in [self.login.settings.get("workspace")] if text]
        seen: set[str] = set()
        while True:
            answer = await self.client.get("/calls", [*asked, ("after", cursor or "")])
            if not isinstance(answer, dict):
                raise BadAnswer("Not a list of calls", "Acme sent JSON of another kind.")
            calls, odd = parse_each(self.parse, rows(answer.get("calls")))
            found = {call.id: call for call in calls}
            cursor = to_text(answer.get("next"))
            fresh = tuple(found[id_] for id_ in found if id_ not in seen)
            yield Page(fresh, cursor, unreadable=odd)
            seen |= found.keys()
            if cursor is None:
                return

    async def call(self, call_id: str) -> Call:
        return self.parse(await self.client.get(f"/calls/{quote(call_id, safe='')}"))

    async def recordings(self, call: Call) -> Call:
        return call

    def parse(self, raw: Json) -> Call:
        if not isinstance(raw, dict):
            raise ValueError("a call is an object")
        raw, cut = bounded(raw)
        read = Reader(raw, problems=[*cut])
        started, duration_s = read.time("start"), read.seconds("seconds")
        ended = later(started, duration_s)
        recordings = tuple(
            Recording(id=one.text("id"), url=one.text("url"), duration_s=one.seconds("seconds"))
            for one in read.objects("files")
        )
        status = read.text("result")
        return Call(
            id=read.text("id") or made_id(raw),
            provider=self.id,
            outcome=OUTCOMES.get(status or "", Outcome.UNKNOWN),
            status=status,
            started_at=started,
            ended_at=ended,
            duration_s=duration_s,
            derived=("ended_at",) if ended else (),
            contact=Contact(name=read.text("who"), number=read.text("number")),
            has_recording=bool(recordings),
            recordings=recordings,
            problems=tuple(read.problems),
            raw=raw,
        )

    def merge(self, older: Json, newer: Json) -> Json:
        return {**older, **newer}
