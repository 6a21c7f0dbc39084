"""A company's proxy on loopback: CONNECT and plain forwarding, with a password, TLS or refusals.

It alone knows where names lead, so that it is the only way out. It notes what it is asked for.
"""

from __future__ import annotations

import base64
import io
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any
from urllib.parse import urlsplit

CA = str(Path(__file__).with_name("company-ca.pem"))
"""The authority that signed `HOSTS`; its own key was thrown away."""
HOSTS = str(Path(__file__).with_name("vendor.test.pem"))
"""Of api.vendor.test, files.vendor.test, localhost and 127.0.0.1, with its key."""


class ForwardProxy:
    """`names`: host:port as it is asked for, and the port on loopback where that leads."""

    def __init__(self, names: dict[str, int], *, password: str = "", secure: bool = False) -> None:
        self.names, self.password = names, password
        self.refuse: str = ""
        """A status line's end (``403 Forbidden``) for whatever is asked."""
        self.asked: list[str] = []
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self._server.context = None
        if secure:
            self._server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._server.context.load_cert_chain(HOSTS)
        self.port = self._server.server_address[1]
        user = f"ann:{password}@" if password else ""
        self.url = f"{'https' if secure else 'http'}://{user}127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def socks_url(self) -> str:
        """It speaks SOCKS 5 at the same port."""
        return self.url.replace("http://", "socks5h://")

    def __enter__(self) -> ForwardProxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    proxy: ForwardProxy
    context: ssl.SSLContext | None

    def finish_request(self, request: Any, client_address: Any) -> None:
        with suppress(OSError):  # of TLS too: the client does not trust us
            if self.context is None:
                super().finish_request(request, client_address)
                return
            with self.context.wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, client_address)


class _Handler(StreamRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, _Server)
        proxy = self.server.proxy
        assert isinstance(self.rfile, io.BufferedReader)
        if self.rfile.peek(1)[:1] == b"\5":
            with suppress(IndexError):  # who has heard enough leaves
                self._socks(proxy)
            return
        line = self.rfile.readline().decode()
        headers = []
        while (header := self.rfile.readline()) not in (b"\r\n", b""):
            headers.append(header)
        if not line:
            return
        method, target, _ = line.split()
        proxy.asked.append(f"{method} {target}")
        wanted = b"Basic " + base64.b64encode(f"ann:{proxy.password}".encode())
        known = any(
            one.lower().startswith(b"proxy-authorization") and wanted in one for one in headers
        )
        where = target if method == "CONNECT" else urlsplit(target).netloc
        refusal = proxy.refuse
        if proxy.password and not known:
            refusal = "407 Proxy Authentication Required"
        elif where not in proxy.names:
            refusal = refusal or "502 Bad Gateway"
        if refusal:
            self._say(refusal)
            return
        with socket.create_connection(("127.0.0.1", proxy.names[where])) as there:
            if method == "CONNECT":
                self._say("200 Connection established", b"")
            else:
                path = target.partition(where)[2] or "/"
                there.sendall(
                    f"{method} {path} HTTP/1.1\r\n".encode() + b"".join(headers) + b"\r\n"
                )
            self._between(there)

    def _socks(self, proxy: ForwardProxy) -> None:
        """RFC 1928, with names and passwords (RFC 1929); anything for a refusal is no SOCKS."""
        read = self.rfile.read
        methods = read(read(2)[1])
        if proxy.refuse:
            self.wfile.write(proxy.refuse.encode())
            return
        method = 2 if proxy.password else methods[0]
        self.wfile.write(bytes([5, method]))
        if method == 2:
            user = read(read(2)[1])
            right = (user, read(read(1)[0])) == (b"ann", proxy.password.encode())
            self.wfile.write(bytes([1, 0 if right or not proxy.password else 1]))
            if proxy.password and not right:
                return
        read(4)
        name = read(read(1)[0]).decode()
        where = f"{name}:{int.from_bytes(read(2), 'big')}"
        proxy.asked.append(f"SOCKS {where}")
        known = where in proxy.names
        self.wfile.write(bytes([5, 0 if known else 4, 0, 1, 0, 0, 0, 0, 0, 0]))
        if known:
            with socket.create_connection(("127.0.0.1", proxy.names[where])) as there:
                self._between(there)

    def _between(self, there: socket.socket) -> None:
        back = threading.Thread(target=_pump, args=(there, self.connection), daemon=True)
        back.start()
        _pump(self.connection, there)
        back.join()

    def _say(
        self, status: str, more: bytes = b"Content-Length: 0\r\nConnection: close\r\n"
    ) -> None:
        self.wfile.write(f"HTTP/1.1 {status}\r\n".encode() + more + b"\r\n")


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
