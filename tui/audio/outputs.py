"""Where sound may come out, and what the engine's process may know of its surroundings."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

_KEPT = frozenset(
    {"HOME", "PATH", "LANG", "LANGUAGE", "TZ", "USER", "LOGNAME", "TMPDIR", "TEMP", "TMP"}
    | {"DBUS_SESSION_BUS_ADDRESS", "LD_LIBRARY_PATH", "VIRTUAL_ENV"}
    | {"SYSTEMROOT", "WINDIR", "USERPROFILE", "APPDATA", "LOCALAPPDATA"}
)
_KEPT_PREFIXES = ("ALSA_", "PULSE_", "PIPEWIRE_", "XDG_", "LC_")
_SECRET_WORDS = ("TOKEN", "KEY", "SECRET", "PASSWORD")

OVER_SSH = (
    "no sound: this is a session over SSH, and the speakers would be the server's own; "
    "forward PulseAudio (PULSE_SERVER), or set RINGBACK_AUDIO=miniaudio to play there"
)


def choose_output(environ: Mapping[str, str]) -> tuple[str, str]:
    """The output to open, and a line for the user where that is not the loudspeaker.

    ``RINGBACK_AUDIO`` (``miniaudio``, ``simpleaudio``, ``wav:PATH`` or ``none``) decides
    whatever else holds.
    """
    wish = environ.get("RINGBACK_AUDIO", "")
    if wish in ("miniaudio", "simpleaudio", "none") or (
        wish.startswith("wav:") and len(wish) > len("wav:")
    ):
        return wish, ""
    if wish:
        valid = "miniaudio, simpleaudio, wav:PATH or none"
        return "none", f"no sound: RINGBACK_AUDIO must be {valid}"
    if environ.get("SSH_CONNECTION") and not environ.get("PULSE_SERVER"):
        return "none", OVER_SSH
    return "miniaudio", ""


def engine_output(wished: str) -> str:
    """The output that an engine is started for: simpleaudio where there is no miniaudio."""
    if wished == "miniaudio" and not find_spec("miniaudio") and find_spec("simpleaudio"):
        return "simpleaudio"
    return wished


def engine_environment(
    environ: Mapping[str, str], python_path: str, output: str = ""
) -> dict[str, str]:
    """What the engine's process gets to see: the sound system's settings and no secret.

    With simpleaudio Python takes its memory from the system; see `tui.audio.simpleaudio_sink`.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if (name.upper() in _KEPT or name.upper().startswith(_KEPT_PREFIXES))
        and not any(word in name.upper() for word in _SECRET_WORDS)
    }
    memory = {"PYTHONMALLOC": "malloc"} if output == "simpleaudio" else {}
    return {**kept, **memory, "PYTHONPATH": python_path}
