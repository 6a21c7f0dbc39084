"""Missed and not called back, over all accounts; and that numbers meet however they are written."""

from __future__ import annotations

import itertools
import sys
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from random import Random

import pytest

from providers.model import Call, Contact
from tests.archive.calls import START, call
from tui.archive.sqlite import Archive
from tui.query.parser import parse
from tui.query.phone_numbers import check_region, dialled, lettered, number_key


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive.db")


def save(archive: Archive, *calls: Call, account: str = "desk") -> None:
    with archive.transaction():
        archive.save(account, calls)


def one(id_: int, outcome: str, number: str = "+442079460000", **fields: object) -> Call:
    return call(id_, outcome=outcome, contact=Contact(number=number), **fields)


def closers(archive: Archive) -> dict[str, str | None]:
    keys = archive.keys()
    rows = archive.rows(keys).window(0, len(keys))
    return {f"{row.account}:{row.id}": row.closed_by for row in rows}


def open_misses(archive: Archive) -> list[str]:
    keys = archive.keys(parse("open-miss", START, UTC))
    return sorted(f"{row.account}:{row.id}" for row in archive.rows(keys).window(0, len(keys)))


@pytest.mark.parametrize(
    ("number", "region", "key"),
    [
        ("+44 20 7946 0000", "", "+442079460000"),
        ("+44 (0)20 7946 0000", "", "+442079460000"),
        ("0044 20 7946 0000", "", "+442079460000"),
        ("442079460000", "", "+442079460000"),
        ("020 7946 0000", "GB", "+442079460000"),
        ("020 7946 0000", "", "desk:02079460000"),
        ("12025550123", "", "+12025550123"),
        ("(202) 555-0123", "US", "+12025550123"),
        ("442079460000", "US", "+442079460000"),
        ("+15551234567", "", "+15551234567"),
        ("15551234567", "", "+15551234567"),
        ("5551234567", "US", "+15551234567"),
        ("sip:+12025550123@pbx.example", "", "+12025550123"),
        ("+٤٤٢٠٧٩٤٦٠٠٠٠", "", "+442079460000"),
        ("101", "GB", "desk:101"),
        ("anonymous", "GB", ""),
        ("+266696687", "GB", ""),
        ("0000000000", "GB", ""),
        ("", "", ""),
    ],
)
def test_numbers_meet_however_they_are_written(number: str, region: str, key: str) -> None:
    assert number_key(number, "Desk", region) == key


def test_a_region_is_two_letters_that_there_are() -> None:
    assert check_region(" gb ") == "GB"
    with pytest.raises(ValueError, match="two letters"):
        check_region("UK")


def test_an_answered_call_of_the_same_moment_is_not_later(archive: Archive) -> None:
    missed, answered = one(1, "missed"), one(2, "answered", started_at=one(1, "").started_at)
    for calls in ((missed, answered), (answered, missed)):
        save(archive, *calls)
        assert open_misses(archive) == ["desk:1"]
        archive.remove_account("desk")


def test_a_later_answered_call_anywhere_closes_those_before_it(archive: Archive) -> None:
    save(archive, one(1, "missed"), one(2, "voicemail"), one(5, "abandoned"))
    save(archive, one(3, "answered", "0044 20 7946 0000", direction="outbound"), account="eu")
    save(archive, one(4, "answered"), one(6, "missed", "+12025550123"))
    assert closers(archive) == {
        "desk:1": "eu:3",
        "desk:2": "eu:3",
        "eu:3": None,
        "desk:4": None,
        "desk:5": None,
        "desk:6": None,
    }
    assert open_misses(archive) == ["desk:5", "desk:6"]


def test_only_who_did_not_reach_us_waits(archive: Archive) -> None:
    save(archive, one(1, "missed", direction="outbound"), one(2, "busy"), one(3, "missed"))
    save(archive, one(4, "missed", "anonymous"), one(5, "answered", "anonymous"))
    save(archive, one(6, "answered", "101"), account="eu")
    save(archive, one(5, "missed", "101"), account="other")
    assert open_misses(archive) == ["desk:3", "desk:4", "other:5"]
    assert set(closers(archive).values()) == {None}


