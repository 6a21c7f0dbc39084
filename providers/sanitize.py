"""Text from outside, made fit for a terminal, one character at a time.

No escape *sequence* is ever recognised: single characters are replaced, so that nothing can be
swallowed by an unfinished sequence, and what is left cannot start one.
"""

from __future__ import annotations

import re
import unicodedata

REPLACEMENT = "\ufffd"
ELLIPSIS = "…"
MAX_MARKS = 4
"""Combining marks kept per base character: enough for Vietnamese and Hebrew, too few for Zalgo."""

_ZWNJ, _ZWJ, _EMOJI_STYLE = "\u200c", "\u200d", "\ufe0f"
_DROPPED = frozenset(
    "\u200e\u200f\u061c\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)

ORDINARY = re.compile(
    "[ -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0482\u2010-\u2027\u2100-\u2bff"
    "\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3\ufffd]*"
)
"""Letters, digits and signs that need no look: most text is nothing else. Terminals agree about
their widths; about those of vowel signs and of joined pictures they do not.
"""


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
    kept: list[str] = []
    marks = MAX_MARKS
    text = text.replace("\r\n", "\n")
    for char, after in zip(text, text[1:] + " ", strict=True):
        if char in (_ZWNJ, _ZWJ):
            out = char if kept and _joins(kept[-1], char, after) else ""
        else:
            out, marks = _filtered(char, marks, multiline)
        if out:
            kept.append(out)
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
    if char in _DROPPED:
        return "", marks
    category = unicodedata.category(char)
    if category in ("Mn", "Me"):
        return (char, marks + 1) if marks < MAX_MARKS else ("", marks)
    if category in ("Cc", "Cs") or (ord(char) & 0xFFFE) == 0xFFFE or 0xFDD0 <= ord(char) <= 0xFDEF:
        return REPLACEMENT, 0
    if category in ("Cf", "Co", "Zl", "Zp"):
        return "", marks
    return char, (MAX_MARKS if char == " " else 0)
