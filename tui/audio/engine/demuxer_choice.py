"""Which demuxer opens a file: decided by `providers.sniff`, never left to FFmpeg's guess."""

from __future__ import annotations

from providers.sniff import HEAD, behind_tags, first_frame, sniff, what_else

__all__ = ["HEAD", "Unplayable", "behind_tags", "demuxer_for", "first_frame", "sniff"]

_DEMUXERS = {"webm": "matroska", "wma": "asf"}
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
