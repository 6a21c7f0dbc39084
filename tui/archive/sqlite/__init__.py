"""TODO"""

from tui.archive.sqlite.archive import Archive, Saved
from tui.archive.sqlite.row_window import RowList
from tui.archive.sqlite.sync_state import AccountState, Walk

__all__ = ["AccountState", "Archive", "RowList", "Saved", "Walk"]
