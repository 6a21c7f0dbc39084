"""Bits say what the calls say, however time and calls are divided among them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from tests.archive.calls import START, call
from tests.archive.database import make_older, migrations_before, read
from tests.contract.search_model import (
    NOW,
    Ours,
    decide,
    expected,
    random_call,
    random_piece,
)
from tui.archive.records import SortOrder
from tui.archive.sqlite import Archive
from tui.archive.sqlite.search import bitmap, planner
from tui.archive.sqlite.search.bitmap import LONGEST, all_length_tokens, compared, length_tokens
from tui.archive.sqlite.search.search_index import entry
from tui.archive.triage_events import note, state
from tui.query.parser import parse


@pytest.fixture(
    params=[
        (30, 16, 4, 3, 0, 9),
        pytest.param((44, 26, 15, 500, 200, 500), marks=pytest.mark.slow),
        pytest.param((28, 16, 3, 0, 200, 0), marks=pytest.mark.slow),
    ]
)
def divided(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Partitions of half a minute, of all calls and of eight seconds, in chunks of some calls; and
    what is few or rare of some calls, of many, or of none.
    """
    partition, room, part, at_once, few, rare = request.param
    monkeypatch.setattr(bitmap, "PARTITION_BITS", partition)
    monkeypatch.setattr(bitmap, "SLOT_BITS", room)
    monkeypatch.setattr(bitmap, "CHUNK_BITS", part)
    monkeypatch.setattr(bitmap, "CHUNK_NUMBER_BITS", 50)
    monkeypatch.setattr(bitmap, "CHUNK_ZERO", 1 << 48)
    monkeypatch.setattr(bitmap, "DENSE", 8 if rare else 0)
    monkeypatch.setattr("tui.archive.sqlite.search.bitmap_scan.CHUNK_BITS", part)
    monkeypatch.setattr("tui.archive.sqlite.search.bitmap_scan.SLOTS_AT_ONCE", at_once)
    monkeypatch.setattr(planner, "FEW_SLOTS", few)
    for figure in ("RARE", "FEW_WORDS", "FEW_CALLS"):
        monkeypatch.setattr(planner, figure, rare)
    monkeypatch.setattr(planner, "LOOKUP", 40 if rare else 1e9)


PERIODS = (
    " 2026-11-02T09:00:10..2026-11-02T09:00:40",
    " 2026-11-02T09:00:10..2026-11-02T09:00:20 2026-11-02T09:00:50..2026-11-02T09:01:20",
    " -2026-11-02T09:00:10..2026-11-02T09:00:40",
    " 2026-11-02 -2026-11-02T09:00:10..2026-11-02T09:00:40 -2026-11-02T09:01:00..",
)


def test_pages_and_counts_are_those_of_a_plain_reading(divided: None, tmp_path: Path) -> None:
    random = Random(8)
    with Archive(tmp_path / "archive.db") as archive:
        calls = [random_call(number, random) for number in range(1, 161)]
        for start in range(0, 160, 20):  # in no order of time
            with archive.transaction():
                archive.save("eu", calls[start : start + 20])
        again = [random_call(number, random) for number in range(1, 161, 4)]
        with archive.transaction():
            archive.save("eu", again)
        for one in calls[::5]:
            decide(archive, ("eu", one.id), Ours("done", ("spam",), "said"))
        names = archive.keys()
        archive.purge(list(names[::7]))
        left = {row.id for row in archive.rows(archive.keys()).window(0, 1000)}
        world = {("eu", one.id): (one, Ours()) for one in [*calls, *again] if one.id in left}
        for name, (one, _) in world.items():
            now = archive.triage.of(*name)
            world[name] = one, Ours(now.state, now.tags, now.note or "")
        in_time = list(archive.keys())
        ids = dict(zip(in_time, archive.names_of(in_time), strict=True))
        assert set(ids.values()) == set(world)
        telling = 0
        for _ in range(100):
            line = " ".join(random_piece(random) for _ in range(random.randint(1, 3)))
            line += random.choice(("", "", *PERIODS))
            query = parse(line, NOW, UTC)
            want = expected(query, world)
            for descending in (True, False):
                sort = SortOrder("time", descending)
                order = in_time if descending else in_time[::-1]
                fits = [key for key in order if ids[key] in want]
                if not descending:  # calls of one moment stand in the order of their places
                    fits = list(archive.keys(query, sort))
                    assert {ids[key] for key in fits} == want, line
                assert list(archive.keys(query, sort, limit=9)) == fits[:9], line
                if len(fits) > 9:
                    page = archive.keys(query, sort, limit=5, after=fits[8])
                    assert list(page) == fits[9:14], line
                    assert archive.count_before(fits[8], query, sort) == 8, line
            assert archive.count(query) == len(want), line
            assert archive.count(query, at_most=4) == min(len(want), 5), line
            telling += 0 < len(want) < len(world)
        assert telling > 30


