"""A change of a call writes only what changed, and leaves the index as if written anew."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.model import Call, Disposition, Outcome
from providers.sandbox.texts import FIRST_NAMES, LAST_NAMES
from tests.archive.calls import call
from tests.archive.database import write
from tests.benchmarks.bulk import FIRST_MS, SPAN_MS, fill
from tests.contract.search_model import random_call
from tui.archive.sqlite import Archive
from tui.archive.sqlite.search.postings import SEPARATOR, changed_terms, texts_to_rewrite
from tui.archive.sqlite.search.search_index import Entry, entry
from tui.archive.triage_events import Change, note, state, tag, untag

LAST = datetime.fromtimestamp((FIRST_MS + SPAN_MS) / 1000, UTC)
Places = dict[tuple[int, str], list[int]]
"""The positions of a term, by the call's place."""


def field(term: str) -> str:
    """What a term is a value of; those that SQLite's tokenizer divides are one field."""
    if "=" not in term:
        return ""
    return term[: term.index("=", 1)] if term.startswith("=") and term.count("=") > 1 else "_"


def relative(places: Places) -> Places:
    """People's words have positions in the text; a field's values only among themselves."""
    first: dict[tuple[int, str], int] = {}
    for (place, term), positions in places.items():
        name = (place, field(term))
        first[name] = min([*positions, first.get(name, positions[0])])
    return {
        (place, term): sorted(at - first[place, field(term)] * ("=" in term) for at in positions)
        for (place, term), positions in places.items()
    }


def indexed(path: Path) -> Places:
    """What the full-text table of an archive has."""
    found: defaultdict[tuple[int, str], list[int]] = defaultdict(list)
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE VIRTUAL TABLE temp.posting USING fts5vocab(main, search, instance)")
        for term, place, position in db.execute('SELECT term, doc, "offset" FROM posting'):
            if term != SEPARATOR:
                found[place, term].append(position)
    return relative(found)


def indexed_anew(archive: Archive) -> Places:
    """The same, made from the calls' lines."""
    found: defaultdict[tuple[int, str], list[int]] = defaultdict(list)
    for one in entries(archive):
        for position, term in enumerate(" ".join(one.terms).replace("_", " ").split()):
            if term != SEPARATOR:
                found[one.place, term].append(position)
    return relative(found)


def entries(archive: Archive) -> Iterator[Entry]:
    return (entry(archive.index.row(key)) for key in Archive.keys(archive))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("sync", "page", "note", "tag", "untag", "done", "undo", "purge")),
        st.integers(0, 7),
        st.randoms(use_true_random=False),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=15)
@given(STEPS)
def test_changes_leave_the_index_as_if_written_anew(steps: list[tuple[str, int, Random]]) -> None:
    with TemporaryDirectory() as folder, Archive(Path(folder) / "archive.db") as archive:
        with archive.transaction():
            archive.save("eu", [random_call(number, Random(number)) for number in range(8)])
        for step, number, random in steps:
            name, words = ("eu", str(number)), random.sample(("note", "of", "back", "call"), 3)
            if step in ("sync", "page"):  # a page comes in no order of time, one call of it twice
                numbers = [number] if step == "sync" else [*range(7, -1, -2), number]
                with archive.transaction():
                    archive.save("eu", [random_call(one, random) for one in numbers])
            elif step == "undo":
                archive.triage.undo("ann")
            elif step == "purge":
                archive.remove([key for key in (archive.key_of(*name),) if key])
            else:
                change = {
                    "note": note(" ".join(words)),
                    "tag": tag(words[0]),
                    "untag": untag(words[0]),
                    "done": state("done"),
                }[step]
                archive.triage.append([name], [change], "ann")
        assert indexed(archive.path) == indexed_anew(archive)
        for command in ("integrity-check", "optimize"):  # also where all segments are merged
            write(archive.path, "INSERT INTO search (search) VALUES (?)", [command])
        assert indexed(archive.path) == indexed_anew(archive)


TEXT = st.lists(st.sampled_from(("a", "b", "=", "=x=a", "=x=b", "=y=a")), max_size=9)


