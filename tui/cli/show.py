"""`ringback show`: everything about one call."""

from __future__ import annotations

import argparse
import json

from providers.model import Call
from providers.sanitize import safe_json
from tui import audit_log
from tui.archive import codec
from tui.archive.interface import CallArchive
from tui.cli.call_names import find_call, kept_call, wanted_call
from tui.cli.json_fields import picked
from tui.console import print_data, print_text
from tui.exit_codes import ExitCode
from tui.services import Services


def run(arguments: argparse.Namespace) -> int:
    from tui.triage_section import masked_triage
    from widgets.masking import masked_call

    services = Services.build()
    with services.open_archive() as archive:
        name, call = _call_to_show(services, archive, arguments.call)
        decided = archive.triage.of(name, call.id)
        triage = masked_triage(decided, call) if arguments.masked else decided
        page = _page(services, archive, name, call, arguments.masked)
        call = masked_call(call) if arguments.masked else call
    if (arguments.raw or arguments.with_urls) and not arguments.masked:
        audit_log.record(services.paths, audit_log.REVEAL, call=f"{name}:{call.id}")
    if arguments.raw:
        print_data(safe_json(json.dumps(call.raw, ensure_ascii=False, indent=2)))
    elif arguments.json:
        body = {**codec.encode(call), "triage": triage.printed()}
        printed = codec.printed(body, name, with_urls=arguments.with_urls)
        print_data(codec.dumps(picked(printed, arguments.json)))
    else:
        _print_page(page, call, arguments.with_urls)
    return ExitCode.DONE


def _call_to_show(services: Services, archive: CallArchive, text: str) -> tuple[str, Call]:
    """The account's name and the call; also of an account that was removed, as it is here.
    Raises `CommandError`.
    """
    account, link = find_call(services, text)
    if account is None:
        return link.account, kept_call(archive, link)
    return account.name, wanted_call(services, archive, account, link.id)


def _page(services: Services, archive: CallArchive, account: str, call: Call, masked: bool) -> str:
    from tui.triage_section import triage_section
    from widgets.call_document import Extra, plain_text
    from widgets.columns import Clock
    from widgets.masking import masked_call

    clock = Clock(services.now(), services.zone)
    extra = Extra(triage_section(archive, account, call, clock, masked))
    return plain_text(masked_call(call) if masked else call, account, clock, extra=extra)


def _print_page(page: str, call: Call, with_urls: bool) -> None:
    print_text(page)
    for recording in call.recordings if with_urls else ():
        print_text(recording.url or "")
