"""Where a speaker's relay listens, and how a screen of the same person finds it.

A relay's socket is ``speaker-PID-NAME.sock`` (NAME: the listener's machine) in a folder of its
user alone. A relay and a screen need not have the same environment (a login without a terminal
knows less; tmux keeps that of an old one), so the relay takes the first of `folders` that can be
made safe, and a screen looks into all of them.
"""

from __future__ import annotations

import os
import re
import socket
import stat
import struct
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

FOLDER = "RINGBACK_RUNTIME_DIR"
"""The variable that names the one folder to use instead."""
_LONGEST_PATH = 100  # bytes; a socket's address holds 104 on some systems
_PEER = {
    "linux": (socket.SOL_SOCKET, getattr(socket, "SO_PEERCRED", 17), "3i", 1),
    "darwin": (0, 1, "2I", 1),  # SOL_LOCAL, LOCAL_PEERCRED: a version, then the user
}
_NAME = re.compile(r"speaker-(\d{1,10})-([A-Za-z0-9.-]{1,20})\.sock")


def folders(environ: Mapping[str, str]) -> list[Path]:
    """Where relays of this user may listen, the best place first."""
    if given := environ.get(FOLDER):
        return [Path(given)]
    if not hasattr(os, "getuid"):
        return []
    uid = os.getuid()
    home = Path(environ.get("HOME") or os.path.expanduser("~"))
    found = [
        *([Path(runtime) / "ringback"] if os.path.isabs(runtime := _runtime(environ)) else []),
        Path(f"/run/user/{uid}/ringback"),
        Path(tempfile.gettempdir()) / f"ringback-{uid}",
        Path(f"/tmp/ringback-{uid}"),  # noqa: S108  checked by `is_private` like the others
        # somebody else may have been first there: nobody else can be here
        home / ".cache" / "ringback" / f"run-{os.uname().nodename}",
    ]
    return list(dict.fromkeys(found))


def _runtime(environ: Mapping[str, str]) -> str:
    return environ.get("XDG_RUNTIME_DIR", "")


def is_private(folder: Path) -> bool:
    """Whether it is a folder, no link to one, ours, and closed to everybody else."""
    with suppress(OSError):
        about = folder.lstat()
        ours = stat.S_ISDIR(about.st_mode) and about.st_uid == os.getuid()
        return ours and not stat.S_IMODE(about.st_mode) & 0o077
    return False


def private_folder(environ: Mapping[str, str]) -> Path:
    """The folder to listen in, made if need be. Raises `OSError` when there is none."""
    for folder in folders(environ):
        if len(os.fsencode(folder)) > _LONGEST_PATH - len("/speaker-4194304-") - 25:
            continue
        with suppress(OSError):
            if folder.parent.name == "ringback":
                folder.parent.mkdir(0o700, parents=True, exist_ok=True)
            if folder.parent.is_dir():
                folder.mkdir(0o700, exist_ok=True)
        if is_private(folder):
            return folder
    tried = ", ".join(map(str, folders(environ)))
    raise PermissionError(f"no folder that is private to you: {tried}")


def socket_path(folder: Path, name: str) -> Path:
    """The address of this process's relay for the listener's machine `name`."""
    plain = re.sub(r"[^A-Za-z0-9.-]", "-", name.split(".")[0])[:20] or "speaker"
    return folder / f"speaker-{os.getpid()}-{plain}.sock"


def name_of(path: Path | str) -> str:
    """The listener's machine, by its socket's address."""
    match = _NAME.fullmatch(os.path.basename(path))
    return match[2] if match else ""


def speakers(environ: Mapping[str, str]) -> list[Path]:
    """The sockets of the relays that run, the newest first. Takes some microseconds."""
    found: list[tuple[int, Path]] = []
    for folder in folders(environ):
        with suppress(OSError):
            found += _listening(folder)
    return [path for _, path in sorted(found, reverse=True)]


def _listening(folder: Path) -> Iterator[tuple[int, Path]]:
    with os.scandir(folder) as entries:
        if not is_private(folder):
            return
        for entry in entries:
            match = _NAME.fullmatch(entry.name)
            path = Path(entry.path)
            if match and (_runs(int(match[1])) or not remove_stale(path)):
                with suppress(OSError):
                    yield entry.stat(follow_symlinks=False).st_mtime_ns, path


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # somebody else's: the number was given again
        return False
    return True


def remove_stale(path: Path) -> bool:
    """Remove the socket of a relay that died without doing so; whether it was one."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(0.1)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            with suppress(OSError):
                path.unlink()
            return True
        except OSError:
            return False
    return False


def is_mine(connection: socket.socket) -> bool:
    """Whether the other end of a unix socket belongs to this user; true where nobody can say.

    The folder keeps others out; this is the second lock.
    """
    uid = _peer_uid(connection)
    return uid is None or uid == os.getuid()


def _peer_uid(connection: socket.socket) -> int | None:
    # level, option, form, and which of its numbers is the user
    level, option, form, index = _PEER.get(sys.platform, (0, 0, "", 0))
    with suppress(OSError, struct.error, IndexError):
        about = connection.getsockopt(level, option, struct.calcsize(form))
        return int(struct.unpack(form, about)[index])
    return None
