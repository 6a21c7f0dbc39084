"""Where sound would come out: what is said, and what is told the player."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.audio import sounds
from tests.audio.listener import Listen
from tui.audio.client.probe import probe
from tui.audio.client.route import NO_SPEAKER


async def test_over_ssh_it_is_silent_and_says_why(
    listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.9 50000 10.0.0.1 22")
    monkeypatch.setenv("USER", "anna")
    monkeypatch.delenv("PULSE_SERVER")
    why = NO_SPEAKER.format("ringback speaker anna@10.0.0.1")
    listener = listen(None)
    await listener.play(sounds.telephone(1.0))
    state = await listener.until("playing")
    assert (state.output, state.message) == ("none", why)
    assert await probe() == why


async def test_without_a_device_it_goes_on_in_silence(
    listen: Listen, kinds: dict[str, bytes], capfd: pytest.CaptureFixture[str]
) -> None:
    listener = listen("miniaudio")
    await listener.play(kinds["wav-ulaw"])
    state = await listener.over()
    assert (state.status, state.output) == ("ended", "none")
    assert state.message.startswith("no sound device found")
    assert await probe() == "no sound: no sound device found"
    assert capfd.readouterr() == ("", "")  # libasound's complaints stay off the screen


async def test_probe_names_the_output(tmp_path: Path) -> None:
    assert await probe("none") == "none"
    assert await probe(f"wav:{tmp_path}/x.wav") == f"wav:{tmp_path}/x.wav"
    assert "cannot be written" in await probe(f"wav:{tmp_path}/no/x.wav")
