"""Where the screen's sound comes out: a speaker that comes and goes, and the two keys."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.audio import ssh_host
from tests.ui.calls_page import open_page
from tui.audio.speaker_sockets import socket_path
from tui.export.clipboard import copy
from tui.services import Services

Home = Callable[..., Services]
COMMAND = "ringback speaker -p 2222 anna@10.0.0.1"


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A session over SSH, and where its speakers are."""
    made = Path(tempfile.mkdtemp(prefix="rb"))  # a socket's path must be short
    monkeypatch.setenv("RINGBACK_RUNTIME_DIR", str(made))
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.9 50000 10.0.0.1 2222")
    monkeypatch.setenv("USER", "anna")
    monkeypatch.delenv("RINGBACK_AUDIO")
    yield made
    shutil.rmtree(made)


@contextmanager
def speaker_in(runtime: Path) -> Iterator[None]:
    path = socket_path(runtime, "laptop")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        yield
    path.unlink()


async def test_a_speaker_is_found_within_a_second_and_missed_when_it_goes(
    synced: Home, runtime: Path
) -> None:
    async with open_page(synced("nectar"), size=(120, 30)) as page:
        await page.idle()
        assert page.screen.player.outputs.route().kind == "none"
        with speaker_in(runtime):
            await page.until(lambda: "your speaker (laptop)" in page.status, 5)
            assert page.screen.player.outputs.route().kind == "speaker"
        await page.until(lambda: "the speaker has gone" in page.status, 5)


async def test_the_key_asks_before_a_server_plays_aloud(synced: Home, runtime: Path) -> None:
    async with open_page(synced("nectar"), size=(120, 30)) as page:
        await page.idle()
        outlet = page.screen.player.outputs
        for answer, kind in (("n", None), ("y", "local")):
            await page.press("O")
            await page.until(lambda: "Play on this machine?" in page.text)
            assert COMMAND in page.text
            assert outlet.route().kind == "none", "not before it is answered"
            await page.press(answer)
            await page.until(lambda: not page.top.is_modal)
            await page.until(lambda kind=kind: outlet.wish == kind)  # type: ignore[misc]
        assert "sound comes out of this machine" in page.status
        await page.press("O")
        await page.until(lambda: "switched off" in page.status)


async def test_what_is_forced_no_key_changes(
    synced: Home, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGBACK_AUDIO", "none")
    async with open_page(synced("nectar"), size=(120, 30)) as page:
        await page.idle()
        await page.press("O")
        await page.until(lambda: "RINGBACK_AUDIO decides" in page.status)


async def test_without_a_way_the_command_is_shown_and_copied(synced: Home, runtime: Path) -> None:
    async with open_page(synced("nectar"), "rec dur>60", size=(160, 30)) as page:
        await page.idle()
        await page.press("space")
        await page.until(
            lambda: "no sound over SSH; Y copies what to run at your machine" in page.text
        )
        await page.press("Y")
        await page.until(lambda: page.app.clipboard == COMMAND)
        await page.until(lambda: "copied by the terminal" in page.status)
        await page.press("s")


@pytest.mark.skipif(bool(ssh_host.NO_SSHD), reason=ssh_host.NO_SSHD or "")
async def test_the_screen_is_heard_at_the_listeners_side(
    synced: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ssh_host.sshd_in(tmp_path) as sshd:
        monkeypatch.setenv("RINGBACK_RUNTIME_DIR", str(sshd.runtime))
        monkeypatch.setenv("SSH_CONNECTION", "10.0.0.9 50000 10.0.0.1 22")
        monkeypatch.delenv("RINGBACK_AUDIO")
        async with open_page(synced("nectar"), "rec dur>60", size=(160, 30)) as page:
            await page.idle()
            speaker = ssh_host.NearSpeaker(sshd, sshd.port, RINGBACK_AUDIO="none")
            await page.until(lambda: "at your speaker" in page.status)
            await page.press("space")
            await page.until(lambda: "Playing" in page.player)
            speaker.end()
            await page.until(lambda: "Paused" in page.player)
            await page.until(lambda: "the speaker has gone" in page.text)
            again = ssh_host.NearSpeaker(sshd, sshd.port, RINGBACK_AUDIO="none")
            await page.until(lambda: "Playing" in page.player)  # by itself
            await page.press("space")
            await page.until(lambda: "Paused" in page.player)
        again.end()
        deadline = time.monotonic() + 5
        while sshd.speakers():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_inside_tmux_its_buffer_is_used(runtime: Path) -> None:
    tmux = ["tmux", "-S", str(runtime / "tmux"), "-f", "/dev/null"]
    subprocess.run([*tmux, "new-session", "-d", "sleep 60"], check=True)
    try:
        inside = {**os.environ, "TMUX": f"{runtime}/tmux,1,0"}
        told: list[str] = []
        assert copy(COMMAND, inside, told.append) == "tmux"
        shown = subprocess.run([*tmux, "show-buffer"], capture_output=True, text=True, check=True)
        assert (shown.stdout, told) == (COMMAND, [])
    finally:
        subprocess.run([*tmux, "kill-server"], check=True)
    assert copy(COMMAND, inside, told.append) == "the terminal (OSC 52)"
    assert told == [COMMAND]


def test_a_clipboard_tool_is_given_no_token(tmp_path: Path) -> None:
    tool, seen = tmp_path / "xclip", tmp_path / "seen"
    tool.write_text(f"#!/bin/sh\nenv > {seen}; cat >> {seen}\n")
    tool.chmod(0o700)
    path = f"{tmp_path}:{os.environ['PATH']}"
    given = {"PATH": path, "DISPLAY": ":0", "RINGBACK_TOKEN_DESK": "tok-SECRET"}
    assert copy("ringback://desk/1", given, lambda _: None) == "xclip"
    assert "ringback://desk/1" in seen.read_text() and "tok-SECRET" not in seen.read_text()
