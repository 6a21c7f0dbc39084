"""Text from outside, made fit for a terminal, one character at a time.

No escape *sequence* is ever recognised: single characters are replaced, so that nothing can be
swallowed by an unfinished sequence, and what is left cannot start one.
"""

from __future__ import annotations

import unicodedata

REPLACEMENT = "\ufffd"
ELLIPSIS = "…"
MAX_MARKS = 4
"""Combining marks kept per base character: enough for Vietnamese and Hebrew, too few for Zalgo."""

_JOINERS = "\u200c\u200d"
_DROPPED = frozenset(
    "\u200e\u200f\u061c\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


def safe_text(value: object, limit: int = 2000, multiline: bool = False) -> str:
    """`value` as text that can neither command a terminal nor reorder what stands beside it.

    Control characters (C0, DEL, C1), lone surrogates and noncharacters become U+FFFD; tab and
    newline become a space (a newline stays with `multiline`); bidirectional controls, line and
    paragraph separators and other format or private characters are dropped. Joiners stay, for
    Persian and for emoji. At most `limit` characters, the last one an ellipsis where more were
    given. ``None`` is the empty text. Idempotent.
    """
    text = "" if value is None else str(value)
    if len(text) > limit:
        text = text[: max(limit - 1, 0)] + ELLIPSIS[:limit]
    if text.isascii() and text.isprintable():
        return text
    kept: list[str] = []
    marks = MAX_MARKS
    for char in text.replace("\r\n", "\n"):
        out, marks = _filtered(char, marks, kept[-1] if kept else "", multiline)
        if out:
            kept.append(out)
    return "".join(kept)


def _filtered(char: str, marks: int, before: str, multiline: bool) -> tuple[str, int]:
    """What `char` becomes after `before`, and how many marks its base has by then."""
    if char == "\n" and multiline:
        return char, MAX_MARKS
    if char in "\t\n":
        return " ", MAX_MARKS
    if char in _DROPPED:
        return "", marks
    if char in _JOINERS:
        # a joiner without a base, or after another one, joins nothing and confuses widths
        return ("" if not before or before in _JOINERS or before.isspace() else char), marks
    category = unicodedata.category(char)
    if category in ("Mn", "Me"):
        return (char, marks + 1) if marks < MAX_MARKS else ("", marks)
    if category in ("Cc", "Cs") or (ord(char) & 0xFFFE) == 0xFFFE or 0xFDD0 <= ord(char) <= 0xFDEF:
        return REPLACEMENT, 0
    if category in ("Cf", "Co", "Zl", "Zp"):
        return "", marks
    return char, (MAX_MARKS if char == " " else 0)
