"""The archive's tables, and how an older archive becomes a newer one.

``PRAGMA user_version`` counts the migrations that an archive has seen. Each entry of
`MIGRATIONS` is run once, in order, in one transaction; none is ever edited after a release.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from functools import cache

from tui.archive.errors import ArchiveDamaged, ArchiveTooNew

MIGRATIONS = (
    """
    -- one line of the call table each: what is sorted, filtered and shown without parsing
    CREATE TABLE call (
        key           INTEGER PRIMARY KEY,
        account       TEXT NOT NULL COLLATE NOCASE,
        id            TEXT NOT NULL,
        provider      TEXT NOT NULL,
        started_at    INTEGER,            -- Unix milliseconds, UTC
        direction     TEXT,
        outcome       TEXT NOT NULL,
        status        TEXT,
        contact       TEXT,
        number        TEXT,
        company       TEXT,
        agents        TEXT,
        ring_group    TEXT,
        campaign      TEXT,
        disposition   TEXT,
        note          TEXT,
        tags          TEXT,
        duration_s    REAL,
        wait_s        REAL,
        talk_s        REAL,
        has_recording INTEGER,
        recordings    INTEGER NOT NULL,
        problems      INTEGER NOT NULL,
        words         TEXT NOT NULL,      -- folded text of everything that a word may find
        digits        TEXT NOT NULL,      -- the digits of every number, space between
        UNIQUE (account, id)
    );
    CREATE INDEX call_by_time ON call (started_at, key);
    CREATE INDEX call_by_account ON call (account, started_at, key);

    -- the whole call, apart from the lines so that a scan of those stays short
    CREATE TABLE detail (
        key      INTEGER PRIMARY KEY REFERENCES call ON DELETE CASCADE,
        body     TEXT NOT NULL,           -- the call as --json prints it, addresses included
        extra    TEXT NOT NULL,           -- what --json leaves out: problems, recordings_known
        raw      BLOB NOT NULL,           -- the vendor's own JSON, deflated
        saved_at INTEGER NOT NULL         -- Unix seconds
    );

    -- names behind ids, from the vendors' dictionaries
    CREATE TABLE name (
        account TEXT NOT NULL,
        kind    TEXT NOT NULL,
        id      TEXT NOT NULL,
        fields  TEXT NOT NULL,
        PRIMARY KEY (account, kind, id)
    ) WITHOUT ROWID;

    -- walks through a vendor's calls: the period is fixed at the start, the cursor moves
    CREATE TABLE walk (
        number   INTEGER PRIMARY KEY,
        account  TEXT NOT NULL,
        asked    TEXT NOT NULL,           -- what was asked for, so that the same again resumes
        since    REAL NOT NULL,           -- Unix seconds
        until    REAL NOT NULL,
        cursor   TEXT,                    -- of the next page; NULL at the start
        total    INTEGER,                 -- as the vendor gives it
        fetched  INTEGER NOT NULL DEFAULT 0,
        finished INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX walk_by_account ON walk (account, finished);

    -- ids that a vendor did not know when it was asked
    CREATE TABLE unknown_id (
        account  TEXT NOT NULL,
        id       TEXT NOT NULL,
        asked_at REAL NOT NULL,
        PRIMARY KEY (account, id)
    ) WITHOUT ROWID;

    -- how the last sync of an account ended
    CREATE TABLE account_state (
        account TEXT PRIMARY KEY,
        state   TEXT NOT NULL,
        message TEXT NOT NULL,
        at      REAL NOT NULL             -- Unix seconds
    ) WITHOUT ROWID;
    """,
    """
    -- what happened here to a call's recordings; it goes with the call
    CREATE TABLE heard (
        account    TEXT NOT NULL COLLATE NOCASE,
        call_id    TEXT NOT NULL,
        recording  TEXT NOT NULL,         -- its id, or # and its place where it has none
        position_s REAL NOT NULL DEFAULT 0,
        length_s   REAL,
        heard_at   REAL,                  -- Unix seconds; NULL: not heard to its end yet
        trouble    TEXT,                  -- why it could not be played, as a word
        trouble_at REAL,                  -- Unix seconds
        PRIMARY KEY (account, call_id, recording),
        FOREIGN KEY (account, call_id) REFERENCES call (account, id) ON DELETE CASCADE
    ) WITHOUT ROWID;
    """,
    """
    -- calls that were removed for good: a sync does not bring them back
    CREATE TABLE purged (
        account TEXT NOT NULL COLLATE NOCASE,
        id      TEXT NOT NULL,
        PRIMARY KEY (account, id)
    ) WITHOUT ROWID;

    -- what several calls of an account are parts of: related_calls.py says how it is named
    CREATE TABLE thread (
        account TEXT NOT NULL COLLATE NOCASE,
        thread  TEXT NOT NULL,
        key     INTEGER NOT NULL REFERENCES call ON DELETE CASCADE,
        PRIMARY KEY (account, thread, key)
    ) WITHOUT ROWID;
    CREATE INDEX thread_by_call ON thread (key);
    INSERT INTO thread SELECT account, 'call ' || (body ->> 'original_call_id'), key
        FROM call JOIN detail USING (key) WHERE body ->> 'original_call_id' IS NOT NULL;
    """,
    """
    -- what we decided about calls: only ever added to; a batch is one step of undo
    CREATE TABLE event (
        seq     INTEGER PRIMARY KEY AUTOINCREMENT,
        at      INTEGER NOT NULL,         -- Unix milliseconds, UTC
        by      TEXT NOT NULL,
        batch   TEXT NOT NULL,
        account TEXT NOT NULL COLLATE NOCASE,
        id      TEXT NOT NULL,            -- the vendor's id of the call
        kind    TEXT NOT NULL,            -- see tui.archive.triage_events
        body    TEXT NOT NULL             -- JSON
    );
    CREATE INDEX event_by_call ON event (account, id, seq);
    CREATE INDEX event_by_batch ON event (batch);
    CREATE INDEX event_by_person ON event (by, seq);
    CREATE INDEX event_by_kind ON event (kind, seq);

    -- what those events come to; can be made again from them
    CREATE TABLE triage (
        account       TEXT NOT NULL COLLATE NOCASE,
        id            TEXT NOT NULL,
        state         TEXT NOT NULL,
        note          TEXT,
        tags          TEXT NOT NULL,      -- JSON, a list
        by            TEXT NOT NULL,
        at            INTEGER NOT NULL,   -- Unix milliseconds, UTC
        snoozed_until INTEGER,            -- Unix milliseconds, UTC
        PRIMARY KEY (account, id)
    ) WITHOUT ROWID;

    -- of that, what lines are filtered by; a sync never writes it
    ALTER TABLE call ADD COLUMN state TEXT NOT NULL DEFAULT 'new';
    ALTER TABLE call ADD COLUMN snoozed_until INTEGER;
    ALTER TABLE call ADD COLUMN triaged_at INTEGER;
    ALTER TABLE call ADD COLUMN our_tags TEXT;
    ALTER TABLE call ADD COLUMN our_words TEXT NOT NULL DEFAULT '';  -- as words

    -- who waits for an answer, and which later call gave it
    ALTER TABLE call ADD COLUMN number_key TEXT;       -- NULL: not worked out yet; '': no number
    ALTER TABLE call ADD COLUMN missed INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE call ADD COLUMN sla_met INTEGER;
    ALTER TABLE call ADD COLUMN callback_requested INTEGER;
    ALTER TABLE call ADD COLUMN closed_by INTEGER;     -- key of the answered call
    CREATE INDEX call_by_number ON call (number_key, started_at);
    CREATE INDEX call_unkeyed ON call (key) WHERE number_key IS NULL;
    CREATE INDEX call_closed ON call (closed_by) WHERE closed_by IS NOT NULL;

    -- in which country an account's numbers without a country code are
    CREATE TABLE region (
        account TEXT PRIMARY KEY COLLATE NOCASE,
        region  TEXT NOT NULL
    ) WITHOUT ROWID;
    """,
    """
    -- the order of time as one number that no two calls share (see search_index.py)
    ALTER TABLE call ADD COLUMN place INTEGER;
    ALTER TABLE call ADD COLUMN queue TEXT;
    UPDATE call SET place = ordered.place FROM (
        SELECT key AS ordered_key, IFNULL(started_at << 15, -(1 << 62))
            + row_number() OVER (PARTITION BY started_at ORDER BY key) - 1 AS place
        FROM call
    ) AS ordered WHERE key = ordered_key;
    DROP INDEX call_by_time;
    DROP INDEX call_by_account;
    CREATE UNIQUE INDEX call_by_place ON call (place);
    CREATE INDEX call_by_account ON call (account, place);
    -- who waits, each with what views leave out, so that no line need be read for that
    CREATE INDEX call_missed ON call (place, state, snoozed_until)
        WHERE missed = 1 AND closed_by IS NULL;
    CREATE INDEX call_answered_later ON call (place) WHERE closed_by IS NOT NULL;
    CREATE INDEX call_callback ON call (place, state, snoozed_until, closed_by)
        WHERE callback_requested = 1;
    CREATE INDEX call_sla ON call (place, state, snoozed_until) WHERE sla_met = 0;
    CREATE INDEX call_by_decision ON call (triaged_at, place, state)
        WHERE triaged_at IS NOT NULL;

    -- the words of each call and a token for each of its facets; rowid is the place
    CREATE VIRTUAL TABLE search USING fts5(
        text, content = '', columnsize = 0, tokenize = "ascii tokenchars '='"
    );
    -- every word there is, so that the beginning of one can be completed
    CREATE TABLE word (
        term  TEXT PRIMARY KEY,
        calls INTEGER NOT NULL
    ) WITHOUT ROWID;
    -- every name there is: agents, dispositions, tags and the like
    CREATE TABLE known (
        kind  TEXT NOT NULL,
        value TEXT NOT NULL,
        calls INTEGER NOT NULL,
        PRIMARY KEY (kind, value)
    ) WITHOUT ROWID;
    -- every number there is, in digits, its fragments, and whose calls have it
    CREATE TABLE number (
        n      INTEGER PRIMARY KEY,
        digits TEXT NOT NULL UNIQUE,
        calls  INTEGER NOT NULL
    );
    CREATE VIRTUAL TABLE fragment USING fts5(
        digits, content = '', columnsize = 0, tokenize = 'trigram'
    );
    CREATE TABLE call_number (
        n     INTEGER NOT NULL,
        place INTEGER NOT NULL,
        PRIMARY KEY (n, place)
    ) WITHOUT ROWID;
    -- calls up to this key came before the index and are not in it yet
    CREATE TABLE unindexed (upto INTEGER NOT NULL);
    INSERT INTO unindexed SELECT IFNULL(max(key), 0) FROM call;
    """,
    """
    -- which calls have what, as bits: see tui.archive.sqlite.search.bitmap
    ALTER TABLE call ADD COLUMN spot INTEGER;      -- NULL: not in the index yet
    CREATE TABLE bits (
        place INTEGER PRIMARY KEY,                 -- token, and part of the spots
        bits  BLOB NOT NULL                        -- lowest first; without empty bytes at the end
    );
    CREATE TABLE token (
        n     INTEGER PRIMARY KEY,
        token TEXT NOT NULL UNIQUE
    );
    INSERT INTO token VALUES (0, '');              -- every call has it
    CREATE INDEX call_by_spot ON call (spot, place);
    DROP INDEX call_by_place;
    CREATE INDEX call_by_place ON call (place, spot);
    -- calls whose marks changed in this transaction
    CREATE TABLE unsettled (key INTEGER PRIMARY KEY);
    CREATE TRIGGER call_unsettled AFTER UPDATE OF missed, closed_by, callback_requested, sla_met
        ON call WHEN new.missed IS NOT old.missed OR new.closed_by IS NOT old.closed_by
        OR new.callback_requested IS NOT old.callback_requested OR new.sla_met IS NOT old.sla_met
        BEGIN INSERT OR IGNORE INTO unsettled VALUES (new.key); END;

    -- what was indexed before has no bits: all of it is indexed anew
    DROP TABLE search;
    CREATE VIRTUAL TABLE search USING fts5(
        text, content = '', columnsize = 0, tokenize = "ascii tokenchars '='"
    );
    DROP TABLE fragment;
    CREATE VIRTUAL TABLE fragment USING fts5(
        digits, content = '', columnsize = 0, tokenize = 'trigram'
    );
    DELETE FROM word;
    DELETE FROM known;
    DELETE FROM number;
    DELETE FROM call_number;
    UPDATE unindexed SET upto = (SELECT IFNULL(max(key), 0) FROM call);
    """,
    """
    -- words of the fields that no column and no facet has, each with its field's name in front
    ALTER TABLE call ADD COLUMN fields TEXT;       -- NULL: not written yet; see search_index.py
    CREATE INDEX call_unfilled ON call (key) WHERE fields IS NULL;
    """,
    """
    -- when the vendor last said which recordings a call has: Unix seconds
    ALTER TABLE call ADD COLUMN asked_at REAL;

    -- which version of a vendor's reading has an account's calls; those at places up to `upto`
    -- wait to be read anew by it (see tui.archive.sqlite.reparse)
    CREATE TABLE reading (
        account TEXT PRIMARY KEY COLLATE NOCASE,
        version INTEGER NOT NULL,
        upto    INTEGER                   -- NULL: none waits
    ) WITHOUT ROWID;

    -- the one period that an account's calls were asked for without a gap, for its settings, and
    -- when a whole day and a whole week back was last looked at: Unix seconds
    CREATE TABLE coverage (
        account  TEXT NOT NULL,
        settings TEXT NOT NULL,           -- their digest
        since    REAL NOT NULL,
        until    REAL NOT NULL,
        day_at   REAL NOT NULL DEFAULT 0,
        week_at  REAL NOT NULL DEFAULT 0,
        PRIMARY KEY (account, settings)
    ) WITHOUT ROWID;
    INSERT INTO coverage (account, settings, since, until, day_at)
        SELECT account, substr(asked, instr(asked, '|') + 1), min(since), max(until),
            IFNULL(max(until) FILTER (WHERE finished), 0)
        FROM walk GROUP BY 1, 2;
    DELETE FROM walk WHERE finished;

    -- of a walk at whose end calls were missing: which, how often in a row, and before when no
    -- refresh asks again of its own accord
    ALTER TABLE walk ADD COLUMN shortfall TEXT NOT NULL DEFAULT '';
    ALTER TABLE walk ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE walk ADD COLUMN again_at REAL NOT NULL DEFAULT 0;

    -- of an account whose vendor limits requests: when it may be asked again, where the vendor
    -- said so, and how often in a row it has refused
    ALTER TABLE account_state ADD COLUMN again_at REAL;
    ALTER TABLE account_state ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
    """,
    """
    -- calls on hold, which nothing removes: why (empty: nobody said); NULL: not on hold
    ALTER TABLE triage ADD COLUMN held TEXT;
    ALTER TABLE call ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX call_held ON call (place) WHERE held = 1;
    CREATE TRIGGER call_kept BEFORE DELETE ON call WHEN old.held = 1
        BEGIN SELECT RAISE(ABORT, 'a call on hold stays'); END;

    -- calls of which their vendors said, asked for just them, that there is none: Unix seconds
    CREATE TABLE vanished (
        account  TEXT NOT NULL COLLATE NOCASE,
        id       TEXT NOT NULL,
        first_at REAL NOT NULL,
        last_at  REAL NOT NULL,
        sure     INTEGER NOT NULL DEFAULT 0,       -- 1: it was said twice, long enough apart
        PRIMARY KEY (account, id)
    ) WITHOUT ROWID;

    -- for how many days calls are kept, as it was told to the user; see tui.removal.retention
    CREATE TABLE told_days (days INTEGER NOT NULL);
    """,
    """
    ALTER TABLE call RENAME COLUMN spot TO slot;   -- whose bit in the bitmaps is a call's
    DROP INDEX call_by_spot;
    CREATE INDEX call_by_slot ON call (slot, place);
    """,
    """
    -- calls up to this key may have their details in the older form: see details.py
    CREATE TABLE unpacked (upto INTEGER NOT NULL);
    INSERT INTO unpacked SELECT IFNULL(max(key), 0) FROM call;
    """,
)

PER_ACCOUNT = (
    *("name", "walk", "coverage", "unknown_id", "account_state", "purged", "reading", "vanished"),
)
"""Tables that hold something of an account beside its calls, and go with it."""


APPLICATION = int.from_bytes(b"Ring", "big")
"""``PRAGMA application_id`` of an archive; 0 in those of the first Ringbacks."""
_SPARE = 1000
"""No Ringback has so many more migrations: a header that says so is damaged."""


def identify(connection: sqlite3.Connection) -> int:
    """The schema's version. Raises `ArchiveDamaged` where the file is another program's database,
    and `ArchiveTooNew`; looks at its header alone, but for one that is about to be made.
    """
    version = version_of(connection)
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    if application not in (0, APPLICATION) or (version == 0 and _table(connection)):
        raise ArchiveDamaged("it is a database of another program")
    if not is_plausible(version):
        raise ArchiveDamaged(f"its header says schema {version}")
    if version > len(MIGRATIONS):
        raise ArchiveTooNew(version, len(MIGRATIONS))
    return version


def is_plausible(version: int) -> bool:
    """Whether some Ringback, now or later, may have this schema version."""
    return 0 <= version <= len(MIGRATIONS) + _SPARE


def _table(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None


def columns(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """The columns of each table, an index's own tables among them."""
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    sql = "SELECT name FROM pragma_table_info(?)"
    return {table: [one for (one,) in connection.execute(sql, (table,))] for (table,) in tables}


@cache
def expected(version: int = len(MIGRATIONS)) -> Mapping[str, list[str]]:
    """The columns of each table of a whole archive."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        migrate(connection, version)
        return columns(connection)
    finally:
        connection.close()


def lacks(connection: sqlite3.Connection) -> str:
    """What an archive of the present schema lacks, as ``table call`` or ``column call.place``."""
    found = columns(connection)
    for table, names in expected().items():
        if table not in found:
            return f"the table {table}"
        if missing := [name for name in names if name not in found[table]]:
            return f"the column {table}.{missing[0]}"
    return ""


def migrate(connection: sqlite3.Connection, upto: int = len(MIGRATIONS)) -> None:
    """Bring an archive to a schema, the present one. Raises `ArchiveError`; safe beside
    another.
    """
    if identify(connection) >= upto:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = identify(connection)  # another Ringback may have been first
        for script in MIGRATIONS[version:upto]:
            for statement in statements_of(script):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {max(version, upto)}")
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk or a damaged page may have ended it already
            connection.execute("ROLLBACK")
        raise


def version_of(connection: sqlite3.Connection) -> int:
    """How many migrations an archive has seen."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def statements_of(script: str) -> list[str]:
    """The statements of a script; ``executescript`` would commit between them."""
    statements, rest = [], ""
    for part in script.split(";"):
        rest += part
        if sqlite3.complete_statement(rest + ";"):
            statements.append(rest)
            rest = ""
        else:
            rest += ";"
    return [statement for statement in statements if statement.strip()]
