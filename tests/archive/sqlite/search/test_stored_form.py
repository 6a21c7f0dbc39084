"""What the index keeps has the form that archives have: another one needs a migration."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from providers.model import Contact, Disposition
from tests.archive.calls import call
from tests.archive.database import read
from tui.archive.sqlite import Archive
from tui.archive.triage_events import note, state, tag

MS = 1_793_610_060_000
"""When the call began: Unix milliseconds."""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("form") / "archive.db"
    one = call(
        1,
        wait_s=2.5,
        ring_group="Desk",
        contact=Contact(name="Zoë", number="+12025550001", email="zoe@x"),
        disposition=Disposition("Sale", "call back"),
        sla_met=False,
    )
    with Archive(path) as archive:
        with archive.transaction():
            archive.save(
                "eu", [one, call(1, id="2", contact=one.contact), call(0, started_at=None)]
            )
        archive.triage.append([("eu", "1")], [state("done"), tag("vip"), note("later")], "ann")
    return path


def test_places_and_slots_go_by_the_moment(path: Path) -> None:
    place, partition = MS << 15, (MS << 15) >> 44
    assert read(path, "SELECT id, place, slot FROM call ORDER BY id") == [
        ("0", -(1 << 62), (-(1 << 62) >> 44) << 26),
        ("1", place, partition << 26),
        ("2", place + 1, (partition << 26) + 1),
    ]


def test_a_bit_of_a_token_stands_at_the_call_s_slot(path: Path) -> None:
    chunk = ((MS << 15) >> 44) << (26 - 15)
    rows = read(path, "SELECT token, place, bits FROM bits JOIN token ON n = place >> 32")
    found = {token: data for token, place, data in rows if place & 0xFFFFFFFF == chunk + (1 << 30)}
    assert found == {
        "": b"\3",
        "account=eu": b"\3",
        "agents=Zoë Müller": b"\3",
        "direction=inbound": b"\3",
        "disposition=Sale": b"\3",
        "duration_s#": b"\3",
        "duration_s#0": b"\3",
        "has_recording=0": b"\3",
        "outcome=answered": b"\3",
        "provider=nectar": b"\3",
        "ring_group=Desk": b"\1",
        "sla-missed": b"\1",
        "state=done": b"\1",
        "state=new": b"\2",
        "tags=vip": b"\1",
        "wait_s#": b"\1",
        "wait_s#1": b"\1",
        "wait_s#more": b"\1",
    }


def test_words_and_facets_are_terms_of_the_full_text_table(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE VIRTUAL TABLE temp.posting USING fts5vocab(main, search, instance)")
        sql = "SELECT DISTINCT term FROM posting WHERE doc = ? ORDER BY term"
        terms = {term for (term,) in db.execute(sql, [MS << 15])}
    words = "back call desk later muller sale vip x zoe"
    fields = "=email=zoe =email=x =sla=no =sla=false"
    values = {
        "account": "eu",
        "provider": "nectar",
        "direction": "inbound",
        "outcome": "answered",
        "agents": "Zoë Müller",
        "disposition": "Sale",
        "tags": "vip",
        "state": "done",
    }
    facets = {f"={kind}={value.encode().hex()}" for kind, value in values.items()}
    divided = f"=has recording=30 =ring group={b'Desk'.hex()} =duration s=31 =wait s=33"
    assert terms == {"=", *words.split(), *fields.split(), *facets, *divided.split()}
