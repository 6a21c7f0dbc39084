"""Calls that an older version of a vendor's reading kept, read anew from their raw."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from providers.model import Call
from tui.archive.sqlite.call_columns import Kept, call_of
from tui.archive.sqlite.sync_state import EVERYWHERE, SyncTables

if TYPE_CHECKING:
    from tui.archive.sqlite.search.search_index import Changes, SearchIndex

log = logging.getLogger(__name__)
STEP = 100
"""Calls that are read anew in one transaction."""


class ReparseTables(SyncTables):
    """The part of an `Archive` that knows by which version of its vendor's reading each account's
    calls were read. Like the index it goes through them from the newest on, so that one row says
    how far that is, and any Ringback may go on with it.
    """

    index: SearchIndex

    def _update(self, key: int, account: str, call: Call, older: Kept, changes: Changes) -> bool:
        """As `Archive._update`."""
        raise NotImplementedError

    def unread(self, account: str, version: int) -> int | None:
        """The place up to which an account's calls wait to be read by this version; None: none
        does. One look, however many calls there are.
        """
        row = self._db.execute(
            "SELECT version, upto FROM reading WHERE account = ?", (account,)
        ).fetchone()
        if row and row[0] == version:
            return None if row[1] is None else int(row[1])
        if row and row[0] > version:  # a later Ringback's reading stays
            return None
        sql = "SELECT 1 FROM call WHERE account = ? LIMIT 1"
        return EVERYWHERE if self._db.execute(sql, (account,)).fetchone() else None

    def count_unread(self, account: str, version: int) -> int:
        """How many calls of an account wait to be read by this version."""
        upto = self.unread(account, version)
        sql = "SELECT count(*) FROM call WHERE account = ? AND place <= ?"
        return 0 if upto is None else int(self._db.execute(sql, (account, upto)).fetchone()[0])

    def read_by(self, account: str, version: int) -> None:
        """Before an account's first call is kept: this version will have read it."""
        sql = "SELECT 1 FROM reading WHERE account = ? AND version >= ?"
        known = self._db.execute(sql, (account, version)).fetchone()
        if not known and self.unread(account, version) is None:
            with self.transaction():
                self._keep_place(account, version, None)

    def read_anew(
        self, account: str, vendor: str, version: int, read: Callable[[Call], Call]
    ) -> bool:
        """Give some calls of an account through `read`, the newest first; whether more wait, and
        can be kept.

        What `read` cannot read (it raises) stays as it is and is told in the log, once.
        """
        if self.unread(account, version) is None:
            return False
        step = partial(self._read_step, account, vendor, version, read)
        return self.write_if_possible(step) or False

    def _read_step(
        self, account: str, vendor: str, version: int, read: Callable[[Call], Call]
    ) -> bool:
        upto = self.unread(account, version)  # another Ringback may have gone on with it
        if upto is None:
            return False
        rows = self._db.execute(
            "SELECT key, place, body, extra, raw FROM call JOIN detail USING (key)"
            " WHERE account = ? AND place <= ? AND provider = ? ORDER BY place DESC LIMIT ?",
            (account, upto, vendor, STEP),
        ).fetchall()
        changes = self.index.changes()
        odd = [
            told
            for key, _, *details in rows
            if (told := self._read_one(key, account, tuple(details), read, changes))
        ]
        changes.flush()
        left = rows[-1][1] - 1 if len(rows) == STEP else None
        self._keep_place(account, version, left)
        if odd:
            log.warning("%s: calls that cannot be read anew: %d (%s)", account, len(odd), odd[0])
        return left is not None

    def _read_one(
        self,
        key: int,
        account: str,
        details: Kept,
        read: Callable[[Call], Call],
        changes: Changes,
    ) -> str:
        """Empty, or which call cannot be read, and the kind of its error."""
        body, extra, raw = details
        older = call_of(body, extra, raw)
        try:
            call = read(older)
        except Exception as error:  # whatever is odd in it, one row must not hold up the others
            return f"{account}:{older.id}: {type(error).__name__}"
        if older.recordings_known:  # `saved_at` no longer says when the vendor was asked
            self._db.execute(
                "UPDATE call SET asked_at = (SELECT saved_at FROM detail WHERE key = :key)"
                " WHERE key = :key AND asked_at IS NULL",
                {"key": key},
            )
        self._update(key, account, call, details, changes)
        return ""

    def _keep_place(self, account: str, version: int, upto: int | None) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO reading VALUES (?, ?, ?)", (account, version, upto)
        )
