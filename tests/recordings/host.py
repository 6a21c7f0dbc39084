"""A recording's host on loopback: ranges or none, slow, cutting off, refusing; counts what it sends."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

PIECE = 1024


@dataclass
class Asked:
    """One request: what was asked for, and which bytes of the recording left for it."""

    path: str
    headers: dict[str, str]
    start: int = 0
    sent: int = 0
    connection: int = 0

    @property
    def range(self) -> str:
        return self.headers.get("range", "")


@dataclass
class Host:
    """Serves `data` at every path; change the fields while it runs."""

    data: bytes
    ranges: bool = True
    length: bool = True
    """Whether it says how much there is."""
    rate: float | None = None
    """Bytes a second for all connections together; None: as fast as can be."""
    cut_after: int | None = None
    """Each answer breaks off after so many bytes."""
    delay_s: float = 0.0
    """Before each answer."""
    tag: str = '"one"'
    answer: Callable[[Asked], int | bytes | None] = lambda asked: None
    """A status or a page instead of the recording; None: the recording."""
    asked: list[Asked] = field(default_factory=list)
    open: int = 0
    """Connections that stand."""

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._free_at = 0.0
        self.quit = threading.Event()
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Handler", (_Handler,), {"host": self})
        )
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_: object) -> None:
        self.quit.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def sent(self) -> int:
        return sum(one.sent for one in self.asked)

    def twice(self) -> int:
        """How many bytes left more than once."""
        twice, here = 0, 0
        for one in sorted(self.asked, key=lambda one: one.start):
            end = one.start + one.sent
            twice += max(0, min(here, end) - one.start)
            here = max(here, end)
        return twice

    def wait_turn(self, n: int) -> None:
        """As a link that carries `rate` bytes a second."""
        if not self.rate:
            return
        with self._lock:
            now = time.monotonic()
            self._free_at = max(self._free_at, now) + n / self.rate
            wait_s = self._free_at - now
        self.quit.wait(wait_s)


class _Handler(BaseHTTPRequestHandler):
    host: ClassVar[Host]

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.host.open += 1

    def handle(self) -> None:
        with suppress(ConnectionError):
            super().handle()

    def finish(self) -> None:
        self.host.open -= 1
        with suppress(OSError):
            super().finish()

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.path, headers, connection=self.client_address[1])
        self.host.asked.append(asked)
        self.host.quit.wait(self.host.delay_s)
        try:
            self._answer(asked)
        except OSError:
            self.close_connection = True  # the client has left, which is its right

    def _answer(self, asked: Asked) -> None:
        instead = self.host.answer(asked)
        if instead is not None:
            status = instead if isinstance(instead, int) else 200
            body = instead if isinstance(instead, bytes) else b"no"
            self._head(status, {"Content-Length": str(len(body))})
            self.wfile.write(body)
            return
        data, status, more = self.host.data, 200, {}
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.range) if self.host.ranges else None
        end = len(data)
        if match:
            asked.start = int(match[1])
            end = min(int(match[2]) + 1 if match[2] else end, end)
            status = 206
            if asked.start >= len(data):
                self._head(416, {"Content-Length": "0"})
                return
            more["Content-Range"] = f"bytes {asked.start}-{end - 1}/{len(data)}"
        if self.host.length or match:
            more["Content-Length"] = str(end - asked.start)
        else:
            self.close_connection = True
            more["Connection"] = "close"
        self._head(status, {"Content-Type": "text/plain", "ETag": self.host.tag, **more})
        self._body(asked, data[asked.start : end])

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _body(self, asked: Asked, body: bytes) -> None:
        piece = PIECE if self.host.rate else 1 << 16
        for at in range(0, len(body), piece):
            if self.host.quit.is_set() or (
                self.host.cut_after is not None and at >= self.host.cut_after
            ):
                self.close_connection = True
                return
            self.host.wait_turn(len(body[at : at + piece]))
            self.wfile.write(body[at : at + piece])
            asked.sent += len(body[at : at + piece])

    def log_message(self, *args: object) -> None:
        """Tests read `Host.asked` instead."""
