"""Calls in and out of SQLite."""

from __future__ import annotations

import sqlite3
import time
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from providers.model import Call, CallRow
from tui.archive.errors import ArchiveReadOnly
from tui.archive.interface import NOTHING_MORE, Reconcile
from tui.archive.records import (
    NEWEST_CALLS,
    NEWEST_FIRST,
    CallFacts,
    Checked,
    Facets,
    Removed,
    Saved,
    SortOrder,
)
from tui.archive.sqlite import connection, decision_backup, new_calls, purge, related_calls
from tui.archive.sqlite.call_columns import Kept, call_of, is_same, to_details, to_row
from tui.archive.sqlite.call_facts import facts
from tui.archive.sqlite.callbacks import Callbacks
from tui.archive.sqlite.connection import connect, only_read_it
from tui.archive.sqlite.damage import WatchedConnection
from tui.archive.sqlite.decision_backup import BackedUp
from tui.archive.sqlite.details import row_of
from tui.archive.sqlite.listening_history import ListeningTable
from tui.archive.sqlite.migrations import PER_ACCOUNT
from tui.archive.sqlite.repack import repack, waiting
from tui.archive.sqlite.reparse import ReparseTables
from tui.archive.sqlite.replacement import sweep
from tui.archive.sqlite.retention import RetentionTables
from tui.archive.sqlite.row_window import RowList, export
from tui.archive.sqlite.search import backfill, name_lookup, planner, sort_orders
from tui.archive.sqlite.search.conditions import FUNCTIONS, condition_of, grouped, of_text
from tui.archive.sqlite.search.facet_counts import COUNTED, count_facets
from tui.archive.sqlite.search.search_index import Changes, SearchIndex
from tui.archive.sqlite.triage_log import TriageLog
from tui.query.parser import EVERYTHING, Problem, Query

LOOK_STEPS = 100_000
"""Steps of SQLite's machine, some milliseconds' work, between two looks at whether to end."""


