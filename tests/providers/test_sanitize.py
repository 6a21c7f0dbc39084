"""Text from outside: what the filter keeps, and what no text can get past it."""

from __future__ import annotations

import json
import unicodedata

import pytest
from rich.cells import cell_len

from providers.sanitize import MAX_MARKS, ORDINARY, guarded, safe_json, safe_text
from tests.widgets.samples import HOSTILE, hostile_text
from widgets.cells import fit, wrap

FORBIDDEN_BIDI = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
SEEDS = range(400)


def harmless(text: str, newline: bool = False) -> bool:
    categories = {unicodedata.category(char) for char in text if not (newline and char == "\n")}
    return not categories & {"Cc", "Cs", "Co", "Zl", "Zp"} and not FORBIDDEN_BIDI & set(text)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, ""),
        (17, "17"),
        ("plain", "plain"),
        ("a\tb\nc", "a b c"),
        ("a\x1b[31mb", "a\ufffd[31mb"),
        ("\x9b31m\x85\x7f", "\ufffd31m\ufffd\ufffd"),
        ("a\u202eb\u2066c\u200ed\u061ce\u2028f", "abcdef"),
        ("\ud800x\udfff", "\ufffdx\ufffd"),
        ("می‌خواهم", "می‌خواهم"),
        ("👨‍👩‍👧", "👨‍👩‍👧"),
        ("\u200dx\u200d\u200d y\u200c", "x y"),
        ("❤️‍🔥", "❤️‍🔥"),
        ("soft\u00adhyphen\ufeff", "softhyphen"),
        ("Việt Nam\u0301", "Việt Nam\u0301"),
    ],
)
def test_each_kind_of_character(given: object, kept: str) -> None:
    assert safe_text(given) == kept


def test_multiline_keeps_newlines_of_every_kind() -> None:
    assert safe_text("a\r\nb\nc\rd", multiline=True) == "a\nb\nc\ufffdd"


def test_length_is_capped_with_an_ellipsis() -> None:
    assert safe_text("x" * 50, 10) == "x" * 9 + "…"
    assert safe_text("x" * 10, 10) == "x" * 10
    assert safe_text("\x1b" * 10_000_000, 5) == "\ufffd" * 4 + "…"


def test_marks_are_capped_for_each_base() -> None:
    text = safe_text("a" + "\u0301" * 99 + "b" + "\u0300" * 2)
    assert text == "a" + "\u0301" * MAX_MARKS + "b" + "\u0300" * 2


@pytest.mark.parametrize("multiline", [False, True])
def test_nothing_harmful_gets_through(multiline: bool) -> None:
    for seed in SEEDS:
        text = safe_text(hostile_text(seed), 50, multiline)
        assert harmless(text, multiline), (seed, text)
        assert len(text) <= 50
        assert safe_text(text, 50, multiline) == text


def paired(text: str) -> str:
    """Two halves side by side are one character, to JSON at least."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def test_json_means_the_same_and_is_safe() -> None:
    for seed in SEEDS:
        one, other = map(paired, (hostile_text(seed), hostile_text(seed + 1000, 200)))
        given = {one: [other, "plain"]}
        text = safe_json(json.dumps(given, ensure_ascii=False, indent=2))
        assert json.loads(text) == given
        assert safe_text(text, len(text), multiline=True) == text


def test_json_stays_readable() -> None:
    assert safe_json('"Zoë 日本 👨\u200d👩\n"') == '"Zoë 日本 👨\u200d👩\n"'
    assert safe_json('"\x7f\x9b\u202e\ud800\U000e0001"') == (
        r'"\u007f\u009b\u202e\ud800\udb40\udc01"'
    )


def test_the_last_look_keeps_the_width_and_nothing_that_steers() -> None:
    for seed in SEEDS:
        given = hostile_text(seed)
        text = guarded(given)
        kinds = {unicodedata.category(char) for char in text}
        assert not kinds & {"Cc", "Cs", "Zl", "Zp"} and not FORBIDDEN_BIDI & set(text)
        assert sum(map(cell_len, text)) == sum(map(cell_len, given))
    assert guarded("Zoë 日本 👨\u200d👩") == "Zoë 日本 👨\u200d👩"


@pytest.mark.parametrize("align", ["left", "right", "center"])
def test_fit_fills_exactly(align: str) -> None:
    for seed in SEEDS:
        text = safe_text(hostile_text(seed))
        for width in (0, 1, 2, 7, 30):
            assert cell_len(fit(text, width, align)) == width, (seed, width, text)  # type: ignore[arg-type]


def test_fit_never_splits_a_wide_character() -> None:
    assert fit("日本語", 6) == "日本語"
    assert fit("日本語", 5) == "日本…"
    assert fit("日本語", 4) == "日 …"
    assert fit("abc", 5, "right") == "  abc"


def test_wrap_keeps_the_words_and_the_width() -> None:
    for seed in SEEDS:
        text = safe_text(hostile_text(seed, 200), multiline=True)
        lines = wrap(text, 20)
        assert all(cell_len(line) <= 20 for line in lines), (seed, lines)
        assert "".join(lines).replace(" ", "") == text.replace("\n", "").replace(" ", "")


def test_ordinary_characters_are_those_that_stay_as_they_are() -> None:
    for code in range(0x110000):
        char = chr(code)
        if ORDINARY.fullmatch(char):
            assert unicodedata.category(char) not in (
                "Mn",
                "Me",
                "Cc",
                "Cf",
                "Cs",
                "Co",
                "Zl",
                "Zp",
            )
            assert char not in FORBIDDEN_BIDI


def test_samples_mean_harm() -> None:
    assert sum(not harmless(text) for text in HOSTILE) >= 6
