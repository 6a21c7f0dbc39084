"""Steps that were not kept are told as commands that do them again."""

from __future__ import annotations

import shlex
from pathlib import Path

from tui.archive.triage_events import RELEASE, Change, comment, hold, note, state, tag, untag
from tui.cli.words import parse_words
from tui.screens.unsaved_triage import UnsavedTriage, unsaved_text


def _lines(*changes: Change) -> list[str]:
    step = UnsavedTriage([("my desk", "it's 1"), ("eu", "-2")], changes, OSError("disk full"))
    hint = unsaved_text([step], Path("archive.db")).hint
    assert hint
    return hint.splitlines()[1:]


def test_the_command_says_what_the_step_did() -> None:
    changes = state("snoozed", until=1_800_000_000), note("-5 €; 'soon'"), tag("a b"), untag("c")
    [line] = _lines(*changes, comment("refund", 192.0))
    program, *words = shlex.split(line)
    assert program == "ringback"
    parsed = parse_words(words)
    assert parsed.calls == ["my desk:it's 1", "eu:-2"]
    assert (parsed.state, parsed.until) == ("snoozed", "2027-01-15T08:00:00Z")
    assert (parsed.note, parsed.tag, parsed.untag) == ("-5 €; 'soon'", ["a b"], ["c"])
    assert parsed.comment == ["3:12 refund"]


def test_a_tag_with_a_minus_is_given_and_not_taken_away() -> None:
    [line] = _lines(tag("-5"), untag("a -b"))
    parsed = parse_words(shlex.split(line)[1:])
    assert (parsed.tag, parsed.untag) == (['"-5"'], ['"a -b"'])


def test_what_no_command_says_is_told() -> None:
    assert _lines(comment("wrong number", 5.0, 1)) == [
        "  c on 'my desk:it'\"'\"'s 1' eu:-2, recording 2, 0:05 wrong number"
    ]


def test_an_undo_is_told_as_one() -> None:
    assert _lines() == ["  ringback triage --undo"]


def test_holds_have_a_command_of_their_own() -> None:
    parsed = [
        parse_words(shlex.split(line)[1:]) for line in _lines(hold("-5 'x'"), RELEASE, hold())
    ]
    assert {tuple(one.words) for one in parsed} == {("my desk:it's 1", "eu:-2")}
    assert [(one.reason, one.release) for one in parsed] == [
        *(("-5 'x'", False), (None, True), (None, False)),
    ]
