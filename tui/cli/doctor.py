"""`ringback doctor`: what works here, what does not, and the cure."""

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

from providers.counts import counted
from tui.archive.errors import ArchiveError
from tui.archive.interface import CallArchive
from tui.archive.records import Checked
from tui.archive.sqlite.integrity_check import WITHIN_S
from tui.archive.sqlite.replacement import kept_of
from tui.call_links import held_text
from tui.config.accounts import Account
from tui.console import print_data, print_text
from tui.exit_codes import ExitCode
from tui.log import try_log
from tui.query.parser import Query, Term
from tui.services import Services
from tui.sync.account_states import state_words

_LOOKED_AT = 50
"""Calls of an account, the newest first, among which a recording's address is looked for."""
GOOD, WARN, BAD = "ok", "note", "PROBLEM"


class Finding(NamedTuple):
    """One line: whether it is well, what was looked at, and what was found."""

    state: str
    about: str
    text: str


def run(arguments: argparse.Namespace) -> int:
    services = Services.build()
    if arguments.repair:
        from tui.cli.repair import run as run_repair

        return run_repair(services, as_json=arguments.json)
    findings = []
    for finding in examine(services, deep=arguments.deep):  # each as it is found: some take long
        findings.append(finding)
        if arguments.json:
            print_data(json.dumps(finding._asdict()))
        else:
            text = finding.text.replace("\n", "\n" + " " * 20)
            print_text(f"{finding.state:<8} {finding.about:<10} {text}", flush=True)
    states = {(finding.about, finding.state) for finding in findings}
    if not arguments.json and ("keyring", WARN) in states and ("account", BAD) in states:
        from tui.secrets.tokens import UNLOCK_OVER_SSH

        print_text(f"\n{UNLOCK_OVER_SSH}")
    return ExitCode.FAILED if any(state == BAD for _, state in states) else ExitCode.DONE


def examine(services: Services, *, deep: bool = False) -> Iterator[Finding]:
    """Everything that may stand in the way, one finding after the other; `deep`: after a look at
    every row of the archive.
    """
    yield Finding(
        GOOD, "program", f"ringback {version('ringback')}, Python {platform.python_version()}"
    )
    yield from _terminal(services)
    yield from _files(services)
    yield from _archive(services, deep)
    yield from _vendors()
    yield from _accounts(services)
    yield from _network(services)
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


def _vendors() -> Iterator[Finding]:
    """Those that other packages bring and that cannot be used."""
    from providers import registry
    from providers.errors import ProviderError

    for name in registry.names():
        try:
            registry.load(name)
        except ProviderError as error:
            yield Finding(WARN, "vendor", f"{error.message} {error.hint}")


def _files(services: Services) -> Iterator[Finding]:
    loose = services.paths.loose()
    yield (
        Finding(BAD, "files", "\n".join(loose))
        if loose
        else Finding(GOOD, "files", "readable by you alone")
    )
    if trouble := try_log(services.paths):
        yield Finding(BAD, "log", f"none can be kept: {trouble}")
    problems = [*services.settings().problems, *services.accounts.read()[1]]
    for problem in problems:
        yield Finding(BAD, "config", problem)


def _archive(services: Services, deep: bool) -> Iterator[Finding]:
    try:
        with services.open_archive() as archive:
            checked = archive.check(deep=deep)
            yield from _checked(archive, checked, deep)
            total = sum(archive.counts_by_account().values())
            states, unread = archive.account_states(), _unread(services, archive)
            staying = list(_staying(services, archive))
        yield Finding(GOOD, "archive", f"{counted(total, 'call')} in {services.paths.archive_file}")
        yield from staying
        if unread:
            text = f"to be read anew by a sync or the screen: {counted(unread, 'call')}"
            yield Finding(WARN, "archive", text)
        for account in services.accounts.list():
            said = states.get(account.name)
            if said and said.state != "fresh":
                words = state_words(said, services.now(), services.zone)
                yield Finding(WARN, "sync", f"{account.name}: {words}")
    except ArchiveError as error:
        text = f"{error}\n{error.hint}" if error.hint else f"it cannot be read: {error}"
        yield Finding(BAD, "archive", text)
    for path in kept_of(services.paths.archive_file):
        text = f"a damaged archive is kept: {path}\nIt holds personal data; remove it when you can"
        yield Finding(WARN, "archive", text)