class Archive(ReparseTables, RetentionTables, BackedUp):
    """One connection to the archive. Opening creates or migrates it; the file is 0600.

    `only_read`: it is left as it is, its write-ahead log too.
    """

    _db: WatchedConnection

    def __init__(self, path: Path, *, only_read: bool = False) -> None:
        self.path = path
        self._db, self._unwritable = (only_read_it if only_read else connect)(path)
        for arguments, function in FUNCTIONS:
            self._db.create_function(function.__name__, arguments, function, deterministic=True)
        self.index = SearchIndex(self._db)
        self._planner = planner.Planner(self._db, self.index)
        self.listening = ListeningTable(self._db, self.transaction)
        self.triage = TriageLog(self._db, self.transaction, self.index, self.back_up)
        self.callbacks = Callbacks(self._db)
        if not self.read_only:
            self._take_up_backup()

    @property
    def read_only(self) -> ArchiveReadOnly | None:
        """Why nothing can be kept: a full disk, one that may only be read, a damaged archive;
        None: it can.
        """
        return self._unwritable or self._db.damage

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, waiting up to ten seconds for another Ringback's transaction.

        Raises `ArchiveReadOnly`, `ArchiveDamaged` among them.
        """
        if why := self.read_only:
            raise why
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.index.bitmaps.write_marks()
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # a full disk may have ended it already
                self._db.execute("ROLLBACK")
            raise

    def check(self, *, deep: bool = False, within_s: float | None = None) -> Checked:
        """As `integrity_check.check`."""
        from tui.archive.sqlite.integrity_check import check

        return check(self, deep=deep, within_s=within_s)

    @contextmanager
    def _at_one_moment(self) -> Iterator[None]:
        """What several statements read is of one moment, whatever others write meanwhile."""
        begun = not self._db.in_transaction
        if begun:
            self._db.execute("BEGIN")
        try:
            yield
        finally:
            if begun and self._db.in_transaction:  # some errors end it
                self._db.execute("COMMIT")

    # -- calls in

    def save(
        self, account: str, calls: Iterable[Call], reconcile: Reconcile | None = None
    ) -> Saved:
        """Keep calls; one that is already there goes through `reconcile` first.

        Runs inside the caller's `transaction`.
        """
        saved, changes = Saved(), self.index.changes()
        for batch in new_calls.batches(calls):
            known, new = new_calls.known(self._db, account, batch), list[Call]()
            for call in batch:
                if (older := known.get(str(call.id))) is None:
                    new.append(call)
                    continue
                key, details = older
                kept = reconcile(call_of(*details), call) if reconcile else call
                if self._update(key, account, kept, details, changes):
                    saved += Saved(changed=1)
                else:
                    saved += Saved(same=1)
            here = (self._db, self.index, self.callbacks, self.triage)
            saved += Saved(new=new_calls.insert(*here, account, new, changes))
        changes.flush()
        return saved

    def _find(self, account: str, id_: str) -> tuple[int, str | bytes, str, bytes] | None:
        found: tuple[int, str | bytes, str, bytes] | None = self._db.execute(
            "SELECT key, body, extra, raw FROM call JOIN detail USING (key)"
            " WHERE account = ? AND id = ?",
            (account, id_),
        ).fetchone()
        return found

    def _update(self, key: int, account: str, call: Call, older: Kept, changes: Changes) -> bool:
        kept = to_details(call)
        if is_same(kept, older):
            return False
        before = self.callbacks.decides(key)
        line = to_row(account, call) | self.callbacks.columns(account, call)
        self._rewrite(key, line, changes)
        self._db.execute(
            "UPDATE detail SET body = ?, extra = ?, raw = ?, saved_at = ? WHERE key = ?",
            (*row_of(kept), int(time.time()), key),
        )
        related_calls.keep_threads(self._db, account, key, call)
        self.callbacks.changed(key, before, line)
        return True

    def _rewrite(self, key: int, line: dict[str, Any], changes: Changes) -> None:
        """Put another line in a call's place, in the index too."""
        with self.index.updating(key, changes):
            started_at, slot = self._db.execute(
                "SELECT started_at, slot FROM call WHERE key = ?", (key,)
            ).fetchone()
            if slot is None or started_at != line["started_at"]:
                line |= self.index.free_positions([line["started_at"]])[0]
            assignments = ", ".join(f"{name} = ?" for name in line)
            self._db.execute(f"UPDATE call SET {assignments} WHERE key = ?", [*line.values(), key])

    def index_more(self, limit: int = 500) -> int:
        """As the interface has it: what is not in the index, what lines lack, older details."""
        step = partial(repack, self._db, limit)
        if self.index.is_incomplete():
            step = partial(backfill.fill, self._db, self.index, self._rewrite, limit)
        elif not waiting(self._db):
            return 0
        left = self.write_if_possible(step)
        return 0 if left is None else left or waiting(self._db)

    def remove_account(self, account: str) -> int:
        """Forget everything of an account, its triage too, but calls on hold; the number of calls
        that went.
        """
        with self.transaction():
            decision_backup.forget(
                self.path, [(account, "")], purged=False, kept=self.names_of(self.held())
            )
            theirs = "FROM call WHERE account = ? AND held = 0"
            keys = self._db.execute(f"SELECT key {theirs}", (account,))
            self.index.remove([key for (key,) in keys.fetchall()])
            gone = self._db.execute(f"DELETE {theirs}", (account,)).rowcount
            self.index.calls_removed()
            for table in PER_ACCOUNT:
                self._db.execute(f"DELETE FROM {table} WHERE account = ?", (account,))
            self.callbacks.set_region(account, "")
            self.callbacks.settle_removed()
            self.triage.forget(account)
        return gone

    def work_out_numbers(self) -> int:
        """The number keys of some calls that lack one (`Callbacks.fill`); 0: all have theirs."""
        if self._db.execute("SELECT 1 FROM call WHERE number_key IS NULL LIMIT 1").fetchone():
            return self.write_if_possible(self.callbacks.fill) or 0
        return 0

    def remove(
        self, keys: Sequence[int], number: str | None = None, barred: bool = True
    ) -> Removed:
        """As `purge`, without writing the file anew: what is removed is blanked out in it.
        `barred`: a sync does not bring them back.
        """
        self._db.execute("PRAGMA secure_delete = ON")
        with self.transaction():
            held = self.held(keys)
            here = {key: name for key in keys if key not in held for name in self.names_of([key])}
            keys, names = [*here], [*here.values()]
            decision_backup.forget(self.path, names, purged=barred)
            self.index.remove(keys)
            noted = sum(self.triage.forget(*name) for name in names)
            gone = purge.remove(self._db, keys, number, barred)
            self.index.calls_removed()
            self.callbacks.settle_removed()
        return gone._replace(rows=gone.rows + noted)

    def purge(self, keys: Sequence[int], number: str | None = None) -> tuple[Removed, bool]:
        """Remove calls for good, a number also from the dictionaries, and what an ended repair left
        of them; what went, and whether the
        file was written anew without it (another Ringback that reads all the time prevents it).

        Those on hold stay; a sync does not bring the others back. Raises `ArchiveError`, e.g.
        without room on the disk.
        """
        sweep(self.path)
        gone = self.remove(keys, number)
        return gone, purge.rewrite(self._db, connection.BUSY_S)

    # -- who waits for an answer

    def set_region(self, account: str, region: str) -> None:
        """As `Callbacks.set_region`."""
        self.callbacks.set_region(account, region)

    def closer_of(self, account: str, id_: str) -> tuple[str, float] | None:
        """As `Callbacks.closer_of`."""
        return self.callbacks.closer_of(account, id_)

    # -- calls out

    def keys(
        self,
        query: Query = EVERYTHING,
        sort: SortOrder = NEWEST_FIRST,
        *,
        limit: int | None = None,
        after: int | None = None,
        before: int | None = None,
        from_end: bool = False,
        inclusive: bool = False,
    ) -> array[int]:
        """The keys of the rows that match, in order; with a `limit` the first ones, sooner.

        Only those that stand `after` a call's key and `before` another's, or there (`inclusive`);
        these calls need not match. `from_end` gives the last ones, from the end up. Pages follow
        each other in this way at any depth: in the order of time at once, in any other by reading
        all that match. Raises `CallNotFound` where such a call is not here.
        """
        column, descending = sort
        if column == "time" and from_end:  # the same as the other order from its beginning
            from_end, descending, after, before = False, not descending, before, after
        with self._at_one_moment():
            paged = column == "time" and limit is not None
            parts = self._planner.parts_of(query)
            scan = self._planner.scan(parts) if paged and before is None else None
            if scan is not None and limit is not None:
                behind = self._behind(after, descending, inclusive)
                return scan.keys(limit, descending, behind)
            plan = self._planner.plan(parts, limit if column == "time" else None)
            plan = self._between(plan, column, descending, after, before, inclusive)
            order_by = sort_orders.upward if from_end else sort_orders.order_by
            end = order_by(column, descending, plan.place)
            if limit is not None:
                end += f" LIMIT {limit}"
            sql = plan.select("call.key", end)
            if plan.places and paged:
                turn = sort_orders.order_by("time", descending)  # of the first places only
                first = plan.select(f"{plan.place} AS p", end, places_only=True)
                sql = f"SELECT key FROM ({first}) CROSS JOIN call ON place = p {turn}"
            return array("q", (row[0] for row in self._db.execute(sql, plan.values)))

    def _behind(self, after: int | None, descending: bool, inclusive: bool) -> int | None:
        """The place in time behind which a page begins."""
        if after is None:
            return None
        here = sort_orders.place(self._db, "time", after)[1]
        return here + inclusive * (1 if descending else -1)

    def _between(
        self,
        plan: planner.QueryPlan,
        column: str,
        descending: bool,
        after: int | None = None,
        before: int | None = None,
        inclusive: bool = False,
    ) -> planner.QueryPlan:
        """The plan that reads only what stands between two calls."""
        for key, side in ((after, sort_orders.behind), (before, sort_orders.above)):
            if key is not None:
                here = sort_orders.place(self._db, column, key)
                condition, values = side(column, descending, plan.place, here, inclusive)
                plan = plan._replace(
                    condition=f"{plan.condition} AND {condition}", values=[*plan.values, *values]
                )
        return plan

    def count_before(self, key: int, query: Query, sort: SortOrder) -> int:
        """How many of the rows that match stand before a call. Raises `CallNotFound`."""
        column, descending = sort
        parts = self._planner.parts_of(query)
        if column == "time" and (scan := self._planner.scan(parts)):
            return scan.count_before(sort_orders.place(self._db, column, key)[1], descending)
        plan = self._between(self._planner.plan(parts), column, descending, before=key)
        sql = f"SELECT count(*) FROM ({plan.select('1')})"
        return int(self._db.execute(sql, plan.values).fetchone()[0])

    def is_after(self, key: int, other: int, sort: SortOrder) -> bool:
        """Whether a call stands after another in an order. Raises `CallNotFound`."""
        column, descending = sort
        here = sort_orders.place(self._db, column, other)
        condition, values = sort_orders.behind(column, descending, "place", here, False)
        sql = f"SELECT 1 FROM call WHERE key = ? AND {condition}"
        return self._db.execute(sql, [key, *values]).fetchone() is not None

    def rows(self, keys: array[int], begins: bool = True, ends: bool = True) -> RowList:
        """Windows of rows over `keys`, read on this connection (and thus in this thread)."""
        return RowList(self._db, keys, begins, ends)

    def cancel(self) -> None:
        """End a query that runs in another thread on this connection; nothing if it is closed."""
        with suppress(sqlite3.ProgrammingError):
            self._db.interrupt()

    def cancel_when(self, cancelled: Callable[[], bool]) -> None:
        """End each query here as soon as this is so; also one that begins after `cancel`."""
        self._db.set_progress_handler(cancelled, LOOK_STEPS)

    def count(self, query: Query = EVERYTHING, at_most: int | None = None) -> int:
        """How many calls match; counting ends above `at_most`: ``at_most + 1`` means more."""
        if not query.terms and not self.index.unindexed():
            return sum(self.index.facet_values("provider").values())
        with self._at_one_moment():
            parts = self._planner.parts_of(query)
            if at_most is not None and self._planner.at_least(parts) > at_most:
                return at_most + 1
            if scan := self._planner.scan(parts):
                return scan.count(at_most)
            plan = self._planner.plan(parts, None if at_most is None else at_most + 1)
            limit = "" if at_most is None else f"LIMIT {at_most + 1}"
            sql = f"SELECT count(*) FROM ({plan.select('1', limit, places_only=True)})"
            return int(self._db.execute(sql, plan.values).fetchone()[0])

    def counts_by_account(self) -> dict[str, int]:
        """How many calls each account has."""
        if not self.index.unindexed():
            return self.index.facet_values("account")
        return dict(self._db.execute("SELECT account, count(*) FROM call GROUP BY account"))

    def calls_of(self, account: str) -> int:
        """How many calls an account has."""
        sql = "SELECT count(*) FROM call WHERE account = ?"
        return int(self._db.execute(sql, (account,)).fetchone()[0])

    def key_of(self, account: str, id_: str) -> int | None:
        """The row's key of a call, or None when it is not here."""
        sql = "SELECT key FROM call WHERE account = ? AND id = ?"
        row = self._db.execute(sql, (account, id_)).fetchone()
        return row[0] if row else None

    def names_of(self, keys: Iterable[int]) -> list[tuple[str, str]]:
        """Account and id of the calls with these keys, in that order; those that are here."""
        sql = "SELECT account, id FROM call WHERE key = ?"
        rows = (self._db.execute(sql, (key,)).fetchone() for key in keys)
        return [row for row in rows if row]

    def matching(self, keys: Collection[int], query: Query) -> set[int]:
        """Those of at most 30,000 keys whose calls match."""
        parts = [condition_of(*group) for group in grouped(query)]
        marks = ",".join("?" * len(keys))
        conditions = of_text(" AND ".join([f"key IN ({marks})", *(sql for sql, _ in parts)]))
        values = [value for _, part in parts for value in part]
        rows = self._db.execute(f"SELECT key FROM call WHERE {conditions}", [*keys, *values])
        return {row[0] for row in rows}

    def facets(self, query: Query = EVERYTHING, newest: int | None = NEWEST_CALLS) -> Facets:
        """Agents, outcomes, dispositions, groups and tags of the calls that match, with counts.

        With `newest` at most so many of the newest calls are read: the counts of more are lower
        bounds. Of everything they are exact at once.
        """
        if not query.terms and not self.index.unindexed():
            every = COUNTED.items()
            return Facets(
                {kind: name_lookup.counted(self._db, self.index, name) for kind, name in every}
            )
        with self._at_one_moment():
            keys = None if newest is None else self.keys(query, limit=newest + 1)
            complete = keys is None or newest is None or len(keys) <= newest
            read = None if keys is None else keys[:newest]
            return Facets(count_facets(self._db, self._planner, query, read), complete)

    def suggest(self, field: str, prefix: str, limit: int = 20) -> list[str]:
        """Names that the archive knows for a word before a colon; none for one that is no field."""
        return name_lookup.suggest(self.index, field, prefix)[:limit]

    def unknown_names(
        self, query: Query, also: Mapping[str, Collection[str]] = NOTHING_MORE
    ) -> tuple[Problem, ...]:
        """What of the names in a query line nothing here has."""
        return name_lookup.unknown_names(self._db, self.index, query, also)

    def spelling_suggestions(self, query: Query) -> tuple[Problem, ...]:
        """What the words of a query that found nothing may have been meant as."""
        return name_lookup.spelling_suggestions(self._db, self.index, query)

    def has_field(self, word: str) -> bool:
        """Whether calls have a field of that name of their vendor's own."""
        return self.index.has_field(word)

    def call_by_id(self, account: str, id_: str) -> Call | None:
        """One call, or None."""
        found = self._find(account, id_)
        if found is None:
            return None
        _, body, extra, raw = found
        return call_of(body, extra, raw)

    def call(self, key: int) -> tuple[str, Call] | None:
        """Account and call of a row's key, or None when it was removed."""
        row = self._db.execute("SELECT account, id FROM call WHERE key = ?", (key,)).fetchone()
        call = self.call_by_id(*row) if row else None
        return (row[0], call) if call else None

    def facts(self, keys: Sequence[int]) -> Iterator[CallFacts]:
        return facts(self._db, keys)

    def related(self, key: int, limit: int) -> list[tuple[CallRow, str]]:
        """Rows of the calls that belong to a row's, newest first, each with how it does."""
        found = related_calls.related(self._db, key, limit)
        rows = self.rows(array("q", (one.key for one in found))).window(0, limit)
        return [(row, one.relation) for row, one in zip(rows, found, strict=True)]

    def export(
        self, keys: Iterable[int], unread: list[str] | None = None
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Account and JSON of many calls, triage included, in the order of `keys`; `unread` gets
        the names of those that cannot be read. Raises `ArchiveDamaged` where it is not given.
        """
        return export(self._db, keys, unread)

    def change_token(self) -> int:
        """Another one whenever another connection commits, so that a screen looks again."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])
