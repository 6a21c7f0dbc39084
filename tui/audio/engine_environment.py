"""What the engine's process may know of its surroundings. Where sound goes: client/route.py."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

PERIOD = "RINGBACK_PERIOD_MS"
"""How much sound the device takes at a time, where the usual would not do; for the engine."""
_REMOTE_PERIOD_MS = "250"  # a forwarded sound server; with 100 ms and less it stutters
_KEPT = frozenset(
    {"HOME", "PATH", "LANG", "LANGUAGE", "TZ", "USER", "LOGNAME", "TMPDIR", "TEMP", "TMP"}
    | {"DBUS_SESSION_BUS_ADDRESS", "LD_LIBRARY_PATH", "VIRTUAL_ENV"}
    | {"SYSTEMROOT", "WINDIR", "USERPROFILE", "APPDATA", "LOCALAPPDATA"}
)
_KEPT_PREFIXES = ("ALSA_", "PULSE_", "PIPEWIRE_", "XDG_", "LC_")
_TO_START = frozenset(
    {"HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PYTHONPATH"}
    | {"SYSTEMROOT", "WINDIR", "USERPROFILE", "APPDATA", "LOCALAPPDATA"}
)
_SECRET_WORDS = ("TOKEN", "KEY", "SECRET", "PASSWORD")


def engine_output(requested: str) -> str:
    """The output that an engine is started for: simpleaudio where there is no miniaudio."""
    if requested == "miniaudio" and not find_spec("miniaudio") and find_spec("simpleaudio"):
        return "simpleaudio"
    return requested


def engine_environment(
    environ: Mapping[str, str], python_path: str, output: str = "", *, remote: bool = False
) -> dict[str, str]:
    """What the engine's process gets to see: the sound system's settings and no secret.

    With simpleaudio Python takes its memory from the system; see simpleaudio_output.py.
    `remote`: the sound server is on another machine.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if (name.upper() in _KEPT or name.upper().startswith(_KEPT_PREFIXES))
        and not any(word in name.upper() for word in _SECRET_WORDS)
    }
    memory = {"PYTHONMALLOC": "malloc"} if output == "simpleaudio" else {}
    period = {PERIOD: _REMOTE_PERIOD_MS} if remote else {}
    return {**kept, **memory, **period, "PYTHONPATH": python_path}


def decoder_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What a process gets to see that only decodes: what Python needs to find its libraries."""
    return {name: value for name, value in environ.items() if name.upper() in _TO_START}
