"""One key for a phone number, however a vendor writes it, so that calls of all vendors meet."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from tui.query.text_cache import cached

MIN_DIGITS = 7
"""Shorter numbers are extensions or service codes: the same one names others elsewhere."""
LONGEST = 200
"""Characters of a number, a SIP address among them; what stands behind them is none of it."""
WITHHELD = frozenset({"266696687", "7378742833", "2562533", "8656696", "86282452253"})
"""Anonymous, restricted, blocked, unknown, unavailable: as networks spell them on a keypad."""


def digits(text: str) -> str:
    """The digits of a text, whichever script they are written in."""
    if text.isascii():
        return "".join(filter(str.isdecimal, text))
    return "".join(str(unicodedata.decimal(char)) for char in text if char.isdecimal())


_KEYS = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")
_VANITY = re.compile(r"(?P<lead>[+(]*\d[\d\s().-]*)[a-z][a-z\d\s.-]*", re.I)
_SCHEME = re.compile(r"(?:sips?|tel):", re.I)


def is_vanity(text: str) -> bool:
    """Whether letters of a text stand for digits: ``1-800-FLOWERS``. Digits come first, three at
    least, and there are as many in all as a number has.
    """
    match = _VANITY.fullmatch(text.strip()) if text.isascii() else None
    if match is None:
        return False
    count = sum(map(str.isalnum, text))
    return len(digits(match["lead"])) >= 3 and MIN_DIGITS <= count <= 15


@cached(8192)  # a company's own numbers come with every call
def dialled(number: str) -> str:
    """The digits that a number is: of a SIP address the user's, of letters those of their keys."""
    text = _SCHEME.sub("", number[:LONGEST], count=1)
    user = re.split("[@;]", text, maxsplit=1)[0]
    return digits(user.lower().translate(_KEYS) if is_vanity(user) else user)


def lettered(number: str | None) -> str:
    """A number that is more than digits, as text to find its words in; else the empty text."""
    number = (number or "")[:LONGEST]
    return number if any(map(str.isalpha, number)) else ""


def fragment(text: str) -> str:
    """The digits that a number shares with its other forms: without the zeros that are dialled
    in front of a whole one, and without the zero of +49 (0)30.
    """
    abroad = text.lstrip("# ").startswith(("+", "00"))
    found = digits(text.replace("(0)", "") if abroad else text)
    return (found.lstrip("0") or found) if len(found) >= MIN_DIGITS else found


def number_key(number: str, account: str, region: str) -> str:
    """E.164 (``+442079460000``) where the number can be one, else digits of this account.

    A number with ``+`` or ``00`` says its country itself; any other is read as one of `region`
    (two letters, empty: not known), and else as one that lacks the ``+``. Numbers in use go
    before numbers that only have a right length. Empty for a number without digits, or one
    that says only that it is withheld.
    """
    return _key(number[:LONGEST], account, region)


@lru_cache(maxsize=65_536)
def _key(number: str, account: str, region: str) -> str:
    text = number.strip().removeprefix("sip:").partition("@")[0]
    found = digits(text)
    if not found.strip("0") or found in WITHHELD:
        return ""
    readings = _readings(text, found, region) if len(found) >= MIN_DIGITS else []
    for in_use in (True, False):
        for reading, where in readings:
            if key := _e164(reading, where, in_use):
                return key
    return f"{account.lower()}:{found}"


def _readings(text: str, found: str, region: str) -> list[tuple[str, str | None]]:
    if text.lstrip(" (").startswith(("+", "\uff0b")):
        return [(text.lstrip(" ("), None)]
    if found.startswith("00"):
        return [(f"+{found[2:]}", None)]
    national: list[tuple[str, str | None]] = [(text, region)] if region else []
    return [*national, (f"+{found}", None)]


def _e164(text: str, region: str | None, in_use: bool) -> str:
    """The number in E.164 if there can be such a number there, else the empty text."""
    import phonenumbers

    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return ""
    fits = phonenumbers.is_valid_number if in_use else phonenumbers.is_possible_number
    if not fits(number):
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def check_region(region: str) -> str:
    """`region` as two capitals. Raises ValueError when no numbers of it are known."""
    import phonenumbers

    if region.strip().upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"{region!r} is not a region; write two letters such as GB, US or HK")
    return region.strip().upper()