def _checked(archive: CallArchive, checked: Checked, deep: bool) -> Iterator[Finding]:
    """What a check of the archive found."""
    for fault in checked.faults:
        yield Finding(BAD, "archive", f"damaged: {fault.text}")
    if why := archive.read_only:
        yield Finding(BAD, "archive", f"{why.message}\n{why.hint}")
    if checked.missing:
        text = (
            f"in its backup alone: {counted(checked.missing, 'decision')}; ringback doctor --repair"
        )
        yield Finding(WARN, "archive", f"{text} brings them in")
    if checked.damaged_lines:
        text = f"damaged in its backup: {counted(checked.damaged_lines, 'line')}"
        yield Finding(WARN, "archive", f"{text}; ringback doctor --repair writes it again")
    if checked.not_backed_up:
        text = (
            f"not in its backup yet: {counted(checked.not_backed_up, 'decision')}; a sync does that"
        )
        yield Finding(WARN, "archive", text)
    if not checked.complete:
        text = f"not all of it was looked at within {WITHIN_S:.0f} s; ringback doctor --deep does"
        yield Finding(WARN, "archive", text)
    elif not checked.faults:
        every = "every row is" if deep else "its pages are"
        yield Finding(GOOD, "archive", f"{every} as written")


def _staying(services: Services, archive: CallArchive) -> Iterator[Finding]:
    """How long calls stay here, and which do all the same."""
    from tui.removal.retention import days_text, kept_since

    days = services.settings().retention.calls_days
    if (before := kept_since(services, days)) is not None:
        calls, held = archive.due(before)
        more = f"; {counted(calls, 'call')} older than that go with the next sync" if calls else ""
        more += f"; {held_text(held)}" if held else ""
        yield Finding(GOOD, "retention", f"calls are kept for {days_text(days)}{more}")
    if held := len(archive.held()):
        yield Finding(GOOD, "hold", f"{held_text(held)}; see: ringback hold --list")
    if vanished := len(archive.vanished()):
        text = (
            f"{counted(vanished, 'call')} deleted at the vendor; remove: ringback purge --deleted"
        )
        yield Finding(WARN, "deleted", text)


def _unread(services: Services, archive: CallArchive) -> int:
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
    from tui.secrets.tokens import describe_all, probe_keyring

    keyring = probe_keyring(services.environ)
    state = GOOD if keyring.state == "ok" else WARN
    yield Finding(state, "keyring", f"{keyring.state} ({keyring.source})")
    accounts = services.accounts.list()
    if not accounts:
        yield Finding(WARN, "accounts", "none yet; add one with: ringback accounts add")
    for name, where in describe_all(accounts, services.environ).items():
        state = GOOD if where.state in ("found", "not run") else BAD
        yield Finding(state, "account", f"{name}: token {where.state} ({where.source})")


def _network(services: Services) -> Iterator[Finding]:
    """The way to vendors and recordings; a recording's host of each account is asked."""
    from providers.errors import VariableError
    from providers.proxy import proxies_of
    from providers.trust import named, trusted

    proxies = proxies_of(services.environ)
    broken = {proxy.variable for proxy in proxies.by_scheme.values() if proxy.wrong}
    for problem in proxies.problems:
        yield Finding(BAD if problem.partition(":")[0] in broken else WARN, "proxy", problem)
    usable = [(kind, proxy) for kind, proxy in proxies.by_scheme.items() if not proxy.wrong]
    for kind, proxy in usable:
        password = "; its user and password are not shown" if proxy.auth else ""
        yield Finding(GOOD, "proxy", f"{kind} through {proxy}{password}")
    if not (usable or broken):
        yield Finding(GOOD, "proxy", "none is named; connections are direct")
    try:
        trusted(services.environ)
        yield Finding(GOOD, "trust", f"certificate authorities: {named(services.environ)}")
    except VariableError as error:
        yield Finding(BAD, "trust", f"{error}\n{error.hint}")
    yield from asyncio.run(_recordings(services))


