"""What kind of file this is, by its first bytes and by nothing else.

A file name, a MIME type and a vendor's word are not asked: a ``.mp3`` may be a playlist, and
FFmpeg left to itself would follow it.
"""

from __future__ import annotations

HEAD = 4096
"""How many bytes `sniff` wants to see."""

_DEMUXERS = (
    (0, b"ID3", "mp3"),
    (0, b"RIFF", "wav"),
    (0, b"RF64", "wav"),
    (0, b"OggS", "ogg"),
    (0, b"fLaC", "flac"),
    (0, b"\x1aE\xdf\xa3", "matroska"),
    (4, b"ftyp", "mp4"),
    (4, b"moov", "mp4"),
    (4, b"mdat", "mp4"),
    (4, b"free", "mp4"),
    (4, b"wide", "mp4"),
    (4, b"skip", "mp4"),
)
_PLAYLISTS = (b"#extm3u", b"ffconcat", b"[playlist]", b"http://", b"https://")
_TEXT = frozenset(range(0x20, 0x7F)) | {0x09, 0x0A, 0x0D}


class Unplayable(Exception):
    """Why a file gives no sound: `reason` is a key of `providers.errors.RECORDING_REASONS`."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


def sniff(head: bytes) -> str:
    """FFmpeg's name of the one demuxer to open a file with. Raises `Unplayable`."""
    if not head:
        raise Unplayable("not_sound", "the file is empty")
    for offset, magic, demuxer in _DEMUXERS:
        if head.startswith(magic, offset) and (demuxer != "wav" or head[8:12] == b"WAVE"):
            return demuxer
    frame = head.lstrip(b"\0")
    if is_mpeg_frame(frame):
        return "mp3"
    if len(frame) > 2 and frame[0] == 0xFF and frame[1] & 0xF6 == 0xF0:
        return "aac"
    raise Unplayable("not_sound", _what_else(head))


def is_mpeg_frame(data: bytes) -> bool:
    """Whether this starts with the header of an MPEG audio frame (MP3, MP2)."""
    return (
        len(data) >= 4
        and data[0] == 0xFF
        and data[1] & 0xE0 == 0xE0
        and data[1] >> 3 & 3 != 1  # version
        and data[1] >> 1 & 3 != 0  # layer
        and data[2] >> 4 not in (0, 15)  # bit rate
        and data[2] >> 2 & 3 != 3  # sample rate
    )


def _what_else(head: bytes) -> str:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:64].lower()
    if start.startswith(_PLAYLISTS):
        return "this is a playlist, not a recording"
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<")):
        return "this is a web page, not a recording"
    if start.startswith((b"{", b"[")):
        return "this is a JSON text, not a recording"
    if all(byte in _TEXT for byte in head[:256]):
        return "this is a text, not a recording"
    return "no known kind of audio file"


def wav_data_lies(head: bytes, size: int | None) -> bool:
    """Whether a WAV header claims more (or no) sound than the file holds.

    Recorders that stream write 0, 0xFFFFFFFF or nonsense there; then only the file's end counts.
    """
    at = head.find(b"data", 12)
    if head[:4] != b"RIFF" or at < 0 or len(head) < at + 8:
        return False
    claimed = int.from_bytes(head[at + 4 : at + 8], "little")
    return claimed == 0 or claimed >= 0xFFFF_0000 or (size is not None and claimed > size - at - 8)
