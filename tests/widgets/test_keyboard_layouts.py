"""Letters of other layouts are the keys that they stand on."""

from __future__ import annotations

import pytest
from textual.keys import _character_to_key

from widgets.keyboard_layouts import us_key


@pytest.mark.parametrize(
    ("letters", "keys"),
    [
        ("йцукен", "qwerty"),
        ("ждбюхъ", ";l,.[]"),
        ("ОВЛ", "JDK"),
        ("ЖБЮ", ":<>"),
        ("ії", "s]"),
        ("ξδκ", "jdk"),
        ("ΞΔΚ", "JDK"),
        ("חגל", "jdk"),
        ("تين", "jdk"),
    ],
)
def test_letters_of_a_layout(letters: str, keys: str) -> None:
    found = [us_key(letter) for letter in letters]
    assert [each[1] for each in found if each] == [*keys]
    assert [each[0] for each in found if each] == [_character_to_key(key) for key in keys]


@pytest.mark.parametrize("character", [*"jJ/.;é ß1", "ü", "漢", "", None, "\x1b"])
def test_what_is_no_letter_of_those_layouts_stays(character: str | None) -> None:
    assert us_key(character) is None
