"""A call's details in one deflated text."""

from __future__ import annotations

import sqlite3
import zlib
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.archive.database import read, unpack_details
from tests.contract.search_model import random_call
from tui.archive import codec
from tui.archive.errors import ArchiveDamaged
from tui.archive.sqlite import Archive
from tui.archive.sqlite.call_columns import call_of, to_details
from tui.archive.sqlite.details import (
    Details,
    body_text,
    details_of,
    dictionary,
    rescued,
    row_of,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
).map(codec.stored)

ADLER = 0xC256CC23
"""Of the dictionary; a packed text names it so (RFC 1950, FDICT)."""


def test_the_dictionary_is_the_one_that_archives_were_packed_with() -> None:
    assert zlib.adler32(dictionary()) == ADLER
    assert len(dictionary()) <= 32_768, "what is further back is out of reach"


@given(body=JSON, extra=JSON, raw=JSON)
def test_what_was_packed_is_read_again(body: str, extra: str, raw: str) -> None:
    kept = Details(body, extra, raw)
    row = row_of(kept)
    assert details_of(*row) == kept and body_text(row[0]) == body
    assert details_of(body, extra, zlib.compress(raw.encode())) == kept, "the older form"
    assert rescued(*row[:2]) == kept


@given(seed=st.integers(0, 10**6), cut=st.floats(0, 1), flip=st.booleans())
def test_damage_is_an_error_or_costs_only_the_vendors_json(
    seed: int, cut: float, flip: bool
) -> None:
    call = random_call(1, Random(seed))
    kept = to_details(call)
    body, extra, raw = row_of(kept)
    at = int(cut * (len(body) - 1))
    odd = body[:at] + bytes([body[at] ^ 0x10]) + body[at + 1 :] if flip else body[:at]
    with pytest.raises(ArchiveDamaged):
        call_of(odd, extra, raw)
    try:
        found = call_of(odd, extra, None)
    except ArchiveDamaged:
        return
    assert flip or found.raw is None
    if not flip:
        assert codec.encode(found) == codec.encode(call)


def test_a_cut_text_gives_what_stands_before_the_cut() -> None:
    kept = to_details(random_call(1, Random(1)))
    body, extra, _ = row_of(kept)
    lengths = {n for n in range(len(body)) if _is_rescued(body[:n], extra, kept)}
    assert lengths and lengths == set(range(min(lengths), len(body)))


def _is_rescued(body: bytes, extra: str, kept: Details) -> bool:
    try:
        return rescued(body, extra).body == kept.body
    except ValueError:
        return False


def test_another_dictionary_is_refused() -> None:
    packer = zlib.compressobj(6, zlib.DEFLATED, zlib.MAX_WBITS, zdict=b"another one")
    odd = packer.compress(b"{}\n{}\n{}") + packer.flush()
    with pytest.raises(ArchiveDamaged):
        call_of(odd, "{}", b"")
    assert body_text(odd) is None


def test_older_details_are_packed_beside_others_and_what_is_damaged_stays(tmp_path: Path) -> None:
    path, random = tmp_path / "archive.db", Random(3)
    calls = [random_call(number, random) for number in range(1, 61)]
    with Archive(path) as archive, archive.transaction():
        archive.save("eu", calls)
    with closing(sqlite3.connect(path)) as db, db:
        unpack_details(db)
        db.execute("UPDATE detail SET raw = x'00' WHERE key = 7")
    with Archive(path) as archive, Archive(path) as other:
        before = [archive.call_by_id("eu", call.id) for call in calls if call.id != "7"]
        assert archive.index_more(20) == 40
        with other.transaction():  # a sync meanwhile
            assert other.save("eu", calls[:1] + calls[40:41]).same == 2
        assert [archive.index_more(20), other.index_more(20)] == [20, 0]
        assert [archive.call_by_id("eu", call.id) for call in calls if call.id != "7"] == before
    kinds = dict(read(path, "SELECT key, typeof(body) FROM detail"))
    assert kinds.pop(7) == "text" and {*kinds.values()} == {"blob"}
