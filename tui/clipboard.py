"""Copying a line of text to the clipboard of whoever looks at the screen."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping

_TMUX_S = 1.0


def copy(text: str, environ: Mapping[str, str], osc52: Callable[[str], None]) -> str:
    """Copy and say by which way: tmux, which drops a program's own OSC 52, or the terminal.

    `osc52` sends the terminal's own sequence. Whether the terminal obeys nobody can know.
    """
    if environ.get("TMUX") and _by_tmux(text, environ):
        return "tmux"
    osc52(text)
    return "the terminal"


def _by_tmux(text: str, environ: Mapping[str, str]) -> bool:
    """Into tmux's buffer, and from there to the outer terminal; an old tmux keeps it itself."""
    for command in (["tmux", "load-buffer", "-w", "-"], ["tmux", "load-buffer", "-"]):
        try:
            done = subprocess.run(
                command,
                input=text.encode(),  # never as an argument: others see those
                env=dict(environ),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_TMUX_S,
            )
        except (OSError, subprocess.SubprocessError):
            return False
        if done.returncode == 0:
            return True
    return False
