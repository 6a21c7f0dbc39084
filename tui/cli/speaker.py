"""`ringback speaker`: sound at the listener's side of SSH."""

from __future__ import annotations

import argparse
import asyncio
import os

from providers.errors import reason
from tui.console import print_error, print_text
from tui.exit_codes import CommandError, ExitCode


def run(arguments: argparse.Namespace) -> int:
    return _relay() if arguments.relay else _speak(arguments)


def _relay() -> int:
    if os.name != "posix":
        raise CommandError("a screen on this system cannot be heard elsewhere")
    from tui.audio.speaker.server_side import relay
    from tui.config.paths import Paths
    from tui.log import setup_log

    paths = Paths.default()
    try:
        paths.make()
        setup_log(paths)
    except OSError as error:  # a full disk is no reason for silence
        print_error(f"ringback speaker --relay: no log: {reason(error)}")
    return asyncio.run(relay(os.environ))


def _speak(arguments: argparse.Namespace) -> int:
    if not arguments.host or arguments.host.startswith("-"):
        raise CommandError(
            "which host?", "For example: ringback speaker anna@calls.example.com", ExitCode.USAGE
        )
    from tui.audio.speaker.listener_side import RemoteHost, SpeakerError, speak

    options = [
        *(part for port in arguments.port for part in ("-p", port)),
        *(part for identity in arguments.identity for part in ("-i", identity)),
        *(part for option in arguments.option for part in ("-o", option)),
        *arguments.ssh_options,
    ]
    host = RemoteHost(arguments.host, tuple(options), arguments.remote_command, arguments.ssh)
    output = os.environ.get("RINGBACK_AUDIO") or "miniaudio"
    try:
        asyncio.run(speak(host, output, _say))
    except SpeakerError as error:
        raise CommandError(error.message, error.hint) from None
    return ExitCode.DONE


def _say(line: str) -> None:
    print_text(f"ringback speaker: {line}", flush=True)
