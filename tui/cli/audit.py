"""`ringback audit`: who played, exported, revealed and purged what."""

from __future__ import annotations

import argparse
import json

from tui import audit_log
from tui.console import print_data, print_text
from tui.exit_codes import CommandError, ExitCode
from tui.query.dates import parse_when
from tui.services import Services


def run(arguments: argparse.Namespace) -> int:
    services = Services.build()
    since = None
    if arguments.since:
        try:
            since = parse_when(arguments.since, services.now(), services.zone)[0]
        except ValueError as error:
            raise CommandError(f"--since: {error}", code=ExitCode.USAGE) from None
    for entry in audit_log.entries(services.paths, since):
        if arguments.json:
            print_data(json.dumps(entry))
        else:
            print_text(audit_log.line_text(entry))
    return ExitCode.DONE
