"""A server that sends bytes as they stand, whatever HTTP makes of them, and hangs up."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer

TLS = b"\x16"
"""How a handshake begins; no line of a request does."""


class RawHost:
    """Sends what `reply` makes of each request's address; `asked` keeps all that came."""

    def __init__(self, reply: Callable[[str], bytes]) -> None:
        self.asked: list[bytes] = []
        self.reply = reply
        host = self

        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                if self.connection.recv(1, socket.MSG_PEEK) == TLS:
                    self.wfile.write(host.reply(""))
                    return
                lines = []
                while (line := self.rfile.readline()) not in (b"\r\n", b""):
                    lines.append(line)
                host.asked.append(b"".join(lines))
                _, _, rest = b"".join(lines[:1]).decode("latin-1").partition(" ")
                address = rest.partition(" ")[0]
                with suppress(OSError):  # who has heard enough leaves
                    self.wfile.write(host.reply(address))

        self._server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads, self._server.block_on_close = True, False
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> RawHost:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
