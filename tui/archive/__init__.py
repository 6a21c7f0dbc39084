"""The archive: the local store of calls that the screen and the command line read.

SQL stands in this package alone. `Archive` is one SQLite connection; each thread opens its
own. Several Ringbacks may share one archive (WAL, short write transactions).
"""

from tui.archive.archive import Archive, Saved
from tui.archive.rows import RowList
from tui.archive.schema import ArchiveTrouble
from tui.archive.syncs import AccountState, Walk

__all__ = ["AccountState", "Archive", "ArchiveTrouble", "RowList", "Saved", "Walk"]
