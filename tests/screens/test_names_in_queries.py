"""Names of vendors in the sidebar and behind a colon: choosing one finds its calls."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from providers.model import Agent
from providers.sanitize import safe_text
from tests.archive.calls import call
from tui.archive.sqlite import Archive
from tui.query.parser import parse
from tui.screens import state

NOW = datetime(2026, 11, 4, tzinfo=UTC)
NAMES = (
    "\x1b]0;title\x07Ann\x1b[31m",
    "line one\nline two\r\x08gone",
    "zero\u200bwidth \u2066isolated\u2069",
    "[/nope]",
    'the "best" team',
    "long " + "name " * 60,
    "Zoë Núñez",
)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive(tmp_path / "archive.db") as archive:
        calls = [call(n, agents=(Agent(str(n), name),)) for n, name in enumerate(NAMES)]
        with archive.transaction():
            archive.save("desk", calls)
        yield archive


def test_each_name_of_the_sidebar_finds_its_calls(archive: Archive) -> None:
    names = archive.facets(newest=None).counts["agent"]
    assert len(names) == len(NAMES)
    for name in names:
        piece = state.piece_of("agent", name)
        assert safe_text(piece) == piece
        assert archive.count(parse(piece, NOW, UTC)) == 1, (name, piece)


def test_what_is_no_word_completes_the_names_that_hold_it(archive: Archive) -> None:
    assert archive.suggest("agent", "[/") == ["[/nope]"]
    assert archive.suggest("agent", "|") == []
    assert len(archive.suggest("agent", "")) == len(NAMES)


def test_a_name_with_a_comma_is_one_name(archive: Archive) -> None:
    last_first = call(90, agents=(Agent("90", "Müller, Anna"),), tags=("a,b", "c"))
    with archive.transaction():
        archive.save("desk", [last_first, call(91, agents=(Agent("91", "Anna"),))])

    def found(line: str) -> int:
        return archive.count(parse(line, NOW, UTC))

    assert found('agent:"müller, anna"') == found('agent:"müller anna"') == 1
    assert found('tag:"a,b"') == found("tag:a,b") == found("tag:c") == 1
    counts = archive.facets(newest=None).counts
    [name] = [name for name in counts["agent"] if name.startswith("Müller")]
    assert found(state.piece_of("agent", name)) == 1 and counts["agent"]["Anna"] == 1
    assert len(counts["tag"]) == 2
    kept = archive.call_by_id("desk", "90")
    assert kept and kept.agents[0].name == "Müller, Anna" and kept.tags == ("a,b", "c")
