"""Which way sound takes to the listener.

In this order: a speaker that the listener has connected (`ringback speaker`); the device of this
machine when the listener sits at it; a PulseAudio server that was forwarded to the listener;
else nothing, for a server must never play aloud by accident. ``RINGBACK_AUDIO``
(``miniaudio``, ``simpleaudio``, ``wav:PATH`` or ``none``) decides whatever else holds, and the
listener's preference stands above the rule.
"""

from __future__ import annotations

import getpass
import os
import shlex
import socket
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

from tui.audio.speaker_sockets import FOLDER, name_of, speakers

Kind = Literal["speaker", "local", "pulse", "none"]

INVALID_OUTPUT = "no sound: RINGBACK_AUDIO must be miniaudio, simpleaudio, wav:PATH or none"
NO_SPEAKER = "no sound here: this is a session over SSH; run on your own machine: {}"
_TMUX_S = 0.5
_ABOUT_SSH = ("SSH_CONNECTION", "SSH_TTY")


class Route(NamedTuple):
    """A way for sound."""

    kind: Kind
    output: str
    """The output that an engine opens; for a speaker the address of its relay's socket."""
    notice: str = ""
    """One line for the user where there will be no sound."""
    command: str = ""
    """What the listener can run on their own machine, where that would help."""

    @property
    def label(self) -> str:
        """What is shown until the engine has said more."""
        return f"speaker {name_of(self.output)}" if self.kind == "speaker" else self.output


def choose_route(
    environ: Mapping[str, str], runtime_dir: Path | None = None, preference: str = ""
) -> Route:
    """The way by the rule above. `preference` is a kind or empty; `runtime_dir` the one folder to
    look for speakers in, instead of the usual ones.
    """
    if forced := environ.get("RINGBACK_AUDIO", ""):
        return _forced(forced)
    places = {FOLDER: str(runtime_dir)} if runtime_dir is not None else environ
    if preference not in ("local", "pulse", "none") and (found := speakers(places)):
        return Route("speaker", str(found[0]))
    if preference == "none":
        return Route("none", "none", "no sound: switched off")
    if over_ssh(environ) and environ.get("PULSE_SERVER"):
        return Route("pulse", "miniaudio")
    if preference in ("local", "pulse") or not over_ssh(environ):
        return Route("local", "miniaudio")
    command = speaker_command(environ)
    return Route("none", "none", NO_SPEAKER.format(command), command)


def reason(route: Route, environ: Mapping[str, str]) -> str:
    """Which way it is and why, in one line, for `ringback doctor`."""
    if environ.get("RINGBACK_AUDIO"):
        return f"{route.kind}: RINGBACK_AUDIO says so"
    return {
        "speaker": f"speaker: {name_of(route.output)} is connected by `ringback speaker`",
        "local": "local: this machine's device, for this is no session over SSH",
        "pulse": "pulse: over SSH, and PULSE_SERVER names a forwarded sound server",
        "none": f"none: over SSH, and no speaker is connected; where you sit: {route.command}",
    }[route.kind]


def _forced(preference: str) -> Route:
    if preference == "none":
        return Route("none", "none")
    if preference in ("miniaudio", "simpleaudio") or (
        preference.startswith("wav:") and len(preference) > 4
    ):
        return Route("local", preference)
    return Route("none", "none", INVALID_OUTPUT)


def over_ssh(environ: Mapping[str, str]) -> bool:
    """Whether the listener sits at another machine, as far as the environment tells."""
    return any(environ.get(name) for name in _ABOUT_SSH)


def speaker_command(environ: Mapping[str, str]) -> str:
    """What to run on the listener's machine: this host as ssh has reached it."""
    user = environ.get("USER") or environ.get("LOGNAME") or _user()
    connection = environ.get("SSH_CONNECTION", "").split()
    host, port = connection[2:4] if len(connection) == 4 else (socket.gethostname(), "22")
    options = f"-p {shlex.quote(port)} " if port != "22" else ""
    return f"ringback speaker {options}{shlex.quote(f'{user}@{host}')}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "USER"


def session_environ(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment as it is for whoever looks at the screen now.

    In tmux a program keeps that of the login which started it; tmux knows the SSH variables of
    the one that attached last. GNU screen does not know them. Takes some milliseconds in tmux.
    """
    now = dict(environ)
    if environ.get("TMUX"):
        for line in _tmux_environment(environ):
            name, _, value = line.removeprefix("-").partition("=")
            if name in _ABOUT_SSH:
                now[name] = value  # a leading - takes it away
    return now


def _tmux_environment(environ: Mapping[str, str]) -> list[str]:
    from tui.secrets.process import clean_environ

    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            ["tmux", "show-environment"],
            env=clean_environ(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TMUX_S,
        )
        return done.stdout.decode(errors="replace").splitlines()
    return []


def find_route(preference: str = "") -> Route:
    """The way for this process, now."""
    return choose_route(session_environ(), preference=preference)
