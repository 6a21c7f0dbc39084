"""What kind of file this is, by its first bytes and by nothing else.

A file name, a MIME type and a vendor's word are not asked: a ``.mp3`` may be a playlist, and
FFmpeg left to itself would follow it.
"""

from __future__ import annotations

HEAD = 4096
"""How many bytes `sniff` wants to see; a few dozen are enough for all but padded files."""

_MAGIC = (
    (0, b"OggS", "ogg"),
    (0, b"fLaC", "flac"),
    (0, b"\x1aE\xdf\xa3", "webm"),
    (0, b"#!AMR", "amr"),
    (0, b".snd", "au"),
    (0, b"caff", "caf"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "wma"),
    (0, b"riff\x2e\x91\xcf\x11", "w64"),
    (4, b"ftyp", "mp4"),
    (4, b"moov", "mp4"),
    (4, b"mdat", "mp4"),
    (4, b"free", "mp4"),
    (4, b"wide", "mp4"),
    (4, b"skip", "mp4"),
)
_FORMS = {
    **{name: {b"WAVE": "wav"} for name in (b"RIFF", b"RIFX", b"RF64", b"BW64")},
    b"FORM": {b"AIFF": "aiff", b"AIFC": "aiff"},
}
_NAMED = {
    b".RMF": "RealAudio",
    b".ra\xfd": "RealAudio",
    b"MThd": "MIDI",
    b"PK\x03\x04": "a ZIP archive",
    b"%PDF": "a PDF",
    b"\x1f\x8b\x08": "a file packed by gzip",
}
_UNKNOWN = "no known kind of audio file"
_PLAYLISTS = (b"#extm3u", b"ffconcat", b"[playlist]", b"http://", b"https://")
_TEXT = frozenset(range(0x20, 0x7F)) | {0x09, 0x0A, 0x0D}
_MP3_KBITS = {  # by MPEG-1 or not, and by layer
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_MP3_RATES = (44_100, 48_000, 32_000)


def sniff(head: bytes) -> str | None:
    """The container of some sound: ``mp3 mp4 wav ogg flac webm amr aac au aiff wma w64 caf``.

    None for all else. Of a file that begins inside a frame, two frames in a row are asked for.
    """
    behind = behind_tags(head)
    if behind >= len(head) > 0 or (head[:3] == b"ID3" and not behind):
        return "mp3"  # the tag is one that MP3s have
    kind = _by_magic(head[behind:])
    return kind or first_frame(head[behind:])[0] or ("mp3" if behind else None)


def behind_tags(head: bytes) -> int:
    """The byte behind the ID3 tags at the beginning; it may lie beyond `head`."""
    at = 0
    while head[at : at + 3] == b"ID3" and len(head) >= at + 10:
        size = 0
        for byte in head[at + 6 : at + 10]:
            size = size << 7 | byte & 0x7F
        at += 10 + size + (10 if head[at + 5] & 0x10 else 0)
    return at


def _by_magic(head: bytes) -> str | None:
    if (forms := _FORMS.get(head[:4])) is not None:
        return forms.get(head[8:12])
    return next((kind for at, magic, kind in _MAGIC if head.startswith(magic, at)), None)


def first_frame(head: bytes) -> tuple[str | None, int]:
    """The kind of stream whose frames these are, and the byte at which the first one begins.

    Zeros before it are passed over, anything else only where two frames follow each other.
    """
    zeros = len(head) - len(head.lstrip(b"\0"))
    for kind, is_frame in (("mp3", is_mpeg_frame), ("aac", _is_adts)):
        if is_frame(head[zeros : zeros + 4]):
            return kind, zeros
    at = head.find(b"\xff")
    while 0 <= at < len(head) - 4:
        for kind, length in (("mp3", _mpeg_length(head, at)), ("aac", _adts_length(head, at))):
            if length and _same_kind(head[at : at + 4], head[at + length : at + length + 4]):
                return kind, at
        at = head.find(b"\xff", at + 1)
    return None, 0


def _same_kind(one: bytes, other: bytes) -> bool:
    """Whether two headers of frames are of one stream: all but padding and the like is the same."""
    return len(other) == 4 and one[:2] == other[:2] and not (one[2] ^ other[2]) & 0x0C


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


def _mpeg_length(data: bytes, at: int) -> int:
    """Bytes of the MPEG audio frame that begins there; 0 for none."""
    if not is_mpeg_frame(data[at : at + 4]):
        return 0
    version, layer = data[at + 1] >> 3 & 3, 4 - (data[at + 1] >> 1 & 3)
    rate = _MP3_RATES[data[at + 2] >> 2 & 3] >> {3: 0, 2: 1, 0: 2}[version]
    bits = _MP3_KBITS[version == 3, layer][(data[at + 2] >> 4) - 1] * 1000
    samples = 576 if layer == 3 and version != 3 else 1152
    return samples * bits // 8 // rate + (data[at + 2] >> 1 & 1)


def _is_adts(data: bytes) -> bool:
    return len(data) >= 4 and data[0] == 0xFF and data[1] & 0xF6 == 0xF0 and data[2] >> 2 & 15 < 13


def _adts_length(data: bytes, at: int) -> int:
    """Bytes of the AAC frame that begins there; 0 for none."""
    if not _is_adts(data[at : at + 4]) or len(data) < at + 7:
        return 0
    length = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
    return length if length > 7 else 0


def is_undecided(head: bytes) -> bool:
    """Whether more of the file would tell more: it may begin inside a frame, or behind a tag."""
    behind = behind_tags(head)
    if behind:
        return behind + 4 > len(head)
    return sniff(head) is None and what_else(head) == _UNKNOWN


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
    for magic, name in _NAMED.items():
        if head.startswith(magic):
            return f"this is {name}, which cannot be played"
    if all(byte in _TEXT for byte in head[:256]):
        return "this is a text, not a recording"
    return _UNKNOWN
