"""Copying a line of text to the clipboard of whoever looks at the screen."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

_TOOL_S = 1.0
"""A tool without a display may never answer."""


def copy(text: str, environ: Mapping[str, str], osc52: Callable[[str], None]) -> str:
    """Copy and say by which way: tmux, which drops a program's own OSC 52; where we sit at this
    machine, its own tool; else the terminal. Takes up to seconds: not for the screen's loop.

    `osc52` sends the terminal's own sequence. Whether the terminal obeys nobody can know.
    """
    for commands in _ways(environ):
        if _fed(commands, text, environ):
            return commands[0][0]
    osc52(text)
    return "the terminal (OSC 52)"


def _ways(environ: Mapping[str, str]) -> Iterator[Sequence[Sequence[str]]]:
    """The programs to try, each with its forms."""
    if environ.get("TMUX"):
        # from its buffer to the outer terminal; an old tmux keeps it itself
        yield (("tmux", "load-buffer", "-w", "-"), ("tmux", "load-buffer", "-"))
    elif not environ.get("SSH_CONNECTION"):
        if environ.get("WAYLAND_DISPLAY"):
            yield (("wl-copy",),)
        if environ.get("DISPLAY"):
            yield (("xclip", "-selection", "clipboard"),)
        if sys.platform == "darwin":
            yield (("pbcopy",),)
        if sys.platform == "win32" or environ.get("WSL_DISTRO_NAME"):
            yield (("clip.exe",),)


def _fed(commands: Sequence[Sequence[str]], text: str, environ: Mapping[str, str]) -> bool:
    """Whether one of the commands took the text."""
    from tui.secrets.process import clean_environ

    for command in commands:
        try:
            done = subprocess.run(
                command,
                input=text.encode(),  # never as an argument: others see those
                env=clean_environ(environ),  # xclip stays, and others may look at it
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_TOOL_S,
                start_new_session=True,  # what xclip leaves running outlives our terminal
            )
        except (OSError, subprocess.SubprocessError):
            return False
        if done.returncode == 0:
            return True
    return False
