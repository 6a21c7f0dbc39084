"""Keys of other keyboard layouts: which key of a US keyboard a letter stands on.

Who types Russian or Greek need not switch the layout for `j` and `d`: a letter that no key command
has is taken for the one on the same physical key. Layouts as in Unicode CLDR's keyboards and xkb
(`us`, `ru`, `ua`, `gr`, `il`, `ara`); letters alone, since a sign of another layout may be meant.
"""

from __future__ import annotations

_US = "qwertyuiop[]asdfghjkl;'zxcvbnm,./"
_US_SHIFTED = 'QWERTYUIOP{}ASDFGHJKL:"ZXCVBNM<>?'
_LOWER = (
    "йцукенгшщзхъфывапролджэячсмитьбю ",  # Russian
    "йцукенгшщзхїфівапролджєячсмитьбю ",  # Ukrainian
    " ςερτυθιοπ  ασδφγηξκλ  ζχψωβνμ   ",  # Greek
    "  קראטוןםפ  שדגכעיחלךף זסבהנמצתץ ",  # Hebrew
    "ضصثقفغعهخحجدشسيبلاتنمكطئءؤر ىةوزظ",  # Arabic
)
_NAMES = {
    "[": "left_square_bracket",
    "]": "right_square_bracket",
    ";": "semicolon",
    "'": "apostrophe",
    ",": "comma",
    ".": "full_stop",
    "/": "slash",
    "{": "left_curly_bracket",
    "}": "right_curly_bracket",
    ":": "colon",
    '"': "quotation_mark",
    "<": "less_than_sign",
    ">": "greater_than_sign",
    "?": "question_mark",
}
"""Textual's names of keys that are no letters."""


def _table() -> dict[str, str]:
    found: dict[str, str] = {}
    for layout in _LOWER:
        upper = [char.upper() if len(char.upper()) == 1 else " " for char in layout]
        for letters, keys in ((layout, _US), (upper, _US_SHIFTED)):
            for letter, key in zip(letters, keys, strict=True):
                if letter != " ":
                    found.setdefault(letter, key)  # capitals of scripts without them are there
    return found


_KEYS = _table()


def us_key(character: str | None) -> tuple[str, str] | None:
    """Textual's name of the key that a letter stands on, and what a US keyboard writes with it;
    None for what is no letter of another layout.
    """
    key = _KEYS.get(character or "")
    return (_NAMES.get(key, key), key) if key else None
