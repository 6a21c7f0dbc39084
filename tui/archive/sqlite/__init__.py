"""The archive in SQLite: one file, several Ringbacks at once (WAL, short write transactions).

`archive` is one connection, for one thread; its parts are tables with what belongs to them:
`sync_state`, `triage_log` (decisions as events), `callbacks` (who still waits for an answer),
`listening_history`, `related_calls`, `retention`, `purge`. `call_columns` is a call as its row,
`row_window` the rows that a table shows, `migrations` every table and how an older archive becomes
a newer one. `search` finds calls.

`connection` opens the file; `damage` notices what is not as it was written and stops the writing;
`integrity_check`, `row_recovery`, `repair`, `replacement` find and mend it; `decision_backup` keeps
every decision once more as text; `file_systems` refuses those on which locks do not hold.
"""

from tui.archive.sqlite.archive import Archive

__all__ = ["Archive"]