@given(TEXT, TEXT)
def test_only_terms_whose_positions_differ_are_written(before: list[str], after: list[str]) -> None:
    changed = changed_terms(before, after)
    deleted, inserted = (
        set(text.split()) - {SEPARATOR} for text in texts_to_rewrite(before, after)
    )
    assert deleted == changed & set(before)
    assert inserted == changed & set(after)
    assert changed_terms(before, before) == set()
    for term in changed - {"=x=a", "=x=b", "=y=a"}:
        places = [[at for at, one in enumerate(text) if one == term] for text in (before, after)]
        assert places[0] != places[1]


@pytest.mark.parametrize(
    ("before", "after", "written"),
    [
        ("a b = =s=new", "a b = =s=done", ("=s=new", "=s=done")),
        ("a b = =x=a", "a b c = =x=a", ("", "= = c")),
        ("a b = c = =x=a", "a b = d c = =x=a", ("c", "= = = d c")),
        ("a b", "a b", ("", "")),
        ("=a_s=1 =b_s=1", "=a_s=2 =b_s=1", ("=a_s=1 =b_s=1", "=a_s=2 =b_s=1")),
    ],
)
def test_a_word_more_is_written_at_its_position(
    before: str, after: str, written: tuple[str, str]
) -> None:
    assert texts_to_rewrite(before.split(), after.split()) == written


def test_numbers_of_calls_follow_when_one_of_them_changes(tmp_path: Path) -> None:
    first = call(1, to="+441632960001")
    with Archive(tmp_path / "archive.db") as archive:
        for to in ("+441632960001", "+441632960002"):
            with archive.transaction():
                archive.save("eu", [replace(first, to=to)])
        found = {number: archive.index.numbers(number) for number in ("960001", "960002", "202555")}
        assert {number: [calls for _, calls in rows] for number, rows in found.items()} == {
            "960001": [],
            "960002": [1],
            "202555": [1],
        }


MOST_BYTES = {"done": 76_000, "tag": 76_000, "note": 76_000, "outcome": 72_000, "wait": 90_000}
"""What half of the changes of one call write into the log ahead of the archive, at most."""
CHANGES, PAGE = 15, 40
MOST_BYTES_OF_A_PAGE = 500_000
"""The same of a page of calls of which one field changed: each call's own JSON is a page of it."""


def long_call(number: int) -> Call:
    """A call with as much text as the longest ones have, in the last hours of the archive."""
    random = Random(number)
    vocabulary = [f"{one}{other}" for one in LAST_NAMES for other in FIRST_NAMES]
    return call(
        number,
        started_at=LAST + timedelta(minutes=number),
        summary=" ".join(random.choices(vocabulary, k=80)),
        disposition=Disposition("Sale", " ".join(random.choices(vocabulary, k=30))),
        vendor_fields={f"field{n}": random.choice(vocabulary) for n in range(20)},
    )


@pytest.mark.parametrize("calls", [400, pytest.param(120_000, marks=pytest.mark.slow)])
def test_a_change_writes_little(tmp_path: Path, calls: int) -> None:
    path = tmp_path / "archive.db"
    fill(path, calls)
    kept = [long_call(number) for number in range(PAGE)]
    with Archive(path) as archive, closing(sqlite3.connect(path)) as other:

        def written(change: Callable[[], object]) -> int:
            """The bytes of the write-ahead log that a change takes."""
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            change()
            return path.with_name(f"{path.name}-wal").stat().st_size

        def save(some: Sequence[Call]) -> None:
            with archive.transaction():
                archive.save("eu", some)

        def decide(number: int, *changes: Change) -> None:
            archive.triage.append([("eu", str(number))], changes, "ann")

        save(kept)
        steps: dict[str, Callable[[int], None]] = {
            "done": lambda n: decide(n, state("done")),
            "tag": lambda n: decide(n, tag("vip")),
            "note": lambda n: decide(n, note(f"called back about order {n}")),
            "outcome": lambda n: save([replace(kept[n], outcome=Outcome.MISSED)]),
            "wait": lambda n: save([replace(kept[n], wait_s=7.0)]),
        }
        half = {
            name: median(written(lambda n=n, step=step: step(n)) for n in range(CHANGES))  # type: ignore[misc]
            for name, step in steps.items()
        }
        pages = [
            written(lambda talk_s=talk_s: save([replace(one, talk_s=talk_s) for one in kept[::-1]]))  # type: ignore[misc]
            for talk_s in (3.0, 60.0, 61.0, 700.0, 2.0)
        ]
    assert {name: most for name, most in half.items() if most > MOST_BYTES[name]} == {}
    assert median(pages) < MOST_BYTES_OF_A_PAGE