def test_bits_are_what_the_calls_lines_say_after_whatever_happened(
    divided: None, tmp_path: Path
) -> None:
    random = Random(4)
    with Archive(tmp_path / "archive.db") as archive:
        for _ in range(30):
            some = [
                call(
                    number,
                    outcome=random.choice(("answered", "missed", "voicemail")),
                    started_at=START + timedelta(seconds=random.randrange(300)),
                    callback_requested=random.choice((None, True)),
                    sla_met=random.choice((None, True, False)),
                    wait_s=random.choice((None, 2.5, -1.0, 1e9)),
                    contact=call(random.randrange(4)).contact,
                )
                for number in random.sample(range(60), 8)
            ]
            with archive.transaction():
                archive.save(random.choice(("eu", "two")), some)
            name = random.choice(archive.names_of(archive.keys()))
            archive.triage.append([name], [state("done"), note("x")], "ann")
            if random.random() < 0.3:
                archive.triage.undo("ann")
            if random.random() < 0.2:
                archive.purge([random.choice(archive.keys())])
        assert kept(archive) == said(archive)
        assert archive.count(parse("called-back", NOW, UTC)) > 0
        archive.remove_account("eu")
        assert kept(archive) == said(archive)


def kept(archive: Archive) -> set[tuple[str, int]]:
    """Token and slot of every bit."""
    sql = "SELECT token, place, bits FROM bits JOIN token ON n = place >> ?"
    rows = read(archive.path, sql, [bitmap.CHUNK_NUMBER_BITS])
    return {
        (token, slot)
        for token, place, data in rows
        for slot in bitmap.slots_of(
            (place & ((1 << bitmap.CHUNK_NUMBER_BITS) - 1)) - bitmap.CHUNK_ZERO,
            int.from_bytes(data, "little"),
        )
    }


def said(archive: Archive) -> set[tuple[str, int]]:
    """The same, made from the calls' lines."""
    lines = (entry(archive.index.row(key)) for key in list(Archive.keys(archive)))
    return {(token, line.slot) for line in lines for token in line.bitmap_tokens}


@pytest.mark.parametrize("sign", ["<", ">", "<=", ">=", "="])
def test_lengths_compare_as_numbers_do(sign: str) -> None:
    lengths = [None, 0.0, 0.5, 1.0, 59.0, 59.9, 60.0, 61.0, 4096.0, -3.0, LONGEST - 1.0, 1e7]
    have = dict.fromkeys(all_length_tokens("wait_s"), 0)
    for bit, length in enumerate(lengths):
        for token in length_tokens("wait_s", length):
            have[token] |= 1 << bit
    compare = {
        "<": float.__lt__,
        ">": float.__gt__,
        "<=": float.__le__,
        ">=": float.__ge__,
        "=": float.__eq__,
    }[sign]
    for seconds in (0, 1, 59, 60, 4096, 5000, LONGEST - 1, LONGEST, 60 * 999_999):
        sure, may = compared(have, "wait_s", sign, seconds)
        for bit, length in enumerate(lengths):
            fits = length is not None and compare(length, float(seconds))
            assert sure >> bit & 1 <= fits <= may >> bit & 1, (length, sign, seconds)
            if length is not None and 0 <= length < LONGEST > seconds:
                assert sure >> bit & 1 == may >> bit & 1


