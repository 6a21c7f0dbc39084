"""The three vendors on loopback: their APIs as documented, a busy week of synthetic calls, and
recordings that sound like conversations. For `ringback demo`, the tests and the screenshots.

Written from the vendors' documents alone and without the clients in `providers`, so that client
and server check each other.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any, Self

from providers.sandbox import cinnox, liner, nectar
from providers.sandbox.cinnox import Cinnox
from providers.sandbox.liner import Liner
from providers.sandbox.media import Files, Sound, serve
from providers.sandbox.nectar import Nectar
from providers.sandbox.server import HANG_UP, Answer, Fault, Request, Server
from providers.sandbox.world import World

__all__ = ["HANG_UP", "ORIGINS", "VENDORS", "Data", "Request", "Sandbox"]

VENDORS = ("liner", "cinnox", "nectar")
ORIGINS = (*VENDORS, "media")
AHEAD = 6
"""So many of each vendor's newest recordings are made ahead: those of the first page's rows."""
_REFUSALS = {"liner": liner.refusal, "cinnox": cinnox.refusal, "nectar": nectar.refusal}


class Data:
    """The synthetic world as the vendors serve it; a vendor's part is made when first asked for."""

    def __init__(self, world: World, urls: Mapping[str, str], tokens: Mapping[str, str]) -> None:
        self._world, self._urls, self._tokens = world, urls, tokens
        self._lock = threading.Lock()
        self._made: dict[str, Any] = {}
        self.files = Files()

    def vendor(self, name: str) -> Any:
        """`Liner`, `Cinnox` or `Nectar`."""
        with self._lock:
            if name not in self._made:
                self._made[name] = self._make(name)
            return self._made[name]

    def _make(self, name: str) -> Liner | Cinnox | Nectar:
        media, token = self._urls["media"], self._tokens[name]
        if name == "liner":
            return Liner(self._world, media, token)
        if name == "cinnox":
            return Cinnox(self._world, media, self._urls["cinnox"], token, self.files)
        return Nectar(self._world, media, token)

    @property
    def liner(self) -> Liner:
        made: Liner = self.vendor("liner")
        return made

    @property
    def cinnox(self) -> Cinnox:
        made: Cinnox = self.vendor("cinnox")
        return made

    @property
    def nectar(self) -> Nectar:
        made: Nectar = self.vendor("nectar")
        return made

    @property
    def liner_calls(self) -> list[dict[str, Any]]:
        """Liner's calls as the list serves them, the newest first."""
        return self.liner.calls

    def liner_recordings(self, call_id: int) -> list[dict[str, Any]]:
        """The recordings of one of Liner's calls as the list serves them."""
        return self.liner.recordings(call_id)

    @property
    def cinnox_records(self) -> list[dict[str, Any]]:
        """CINNOX's records (legs) as they are served, the newest first."""
        return self.cinnox.records

    @property
    def nectar_calls(self) -> list[dict[str, Any]]:
        """Nectar Desk's calls as they are served under ``calls``, the oldest first."""
        return list(self.nectar.calls.values())

    def nectar_webhooks(self, call_id: int) -> dict[str, Any]:
        """One of Nectar Desk's calls as its webhook posts it. Raises KeyError."""
        return self.nectar.webhook(call_id)

    @property
    def sounds(self) -> dict[str, Sound]:
        """Every recording by its path: length, format, and what is wrong with it (`trait`)."""
        return self.liner.sounds | self.cinnox.sounds | self.nectar.sounds


