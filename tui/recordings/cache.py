"""The folder of recordings that were played, so that a second play needs no network."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections import Counter
from collections.abc import Container
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from providers.model import Call
from tui.archive.interface import CallArchive
from tui.config.paths import open_file, read_file

PEAKS = ".peaks"
"""Ending of the file beside a recording that holds its waveform."""


@dataclass(frozen=True, slots=True)
class RecordingFile:
    """A recording's file: where it lies and its kind by its first bytes (``mp3``, ``mp4`` ...)."""

    path: Path
    kind: str


class RecordingCache:
    """The folder of recordings that were played, so that a second play needs no network."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, account: str, call: Call, index: int) -> RecordingFile | None:
        """The file of one recording, if it is here."""
        if index >= len(call.recordings):
            return None
        for path in self.place(account).glob(f"{file_stem(call, index)}.*"):
            if path.suffix == PEAKS:
                continue
            with suppress(OSError):  # a disk that may only be read
                path.touch()  # the age that counts is since it was last heard
            return RecordingFile(path, path.suffix[1:])
        return None

    def find_peaks(self, account: str, call: Call, index: int) -> bytes | None:
        """What `keep_peaks` kept of one recording, if it is here."""
        try:
            return read_file(self._peaks_file(account, call, index))
        except OSError:
            return None

    def keep_peaks(self, account: str, call: Call, index: int, data: bytes) -> None:
        """Keep a recording's waveform beside it. Raises `OSError`."""
        file = self._peaks_file(account, call, index)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, partial = self.partial()
        try:
            with os.fdopen(handle, "wb") as sink:
                sink.write(data)
            partial.replace(file)
        except OSError:
            partial.unlink(missing_ok=True)
            raise

    def unmeasured(self) -> Counter[str]:
        """How many recordings are here that cannot be measured, by the reason."""
        from tui.audio.peaks import TROUBLE, Peaks

        found: Counter[str] = Counter()
        for path in self._folder.rglob(f"*{PEAKS}"):
            with suppress(OSError, ValueError), os.fdopen(open_file(path), "rb") as file:
                head = file.read(TROUBLE)
                found[Peaks.from_bytes(head).trouble] += 1
        found.pop("", None)
        return found

    def _peaks_file(self, account: str, call: Call, index: int) -> Path:
        return self.place(account) / f"{file_stem(call, index)}{PEAKS}"

    def count(self, account: str) -> int:
        """How many recordings of an account are here."""
        return sum(path.suffix != PEAKS for path in self.place(account).glob("*"))

    def forget(self, account: str, kept: Container[Path] = ()) -> None:
        """Remove every recording of an account but those that are `kept`, as `held_files` says."""
        place = self.place(account)
        for path in place.glob("*"):
            if path.with_suffix("") not in kept:
                path.unlink(missing_ok=True)
        with suppress(OSError):  # some are kept, or there were none
            place.rmdir()

    def held_files(self, archive: CallArchive) -> frozenset[Path]:
        """The recordings of calls on hold that may be here, each without its ending."""
        held = (found for key in archive.held() if (found := archive.call(key)))
        return frozenset(
            self.place(account) / file_stem(call, index)
            for account, call in held
            for index in range(len(call.recordings))
        )

    def place(self, account: str) -> Path:
        return self._folder / hashlib.sha256(account.encode()).hexdigest()[:16]

    def partial(self) -> tuple[int, Path]:
        """A new file for a download to be written to: its handle and its path, 0600."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=".part", dir=self._folder)
        return handle, Path(name)

    def keep(self, partial: Path, account: str, call: Call, index: int, kind: str) -> RecordingFile:
        place = self.place(account)
        place.mkdir(mode=0o700, exist_ok=True)
        path = place / f"{file_stem(call, index)}.{kind}"
        partial.replace(path)
        return RecordingFile(path, kind)

    def sweep(
        self,
        now: float,
        days: int,
        limit_bytes: int = 2 << 30,
        held: Container[Path] = (),
    ) -> int:
        """Remove what was not heard for `days`, and the oldest beyond the size limit; nothing of
        calls on hold (`held_files`).
        """
        removed = 0
        kept = 0
        files = [
            (path.stat(), path)
            for path in self._folder.rglob("*")
            if path.is_file() and path.suffix != PEAKS
        ]
        for info, path in sorted(files, key=lambda item: -item[0].st_mtime):
            if path.with_suffix("") in held:
                continue
            kept += info.st_size
            # a download that a killed program left unfinished is nobody's after a day
            keep_s = 86400 * (min(days, 1) if path.suffix == ".part" else days)
            if now - info.st_mtime > keep_s or kept > limit_bytes:
                path.unlink(missing_ok=True)
                removed += 1
        for path in self._folder.rglob(f"*{PEAKS}"):  # they go with their recording
            if path.with_suffix("") not in held and not any(
                other != path for other in path.parent.glob(f"{path.stem}.*")
            ):
                path.unlink(missing_ok=True)
        return removed


def file_stem(call: Call, index: int) -> str:
    """Names come from ids alone, never from the vendor's file names or addresses."""
    recording = call.recordings[index].id or f"#{index}"
    return hashlib.sha256(f"{call.id}\0{recording}".encode()).hexdigest()[:32]
