"""The audit log: who played, downloaded, exported, revealed, held or purged what, and when.

One JSON object a line in the state folder, 0600, only ever appended to. It holds names of calls
(``account:id``) and counts: no number, no person's name, no query, no address and no token, so
that a purge need not touch it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from tui.config.paths import Paths, open_file

PLAY, DOWNLOAD, EXPORT, REVEAL, PURGE = ("play", "download", "export", "reveal", "purge")
HOLD, RELEASE = ("hold", "release")
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT
_FLAGS |= getattr(os, "O_NOFOLLOW", 0)  # a planted link is not followed


def who() -> str:
    """The system's name of the user that this process runs as, whatever the environment says."""
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        return os.environ.get("USERNAME", "") or "unknown"


def record(paths: Paths, act: str, **what: Any) -> bool:
    """Append one line; whether that worked. Never raises: no act fails for want of its line.

    One short write to a local file, without waiting for the disk.
    """
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    entry = {"at": now, "who": who(), "act": act, **what}
    line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
    with suppress(OSError):
        handle = open_file(paths.audit_file, _FLAGS)
        try:
            # with O_APPEND the lines of several Ringbacks do not mix
            return os.write(handle, line) == len(line)
        finally:
            os.close(handle)
    return False


def record_holds(
    paths: Paths, calls: Iterable[tuple[str, str]], kinds: Iterable[str], undone: bool = False
) -> None:
    """Append a line for each call (account and id) that changes of these kinds put on hold or
    released; `undone`: they were taken back.
    """
    acts = [kind for kind in kinds if kind in (HOLD, RELEASE)]
    taken_back = {"undone": True} if undone else {}
    for account, id_ in calls if acts else ():
        for act in acts:
            record(paths, act, call=f"{account}:{id_}", **taken_back)


def entries(paths: Paths, since: datetime | None = None) -> Iterator[dict[str, Any]]:
    """The lines from `since` on, oldest first; one that a full disk cut off is left out."""
    first = since.astimezone(UTC).isoformat(timespec="milliseconds")[:23] if since else ""
    try:
        file = open_file(paths.audit_file)
        with os.fdopen(file, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                with suppress(ValueError):
                    entry = json.loads(line)
                    if isinstance(entry, dict) and str(entry.get("at", "")) >= first:
                        yield entry
    except FileNotFoundError:
        return


def line_text(entry: dict[str, Any]) -> str:
    """``2026-11-02T09:30:00.000Z  ben  play  desk:12``."""
    rest = {key: value for key, value in entry.items() if key not in ("at", "who", "act", "call")}
    words = [str(entry.get(name, "")) for name in ("at", "who", "act", "call")]
    words += [f"{key}={_value_text(value)}" for key, value in rest.items()]
    return "  ".join(filter(None, words))


def _value_text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
