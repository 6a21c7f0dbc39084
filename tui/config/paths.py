"""Where Ringback keeps its files, and with which modes: folders 0700, files 0600."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_NAME = "ringback"
_FOLDER_MODE = 0o700
_FILE_MODE = 0o600


@dataclass(frozen=True, slots=True)
class Paths:
    """The five folders, and the files in them that have one home."""

    config: Path
    data: Path
    cache: Path
    state: Path
    runtime: Path
    """Sockets and short-lived files; gone after a reboot where the system has such a place."""

    @classmethod
    def default(cls, environ: Mapping[str, str] = os.environ) -> Paths:
        """The user's folders: by `RINGBACK_HOME`, else the XDG variables, else the system's way.

        Raises OSError: the system knows no home of that user.
        """
        try:
            return cls._of(environ)
        except RuntimeError:
            home, why = environ.get("RINGBACK_HOME", "~"), "No such home; set HOME or RINGBACK_HOME"
            raise FileNotFoundError(errno.ENOENT, why, home) from None

    @classmethod
    def _of(cls, environ: Mapping[str, str]) -> Paths:
        if home := environ.get("RINGBACK_HOME"):
            return cls.under(Path(home))
        from platformdirs import PlatformDirs

        dirs = PlatformDirs(_NAME, appauthor=False)
        cache = _xdg(environ, "XDG_CACHE_HOME") or dirs.user_cache_path
        return cls(
            config=_xdg(environ, "XDG_CONFIG_HOME") or dirs.user_config_path,
            data=_xdg(environ, "XDG_DATA_HOME") or dirs.user_data_path,
            cache=cache,
            state=_xdg(environ, "XDG_STATE_HOME") or dirs.user_state_path,
            # never a shared folder such as /tmp: another user could be there first
            runtime=_xdg(environ, "XDG_RUNTIME_DIR") or cache / "run",
        )

    @classmethod
    def under(cls, home: Path) -> Paths:
        """All five in one folder, as the demo and the tests have them."""
        home = home.expanduser().absolute()
        return cls(*(home / name for name in ("config", "data", "cache", "state", "run")))

    @property
    def config_file(self) -> Path:
        return self.config / "config.toml"

    @property
    def archive_file(self) -> Path:
        return self.data / "archive.db"

    @property
    def origins_file(self) -> Path:
        """Where each account's token may go; see `tui.config.token_origins`."""
        return self.data / "origins.json"

    @property
    def received(self) -> Path:
        """Webhooks' bodies that are not in the archive yet; see `tui.receive`."""
        return self.data / "received"

    @property
    def receive_secret(self) -> Path:
        """What a vendor's webhook must name."""
        return self.data / "receive-secret"

    @property
    def recordings(self) -> Path:
        """Recordings that were asked for, and stay."""
        return self.data / "recordings"

    @property
    def cached_recordings(self) -> Path:
        """Recordings that were played; they may go at any time."""
        return self.cache / "recordings"

    @property
    def log_file(self) -> Path:
        return self.state / "ringback.log"

    @property
    def audit_file(self) -> Path:
        """Who played, downloaded, exported, revealed and purged what; see `tui.audit_log`."""
        return self.state / "audit.jsonl"

    def folders(self) -> tuple[Path, ...]:
        """All that `make` makes."""
        return (self.config, self.data, self.cache, self.state, self.runtime, self.recordings)

    def make(self) -> None:
        """Create what is missing and repair what others could read.

        Raises OSError when a folder cannot be made. A mode that may not be changed (a config
        file in a read-only store) is not an error; `loose` tells of it.
        """
        for folder in self.folders():
            _make_folder(folder)
        if os.name != "posix":
            return
        for path, _, wanted in self._wrong_modes():
            with suppress(OSError):
                path.chmod(wanted)

    def loose(self) -> list[str]:
        """One line for each folder or file that others may read or write, for `doctor`."""
        if os.name != "posix":
            return []
        return [
            f"{path} has mode {mode:04o}; it should be {wanted:04o}"
            for path, mode, wanted in self._wrong_modes()
        ]

    def _wrong_modes(self) -> Iterator[tuple[Path, int, int]]:
        kept = [(folder, _FOLDER_MODE) for folder in self.folders()]
        for folder in (self.config, self.data, self.state):  # recordings: too many to ask each
            with suppress(OSError):
                kept += [(entry, _FILE_MODE) for entry in folder.iterdir() if entry.is_file()]
        for path, wanted in kept:
            with suppress(OSError):
                mode = stat.S_IMODE(path.stat().st_mode)
                if mode & 0o077:
                    yield path, mode, wanted


def _xdg(environ: Mapping[str, str], variable: str) -> Path | None:
    """The specification has relative values ignored."""
    value = environ.get(variable, "")
    return Path(value) / _NAME if os.path.isabs(value) else None


def _make_folder(folder: Path) -> None:
    """mkdir's own `parents=True` would give the parents the umask's mode, not 0700."""
    for missing in reversed([folder, *folder.parents]):
        if not missing.exists():
            missing.mkdir(_FOLDER_MODE, exist_ok=True)
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is not a folder")


def private_umask() -> None:
    """From here on this process makes files that only its user can read."""
    os.umask(0o077)


def open_file(path: Path, flags: int = os.O_RDONLY) -> int:
    """Open one of Ringback's own files; made 0600 where `flags` say so.

    A pipe without an end or a device in its place is refused, for nobody can wait for it; the null
    device is an empty file. Raises OSError.
    """
    handle = os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o600)
    found = os.fstat(handle)
    if stat.S_ISREG(found.st_mode) or os.path.samestat(found, os.stat(os.devnull)):
        return handle
    os.close(handle)
    raise _no_file(path)


def _no_file(path: Path) -> OSError:
    if path.is_dir():
        return OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    return OSError(errno.EINVAL, "It is not a file", str(path))


def read_file(path: Path) -> bytes:
    """All of a file that `open_file` opens. Raises OSError."""
    with os.fdopen(open_file(path), "rb") as file:
        return file.read()


def atomic_write(path: Path, text: str) -> None:
    """Replace a file's content at once, 0600; a reader sees the old text or the new, no mixture.

    A symbolic link stays one: its target is replaced, unless that is a device or a pipe. Raises
    OSError; the old file is then whole.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise _no_file(target)
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:  # binary: the user's line ends are kept
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Makes the rename itself survive a power cut; not every system lets a folder be opened."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
