"""Three vendors on loopback, written from the vendors' documents alone (no look at the program).

A `Vendors` serves all three APIs on one port. `files` is another origin that keeps recordings and
must never see a token; `sink` is a third one where redirects lead. All three note what they get.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.outside import raw, raw_cinnox, raw_nectar

TOKENS = {
    "liner": "lnr-5f0b1c2d3e4f",
    "cinnox": "cnx-a9b8c7d6e5f4",
    "nectar": "nct-0011223344ff",
}
APP_ID = "app-77"
WAV = (
    b"RIFF" + (36 + 8000).to_bytes(4, "little") + b"WAVEfmt \x10\0\0\0\x01\0\x01\0"
    b"\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data" + (8000).to_bytes(4, "little") + b"\x80" * 8000
)


@dataclass(frozen=True)
class Request:
    """What a server got: the path, the query as pairs, the headers in lower case."""

    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    line: str

    def one(self, name: str) -> str | None:
        return next((value for key, value in self.query if key == name), None)

    def ids(self, name: str) -> set[int]:
        # PHP takes leadIds[]=1 and leadIds[0]=1 alike (1.4)
        return {int(v) for k, v in self.query if k.startswith(f"{name}[") and v.isdigit()}


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self) -> tuple[bytes, str]:
        if isinstance(self.body, bytes):
            return self.body, "audio/wav"
        if isinstance(self.body, str):
            return self.body.encode(), "text/html"
        return json.dumps(self.body).encode(), "application/json"


Rule = Callable[[Request], Answer | None]


class Origin:
    """One port: `rules` are asked first, in order; then `answer`."""

    def __init__(self, answer: Rule | None = None) -> None:
        self.seen: list[Request] = []
        self.rules: list[Rule] = []
        self.answer: Rule = answer or (lambda request: Answer(404, "nothing here"))
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                url = urlsplit(self.path)
                request = Request(
                    url.path,
                    parse_qsl(url.query, keep_blank_values=True),
                    {key.lower(): value for key, value in self.headers.items()},
                    self.path,
                )
                outer.seen.append(request)
                answer = next((a for rule in outer.rules if (a := rule(request))), None)
                answer = answer or outer.answer(request) or Answer(404, {"message": "not found"})
                body, kind = answer.encoded()
                try:
                    self.send_response(answer.status)
                    self.send_header("Content-Type", answer.headers.get("Content-Type", kind))
                    self.send_header("Content-Length", str(len(body)))
                    for name, value in answer.headers.items():
                        if name != "Content-Type":
                            self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(body)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def paths(self, part: str = "") -> list[str]:
        return [request.path for request in self.seen if part in request.path]

    def saw(self, *secrets: str) -> list[str]:
        """The secrets that came in a request, wherever they stood."""
        text = " ".join(f"{request.line} {request.headers}" for request in self.seen)
        return [secret for secret in secrets if secret in text]


def once(part: str, *answers: Answer) -> Rule:
    """A rule: the first requests whose path holds `part` get these answers, one each."""
    left = list(answers)
    lock = threading.Lock()

    def rule(request: Request) -> Answer | None:
        with lock:
            return left.pop(0) if left and part in request.path else None

    return rule


def always(part: str, answer: Answer) -> Rule:
    return lambda request: answer if part in request.path else None


def late(part: str, seconds: float) -> Rule:
    def rule(request: Request) -> Answer | None:
        if part in request.path:
            time.sleep(seconds)
        return None

    return rule


def good(data: Any) -> Answer:
    return Answer(200, {"success": True, "message": "", "data": data})


def bad(status: int, message: str) -> Answer:
    return Answer(status, {"success": False, "message": message, "data": None})


class Vendors(Origin):
    """The three vendors' APIs at once.

    `next_mode`: what Liner says after the last page (plain, null, absent, total, zero);
    `totals`: whether Liner says how many there are; `leads`: listed, absent, or only for orders;
    `staff`: whether CINNOX has its staff list; `cap`: the longest page it gives; `ties`: it sorts
    the calls of one moment differently each time; `offsets`: whether it reads `offset`;
    `old_paths`: Liner's dictionaries answer to the heading's path, or only to the example's
    (contradiction 3); `most`: the longest page of a list; `paging`: what becomes of a page's `next`
    and `total`.
    """

    def __init__(self, **traits: Any) -> None:
        super().__init__(self._route)
        self.files, self.sink = Origin(lambda _: Answer(200, WAV)), Origin()
        self.sink.answer = lambda _: Answer(200, WAV)
        self.next_mode = traits.get("next_mode", "plain")
        self.totals = traits.get("totals", True)
        self.leads = traits.get("leads", "listed")
        self.staff = traits.get("staff", True)
        self.cap = traits.get("cap", 500)
        self.offsets = traits.get("offsets", True)
        self.ties = random.Random(7) if traits.get("ties") else None
        self.old_paths = traits.get("old_paths", True)
        self.most: int = traits.get("most", 100)
        self.paging: Callable[[dict[str, Any]], dict[str, Any]] = traits.get("paging", dict)
        self.liner: list[raw.Stored] = []
        self.cinnox: list[raw.Stored] = []
        self.nectar: dict[int, Any] = {}
        self.records: dict[str, list[raw.Row]] = {}

    @classmethod
    def full(cls) -> Vendors:
        """About 1,500 calls, the dictionaries under the examples' paths."""
        vendors = cls(old_paths=False)
        vendors.liner = raw.liner_rows()
        vendors.cinnox = raw_cinnox.stored_rows(vendors.files.url)
        vendors.nectar = raw_nectar.rows(vendors.files.url)
        vendors.record_all()
        return vendors

    def record_all(self) -> None:
        """A recording or two for every Liner call that may have one."""
        for stored in self.liner:
            row = stored.row
            if isinstance(row, dict) and row.get("hasRecords") in (True, None, 1, "true"):
                self.records[str(row["id"])] = liner_records(self.files.url, int(row["id"]))

    def close(self) -> None:
        for origin in (self.files, self.sink):
            origin.close()
        super().close()

    # ── who asks, for what ──

    def _route(self, request: Request) -> Answer:
        path = request.path
        if path.startswith("/v1/api/apps/"):
            return self._cinnox(request)
        if path.startswith("/calls/"):
            return self._nectar(request)
        if path.startswith(("/v2/", "/v1/")):
            return self._liner(request)
        if path.startswith("/private/"):
            if request.headers.get("authorization") != f"Bearer {TOKENS['cinnox']}":
                return Answer(401, {"code": 0, "message": "private"})
            return Answer(200, WAV)
        return Answer(404, "<html>no such page</html>")

    def _nectar(self, request: Request) -> Answer:
        if request.headers.get("access-token") != TOKENS["nectar"]:
            return Answer(401, {"message": "Unauthorized"})
        number = request.path.removeprefix("/calls/").strip("/")
        body = self.nectar.get(int(number)) if number.isdigit() else None
        return Answer(200, body) if body is not None else Answer(404, {"message": "not found"})

    # ── CINNOX ──

    def _cinnox(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {TOKENS['cinnox']}":
            return Answer(401, {"code": 0, "message": "Invalid token"})
        home, _, what = request.path.removeprefix("/v1/api/apps/").partition("/")
        if home != APP_ID:
            return Answer(400, {"code": 6450001, "message": "method not found"})
        if what == "data/call-detail":
            return self._call_detail(request)
        if what == "contacts/staffcontact-list" and self.staff:
            return self._slice(request, raw_cinnox.STAFF, 50)
        return Answer(404, {"code": 6450001, "message": f"method not found, url: {what}"})

    def _call_detail(self, request: Request) -> Answer:
        start, end = request.one("startAt"), request.one("endAt")
        if (start is None) != (end is None):
            return Answer(400, {"code": 6451000, "message": "missing one of startAt, endAt"})
        rows = self.cinnox
        if start and end:
            since, until = datetime.fromisoformat(start), datetime.fromisoformat(end)
            rows = [s for s in rows if since <= s.at <= until]
        if self.ties:
            rows = self.ties.sample(rows, len(rows))
            rows.sort(key=lambda stored: stored.at, reverse=True)
        return self._slice(request, [s.row for s in rows], 20)

    def _slice(self, request: Request, rows: list[Any], default: int) -> Answer:
        offset, limit = int(request.one("offset") or 0), int(request.one("limit") or default)
        if limit > 500 or limit < 0 or offset < 0:
            return Answer(400, {"code": 6451000, "message": "exceed maximum limit 500"})
        offset = offset if self.offsets else 0
        return Answer(200, {"code": 200, "result": rows[offset : offset + min(limit, self.cap)]})

    # ── Liner ──

    def _liner(self, request: Request) -> Answer:
        if request.headers.get("x-api-key") != TOKENS["liner"]:
            return bad(401, "Wrong API key")
        path = request.path if request.path.endswith("/") else f"{request.path}/"
        kind = "" if self.old_paths else "es"
        plural = "" if self.old_paths else "s"
        whole = {
            f"/v2/call-status{kind}/": raw.LINER_STATUSES,
            f"/v2/lead-status{kind}/": [],
            f"/v2/sip-endpoint{plural}/": raw.LINER_ENDPOINTS,
            "/v1/health/check/": {},
        }
        if path in whole:
            return good(whole[path])
        lists = {"/v2/user/list/": raw.LINER_USERS, "/v2/order/": raw.LINER_ORDERS}
        if path in lists:
            return self._page(request, lists[path])
        if path == "/v2/call/":
            return self._calls(request)
        if path == "/v2/lead/":
            return self._leads(request)
        if path == "/v2/call-record/":
            return self._page(request, self.records.get(request.one("callId") or "", []))
        return self._detail(path)

    def _detail(self, path: str) -> Answer:
        found: dict[str, list[Any]] = {
            "/v2/call/detail/": [stored.row for stored in self.liner],
            "/v2/user/detail/": raw.LINER_USERS,
            "/v2/lead/detail/": [] if self.leads == "absent" else raw.LINER_LEADS,
            "/v2/call-record/detail/": [r for rows in self.records.values() for r in rows],
        }
        for start, rows in found.items():
            if path.startswith(start):
                wanted = path.removeprefix(start).strip("/")
                for row in rows:
                    if isinstance(row, dict) and str(row.get("id")) == wanted:
                        return good(row)
                return bad(404, "Call not found")
        return bad(404, "No such method")

    def _leads(self, request: Request) -> Answer:
        if self.leads == "absent":
            return bad(404, "No such method")
        orders = request.ids("orderIds")
        if self.leads == "only for orders" and not orders:
            return bad(422, "orderIds is required")
        rows = [r for r in raw.LINER_LEADS if not orders or r["orderId"] in orders]
        return self._page(request, rows)

    def _calls(self, request: Request) -> Answer:
        orders, leads = request.ids("orderIds"), request.ids("leadIds")
        since, until = request.one("createdAt[0]"), request.one("createdAt[1]")
        if not (orders or leads):
            return bad(422, "orderIds or leadIds is required")
        if not (since and until):
            return bad(422, "createdAt is required")
        first, last = datetime.fromisoformat(since), datetime.fromisoformat(until)
        rows = [
            stored.row
            for stored in self.liner
            if first <= stored.at <= last
            and (
                stored.order in orders
                or (
                    isinstance(stored.row, dict)
                    and str(stored.row.get("leadId")) in {str(lead) for lead in leads}
                )
            )
        ]
        return self._page(request, rows)

    def _page(self, request: Request, rows: list[Any]) -> Answer:
        offset = int(request.one("offset") or 0)
        limit = min(int(request.one("limit") or 50), self.most)  # more than it gives: clamped (ND)
        data: dict[str, Any] = {"list": rows[offset : offset + limit], "next": offset + limit}
        if offset + limit >= len(rows):
            ends = {"plain": offset + limit, "null": None, "total": len(rows), "zero": 0}
            data["next"] = ends.get(self.next_mode)
            if self.next_mode == "absent":
                del data["next"]
        if self.totals:
            data["total"] = len(rows)
        return good(self.paging(data))


def liner_records(host: str, call: int) -> list[raw.Row]:
    """Version A and version B of section 1.6, one each for every other call."""
    first: raw.Row = {
        "id": call * 10,
        "userId": 101,
        "leadId": 789,
        "isTransfer": False,
        "durationSeconds": 60,
        "fileUrl": f"{host}/audio/{call}-1.mp3",
        "recordSummary": "Client asked for a call back on Friday.",
        "createdAt": "2024-01-01T09:31:00Z",
    }
    second: raw.Row = {
        "id": str(call * 10 + 1),
        "isTransfer": True,
        "durationSeconds": "54",
        "fileUrl": f"{host}/audio/{call}-2.mp3",
        "createdAt": "2024-01-01T12:32:01+03:00",
    }
    return [first, second] if call % 2 else [{**second, "durationSeconds": None}]
