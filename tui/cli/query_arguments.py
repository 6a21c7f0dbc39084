"""The query of a command line: its words, and the options that narrow it."""

from __future__ import annotations

import argparse

from providers.sanitize import safe_text
from tui.cli.call_names import removed_account
from tui.config.accounts import AccountError
from tui.exit_codes import CommandError, ExitCode
from tui.query.dates import period
from tui.query.parser import HasField, Problem, Query, Term, parse
from tui.services import Services


def query_of(services: Services, arguments: argparse.Namespace) -> Query:
    """The query of a command line: its words, `--account`, `--since` and `--until`.

    Raises `CommandError` for what is not understood, with the place.
    """
    now, zone = services.now(), services.zone
    text = " ".join(arguments.query)
    query = parse(text, now, zone, _has_field(services))
    if query.problems:
        problem = query.problems[0]
        raise CommandError(problem.message, marked(text, problem), ExitCode.USAGE)
    terms: list[Term] = []
    if arguments.account:
        try:
            name = services.accounts.get(arguments.account).name
        except AccountError as error:
            left = removed_account(services, arguments.account, error)
            if left is None:
                raise CommandError(error.message, error.hint, ExitCode.USAGE) from None
            name = left
        terms.append(Term("field", name, "account"))
    if getattr(arguments, "since", None) or getattr(arguments, "until", None):
        try:
            since, until = period(arguments.since, arguments.until, now, zone)
        except ValueError as error:
            raise CommandError(str(error), code=ExitCode.USAGE) from None
        # a bound of its own kind, so that it narrows a period in the query's words
        low = since.timestamp() if since else 0.0
        high = until.timestamp() if until else 32_503_680_000.0
        terms.append(Term("bound", "", low=low, high=high))
    return query & Query(tuple(terms))


def _has_field(services: Services) -> HasField:
    """Looked up only for words that are none of the known fields."""

    def has(word: str) -> bool:
        with services.open_archive() as archive:
            return archive.has_field(word)

    return has


def marked(text: str, problem: Problem) -> str:
    """The line, and below it signs under the piece that was not understood."""
    from rich.cells import cell_len

    before, piece = text[: problem.start], text[problem.start : problem.stop]
    indent, length = (cell_len(safe_text(part)) for part in (before, piece))
    return f"  {text}\n  {' ' * indent}{'^' * max(1, length)}"
