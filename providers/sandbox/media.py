"""The recordings: who may be heard where, in which format, and what is wrong with a few.

Every file has an address that cannot be guessed, and is made when it is first asked for. About
one in forty has one of `TRAITS`, so that every reason for hearing nothing can be met.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from providers.sandbox import speech
from providers.sandbox.server import Answer, Request
from providers.sandbox.world import Call, Leg

LONGEST_S = 600
"""A recorder starts a new file after ten minutes."""
CACHE_BYTES = 64_000_000
TRAITS = ("refused", "moved", "missing", "page", "cut", "gone", "dropped", "untyped", "empty")
_TRAIT_EVERY = 40
_LOST = {"refused": 403, "missing": 404, "gone": 410}
_PAGE = b"""<!doctype html><html><head><title>Sign in</title></head>
<body><h1>Your session has expired</h1><form action="/login"></form></body></html>"""
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True, slots=True)
class Sound:
    """One file: everything that its bytes depend on, and what is wrong with it."""

    path: str
    number: int
    seconds: int
    style: str
    speakers: tuple[int, int]
    voicemail: bool = False
    trait: str = ""

    @property
    def private(self) -> bool:
        """Whether the vendor's own origin keeps it, behind the token."""
        return self.path.startswith("/files/")

    @property
    def signed(self) -> str:
        """Path and query of an address that needs no token."""
        return f"{self.path}?signature={self.number:08x}"

    @property
    def mime(self) -> str:
        return speech.STYLES[self.style].mime

    @property
    def size(self) -> int:
        """About how many bytes, as a vendor would state it."""
        return self.seconds * speech.STYLES[self.style].bits_per_s // 8


@dataclass(frozen=True, slots=True)
class Take:
    """A stretch of a call that became one file: seconds from the call's start."""

    leg: Leg | None
    transfer: bool
    start_s: int
    seconds: int


def takes(call: Call) -> Iterator[Take]:
    """The files of a recorded call: one for each leg, a new one every ten minutes."""
    if not call.recorded:
        return
    legs = call.legs if call.outcome == "answered" else ()
    parts: list[tuple[Leg | None, int, int]]
    parts = [(leg, leg.start_s, leg.talk_s) for leg in legs] or [(None, call.wait_s, call.talk_s)]
    for number, (leg, start, length) in enumerate(parts):
        for done in range(0, length, LONGEST_S):
            yield Take(leg, number > 0, start + done, min(LONGEST_S, length - done))


class Library:
    """One vendor's recordings by path."""

    def __init__(self, seed: int, vendor: str) -> None:
        self._seed, self._vendor = seed, vendor
        self.sounds: dict[str, Sound] = {}
        self._count = 0

    def secret(self, *of: object) -> str:
        """Thirty-two hexadecimal digits that nobody guesses and that are always the same."""
        text = ":".join(map(str, (self._seed, self._vendor, *of)))
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def add(self, path: str, call: Call, take: Take, style: str) -> Sound:
        """A new file at `path`, where ``{secret}`` stands for what cannot be guessed."""
        self._count += 1
        place, rest = divmod(self._count, _TRAIT_EVERY)
        wrong = rest == _TRAIT_EVERY // 2 and not call.heard
        secret = self.secret(call.index, take.start_s)
        listener = take.leg.agent.voice if take.leg else call.index
        sound = Sound(
            path=path.format(secret=secret),
            number=int(secret[:8], 16),
            seconds=take.seconds,
            style=style,
            speakers=_voices(listener, call.customer.number),
            voicemail=call.outcome == "voicemail",
            trait=TRAITS[place % len(TRAITS)] if wrong else "",
        )
        self.sounds[sound.path] = sound
        return sound


def _voices(agent: int, customer: int) -> tuple[int, int]:
    """Two voices that can be told apart."""
    first, second = agent % speech.VOICES, (customer * 3 + 1) % speech.VOICES
    return first, second if second != first else (second + 1) % speech.VOICES


class Files:
    """The bytes of recordings, made on demand; the latest stay in memory."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Sound, bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._making: defaultdict[Sound, threading.Lock] = defaultdict(threading.Lock)

    def read(self, sound: Sound) -> bytes:
        """The whole file, undamaged."""
        found = self._find(sound)
        if found is None:
            with self._lock:
                making = self._making[sound]
            with making:
                found = self._find(sound) or self._keep(sound, make(sound))
        return found

    def has(self, sound: Sound) -> bool:
        """Whether the file need not be made first."""
        return self._find(sound) is not None

    def _find(self, sound: Sound) -> bytes | None:
        with self._lock:
            if sound in self._kept:
                self._kept.move_to_end(sound)
            return self._kept.get(sound)

    def _keep(self, sound: Sound, data: bytes) -> bytes:
        with self._lock:
            self._kept[sound] = data
            while sum(map(len, self._kept.values())) > CACHE_BYTES and len(self._kept) > 1:
                self._kept.popitem(last=False)
        return data


def make(sound: Sound) -> bytes:
    """A recording's bytes: the same for the same `Sound`, whatever was made before."""
    sides = speech.conversation(
        sound.number, sound.seconds, sound.speakers, voicemail=sound.voicemail
    )
    return speech.encode(sides, speech.STYLES[sound.style])


def serve(
    request: Request, sounds: Mapping[str, Sound], files: Files, *, trusted: bool = False
) -> Answer:
    """A recording's file, or part of it (RFC 9110: Range, ETag, If-Range), or what is wrong.

    A private file is for requests that are `trusted`, or that come by its signed address.
    """
    if request.method not in ("GET", "HEAD"):
        return _plain(405, "method not allowed")
    sound = sounds.get(request.path)
    if sound is None:
        return _plain(404, "no such file")
    signed = request.first("signature") == f"{sound.number:08x}"
    if sound.private and not (trusted or signed):
        return _plain(403, "forbidden")
    if sound.trait in _LOST:
        return _plain(_LOST[sound.trait], sound.trait)
    if sound.trait == "page":
        return Answer(200, _PAGE, {"Content-Type": "text/html; charset=utf-8"})
    if sound.trait == "moved" and not signed:
        return Answer(302, b"", {"Location": sound.signed})
    data = b"" if sound.trait == "empty" else files.read(sound)
    if sound.trait == "cut":
        data = data[: len(data) * 55 // 100]
    return _ranged(request, data, sound)


def _ranged(request: Request, data: bytes, sound: Sound) -> Answer:
    etag = f'"{hashlib.blake2b(data, digest_size=8).hexdigest()}"'
    mime = "application/octet-stream" if sound.trait == "untyped" else sound.mime
    headers = {"Content-Type": mime, "Accept-Ranges": "bytes", "ETag": etag}
    match = _RANGE.fullmatch(request.headers.get("range", ""))
    if match is None or not (match[1] or match[2]) or request.headers.get("if-range", etag) != etag:
        dropped = len(data) // 2 if sound.trait == "dropped" else None
        return Answer(200, data, headers, send=dropped)
    first = int(match[1]) if match[1] else max(0, len(data) - int(match[2]))
    last = min(len(data) - 1, int(match[2])) if match[1] and match[2] else len(data) - 1
    if first > last:
        return Answer(416, b"", headers | {"Content-Range": f"bytes */{len(data)}"})
    headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
    return Answer(206, data[first : last + 1], headers)


def _plain(status: int, text: str) -> Answer:
    return Answer(status, text.encode(), {"Content-Type": "text/plain"})
