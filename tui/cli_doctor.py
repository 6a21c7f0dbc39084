"""`ringback doctor` and `ringback paths`: what works here, what does not, and the cure."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import version
from typing import NamedTuple

from tui.archive import Archive, ArchiveTrouble
from tui.exits import Exit
from tui.services import Services
from tui.states import state_words

GOOD, WARN, BAD = "ok", "note", "PROBLEM"


class Finding(NamedTuple):
    """One line: whether it is well, what was looked at, and what was found."""

    state: str
    about: str
    text: str


def run(arguments: argparse.Namespace) -> int:
    services = Services.build()
    if arguments.command == "paths":
        for name, path in _paths(services):
            print(f"{name:<11}{path}")
        return Exit.DONE
    from widgets.safe import safe_text

    findings = list(examine(services))
    for finding in findings:
        if arguments.json:
            print(json.dumps(finding._asdict()))
        else:
            text = safe_text(finding.text, multiline=True).replace("\n", "\n" + " " * 20)
            print(f"{finding.state:<8} {finding.about:<10} {text}")
    if not arguments.json and any(f.about == "keyring" and f.state != GOOD for f in findings):
        from tui.secrets import UNLOCK_OVER_SSH

        print(f"\n{UNLOCK_OVER_SSH}")
    return Exit.FAILED if any(finding.state == BAD for finding in findings) else Exit.DONE


def _paths(services: Services) -> Iterator[tuple[str, str]]:
    paths = services.paths
    yield "config", str(paths.config_file)
    yield "archive", str(paths.archive_file)
    yield "recordings", str(paths.cached_recordings)
    yield "log", str(paths.log_file)


def examine(services: Services) -> Iterator[Finding]:
    """Everything that may stand in the way, one finding after the other."""
    yield Finding(
        GOOD, "program", f"ringback {version('ringback')}, Python {platform.python_version()}"
    )
    yield from _terminal(services)
    yield from _files(services)
    yield from _accounts(services)
    yield from _sound(services)


def _terminal(services: Services) -> Iterator[Finding]:
    environ = services.environ
    term = environ.get("TERM", "")
    if not sys.stdout.isatty():
        yield Finding(WARN, "terminal", "standard output is not a terminal")
    elif term in ("", "dumb"):
        yield Finding(BAD, "terminal", f"TERM={term or '(not set)'}: the screen cannot be drawn")
    else:
        size = os.get_terminal_size()
        colours = environ.get("COLORTERM") or "256 or fewer colours"
        yield Finding(GOOD, "terminal", f"{term}, {size.columns}x{size.lines}, {colours}")
    if environ.get("SSH_CONNECTION"):
        yield Finding(WARN, "terminal", "over SSH; `ssh -C` makes the screen faster on a slow line")


def _files(services: Services) -> Iterator[Finding]:
    loose = services.paths.loose()
    yield (
        Finding(BAD, "files", "\n".join(loose))
        if loose
        else Finding(GOOD, "files", "readable by you alone")
    )
    problems = [*services.settings().problems, *services.accounts.read()[1]]
    for problem in problems:
        yield Finding(BAD, "config", problem)
    try:
        with services.open_archive() as archive:
            total = sum(archive.counts().values())
            states, unread = archive.states(), _unread(services, archive)
        yield Finding(GOOD, "archive", f"{total:,} calls in {services.paths.archive_file}")
        if unread:
            text = f"{unread:,} calls wait to be read anew; a sync or the screen does that"
            yield Finding(WARN, "archive", text)
        for account in services.accounts.list():
            said = states.get(account.name)
            if said and said.state != "fresh":
                words = state_words(said, services.now(), services.zone)
                yield Finding(WARN, "sync", f"{account.name}: {words}")
    except ArchiveTrouble as error:
        yield Finding(BAD, "archive", f"{error.message}\n{error.hint}")


def _unread(services: Services, archive: Archive) -> int:
    """How many calls an older version of their vendor's reading kept."""
    from providers import registry
    from providers.errors import ProviderError

    count = 0
    for account in services.accounts.list():
        with suppress(ProviderError):
            version = registry.load(account.provider).parser_version
            count += archive.count_unread(account.name, version)
    return count


def _accounts(services: Services) -> Iterator[Finding]:
    from tui.secrets import describe_all, probe_keyring

    keyring = probe_keyring(services.environ)
    state = GOOD if keyring.state == "ok" else WARN
    yield Finding(state, "keyring", f"{keyring.state} ({keyring.source})")
    accounts = services.accounts.list()
    if not accounts:
        yield Finding(WARN, "accounts", "none yet; add one with: ringback accounts add")
    for name, where in describe_all(accounts, services.environ).items():
        state = GOOD if where.state in ("found", "not run") else BAD
        yield Finding(state, "account", f"{name}: token {where.state} ({where.source})")


def _sound(services: Services) -> Iterator[Finding]:
    from tui.audio.probe import probe
    from tui.audio.route import choose_route, reason, session_environ

    environ = session_environ(services.environ)
    route = choose_route(environ)
    yield Finding(WARN if route.notice else GOOD, "sound way", reason(route, environ))
    text = asyncio.run(probe(route=route))
    yield Finding(WARN if text.startswith("no sound") else GOOD, "sound", text)
