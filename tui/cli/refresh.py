"""`ringback refresh`: calls asked for anew at their vendors, with their recordings."""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import Any

from tui.cli.call_names import split_name
from tui.cli.errors import exit_code
from tui.config.accounts import Account
from tui.console import print_data, print_error, print_text
from tui.services import Services
from tui.sync.refresh import Refreshed, refresh_calls


def run(arguments: argparse.Namespace) -> int:
    services = Services.build()
    wanted: dict[str, tuple[Account, list[str]]] = {}
    for name in arguments.calls:
        account, id_ = split_name(services, name)
        wanted.setdefault(account.name, (account, []))[1].append(id_)
    done: list[Refreshed] = []
    with services.open_archive() as archive:
        for account, ids in wanted.values():
            done += asyncio.run(refresh_calls(services, account, archive, ids))
    for one in done:
        _print(services, one, arguments.json)
    hints = dict.fromkeys(one.error.hint for one in done if one.error and one.error.hint)
    for hint in hints:
        print_error(hint)
    errors = [one.error for one in done if one.error]
    return exit_code(errors, len(done))


def _print(services: Services, one: Refreshed, as_json: bool) -> None:
    line = one.line(services.now(), services.zone)
    if one.error:
        print_error(line)
    if as_json:
        print_data(json.dumps(_json(one)))
    elif not one.error:
        print_text(line)


def _json(one: Refreshed) -> dict[str, Any]:
    return {
        "account": one.account,
        "id": one.id,
        "changed": list(one.changed),
        "recordings_found": one.recordings,
        "new": one.is_new,
        "error": str(one.error) if one.error else None,
    }
