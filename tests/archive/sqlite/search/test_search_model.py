"""What SQLite keeps of random calls for its search; `tests.contract` asks it random queries."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from tests.archive.database import read
from tests.contract.search_model import NOW, Ours, World, decide, fill, random_call
from tui.archive.sqlite import Archive
from tui.archive.sqlite.search.conditions import condition_of
from tui.query.parser import parse, words


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Archive, World]]:
    with Archive(tmp_path_factory.mktemp("model") / "archive.db") as archive:
        yield archive, fill(archive)


def test_who_waits_and_what_was_decided_when_is_found_by_its_own_index(
    filled: tuple[Archive, World],
) -> None:
    archive, world = filled
    with archive.transaction():
        archive.callbacks.fill(1000)
    for line in ("open-miss", "called-back", "untriaged", "triaged:1d", "-open-miss", "callback"):
        for more in ("", " muller", " -state:done", " #0123", " 2026-11-02..2026-11-03"):
            query = parse(line + more, datetime.now(UTC), UTC)
            conditions = [condition_of(term) for term in query.terms]
            sql = " AND ".join(condition for condition, _ in conditions)
            values = [value for _, values in conditions for value in values]
            want = read(archive.path, f"SELECT key FROM call WHERE {sql}", values)
            assert sorted(archive.keys(query)) == sorted(key for (key,) in want), line + more
    assert 0 < len(archive.keys(parse("called-back", NOW, UTC))) < len(world)


def test_what_no_call_has_any_more_is_not_kept(tmp_path: Path) -> None:
    with Archive(tmp_path / "archive.db") as archive:
        calls = [random_call(number, Random(number)) for number in range(30)]
        with archive.transaction():
            archive.save("eu", calls)
        decide(archive, ("eu", "1"), Ours("done", ("mine",), "secret words"))
        archive.remove_account("eu")
    path = tmp_path / "archive.db"
    for table in ("word", "known", "number", "call_number"):
        assert read(path, f"SELECT count(*) FROM {table}") == [(0,)], table
    for text in ("secret", "mull", "missed"):
        assert not read(path, "SELECT 1 FROM search WHERE search MATCH ?", [text])


@pytest.mark.parametrize("form", ["א" * 3, "Ａｂｃ", "ΐ", "İi", "ﬃ", "𝐀", "ſ", "가나", "हिन्दी"])
def test_words_of_words_are_the_same_words(form: str) -> None:
    once = words(unicodedata.normalize("NFC", form))
    assert once and words(" ".join(once)) == once
