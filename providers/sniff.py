"""What kind of file this is, by its first bytes and by nothing else.

A file name, a MIME type and a vendor's word are not asked: a ``.mp3`` may be a playlist, and
FFmpeg left to itself would follow it.
"""

from __future__ import annotations

HEAD = 4096
"""How many bytes `sniff` wants to see; a few dozen are enough for all but padded files."""

_MAGIC = (
    (0, b"ID3", "mp3"),
    (0, b"OggS", "ogg"),
    (0, b"fLaC", "flac"),
    (0, b"\x1aE\xdf\xa3", "webm"),
    (0, b"#!AMR", "amr"),
    (4, b"ftyp", "mp4"),
    (4, b"moov", "mp4"),
    (4, b"mdat", "mp4"),
    (4, b"free", "mp4"),
    (4, b"wide", "mp4"),
    (4, b"skip", "mp4"),
)
_PLAYLISTS = (b"#extm3u", b"ffconcat", b"[playlist]", b"http://", b"https://")
_TEXT = frozenset(range(0x20, 0x7F)) | {0x09, 0x0A, 0x0D}


def sniff(head: bytes) -> str | None:
    """The container of some sound: ``mp3 mp4 wav ogg flac webm amr aac``; None for all else."""
    if head[:4] in (b"RIFF", b"RF64"):
        return "wav" if head[8:12] == b"WAVE" else None
    for offset, magic, kind in _MAGIC:
        if head.startswith(magic, offset):
            return kind
    frame = head.lstrip(b"\0")
    if is_mpeg_frame(frame):
        return "mp3"
    return "aac" if _is_adts(frame) else None


def is_mpeg_frame(data: bytes) -> bool:
    """Whether this starts with the header of an MPEG audio frame (MP3, MP2)."""
    return (
        len(data) >= 4
        and data[0] == 0xFF
        and data[1] & 0xE0 == 0xE0
        and data[1] >> 3 & 3 != 1  # version
        and data[1] >> 1 & 3 in (1, 2)  # layer III, layer II
        and data[2] >> 4 not in (0, 15)  # bit rate
        and data[2] >> 2 & 3 != 3  # sample rate
    )


def _is_adts(data: bytes) -> bool:
    return len(data) >= 4 and data[0] == 0xFF and data[1] & 0xF6 == 0xF0 and data[2] >> 2 & 15 < 13


def what_else(head: bytes) -> str:
    """In words, what a file is that is not sound."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:64].lower()
    if not head:
        return "the file is empty"
    if start.startswith(_PLAYLISTS):
        return "this is a playlist, not a recording"
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<")):
        return "this is a web page, not a recording"
    if start.startswith((b"{", b"[")):
        return "this is a JSON text, not a recording"
    if all(byte in _TEXT for byte in head[:256]):
        return "this is a text, not a recording"
    return "no known kind of audio file"
