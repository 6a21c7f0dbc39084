"""The three vendors' lists and details over bodies that a test made, for HTTP and in process."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import httpx

from providers.base import Login, Secret
from providers.cinnox import Cinnox
from providers.cinnox_records import key
from providers.liner import Liner
from providers.liner_api import row_id
from providers.nectar import Nectar
from tests.generated.odd import Row, changed, written
from tests.outside import raw, raw_cinnox, raw_nectar
from tests.providers import cinnox_bodies, liner_bodies, nectar_bodies

HOST = "https://files.example.com"


@dataclass
class Bodies:
    """What one vendor has; `answer` gives the JSON text of a path."""

    rows: Sequence[Any]
    texts: list[str] = field(init=False)

    vendor: ClassVar[Any]
    """Its class: at once a `Provider` and an `HttpProvider`."""
    settings: ClassVar[dict[str, str]] = {}
    samples: ClassVar[list[Row]]

    def __post_init__(self) -> None:
        self.texts = [written(row) for row in self.rows]

    def answer(self, path: str, query: dict[str, str]) -> str | None:
        raise NotImplementedError

    def login(self, url: str) -> Login:
        return Login(url, Secret("tok-SECRET-42"), self.settings)

    def page(self, query: dict[str, str]) -> str:
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", 50))
        return ",".join(self.texts[offset : offset + limit])

    @classmethod
    def generated(cls, chance: random.Random, many: int, first: int) -> list[Row]:
        """`many` bodies, numbered from `first` on."""
        return [
            cls.numbered(changed(chance.choice(cls.samples), chance), n)
            for n in range(first, first + many)
        ]

    @classmethod
    def numbered(cls, body: Row, number: int) -> Row:
        """The body with an id of its own, where it still has the sample's."""
        return {**body, "id": number} if _is_plain(body.get("id")) else body

    def are_distinct(self) -> bool:
        """Whether no two rows are the same to the vendor's walk."""
        keys = [row_id(row) for row in self.rows]
        return len({*keys}) == len(keys)

    @classmethod
    def ids(cls, row: Any) -> str | None:
        """The id that a call of this row surely has."""
        id_ = row.get("id")
        return str(id_) if _is_plain(id_) and len(str(id_)) <= 200 else None


def _is_plain(id_: Any) -> bool:
    if isinstance(id_, str):
        return id_.isascii() and id_.replace("-", "").isalnum()
    return isinstance(id_, int) and not isinstance(id_, bool)


class LinerBodies(Bodies):
    vendor = Liner
    settings = {"order_ids": "202"}
    samples = [liner_bodies.CALL, liner_bodies.SPARSE, *(s.row for s in raw.liner_rows(many=300))]

    def answer(self, path: str, query: dict[str, str]) -> str | None:
        if path == "/v2/call/":
            return f'{{"success": true, "data": {{"list": [{self.page(query)}], "total": {len(self.rows)}}}}}'
        if path in ("/v2/user/list/", "/v2/order/", "/v2/lead/"):
            return '{"success": true, "data": {"list": [], "total": 0}}'
        return (
            '{"success": true, "data": []}'
            if path in ("/v2/call-status/", "/v2/sip-endpoint/")
            else None
        )


class CinnoxBodies(Bodies):
    vendor = Cinnox
    settings = {"app_id": "app-1"}
    samples = [
        cinnox_bodies.RECORD,
        cinnox_bodies.OUTBOUND,
        *(s.row for s in raw_cinnox.stored_rows(HOST)),
    ]

    def answer(self, path: str, query: dict[str, str]) -> str | None:
        if path.endswith("/call-detail"):
            return f'{{"code": 200, "result": [{self.page(query)}]}}'
        return '{"code": 200, "result": []}'

    def are_distinct(self) -> bool:
        return len({key(row) for row in self.rows}) == len(self.rows)

    @classmethod
    def numbered(cls, body: Row, number: int) -> Row:
        body = super().numbered(body, number)
        legs = number - number % 3  # some calls have several
        return {**body, "callID": f"c{legs}"} if _is_plain(body.get("callID")) else body

    @classmethod
    def ids(cls, row: Any) -> str | None:
        id_ = row.get("callID")
        return str(id_) if _is_plain(id_) and len(str(id_)) <= 200 else None


class NectarBodies(Bodies):
    vendor = Nectar
    samples = [
        nectar_bodies.REST,
        nectar_bodies.HOOK,
        nectar_bodies.SPARSE_HOOK,
        *map(raw_nectar.call, raw_nectar.rows(HOST, many=300).values()),
    ]

    def login(self, url: str) -> Login:
        return Login(url, Secret("tok-SECRET-42"), {"call_ids": f"1-{len(self.rows)}"})

    def answer(self, path: str, query: dict[str, str]) -> str | None:
        number = int(path.rpartition("/")[2])
        return f'{{"calls": {self.texts[number - 1]}}}' if number <= len(self.rows) else None


VENDORS: tuple[type[Bodies], ...] = (LinerBodies, CinnoxBodies, NectarBodies)


def in_process(bodies: Bodies) -> httpx.MockTransport:
    """The vendor without a socket."""

    def handle(request: httpx.Request) -> httpx.Response:
        parts = urlsplit(str(request.url))
        text = bodies.answer(parts.path, dict(parse_qsl(parts.query)))
        if text is None:
            text = '{"message": "no such thing"}'
            return httpx.Response(404, stream=httpx.ByteStream(text.encode()))
        return httpx.Response(200, stream=httpx.ByteStream(text.encode("utf-8", "surrogatepass")))

    return httpx.MockTransport(handle)
