"""Whatever is done in whatever order, a call on hold stays with all that was decided about it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.archive.calls import START, call
from tests.archive.database import read
from tui.archive.sqlite import Archive
from tui.archive.triage_events import RELEASE, hold, note
from tui.query.parser import parse

COUNT = 4
NAMES = [(account, str(n)) for account in ("desk", "eu") for n in range(1, COUNT + 1)]
SOME = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True)
STEPS = st.lists(
    st.one_of(
        *(st.tuples(st.just(act), SOME) for act in ("hold", "release", "note", "purge", "vanish")),
        *(st.tuples(st.just(act), st.none()) for act in ("undo", "due", "account", "rebuild")),
        st.tuples(st.just("sync"), SOME),
    ),
    max_size=14,
)


def do(archive: Archive, act: str, names: list[tuple[str, str]] | None) -> None:
    keys = [key for name in names or () if (key := archive.key_of(*name)) is not None]
    here = archive.names_of(keys)
    changes = {"hold": hold("case"), "release": RELEASE, "note": note("ours")}
    if act in changes:
        archive.triage.append(here, [changes[act]], "ann")
    elif act == "undo":
        archive.triage.undo("ann")
    elif act in ("purge", "vanish"):
        archive.remove(keys, barred=act == "purge")
    elif act == "due":
        archive.remove(archive.keys_due((START + timedelta(days=1)).timestamp(), 3))
    elif act == "account":
        archive.remove_account("desk")
    elif act == "rebuild":
        archive.triage.rebuild()
    else:
        with archive.transaction():
            for account, id_ in names or ():
                archive.save(account, [call(int(id_), duration_s=9.0)])


Steps = list[tuple[str, list[tuple[str, str]] | None]]


@pytest.mark.parametrize("examples", [8, pytest.param(200, marks=pytest.mark.slow)])
def test_a_call_on_hold_stays(examples: int) -> None:
    @settings(max_examples=examples)
    @given(STEPS)
    def whatever(steps: Steps) -> None:
        stays(steps)

    whatever()


def stays(steps: Steps) -> None:
    with TemporaryDirectory() as folder, Archive(Path(folder) / "archive.db") as archive:
        with archive.transaction():
            for account in ("desk", "eu"):
                archive.save(account, [call(n) for n in range(1, COUNT + 1)])
        for act, names in steps:
            held = {*archive.names_of(archive.held())}
            decided = {name: archive.triage.events(*name) for name in held}
            do(archive, act, names)
            assert all(archive.key_of(*name) is not None for name in held), act
            for name, events in decided.items():
                assert archive.triage.events(*name)[: len(events)] == events, act
            assert read(archive.path, "PRAGMA foreign_key_check") == []
        # the log, the table, the line and the index say the same
        held = {*archive.names_of(archive.held())}
        assert held == {name for name in NAMES if archive.triage.of(*name).held is not None}
        query = parse("held", START, START.tzinfo)  # type: ignore[arg-type]
        assert {*archive.names_of(archive.keys(query))} == held
        assert archive.count(query) == len(held)
        before = archive.held()
        archive.triage.rebuild()
        assert archive.held() == before
