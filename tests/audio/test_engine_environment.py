"""What an engine's process gets to see, and which output it is started for."""

from __future__ import annotations

import pytest

from tui.audio.engine_environment import engine_environment, engine_output


def test_only_what_sound_needs_is_passed_on() -> None:
    given = {
        "HOME": "/h", "PATH": "/p", "LANG": "C", "ALSA_CARD": "1", "PIPEWIRE_REMOTE": "r",
        "XDG_RUNTIME_DIR": "/r", "DBUS_SESSION_BUS_ADDRESS": "d", "EDITOR": "vi",
        "RINGBACK_TOKEN_A": "t", "PULSE_COOKIE": "/c", "XDG_SESSION_TOKEN": "t", "PYTHONPATH": "x",
    }  # fmt: skip
    kept = engine_environment(given, "/code")
    gone = {"EDITOR", "RINGBACK_TOKEN_A", "XDG_SESSION_TOKEN"}
    assert kept == {**{k: v for k, v in given.items() if k not in gone}, "PYTHONPATH": "/code"}


@pytest.mark.parametrize(
    ("installed", "wished", "output"),
    [
        ({"miniaudio", "simpleaudio"}, "miniaudio", "miniaudio"),
        ({"simpleaudio"}, "miniaudio", "simpleaudio"),
        ({"simpleaudio"}, "none", "none"),
        (set(), "miniaudio", "miniaudio"),
        (set(), "simpleaudio", "simpleaudio"),
    ],
)
def test_it_stands_in_for_miniaudio(
    installed: set[str], wished: str, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.audio.engine_environment.find_spec", lambda name: name in installed)
    assert engine_output(wished) == output


def test_only_for_it_python_takes_its_memory_from_the_system() -> None:
    assert engine_environment({}, "/code", "simpleaudio")["PYTHONMALLOC"] == "malloc"
    assert "PYTHONMALLOC" not in engine_environment({}, "/code", "miniaudio")
