"""``python -m tests.benchmarks.bulk FILE COUNT``: an archive of so many calls, by bulk SQL.

What `Archive.save` would write for the search, but for the calls' own JSON.
"""

from __future__ import annotations

import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

from providers.sandbox.texts import FIRST_NAMES, LAST_NAMES, TOPICS
from tui.archive.sqlite import Archive
from tui.archive.sqlite.search.bitmap import SLOT_BITS, BitmapChanges, partition_of
from tui.archive.sqlite.search.search_index import (
    INDEXED,
    TIES,
    bitmap_tokens,
    facets,
    prefixed,
    token,
)
from tui.query.parser import words

FIRST_MS = 1_735_689_600_000
"""2025-01-01; the last call begins two years later, whatever their number."""
SPAN_MS = 2 * 365 * 86_400_000
REGIONS = tuple(f"Region {number}" for number in range(40))
OUTCOMES = ("answered", "missed", "abandoned", "voicemail", "busy", "failed")
WEIGHTS = (70, 14, 6, 6, 3, 1)
STEP = 50_000
COLUMNS = (
    *INDEXED,
    "key",
    "id",
    "started_at",
    "number",
    "contact",
    "note",
    "recordings",
    "problems",
    "number_key",
    "triaged_at",
)

cached_words = lru_cache(maxsize=200_000)(words)
ACCOUNTS = ("desk", "care", "eu")


