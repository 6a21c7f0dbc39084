"""Tags that are typed: which are given, and which taken away."""

from __future__ import annotations

from random import Random

import pytest

from tui.archive.tag_edits import tag_changes, written

KNOWN = ("call back", "VIP", "very angry customer")


def said(text: str, known: tuple[str, ...] = KNOWN, **options: bool) -> list[str]:
    signs = {"tag": "", "untag": "-"}
    changes = tag_changes(text, known, **options)
    return [signs[change.kind] + str(change.body["tag"]) for change in changes]


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("billing", ["billing"]),
        ("billing -x", ["billing", "-x"]),
        ("-x billing", ["-x", "billing"]),
        ("billing,-x", ["billing", "-x"]),
        (" a  b,, c ", ["a b", "c"]),
        ("a b", ["a", "b"]),
        ("a b,", ["a b"]),
        ("new customer, -old one", ["new customer", "-old one"]),
        ("new customer -x, y", ["new customer", "-x", "y"]),
        ('"new customer" -"old one"', ["new customer", "-old one"]),
        ('"new customer', ["new customer"]),
        ("call back", ["call back"]),
        ("spam Call Back vip", ["spam", "Call Back", "vip"]),
        ("-call back billing", ["-call back", "billing"]),
        ("very angry customer now", ["very angry customer", "now"]),
        ("very angry", ["very", "angry"]),
        ('"-5"', ["-5"]),
        ("e-mail", ["e-mail"]),
    ],
)
def test_tags_that_are_typed(text: str, tags: list[str]) -> None:
    assert said(text) == tags


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("call centre", ["call centre"]),
        ("billing -x", ["billing", "-x"]),
        ("a b,c", ["a b", "c"]),
        ("-two words", ["-two words"]),
    ],
)
def test_of_an_option_the_shell_has_taken_the_quotes(text: str, tags: list[str]) -> None:
    assert said(text, (), blanks_part=False) == tags


@pytest.mark.parametrize("text", ["", " ", ",", "-", "a, -", '""', "x" * 61])
def test_what_cannot_be_a_tag_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="a tag"):
        tag_changes(text)


def test_a_tag_is_written_so_that_it_is_read_again() -> None:
    random = Random(6)
    for _ in range(500):
        name = " ".join("".join(random.choices("ab-5", k=3)) for _ in range(random.randint(1, 3)))
        assert said(written(name), (), blanks_part=False) == [name]


def test_a_page_pasted_for_tags_is_taken_apart_at_once() -> None:
    """It would take minutes, which the time limit of tests ends."""
    assert len(tag_changes("one two " * 5_000, ["two one"])) == 5_001
