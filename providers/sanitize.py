"""Text from outside, made fit for a terminal, one character at a time.

No escape *sequence* is ever recognised: single characters are replaced, so that nothing can be
swallowed by an unfinished sequence, and what is left cannot start one.
"""

from __future__ import annotations

import json
import re
import unicodedata
from functools import partial

REPLACEMENT = "\ufffd"
ELLIPSIS = "…"
SAID = 200
"""Characters of what a vendor said that stand in a message."""
MAX_MARKS = 4
"""Combining marks kept per base character: enough for Vietnamese and Hebrew, too few for Zalgo."""

_ZWNJ, _ZWJ, _EMOJI_STYLE = "\u200c", "\u200d", "\ufe0f"
_BIDI = "\u200e\u200f\u061c\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_LETTERS = (
    " -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0482\u2010-\u2027\u2100-\u2bff"
    "\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3\ufffd"
)

ORDINARY = re.compile(f"[{_LETTERS}]*")
"""Letters, digits and signs that need no look: most text is nothing else. Terminals agree about
their widths; about those of vowel signs and of joined pictures they do not.
"""
_ODD = re.compile(f"[^{_LETTERS}]+")

_STEERING = re.compile(f"[\x00-\x1f\x7f-\x9f\ud800-\udfff{_BIDI}]")
"""What no terminal may ever be sent as text: all that steers one begins with such a character."""


def safe_text(value: object, limit: int = 2000, multiline: bool = False) -> str:
    """`value` as text that can neither command a terminal nor reorder what stands beside it.

    Control characters (C0, DEL, C1), lone surrogates and noncharacters become U+FFFD; tab and
    newline become a space (a newline stays with `multiline`); bidirectional controls, line and
    paragraph separators and other format or private characters are dropped. Joiners stay where
    they mean something: between letters (ZWNJ, as in Persian) and inside an emoji (ZWJ). At most
    `limit` characters, the last one an ellipsis where more were given. ``None`` is the empty
    text. Idempotent.
    """
    text = "" if value is None else str(value)
    if len(text) > limit:
        text = text[: max(limit - 1, 0)] + ELLIPSIS[:limit]
    if ORDINARY.fullmatch(text):
        return text
    return _ODD.sub(partial(_cleaned, multiline=multiline), text.replace("\r\n", "\n"))


def safe_json(text: str) -> str:
    """JSON text that means the same, with JSON's own escapes for whatever `safe_text` would
    change of it; its newlines stay. `safe_text` leaves the answer as it is.
    """
    return _ODD.sub(partial(_cleaned, multiline=True, as_json=True), text)


def guarded(text: str) -> str:
    """`text` without what steers a terminal, as wide as it was: these have no width of their own,
    but for surrogates, which become U+FFFD.
    """
    return _STEERING.sub(lambda odd: REPLACEMENT if "\ud800" <= odd[0] <= "\udfff" else "", text)


def _cleaned(odd: re.Match[str], multiline: bool, as_json: bool = False) -> str:
    """What becomes of a run of characters that are not ordinary."""
    text, (start, stop) = odd.string, odd.span()
    before = text[max(start - 1, 0) : start]
    marks = 0 if before.strip(" ") else MAX_MARKS
    kept: list[str] = []
    for at in range(start, stop):
        char = text[at]
        if char in (_ZWNJ, _ZWJ):
            out = char if before and _joins(before, char, text[at + 1 : at + 2] or " ") else ""
        else:
            out, marks = _filtered(char, marks, multiline)
        if as_json and out != char:
            out = json.dumps(char)[1:-1]
        if out:
            kept.append(out)
            before = out[-1]
    return "".join(kept)


def _joins(before: str, joiner: str, after: str) -> bool:
    """Whether a joiner joins anything here; elsewhere terminals disagree about its width."""
    if joiner == _ZWNJ:
        return before.isalpha() and after.isalpha()
    emoji = unicodedata.category(before) in ("So", "Sk") or before == _EMOJI_STYLE
    return emoji and before != REPLACEMENT and unicodedata.category(after) == "So"


def _filtered(char: str, marks: int, multiline: bool) -> tuple[str, int]:
    """What `char` becomes, and how many marks the character before the next one has by then."""
    if char == "\n" and multiline:
        return char, MAX_MARKS
    if char in "\t\n":
        return " ", MAX_MARKS
    if char in _BIDI:
        return "", marks
    category = unicodedata.category(char)
    if category in ("Mn", "Me"):
        return (char, marks + 1) if marks < MAX_MARKS else ("", marks)
    if category in ("Cc", "Cs") or (ord(char) & 0xFFFE) == 0xFFFE or 0xFDD0 <= ord(char) <= 0xFDEF:
        return REPLACEMENT, 0
    if category in ("Cf", "Co", "Zl", "Zp"):
        return "", marks
    return char, (MAX_MARKS if char == " " else 0)
