"""Certificates of a test's own authority, and a TLS server that notes every byte that it gets."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import warnings
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

x509: Any = pytest.importorskip("cryptography.x509", reason="certificates are made with it")
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


class Certified:
    """A certificate with its key, issued by another one or by itself."""

    def __init__(
        self,
        *names: str,
        by: Certified | None = None,
        authority: bool = False,
        since: datetime = NOW - DAY,
        until: datetime = NOW + DAY,
    ) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
        issuer = by or self
        builder = x509.CertificateBuilder(
            issuer.subject, self.subject, self.key.public_key(), x509.random_serial_number(), since, until
        )  # fmt: skip
        builder = builder.add_extension(x509.BasicConstraints(authority, None), critical=True)
        builder = builder.add_extension(x509.SubjectAlternativeName([*map(_name, names)]), False)
        of_issuer = issuer.key.public_key()
        for extension in (
            x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()),
            x509.AuthorityKeyIdentifier.from_issuer_public_key(of_issuer),
        ):
            builder = builder.add_extension(extension, critical=False)
        made = builder.sign(issuer.key, hashes.SHA256())
        self.pem: bytes = made.public_bytes(serialization.Encoding.PEM)

    def write(self, file: Path, *chain: Certified) -> Path:
        """The certificate, those behind it, and its key."""
        key = self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        file.write_bytes(self.pem + b"".join(one.pem for one in chain) + key)
        return file


def _name(text: str) -> Any:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


class TlsServer:
    """One answer to everything that gets through; `raw` and `plain` are what came, on the wire
    and decrypted.
    """

    def __init__(self, certificate: Path, answer: bytes, newest: ssl.TLSVersion | None = None):
        self.raw, self.plain, self.connections = b"", b"", 0
        self._answer = answer
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if newest:
            self._context.set_ciphers("ALL:@SECLEVEL=0")
            with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
                self._context.minimum_version = ssl.TLSVersion.TLSv1
                self._context.maximum_version = newest
        self._context.load_cert_chain(certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._speak, args=(connection,), daemon=True).start()

    def _speak(self, connection: socket.socket) -> None:
        came, goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        secure = self._context.wrap_bio(came, goes, server_side=True)
        shaken = False
        connection.settimeout(5)
        with connection, suppress(OSError):  # of TLS too
            while data := connection.recv(65536):
                self.raw += data
                came.write(data)
                try:
                    with suppress(ssl.SSLWantReadError):
                        if not shaken:
                            secure.do_handshake()
                            shaken = True
                        while text := secure.read(65536):
                            self.plain += text
                            if b"\r\n\r\n" in text:
                                secure.write(self._answer)
                finally:
                    connection.sendall(goes.read())

    def close(self) -> None:
        self._listener.close()