class Sandbox:
    """The vendors' servers. Start it, or use it as a context manager.

    The same `seed`, `now`, `days`, `calls` and ports give the same bytes. `port` N takes N to N+3
    for liner, cinnox, nectar and media; 0 takes free ones. Calls follow the office hours of `now`'s
    time zone; a naive `now` is taken as UTC. With `recorded_newest` the newest call has ended and
    can be heard, and the newest recordings are made before they are asked for.
    """

    def __init__(
        self,
        *,
        seed: int = 7,
        now: datetime | None = None,
        days: int = 7,
        calls: int = 3000,
        port: int = 0,
        recorded_newest: bool = False,
    ) -> None:
        if not 0 <= port <= 65_532:
            raise ValueError("port is 0, or the first of four that exist")
        now = now or datetime.now().astimezone()
        self.now = now.replace(microsecond=0, tzinfo=now.tzinfo or UTC)
        self._world = World(seed, self.now, days, calls, recorded_newest=recorded_newest)
        self._ports = {name: port + n if port else 0 for n, name in enumerate(ORIGINS)}
        self._server = Server({name: self._handle(name) for name in ORIGINS}, self._refuse)
        self._data: Data | None = None
        self._ahead = threading.Thread(target=self._make_ahead) if recorded_newest else None
        self._stopped = threading.Event()
        self.tokens = {name: f"fake-{name}-token-{seed}" for name in VENDORS}
        last = nectar.call_id(max(0, self._world.count("nectar") - 1))
        self.settings: dict[str, dict[str, str]] = {
            "liner": {},
            "cinnox": {"app_id": cinnox.APP_ID},
            "nectar": {"call_ids": f"{nectar.FIRST_CALL}-{last}"},
        }

    def start(self) -> Self:
        """Listen on 127.0.0.1. Raises OSError when a port is taken."""
        self._server.listen(self._ports)
        urls = {name: self.base_url(name) for name in ORIGINS}
        self._data = Data(self._world, urls, self.tokens)
        self._server.serve()
        if self._ahead:
            self._ahead.start()
        return self

    def stop(self) -> None:
        """Close every connection; no thread is left."""
        self._stopped.set()
        self._server.stop()
        if self._ahead and self._ahead.ident:
            self._ahead.join()

    def _make_ahead(self) -> None:
        """Make the newest recordings, each vendor's newest first, lest somebody waits for one."""
        newest = [[*reversed(self.data.vendor(name).sounds.values())][:AHEAD] for name in VENDORS]
        for sound in (one for row in zip_longest(*newest) for one in row if one):
            if self._stopped.is_set():
                return
            self.data.files.read(sound)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @property
    def data(self) -> Data:
        """What is served. Raises RuntimeError before `start`: addresses have ports in them."""
        if self._data is None:
            raise RuntimeError("the sandbox has not been started")
        return self._data

    @property
    def requests(self) -> list[Request]:
        """Every request so far, in the order of arrival."""
        return self._server.requests

    @property
    def media_url(self) -> str:
        """The origin of the recordings."""
        return self.base_url("media")

    def base_url(self, vendor: str) -> str:
        """The vendor's origin, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.port(vendor)}"

    def fail(
        self,
        origin: str,
        *,
        status: int = 500,
        times: int = 1,
        path: str = "",
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        delay_s: float = 0.0,
    ) -> None:
        """The next `times` requests whose path contains `path` get this answer, after `delay_s`.

        Without a body it is the vendor's own form of an error. Status 0 is the true answer, only
        later; `HANG_UP` closes the connection without any. Faults are used up in order. Raises
        ValueError for an unknown origin, or when `times` is not at least 1.
        """
        if origin not in ORIGINS or times < 1:
            raise ValueError(f"a fault strikes one of {', '.join(ORIGINS)}, once or more often")
        self._server.add_fault(Fault(origin, path, status, times, headers or {}, body, delay_s))

    def _handle(self, name: str) -> Any:
        def handle(request: Request) -> Answer:
            if name == "media":
                return serve(request, self.data.sounds, self.data.files)
            answer: Answer = self.data.vendor(name).answer(request)
            return answer

        return handle

    @staticmethod
    def _refuse(origin: str, status: int) -> Any:
        return _REFUSALS[origin](status) if origin in _REFUSALS else b""
