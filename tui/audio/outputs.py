"""Where sound may come out, and what the engine's process may know of its surroundings."""

from __future__ import annotations

from collections.abc import Mapping

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

    ``RINGBACK_AUDIO`` (``miniaudio``, ``wav:PATH`` or ``none``) decides whatever else holds.
    """
    wish = environ.get("RINGBACK_AUDIO", "")
    if wish in ("miniaudio", "none") or (wish.startswith("wav:") and len(wish) > len("wav:")):
        return wish, ""
    if wish:
        return "none", "no sound: RINGBACK_AUDIO must be miniaudio, wav:PATH or none"
    if environ.get("SSH_CONNECTION") and not environ.get("PULSE_SERVER"):
        return "none", OVER_SSH
    return "miniaudio", ""


def engine_environment(environ: Mapping[str, str], python_path: str) -> dict[str, str]:
    """What the engine's process gets to see: the sound system's settings and no secret."""
    kept = {
        name: value
        for name, value in environ.items()
        if (name.upper() in _KEPT or name.upper().startswith(_KEPT_PREFIXES))
        and not any(word in name.upper() for word in _SECRET_WORDS)
    }
    return {**kept, "PYTHONPATH": python_path}
