"""`ringback stats`: what happened at the desk, in figures."""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from tui.archive.interface import CallArchive
from tui.cli.query_arguments import query_of
from tui.console import clear_screen, data_sink, print_data, print_error, print_text
from tui.exit_codes import CommandError, ExitCode
from tui.export.csv_json import csv_cell
from tui.insights import printed
from tui.insights.figures import COUNTED, Figures, figures
from tui.insights.text import summary_lines, table_lines
from tui.query.dates import period
from tui.query.parser import Query, Term
from tui.services import Services

LEAST_WATCH_S = 1


def run(arguments: argparse.Namespace) -> int:
    services = Services.build()
    if arguments.watch is None:
        with services.open_archive() as archive:
            _print(services, archive, arguments)
        return ExitCode.DONE
    if arguments.json or arguments.csv or arguments.prometheus:
        raise CommandError("--watch is for text", code=ExitCode.USAGE)
    if not arguments.watch >= LEAST_WATCH_S:
        raise CommandError(f"--watch is {LEAST_WATCH_S} s or more", code=ExitCode.USAGE)
    try:
        while True:
            with services.open_archive() as archive:
                clear_screen()
                _print(services, archive, arguments)
            time.sleep(arguments.watch)
    except KeyboardInterrupt:
        return ExitCode.DONE


def _print(services: Services, archive: CallArchive, arguments: argparse.Namespace) -> None:
    now, zone = services.now(), services.zone
    query = query_of(services, arguments)
    since, until = period(arguments.since, arguments.until, now, zone)
    while archive.work_out_numbers():  # else nobody is known to have been called back
        pass
    found = _figures(services, archive, query)
    previous = _previous(services, archive, arguments, since, until)
    if arguments.json:
        asked = {"query": " ".join(arguments.query), "since": _moment(since)}
        asked |= {"until": _moment(until), "zone": str(zone)}
        print_data(json.dumps({**asked, **printed.figures_object(found, previous)}))
    elif arguments.csv:
        _print_csv(found, arguments.by or "day")
    elif arguments.prometheus:
        for line in prometheus(found):
            print_data(line)
    else:
        for line in summary_lines(found, previous):
            print_text(line)
        if not archive.counts_by_account():
            print_error("The archive is empty; run: ringback sync")
        if arguments.by:
            print_text()
            for line in table_lines(found, arguments.by):
                print_text(line)


def _figures(services: Services, archive: CallArchive, query: Query) -> Figures:
    return figures(archive.facts(archive.keys(query)), services.zone, services.now())


def _previous(
    services: Services,
    archive: CallArchive,
    arguments: argparse.Namespace,
    since: datetime | None,
    until: datetime | None,
) -> Figures | None:
    """Those of the period before, which is as long; None where the period has no beginning, or
    the query has one of its own.
    """
    without = argparse.Namespace(**{**vars(arguments), "since": None, "until": None})
    query = query_of(services, without)
    if since is None or any(term.kind == "period" for term in query.terms):
        return None
    length = min(until or services.now(), services.now()) - since
    end = since - timedelta(milliseconds=1)
    bound = Term("bound", "", low=(since - length).timestamp(), high=end.timestamp())
    return _figures(services, archive, query & Query((bound,)))


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def _print_csv(found: Figures, kind: str) -> None:
    writer = csv.writer(data_sink(), lineterminator="\r\n")
    writer.writerow([kind, *COUNTED])
    for name, counts in printed.rows(found, kind):
        writer.writerow([csv_cell(name), *counts])


def prometheus(found: Figures) -> Iterator[str]:
    """The figures as lines of Prometheus's text format, version 0.0.4."""
    for name, help_, samples in _samples(found):
        yield f"# HELP ringback_{name} {help_}"
        yield f"# TYPE ringback_{name} gauge"
        for labels, value in samples:
            told = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
            yield f"ringback_{name}{f'{{{told}}}' if told else ''} {value}"


def _samples(found: Figures) -> Iterator[tuple[str, str, list[tuple[dict[str, str], Any]]]]:
    summary = found.summary
    calls = [({"account": name}, one.calls) for name, one in found.by_account.items()]
    yield "calls", "Calls.", calls
    ended = [
        ({"account": name, "outcome": outcome}, number)
        for name, one in found.by_account.items()
        for outcome, number in one._asdict().items()
        if outcome != "calls"
    ]
    yield "outcomes", "Calls by how they ended.", ended
    for name, help_ in (
        ("lost", "Callers who did not get through."),
        ("called_back", "Of those, called back."),
        ("decided", "Of the others, those that somebody decided to be done."),
        ("waiting", "Callers who still wait."),
    ):
        yield name, help_, [({}, getattr(summary, name))]
    yield "sla_met", "Calls whose vendor says that the SLA was met.", [({}, summary.sla.met)]
    yield "sla_told", "Calls whose vendor says whether it was.", [({}, summary.sla.of)]
    for name, one in (("wait", summary.wait_s), ("talk", summary.talk_s)):
        ranks = [({"quantile": "0.5"}, one.p50), ({"quantile": "0.9"}, one.p90)]
        told = [(labels, value) for labels, value in ranks if value is not None]
        yield f"{name}_seconds", "Seconds, by the nearest rank.", told


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
