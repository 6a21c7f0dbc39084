"""`ringback import`: saved bodies of a vendor into the archive."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from providers.errors import ProviderError, reason
from tui.cli.account_names import chosen_accounts
from tui.cli.sync_report import print_report
from tui.console import print_error
from tui.exit_codes import CommandError, ExitCode
from tui.services import Services
from tui.sync.jobs import import_saved


def run(arguments: argparse.Namespace) -> int:
    services = Services.build()
    [account] = chosen_accounts(services, [arguments.account])
    try:
        with services.open_archive() as archive:
            report = import_saved(services, account, archive, _file_data(arguments.file))
    except ProviderError as error:
        raise CommandError(f"{account.name}: {error}", error.hint, ExitCode.USAGE) from None
    if not (report.fetched or report.problems):
        raise CommandError(f"{account.name}: there is no call in {arguments.file}")
    print_report(report)
    if any(line.endswith("not UTF-8 text") for line in report.problems):
        print_error("Save it as UTF-8, as: iconv -f latin1 -t utf-8 FILE")
    if not report.fetched:
        return ExitCode.FAILED
    return ExitCode.PARTLY if report.problems else ExitCode.DONE


def _file_data(name: str) -> bytes:
    """The bytes of a file, or of standard input. Raises `CommandError`."""
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise CommandError(f"cannot read {name}: {reason(error)}") from None
