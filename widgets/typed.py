"""What a terminal sends, as the keys that were typed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from textual._xterm_parser import XTermParser
from textual.events import Key
from textual.message import Message

ESC = "\x1b"
_BEHIND = re.compile(r"(?<=\x1b)(?![\x1b\[O\]P_]|\Z)")
"""Behind an esc that begins no sequence."""
_WORDS = re.compile(r"(?:\x1b[bf\x7f])+")
"""As terminals send alt with an arrow or backspace, which go over words."""


class TypedParser(XTermParser):
    """esc is a key of its own also where another key arrives with it, in one write or over a slow
    line. Textual takes the two for one with alt, which is lost, or for the second alone.
    """

    def __init__(self, edits: Callable[[], bool], debug: bool = False) -> None:
        super().__init__(debug)
        self._edits = edits
        """Whether a text is being edited, in which alt goes over words."""
        self._last = ""

    def feed(self, data: str) -> Iterable[Message]:
        if self._last == ESC and _BEHIND.match(ESC + data, 1):
            yield from self._end_wait()
        self._last = data[-1:]
        whole = _WORDS.fullmatch(data) and self._edits()
        *ended, rest = [data] if whole else _BEHIND.split(data)
        for piece in ended:
            yield from super().feed(piece)
            yield from self._end_wait()
        yield from super().feed(rest)

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[Key]:
        # enter, as a terminal sends it that was not taken over yet, and as macros write it
        return super()._sequence_to_key_events("\r" if sequence == "\n" else sequence, alt)

    def _end_wait(self) -> Iterable[Message]:
        """Nothing more belongs to an esc."""
        if self._timeout_time is not None:
            self._timeout_time = 0.0
            yield from self.tick()
