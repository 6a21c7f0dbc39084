"""What is wrong with the query's text: what was not understood of it, names that no call has, and
words that may be another's slip.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from rich.cells import cell_len

from tui.archive.errors import ArchiveError
from tui.config.accounts import configured
from tui.query.parser import EVERYTHING, Problem, Query, parse
from tui.screens.context import ScreenContext


class QueryProblems:
    """Belongs to the screen's loop. `on_problem` gets the first problem: where it stands in the
    text, in cells, and what is wrong; None: nothing is.
    """

    def __init__(
        self, ctx: ScreenContext, on_problem: Callable[[tuple[int, str] | None], None]
    ) -> None:
        self._ctx, self._on_problem = ctx, on_problem
        self._line = EVERYTHING
        """The query with what was not understood of its text."""
        self._doubts: tuple[Problem, ...] = ()
        """Names that no call has, of the query `_doubted` or of one that goes on from it."""
        self._doubted = ""
        self._slips: tuple[Problem, ...] = ()
        """What the words of a query that finds nothing may have meant."""

    def parse(self) -> None:
        """Make a query of the query's text, as it is meant now."""
        text = self._ctx.query_text
        self._line = parse(text, *self._ctx.clock, self._has_field)
        self._ctx.query = Query(self._line.terms)
        if not self._line.names or not text.startswith(self._doubted):
            self._doubts = ()
        self.show()

    def _has_field(self, word: str) -> bool:
        archive = self._ctx.archive
        with suppress(ArchiveError):  # the rows are read too, and say it
            return archive is not None and archive.has_field(word)
        return False

    def show(self) -> None:
        """Mark the first piece of the query that was not understood, or that nothing has."""
        said = [*self._doubts, *self._slips]
        if self._ctx.veil.on:  # behind the first words stand names that calls have
            said = [one._replace(message=one.message.partition(";")[0]) for one in self._doubts]
        first = min((*self._line.problems, *said), default=None)
        place = cell_len(self._ctx.query_text[: first.start]) if first else 0
        self._on_problem((place, first.message) if first else None)

    def look_for_unknown_names(self) -> None:
        """Look for names in the query that no call has; what was said stays until then."""
        if self._line.names:
            doubt = partial(self._doubt, self._ctx.query_text, self._line)
            self._ctx.work(doubt, "doubt", exclusive=True)

    async def _doubt(self, text: str, line: Query) -> None:
        more = configured(self._ctx.accounts)
        with suppress(ArchiveError):  # the rows are read too, and say it
            doubts = await self._ctx.reads.ask(lambda archive: archive.unknown_names(line, more))
            if doubts is not None and text == self._ctx.query_text:
                self._doubts, self._doubted = doubts, text
                self.show()

    def rows_shown(self, any_rows: bool) -> None:
        """Where nothing is found, see whether a word of the query is another's slip."""
        if not any_rows and self._line.words and not self._slips:
            look = partial(self._look_for_slips, self._ctx.query_text, self._line)
            self._ctx.work(look, "slips", exclusive=True)
        elif self._slips and any_rows:
            self._slips = ()
            self.show()

    def forget_slips(self) -> None:
        """They were of another query; the next `parse` shows it."""
        self._slips = ()

    async def _look_for_slips(self, text: str, line: Query) -> None:
        with suppress(ArchiveError):
            slips = await self._ctx.reads.ask(lambda archive: archive.spelling_suggestions(line))
            if slips and text == self._ctx.query_text:
                self._slips = slips
                self.show()