async def _recordings(services: Services) -> list[Finding]:
    """Whether the first bytes of one recording of each account can be had."""
    accounts = services.accounts.list()
    try:
        with services.open_archive() as archive:
            urls = [_newest_recording(archive, account.name) for account in accounts]
    except ArchiveError:
        return []  # it has been told
    found = [_recording(services, *one) for one in zip(accounts, urls, strict=True) if one[1]]
    return list(await asyncio.gather(*found))


def _newest_recording(archive: CallArchive, account: str) -> str:
    """The address of one of the newest recordings of an account; empty when none is known."""
    query = Query((Term("field", account, "account"), Term("recording", "rec")))
    for key in archive.keys(query, limit=_LOOKED_AT):
        found = archive.call(key)
        for recording in found[1].recordings if found else ():
            if recording.url:
                return recording.url
    return ""


def _host_of(url: str) -> str:
    from urllib.parse import urlsplit

    with suppress(ValueError):
        return urlsplit(url).hostname or ""
    return "?"


async def _recording(services: Services, account: Account, url: str) -> Finding:
    """Ask its host for a few bytes, as the player does, without a token."""
    from providers import media
    from providers.errors import NotUnderstood, RecordingError
    from tui.error_boundary import error_boundary

    host = _host_of(url)
    proxies = media.proxies_of() if account.recordings_proxy else media.DIRECT
    private = await media.allows_private(account.base_url, proxies=proxies)
    remote = media.Remote(url, allow_private=private, proxies=proxies)
    try:
        with error_boundary(services.paths, account.name):
            await remote.open(0, 1)
        answer, state = "its recordings can be fetched", GOOD
    except NotUnderstood as error:
        answer, state = f"{error}\n{error.hint}", BAD
    except RecordingError as error:
        # an older address may have expired, and a token is not sent from here
        state = WARN if error.reason in ("refused", "gone") else BAD
        answer = f"it answers, {error}" if state == WARN else str(error)
    finally:
        await remote.close()
    return Finding(state, "recordings", f"{account.name}: {host}: {answer}")


def _sound(services: Services) -> Iterator[Finding]:
    from tui.audio.client.notices import unmeasured
    from tui.audio.client.probe import probe
    from tui.audio.client.route import choose_route, reason, session_environ
    from tui.recordings.cache import RecordingCache

    environ = session_environ(services.environ)
    route = choose_route(environ)
    yield Finding(WARN if route.notice else GOOD, "sound way", reason(route, environ))
    text = asyncio.run(probe(route=route))
    yield Finding(WARN if text.startswith("no sound") else GOOD, "sound", text)
    yield _decoding()
    cannot = RecordingCache(services.paths.cached_recordings).unmeasured()
    for why, number in sorted(cannot.items()):
        yield Finding(WARN, "waveforms", f"{number:,} in the cache: {unmeasured(why)}")


def _decoding() -> Finding:
    """How recordings are decoded here, where a file may be made to attack whoever opens it."""
    from tui.audio.client.probe import probe_lockdown

    held, trouble = asyncio.run(probe_lockdown())
    if trouble:
        return Finding(BAD, "decoding", f"recordings cannot be decoded: {trouble}")
    lacking = [f"{part}: {why}" for part, why in held.items() if why]
    holding = "; ".join(part for part, why in held.items() if not why) or "nothing else"
    text = f"in a process of its own; {holding}"
    return Finding(WARN if lacking else GOOD, "decoding", "\n".join([text, *lacking]))
