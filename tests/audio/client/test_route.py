"""Which way sound takes: the rule, what stands above it, and where speakers are looked for."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.guards.readme_text import ROOT
from tui.audio.client.player import Player
from tui.audio.client.route import (
    INVALID_OUTPUT,
    NO_SPEAKER,
    Route,
    choose_route,
    over_ssh,
    reason,
    session_environ,
    speaker_command,
)
from tui.audio.speaker_sockets import (
    name_of,
    socket_path,
)

SSH = {"SSH_CONNECTION": "10.0.0.9 50000 10.0.0.1 22", "USER": "anna"}
PULSE = {**SSH, "PULSE_SERVER": "tcp:1"}
COMMAND = "ringback speaker anna@10.0.0.1"


@pytest.mark.parametrize(
    ("environ", "preference", "kind", "output", "notice"),
    [
        ({}, "", "local", "miniaudio", ""),
        (SSH, "", "none", "none", NO_SPEAKER.format(COMMAND)),
        (
            {"SSH_TTY": "/dev/pts/1", "USER": "anna"},
            "",
            "none",
            "none",
            NO_SPEAKER.format(f"ringback speaker anna@{socket.gethostname()}"),
        ),
        (PULSE, "", "pulse", "miniaudio", ""),
        ({"PULSE_SERVER": "tcp:1"}, "", "local", "miniaudio", ""),
        (SSH, "local", "local", "miniaudio", ""),
        (SSH, "speaker", "none", "none", NO_SPEAKER.format(COMMAND)),
        (PULSE, "local", "pulse", "miniaudio", ""),
        ({}, "none", "none", "none", "no sound: switched off"),
        ({**SSH, "RINGBACK_AUDIO": "miniaudio"}, "none", "local", "miniaudio", ""),
        ({"RINGBACK_AUDIO": "none"}, "local", "none", "none", ""),
        ({"RINGBACK_AUDIO": "wav:/tmp/a.wav"}, "", "local", "wav:/tmp/a.wav", ""),
        ({"RINGBACK_AUDIO": "wav:"}, "", "none", "none", INVALID_OUTPUT),
        ({"RINGBACK_AUDIO": "loud"}, "", "none", "none", INVALID_OUTPUT),
    ],
)
def test_the_rule(
    environ: dict[str, str], preference: str, kind: str, output: str, notice: str, folder: Path
) -> None:
    route = choose_route(environ, folder, preference)
    assert (route.kind, route.output, route.notice) == (kind, output, notice)
    assert route.command == notice.partition("on your own machine: ")[2]


@pytest.mark.parametrize("environ", [{}, SSH, PULSE])
def test_a_speaker_comes_first(environ: dict[str, str], folder: Path, listening: Path) -> None:
    assert choose_route(environ, folder)[:2] == ("speaker", str(listening))
    assert name_of(listening) == "laptop"
    assert choose_route(environ, folder, "none").kind == "none"
    assert choose_route(environ, folder, "local").kind in ("local", "pulse")
    assert choose_route({**environ, "RINGBACK_AUDIO": "none"}, folder).kind == "none"


def test_the_command_is_what_the_listener_has_to_type() -> None:
    assert speaker_command(SSH) == COMMAND
    other = {**SSH, "SSH_CONNECTION": "fd00::9 5 fd00::1 2222"}
    assert speaker_command(other) == "ringback speaker -p 2222 anna@fd00::1"
    named = speaker_command({"LOGNAME": "o'hara", "SSH_TTY": "x"})
    assert named.endswith(f"@{socket.gethostname()}'")
    assert subprocess.run(
        ["sh", "-c", f"printf %s {named.split(' ', 2)[2]}"], capture_output=True, text=True
    ).stdout == f"o'hara@{socket.gethostname()}"  # fmt: skip


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_tmux_tells_who_looks_at_the_screen_now(folder: Path) -> None:
    tmux = ["tmux", "-S", str(folder / "tmux"), "-f", "/dev/null"]
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("SSH_", "TMUX"))}
    subprocess.run([*tmux, "new-session", "-d", "sleep 60"], env=clean, check=True)
    try:
        inside = {**clean, "TMUX": f"{folder}/tmux,1,0"}
        assert not over_ssh(session_environ(inside))
        attached = ["set-environment", "SSH_CONNECTION", SSH["SSH_CONNECTION"]]
        subprocess.run([*tmux, *attached], check=True)
        assert over_ssh(session_environ(inside)), "the server must not play aloud"
        subprocess.run([*tmux, "set-environment", "-r", "SSH_CONNECTION"], check=True)
        old = {**inside, "SSH_CONNECTION": SSH["SSH_CONNECTION"]}
        assert not over_ssh(session_environ(old))
    finally:
        subprocess.run([*tmux, "kill-server"], check=True)


def doctor(**environ: str) -> dict[str, dict[str, str]]:
    """What `ringback doctor --json` finds, by what it is about."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tui.cli", "doctor", "--json"],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
    )
    return {found["about"]: found for found in map(json.loads, done.stdout.splitlines())}


@pytest.mark.slow
def test_doctor_says_which_way_and_why(folder: Path) -> None:
    places = {"RINGBACK_RUNTIME_DIR": str(folder)}
    over = doctor(**SSH, **places, PULSE_SERVER="")
    assert over["sound way"]["text"].endswith(f"where you sit: {COMMAND}")
    assert over["sound way"]["state"] == over["sound"]["state"] == "note"


@pytest.mark.parametrize(
    ("environ", "why"),
    [
        ({}, "local: this machine's device, for this is no session over SSH"),
        (SSH, f"none: over SSH, and no speaker is connected; where you sit: {COMMAND}"),
        (PULSE, "pulse: over SSH, and PULSE_SERVER names a forwarded sound server"),
        ({**SSH, "RINGBACK_AUDIO": "none"}, "none: RINGBACK_AUDIO says so"),
        ({**SSH, "RINGBACK_AUDIO": "miniaudio"}, "local: RINGBACK_AUDIO says so"),
    ],
)
def test_each_way_has_its_reason(environ: dict[str, str], why: str, folder: Path) -> None:
    assert reason(choose_route(environ, folder), environ) == why


def test_a_speaker_is_named_in_the_reason(folder: Path, listening: Path) -> None:
    why = "speaker: laptop is connected by `ringback speaker`"
    assert reason(choose_route(SSH, folder), SSH) == why


async def test_closing_does_not_wait_for_a_speaker_that_says_nothing(folder: Path) -> None:
    path = socket_path(folder, "laptop")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        player = Player(lambda state: None, route=lambda: Route("speaker", str(path)))
        warming = asyncio.create_task(player.warm())
        await asyncio.sleep(0.1)
        async with asyncio.timeout(1.5):  # less than it is given to answer
            await player.close()
            await warming
