"""Which demuxer opens a file: decided by `providers.sniff`, never left to FFmpeg's guess."""

from __future__ import annotations

from providers.sniff import HEAD, sniff, what_else

__all__ = ["HEAD", "Unplayable", "demuxer_for", "wav_data_lies"]

_DEMUXERS = {"webm": "matroska"}
"""Where FFmpeg's name differs from ours."""


class Unplayable(Exception):
    """Why a file gives no sound: `reason` is a key of `providers.errors.RECORDING_REASONS`."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


def demuxer_for(head: bytes) -> str:
    """FFmpeg's name of the one demuxer to open a file with. Raises `Unplayable`."""
    kind = sniff(head)
    if kind is None:
        raise Unplayable("not_sound", what_else(head))
    return _DEMUXERS.get(kind, kind)


def wav_data_lies(head: bytes, size: int | None) -> bool:
    """Whether a WAV header claims more (or no) sound than the file holds.

    Recorders that stream write 0, 0xFFFFFFFF or nonsense there; then only the file's end counts.
    """
    at = head.find(b"data", 12)
    if head[:4] != b"RIFF" or at < 0 or len(head) < at + 8:
        return False
    claimed = int.from_bytes(head[at + 4 : at + 8], "little")
    return claimed == 0 or claimed >= 0xFFFF_0000 or (size is not None and claimed > size - at - 8)