class World:
    """Names, notes and numbers that calls are drawn from."""

    def __init__(self, count: int) -> None:
        random = self.random = Random(11)
        letters = "bcdfghklmnprstvwz"
        vocabulary = [
            "".join(
                random.choice(letters) + random.choice("aeiou") for _ in range(random.randint(2, 4))
            )
            for _ in range(30_000)
        ]
        weights = [*accumulate(1 / (rank + 2) for rank in range(len(vocabulary)))]
        self.vocabulary = list(dict.fromkeys(vocabulary))
        self.notes = [
            " ".join(random.choices(vocabulary, cum_weights=weights, k=12))
            for _ in range(min(count, 50_000))
        ]
        self.agents = [
            " ".join(pair) for pair in zip(FIRST_NAMES * 9, LAST_NAMES * 9, strict=False)
        ][:200]
        self.agents = [f"{name} {number}" for number, name in enumerate(self.agents)]
        self.dispositions = [f"{topic.code} {i}" for i in range(3) for topic in TOPICS][:30]
        self.groups = [f"Group {letter}" for letter in "ABCDEFGHIJKL"]
        self.tags = [f"tag{number}" for number in range(40)]
        self.people = [f"{first} {last}" for first in FIRST_NAMES for last in LAST_NAMES]
        self.numbers = [f"+{random.randrange(10**10, 10**11)}" for _ in range(max(10, count // 5))]

    def line(self, key: int, count: int) -> dict[str, Any]:
        pick, chance = self.random.choice, self.random.random
        started_at = FIRST_MS + SPAN_MS * key // count
        group, code, agent = pick(self.groups), pick(self.dispositions), pick(self.agents)
        tag, number, contact = pick(self.tags), pick(self.numbers), pick(self.people)
        tagged, noted = chance() < 0.2, chance() < 0.4
        note = f"{pick(self.notes)} ref{key}x" if noted else None
        return {
            "place": started_at * TIES,
            "account": ACCOUNTS[key % 3],
            "provider": ("nectar", "liner", "cinnox")[key % 3],
            "direction": "inbound" if chance() < 0.6 else "outbound",
            "outcome": self.random.choices(OUTCOMES, WEIGHTS)[0],
            "has_recording": chance() < 0.5,
            "agents": agent,
            "ring_group": group,
            "queue": f"Queue {group[-1]}",
            "campaign": "Spring" if chance() < 0.1 else None,
            "disposition": code,
            "tags": tag if tagged else None,
            "status": None,
            "duration_s": round(chance() ** 3 * 3600),
            "wait_s": round(chance() ** 4 * 300),
            "talk_s": round(chance() ** 3 * 3000),
            "words": " ".join(
                filter(None, (contact, code, group, agent, note, tag if tagged else None))
            ),
            "digits": f"{number[1:]} 08001234567",
            "fields": self.fields(key),
            "key": key,
            "id": f"c{key}",
            "started_at": started_at,
            "number": number,
            "contact": contact,
            "note": note,
            "recordings": 0,
            "problems": 0,
            **self.decided(key, started_at),
            "number_key": number,
        }

    def fields(self, key: int) -> str:
        """What no column has: ids that each call has alone, and a few words that many have."""
        pick = self.random.choice
        values = {
            "lead": str(key),
            "hangup": pick(("customer", "agent", "system")),
            "calltype": pick(("onnet", "offnet", "smartcall")),
            "fromregion": pick(REGIONS),
            "sla": pick(("yes", "no")),
        }
        terms = (" ".join(prefixed(name, text)) for name, text in values.items())
        return f" = {' = '.join(terms)} = "

    def decided(self, key: int, started_at: int) -> dict[str, Any]:
        """Most calls are done within a week; one of five was missed, most of them not for long."""
        chance = self.random.random
        done, missed = chance() < 0.9, chance() < 0.2
        return {
            "state": "done" if done else "follow-up" if chance() < 0.02 else "new",
            "triaged_at": started_at + round(chance() * 7 * 86_400_000) if done else None,
            "our_tags": "spam" if done and chance() < 0.05 else None,
            "our_words": "",
            "held": 0,
            "missed": missed,
            "closed_by": 1 if missed and chance() < 0.8 else None,
            "callback_requested": chance() < 0.01,
            "sla_met": chance() > 0.05,
        }


class Filled:
    """Counts of what was written, for the tables that many calls share."""

    def __init__(self) -> None:
        self.words: Counter[str] = Counter()
        self.known: Counter[tuple[str, str]] = Counter()
        self.numbers: Counter[str] = Counter()

    def text(self, line: dict[str, Any]) -> str:
        found: list[str] = []
        head, _, tail = line["words"].partition(line["note"] or "\0")
        for piece in (head, *(line["note"] or "").rsplit(" ", 1), tail):
            found += cached_words(piece)
        kept = line["fields"].split()
        values = facets(line)
        self.words.update({*found, *kept})
        self.known.update(values)
        self.numbers.update(line["digits"].split())
        line["words"] = f" {' '.join(found)} "
        return " ".join([*found, *kept, *(token(*facet) for facet in values)])


def fill(path: Path, count: int) -> None:
    """An archive of `count` calls with all of its search index."""
    with Archive(path) as archive:
        for account in ACCOUNTS:
            archive.read_by(account, 99)  # they have no raw: there is nothing to read anew
    world, filled = World(count), Filled()
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA cache_size = -400000")
    ids: dict[str, int] = {}
    pairs: list[tuple[int, int]] = []
    bits, slots = BitmapChanges(db), Counter[int]()
    indexes = _drop_indexes(db)
    marks = ", ".join(f":{name}" for name in COLUMNS)
    for start in range(1, count + 1, STEP):
        lines = [world.line(key, count) for key in range(start, min(start + STEP, count + 1))]
        db.execute("BEGIN")
        for line in lines:
            set_bits(line, slots, bits)
        bits.flush()
        texts = [(line["place"], filled.text(line)) for line in lines]
        db.executemany(f"INSERT INTO call ({', '.join(COLUMNS)}) VALUES ({marks})", lines)
        db.executemany("INSERT INTO search (rowid, text) VALUES (?, ?)", texts)
        pairs = [
            (ids.setdefault(one, len(ids) + 1), line["place"])
            for line in lines
            for one in line["digits"].split()
        ]
        db.executemany("INSERT INTO call_number VALUES (?, ?)", sorted(pairs))
        db.execute("COMMIT")
    db.execute("BEGIN")
    db.executemany("INSERT INTO word VALUES (?, ?)", sorted(filled.words.items()))
    db.executemany("INSERT INTO known VALUES (?, ?, ?)", _flat(filled.known))
    rows = [(n, text, filled.numbers[text]) for text, n in ids.items()]
    db.executemany("INSERT INTO number VALUES (?, ?, ?)", rows)
    db.executemany("INSERT INTO fragment (rowid, digits) VALUES (?, ?)", (row[:2] for row in rows))
    for sql in indexes:
        db.execute(sql)
    db.execute("COMMIT")
    db.close()


def set_bits(line: dict[str, Any], slots: Counter[int], bits: BitmapChanges) -> None:
    """Give a call the next slot of its partition of time; `slots` has how many each has."""
    partition = partition_of(line["place"])
    line["slot"] = (partition << SLOT_BITS) + slots[partition]
    slots[partition] += 1
    bits.put(line["slot"], bitmap_tokens(line, facets(line)), on=True)


def _drop_indexes(db: sqlite3.Connection) -> list[str]:
    """Drop the indexes of the calls; the statements that make them again."""
    found = db.execute(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'call' AND sql"
        " IS NOT NULL"
    ).fetchall()
    for name, _ in found:
        db.execute(f"DROP INDEX {name}")
    return [sql for _, sql in found]


def _flat(known: Counter[tuple[str, str]]) -> Iterator[tuple[str, str, int]]:
    return ((kind, value, calls) for (kind, value), calls in sorted(known.items()))


if __name__ == "__main__":
    fill(Path(sys.argv[1]), int(sys.argv[2]))
