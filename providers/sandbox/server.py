"""Several HTTP origins on loopback in one process, with faults on demand.

An origin is a name, a port and a function from `Request` to `Answer`. One thread accepts for all
of them; every connection has its own, which ends with the connection or with `Server.stop`.
"""

from __future__ import annotations

import json
import selectors
import socket
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs

HANG_UP = -1
"""As a status: the connection is closed without an answer."""


@dataclass(slots=True)
class Request:
    """One request that was served. Header names are in lower case, the query is decoded."""

    origin: str
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    status: int = 0

    def first(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return self.query.get(name, [default])[0]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back: `body` is bytes, or anything for `json.dumps`."""

    status: int
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    send: int | None = None
    """How much of the body leaves before the connection is closed; `None`: all of it."""


@dataclass(slots=True)
class Fault:
    """An answer that takes the place of the true one, `times` times."""

    origin: str
    path: str
    status: int
    times: int
    headers: Mapping[str, str]
    body: bytes | None
    delay_s: float


Handle = Callable[[Request], Answer]


class Server:
    """Serves origins from `serve` to `stop`; `requests` and faults belong to all of them."""

    def __init__(self, origins: Mapping[str, Handle], refuse: Callable[[str, int], Any]) -> None:
        self._handles, self._refuse = origins, refuse
        self._listeners: dict[str, _Listener] = {}
        self._acceptor: threading.Thread | None = None
        self._wake: socket.socket | None = None
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._quit = threading.Event()
        self.requests: list[Request] = []

    def listen(self, ports: Mapping[str, int]) -> None:
        """Open 127.0.0.1; port 0 takes a free one. Raises OSError when a port is taken.

        Who connects now waits for `serve`.
        """
        if self._listeners:
            raise RuntimeError("the sandbox is running")
        try:
            for name in self._handles:
                self._listeners[name] = _Listener(name, ports[name], self)
        except OSError:
            self._close()
            raise

    def serve(self) -> None:
        """Begin to answer, in threads."""
        self._quit.clear()
        ours, self._wake = socket.socketpair()
        self._acceptor = threading.Thread(
            target=self._accept, args=(ours,), name="sandbox", daemon=True
        )
        self._acceptor.start()

    def stop(self) -> None:
        """Close everything; when this returns, no thread of the server is left."""
        if self._wake is None or self._acceptor is None:
            return
        self._quit.set()
        self._wake.close()
        self._acceptor.join()
        self._wake = self._acceptor = None
        self._close()

    def _close(self) -> None:
        for listener in self._listeners.values():
            listener.close()
        self._listeners.clear()

    def port(self, name: str) -> int:
        """The origin's port. Raises RuntimeError before `listen`."""
        if name not in self._listeners:
            raise RuntimeError("the sandbox has not been started")
        return int(self._listeners[name].server_address[1])

    def add_fault(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def _accept(self, wake: socket.socket) -> None:
        with selectors.DefaultSelector() as selector, wake:
            selector.register(wake, selectors.EVENT_READ)
            for listener in self._listeners.values():
                selector.register(listener, selectors.EVENT_READ, listener)
            while not self._quit.is_set():
                for key, _ in selector.select():
                    if key.data is not None:
                        key.data.handle_request()

    def answer(self, request: Request) -> Answer:
        """The answer to a request, written down before it leaves."""
        fault = self._take_fault(request)
        if fault is None or fault.status == 0:
            answer = self._true_answer(request)
        else:
            body = fault.body
            if body is None:
                body = self._refuse(request.origin, fault.status)
            answer = Answer(fault.status, body, fault.headers)
        request.status = answer.status
        self.requests.append(request)
        if fault is not None and self._quit.wait(fault.delay_s):
            return Answer(HANG_UP)
        return answer

    def _take_fault(self, request: Request) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.origin == request.origin and fault.path in request.path:
                    fault.times -= 1
                    if fault.times < 1:
                        self._faults.remove(fault)
                    return fault
        return None

    def _true_answer(self, request: Request) -> Answer:
        try:
            return self._handles[request.origin](request)
        except Exception:
            # The screen may share our terminal: a mistake of ours is shown in the answer instead.
            return Answer(500, traceback.format_exc().encode(), {"Content-Type": "text/plain"})


class _Listener(HTTPServer):
    """One origin's socket and the connections it has accepted."""

    request_queue_size = 128
    timeout = 0  # `handle_request` is only called when somebody waits

    def __init__(self, name: str, port: int, owner: Server) -> None:
        self.name, self.owner = name, owner
        self._open: dict[socket.socket, threading.Thread] = {}
        self._guard = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    def server_bind(self) -> None:
        # HTTPServer asks the resolver for our name here, which can take seconds.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(
            target=self._converse,
            args=(request, client_address),
            name=f"sandbox-{self.name}",
            daemon=True,
        )
        with self._guard:
            self._open = {s: t for s, t in self._open.items() if t.is_alive()}
            thread.start()
            self._open[request] = thread

    def _converse(self, request: socket.socket, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        except OSError:
            pass  # the client has gone away, which is its right
        finally:
            self.shutdown_request(request)

    def close(self) -> None:
        """End all conversations and free the port."""
        with self._guard:
            conversations = list(self._open.items())
        for connection, _ in conversations:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # closed by its own thread in the meantime
        for _, thread in conversations:
            thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    """One connection: any number of requests, one after the other."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Sandbox", ""
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 120
    server: _Listener

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        length = self.headers.get("Content-Length", "")
        self.rfile.read(int(length) if length.isdecimal() else 0)
        request = Request(
            origin=self.server.name,
            method=self.command,
            path=path,
            query=parse_qs(query, keep_blank_values=True),
            headers={name.lower(): value for name, value in self.headers.items()},
        )
        answer = self.server.owner.answer(request)
        if answer.status == HANG_UP:
            self.close_connection = True
        else:
            self._send(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve

    def _send(self, answer: Answer) -> None:
        raw = isinstance(answer.body, bytes)
        body = answer.body if raw else json.dumps(answer.body).encode()
        headers = {"Content-Type": "application/json"} | dict(answer.headers)
        headers["Content-Length"] = str(len(body))
        self.send_response(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body if answer.send is None else body[: answer.send])
        if answer.send is not None:
            self.close_connection = True
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: `Server.requests` has it all."""
