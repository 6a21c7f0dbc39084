"""A screen whose workers may fail without the program's end."""

from __future__ import annotations

from typing import TypeVar

from textual import on
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from providers.errors import reason
from tui.archive.errors import ArchiveError

Answer = TypeVar("Answer")


class ReportingScreen(Screen[Answer]):
    """What no worker expects is kept in the log and said; the screen stays."""

    @on(Worker.StateChanged)
    def _worker_ended(self, event: Worker.StateChanged) -> None:
        error = event.worker.error
        if event.state is not WorkerState.ERROR:
            return
        if isinstance(error, ArchiveError) and error.hint:  # the status line says how it is mended
            self.app.notify(str(error), severity="error", markup=False)
        elif isinstance(error, Exception):
            from tui.log import log_crash

            log_crash(error)
            self.app.notify(
                f"{reason(error)}; the log says more (ringback paths)",
                title="That failed",
                severity="error",
                markup=False,
            )