def test_whoever_asked_to_be_called_back_waits_too(archive: Archive) -> None:
    save(archive, one(1, "answered", callback_requested=True))
    assert closers(archive)["desk:1"] is None
    save(archive, one(2, "answered"))
    assert closers(archive)["desk:1"] == "desk:2"


def test_a_call_that_changes_or_goes_settles_its_number_again(archive: Archive) -> None:
    save(archive, one(1, "missed"), one(2, "answered"))
    save(archive, one(3, "answered"), account="eu")
    save(archive, one(2, "in_progress"))
    assert closers(archive)["desk:1"] == "eu:3"
    save(archive, one(2, "answered"))
    assert closers(archive)["desk:1"] == "desk:2"
    save(archive, one(2, "answered", "+12025550123"))
    assert closers(archive)["desk:1"] == "eu:3"
    archive.remove_account("eu")
    assert closers(archive)["desk:1"] is None
    save(archive, one(4, "answered"), one(1, "answered"))
    assert closers(archive)["desk:1"] is None


def test_a_region_given_later_brings_numbers_together(archive: Archive) -> None:
    save(archive, one(1, "missed", "020 7946 0000"))
    save(archive, one(2, "answered"), account="eu")
    assert closers(archive)["desk:1"] is None
    for region, closer in (("GB", "eu:2"), ("US", None), ("GB", "eu:2"), ("", None)):
        with archive.transaction():
            archive.set_region("Desk", region)
            while archive.callbacks.fill(1):
                pass
        assert closers(archive)["desk:1"] == closer, region
        assert archive.callbacks.fill() == 0


def test_the_order_in_which_calls_come_does_not_matter(archive: Archive) -> None:
    """Against a plain reading of the rule, over many random orders, changes and removals."""
    random = Random(3)
    numbers = ("+442079460000", "+12025550123", "")
    known: dict[str, Call] = {}
    for step in range(400):
        id_ = str(random.randrange(40))
        direction = random.choice(("inbound", "outbound", None))
        made = one(random.randrange(30), random.choice(("missed", "answered", "voicemail", "busy")))
        made = replace(
            made, id=id_, contact=Contact(number=random.choice(numbers)), direction=direction
        )
        made = replace(made, callback_requested=random.choice((None, False, True)))
        save(archive, made)
        known[id_] = made
        if step % 40 == 39:
            assert closers(archive) == {f"desk:{i}": expected(c, known) for i, c in known.items()}


def expected(call: Call, known: dict[str, Call]) -> str | None:
    missed = call.outcome in ("missed", "voicemail") and call.direction != "outbound"
    if not call.contact.number or not (missed or call.callback_requested):
        return None
    assert call.started_at is not None
    later = [
        (other.started_at, other.id)
        for other in known.values()
        if other.outcome == "answered"
        and other.contact.number == call.contact.number
        and other.started_at is not None
        and other.started_at > call.started_at
    ]
    first = min((at for at, _ in later), default=None)
    # of several that began in the same millisecond any will do; the archive's order is its own
    names = [f"desk:{id_}" for at, id_ in later if at == first]
    return Tie(names) if names else None


class Tie(str):
    """Equal to any of some names."""

    def __new__(cls, names: list[str]) -> Tie:
        made = super().__new__(cls, names[0])
        made.names = frozenset(names)
        return made

    names: frozenset[str]

    def __eq__(self, other: object) -> bool:
        return other in self.names

    __hash__ = str.__hash__


def test_orders_of_three_calls(tmp_path: Path) -> None:
    three = (one(1, "missed"), one(2, "answered"), one(3, "answered"))
    for number, order in enumerate(itertools.permutations(three)):
        with Archive(tmp_path / f"{number}.db") as archive:
            save(archive, *order)
            assert closers(archive) == {"desk:1": "desk:2", "desk:2": None, "desk:3": None}


@pytest.mark.parametrize("part", [" ", "9", "1 ", "(", "1-", "1a"])
def test_a_number_that_is_none_takes_no_longer(part: str) -> None:
    steps, text = 0, part * 50_000
    number_key("1" * 9, "desk", "GB")  # reads the library's tables

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal steps
        steps += 1

    sys.setprofile(count)
    try:
        key, dials, letters = number_key(text, "desk", "GB"), dialled(text), lettered(text + "x")
    finally:
        sys.setprofile(None)
    assert steps < 10_000
    assert max(map(len, (key, dials, letters))) < 300
