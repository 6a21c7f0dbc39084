"""The log: one rotating file, 0600, without tokens, phone numbers or the queries of addresses."""

from __future__ import annotations

import logging
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from providers.base import Secret
from providers.sanitize import safe_text
from tui.config.paths import open_file

if TYPE_CHECKING:
    from tui.config.paths import Paths

_SIZE = 1_000_000
_KEPT = 3
_SHORTEST = 4  # a shorter "token" would blank half the log and protects nothing
_LOUD = ("httpx", "httpcore", "hpack", "asyncio", "keyring", "PIL", "markdown_it")

_secrets: set[str] = set()

_HEADER = re.compile(
    r"""(?ix)\b(x-api-key|access-token|authorization|api[-_]?key|token|secret|password)
    (["']?\s*[:=]\s*["']?)(?:bearer\s+)?[^\s"',;}\])]+"""
)
_BEARER = re.compile(r"(?i)\bbearer\s+[\w.~+/=-]{4,}")
_USERINFO = re.compile(r"(?i)\b(https?://)[^\s/?#@\"'<>]*@")
_QUERY = re.compile(r"(?i)\b(https?://[^\s?#\"'<>]+)[?#][^\s\"'<>]*")
_PHONE = re.compile(
    r"""(?x)
    (?<![\w.:/-])
    (?! \d{4}-\d\d-\d\d | \d{1,3}(?:\.\d{1,3}){3} )   # a date, an address
    (?: \+\d (?:[\s().-]{0,2}\d){6,14}                # +852 2345 6789
      | \(?\d{2,5}\)? (?:[\s().-]{1,2}\d{2,5}){1,4}   # (415) 555-2671, 020 7946 0018
      | \d{8,15} )
    (?![\w:]|[.-]\d)"""
)


def redact(secret: Secret) -> None:
    """From now on this token is blanked in whatever this process logs."""
    _secrets.update(secret.forms(_SHORTEST))


def scrub(text: str) -> str:
    """Text without registered tokens, credentials, URL queries and all but 4 digits of numbers."""
    for value in sorted(_secrets, key=len, reverse=True):
        text = text.replace(value, "***")
    text = _HEADER.sub(r"\1\2***", text)
    text = _BEARER.sub("Bearer ***", text)
    text = _USERINFO.sub(r"\1", text)
    text = _QUERY.sub(r"\1?…", text)
    return _PHONE.sub(_last_four, text)


def _last_four(match: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", match[0])
    return f"…{digits[-4:]}" if len(digits) >= 7 else match[0]


class ScrubbingFormatter(logging.Formatter):
    """Scrubs the finished line, so that arguments and tracebacks are scrubbed as well."""

    def __init__(self) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        # the time goes in front afterwards: to a phone number's pattern it looks like one
        lines = scrub(super().format(record)).split("\n")
        stamp = self.formatTime(record, "%Y-%m-%dT%H:%M:%S")
        return f"{stamp}.{int(record.msecs):03d} " + "\n  ".join(map(safe_text, lines))


def setup_log(paths: Paths, *, debug: bool = False) -> logging.Handler:
    """Send this process's log to the state folder. Raises OSError when it cannot be written.

    A second call replaces the first.
    """
    handler = _handler(paths.log_file)
    handler.setFormatter(ScrubbingFormatter())
    root = logging.getLogger()
    for old in [kept for kept in root.handlers if kept.get_name() == handler.get_name()]:
        root.removeHandler(old)
        with suppress(OSError):  # its last lines find no room
            old.close()
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if debug else logging.INFO)
    for name in _LOUD:  # httpx prints whole addresses at INFO, httpcore headers at DEBUG
        logging.getLogger(name).setLevel(logging.WARNING)
    return handler


def clean_last_resort() -> None:
    """Where no log is kept, the little that must be said goes to standard error, as clean."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(ScrubbingFormatter())


def try_log(paths: Paths, *, debug: bool = False) -> str:
    """`setup_log`, where it is no reason to stop that there can be no log; why there is none."""
    try:
        setup_log(paths, debug=debug)
        return ""
    except OSError as error:
        return f"{paths.log_file}: {error.strerror or 'cannot be written'}"


def _handler(path: Path) -> logging.Handler:
    from logging.handlers import RotatingFileHandler

    class PrivateFile(RotatingFileHandler):
        """0600 from its first byte, and never through a planted symbolic link."""

        def _open(self) -> TextIO:  # type: ignore[override]
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
            return os.fdopen(open_file(path, flags), "a", encoding="utf-8")

        def handleError(self, record: logging.LogRecord) -> None:
            """A full disk must not print a traceback over the screen."""

    handler = PrivateFile(path, maxBytes=_SIZE, backupCount=_KEPT, encoding="utf-8", delay=False)
    handler.set_name("ringback")
    return handler


def log_failure(paths: Paths, what: str, error: BaseException) -> str:
    """One entry for an error that costs a part of the work: its traceback without local
    variables. Why it could not be kept, if so.
    """
    kept = {getattr(one, "baseFilename", "") for one in logging.getLogger().handlers}
    trouble = "" if os.path.abspath(paths.log_file) in kept else try_log(paths)
    if not trouble:
        info: Any = (type(error), error, error.__traceback__)
        logging.getLogger("ringback").error("%s: an error", what, exc_info=info)
    return trouble


def log_crash(error: BaseException) -> None:
    """One entry for an error that ends the program: its traceback without local variables."""
    info: Any = (type(error), error, error.__traceback__)
    logging.getLogger("ringback").critical("ended by an error", exc_info=info)
