"""What a screen does for its archive beside itself, some steps at a time."""

from __future__ import annotations

import time
from collections.abc import Callable

from tui.services import Services

REST_S = 0.1
"""Between two steps of reading calls anew, in which others may write."""


def bring_up_to_date(services: Services, ended: Callable[[], bool]) -> None:
    """Bring calls from before the search index into it, and read those anew that an older
    version kept: some at a time, until `ended`. The backup of the decisions comes first.
    """
    from tui.sync.jobs import read_anew

    def rested() -> bool:
        time.sleep(REST_S)
        return ended()

    with services.open_archive() as archive:
        archive.back_up()
        while not ended() and archive.index_more():
            pass
        if not ended():
            read_anew(services, archive, services.accounts.list(), rested)