def test_an_archive_without_bits_is_indexed_anew(tmp_path: Path) -> None:
    path, random = tmp_path / "archive.db", Random(2)
    calls = [random_call(number, random) for number in range(40)]
    old = make_older(path, migrations_before("CREATE TABLE bits"))
    with Archive(tmp_path / "new.db") as new, new.transaction():
        new.save("eu", calls)
    old.execute("ATTACH ? AS new", (str(tmp_path / "new.db"),))
    for table in ("call", "detail"):
        names = ", ".join(row[1] for row in old.execute(f"PRAGMA main.table_info({table})"))
        old.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM new.{table}")
    old.execute("UPDATE unindexed SET upto = 0")
    old.execute("INSERT INTO word VALUES ('left', 1)")
    old.close()
    with Archive(path) as archive:
        assert archive.count(parse("rec", NOW, UTC)) == sum(c.has_recording is True for c in calls)
        while archive.index_more(15):
            pass
        assert kept(archive) == said(archive) and kept(archive)
        assert archive.count(parse("rec", NOW, UTC)) == sum(c.has_recording is True for c in calls)
        assert archive.index.words_with_prefix("left", 5) == []


def test_a_snooze_that_is_over_is_open_whatever_the_bits_say(tmp_path: Path) -> None:
    with Archive(tmp_path / "archive.db") as archive:
        with archive.transaction():
            archive.save("eu", [call(number) for number in range(3)])
        now = datetime.now(UTC).timestamp()
        archive.triage.append([("eu", "0")], [state("snoozed", until=now - 5)], "ann")
        archive.triage.append([("eu", "1")], [state("snoozed", until=now + 500)], "ann")
        found = {
            line: {id_ for _, id_ in archive.names_of(archive.keys(parse(line, NOW, UTC), limit=9))}
            for line in ("state:open", "state:snoozed", "-state:snoozed", "untriaged", "-untriaged")
        }
        assert found == {
            "state:open": {"0"},
            "state:snoozed": {"1"},
            "-state:snoozed": {"0", "2"},
            "untriaged": {"0", "2"},
            "-untriaged": {"1"},
        }


@pytest.mark.parametrize("at_once", [3, 500])
def test_many_calls_that_bits_leave_open_are_rechecked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("tui.archive.sqlite.search.bitmap_scan.SLOTS_AT_ONCE", at_once)
    names = [("eu", str(number)) for number in range(30)]
    with Archive(tmp_path / "archive.db") as archive:
        with archive.transaction():  # the first ten months before, in other chunks
            begun = [START - timedelta(days=90 * (number < 10)) for number in range(30)]
            archive.save("eu", [call(n, started_at=begun[n]) for n in range(30)])
        now = datetime.now(UTC).timestamp()
        archive.triage.append(names[:6] + names[10:16], [state("snoozed", until=now - 5)], "ann")
        archive.triage.append(names[6:9] + names[16:26], [state("snoozed", until=now + 500)], "ann")
        counts = {
            line: (
                archive.count(parse(line, NOW, UTC)),
                len(archive.keys(parse(line, NOW, UTC), limit=30)),
            )
            for line in ("state:open", "state:snoozed", "-state:snoozed", "state:new", "untriaged")
        }
    assert counts == {
        "state:open": (12, 12),
        "state:snoozed": (13, 13),
        "-state:snoozed": (17, 17),
        "state:new": (5, 5),
        "untriaged": (17, 17),
    }
