"""Which certificate authorities are trusted, by vendors' clients and recordings' alike.

`SSL_CERT_FILE` (a PEM file) and `SSL_CERT_DIR` (folders as ``openssl rehash`` makes them) name
them, as for OpenSSL; without either it is the list that comes with certifi.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from providers.errors import VariableError

if TYPE_CHECKING:
    import ssl

FILE, FOLDERS = "SSL_CERT_FILE", "SSL_CERT_DIR"


def trusted(environ: Mapping[str, str] = os.environ) -> ssl.SSLContext:
    """What TLS is made with. Raises `VariableError`.

    It is made once: reading the authorities takes longer than the rest of a start.
    """
    return _context(environ.get(FILE, ""), environ.get(FOLDERS, ""))


def named(environ: Mapping[str, str] = os.environ) -> str:
    """Where the authorities come from, in words."""
    given = [f"{environ[name]} ({name})" for name in (FILE, FOLDERS) if environ.get(name)]
    return ", ".join(given) or "certifi's list; SSL_CERT_FILE would name a company's own"


@cache
def _context(file: str, folders: str) -> ssl.SSLContext:
    import ssl

    if not (file or folders):
        import certifi

        file = certifi.where()
    if folders and not any(Path(folder).is_dir() for folder in folders.split(os.pathsep)):
        raise VariableError(FOLDERS, "it names no folder")
    try:
        context = ssl.create_default_context(cafile=file or None, capath=folders or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2  # whatever the system's settings allow
        return context
    except OSError as error:  # of ssl too
        why = error.strerror if not isinstance(error, ssl.SSLError) else "no certificates in it"
        raise VariableError(FILE, f"this file cannot be used: {why}") from None
