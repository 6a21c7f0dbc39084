"""A small HTTP server on loopback: a test says what each path answers and sees what was asked."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]

    def one(self, key: str) -> str | None:
        return dict(self.query).get(key)

    def all(self, key: str) -> list[str]:
        return [value for name, value in self.query if name == key]


@dataclass(frozen=True)
class Answer:
    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    """Close the connection instead of answering."""
    stall: threading.Event | None = None
    """Wait for this before answering."""

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Route = Answer | Callable[[Request], Answer]


class Server:
    """`on(path, answer, …)` gives the answers in turn, the last one for ever; else 404."""

    def __init__(self, certificate: str | None = None) -> None:
        self.requests: list[Request] = []
        self._came = threading.Condition()
        self.routes: dict[str, list[Route]] = {}
        self._listener = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._listener.daemon_threads = True
        self.port = self._listener.server_port
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._listener.socket = context.wrap_socket(self._listener.socket, server_side=True)
            self.scheme = "https"
        self.url = f"{self.scheme}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(
            target=self._listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )

    def on(self, path: str, *answers: Route | Any) -> None:
        self.routes[path] = [
            answer if isinstance(answer, Answer) or callable(answer) else Answer(answer)
            for answer in answers
        ]

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    def wait_for(self, requests: int) -> None:
        """Until so many requests have come (two seconds at most)."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.requests) >= requests, 2)

    def answer(self, request: Request) -> Answer:
        with self._came:
            self.requests.append(request)
            self._came.notify_all()
        routes = self.routes.get(request.path, [Answer({"message": "no such thing"}, 404)])
        route = routes.pop(0) if len(routes) > 1 else routes[0]
        return route(request) if callable(route) else route

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = parse_qsl(parts.query, keep_blank_values=True)
            answer = server.answer(Request(parts.path, query, dict(self.headers.items())))
            if answer.stall:
                answer.stall.wait(5)
            self.close_connection = True
            if answer.drop:
                return
            content = answer.content
            try:
                self.send_response(answer.status)
                headers = {"Content-Length": str(len(content)), **answer.headers}
                for name, value in headers.items():
                    if value:
                        self.send_header(name, value)
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                pass  # the client has left, as some tests want

        def log_message(self, *args: object) -> None:
            """Tests read `Server.requests` instead."""

    return Handler


class Waits(list[float]):
    """A `sleep` that only writes down how long it was asked to wait."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)
