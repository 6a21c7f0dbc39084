"""What `tui.archive.interface` promises, as tests that any archive's tests inherit.

A subclass of `ArchiveContract` says how its archive is opened; `ArchiveBase` names what it has to
give. Random queries beside a plain reading of the calls (`search_model`) are the core of it.
"""

from __future__ import annotations

from tests.contract.archive_people import ListeningContract, RetentionContract, TriageContract
from tests.contract.archive_reading import ReaderContract
from tests.contract.archive_writing import SyncStateContract, WriterContract


class ArchiveContract(
    ReaderContract,
    WriterContract,
    SyncStateContract,
    TriageContract,
    ListeningContract,
    RetentionContract,
):
    """All of it."""
