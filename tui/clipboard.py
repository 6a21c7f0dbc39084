"""Text to the clipboard of whoever sits at the terminal, and the way that it took."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the command line may load this module
    from textual.app import App

WAIT_S = 2.0
"""A tool without a display may never answer."""
TMUX = ("tmux", "load-buffer", "-w", "-")


async def copy(app: App[None], text: str, environ: Mapping[str, str] = os.environ) -> str:
    """Copy `text`; the way in words: ``tmux``, a tool's name, or ``OSC 52``.

    Inside tmux its own buffer and, through it, the terminal's clipboard; over SSH the terminal
    (OSC 52), which may not allow it and never answers; here the system's tool. The text goes
    over standard input, never into a command line that others see.
    """
    command = _command(environ)
    if command and await _fed(command, text):
        return command[0]
    app.copy_to_clipboard(text)
    return "OSC 52"


def _command(environ: Mapping[str, str]) -> tuple[str, ...] | None:
    if environ.get("TMUX"):
        return TMUX
    if environ.get("SSH_CONNECTION"):
        return None
    candidates = [
        (environ.get("WAYLAND_DISPLAY"), ("wl-copy",)),
        (environ.get("DISPLAY"), ("xclip", "-selection", "clipboard")),
        (sys.platform == "darwin", ("pbcopy",)),
        (sys.platform == "win32" or environ.get("WSL_DISTRO_NAME"), ("clip.exe",)),
    ]
    usable = (command for here, command in candidates if here and shutil.which(command[0]))
    return next(usable, None)


async def _fed(command: tuple[str, ...], text: str) -> bool:
    """Whether the command took the text within `WAIT_S`."""
    quiet = asyncio.subprocess.DEVNULL
    try:
        # wl-copy and xclip leave a process behind that must not hold our terminal
        child = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=quiet,
            stderr=quiet,
            start_new_session=True,
        )
    except OSError:
        return False
    try:
        await asyncio.wait_for(child.communicate(text.encode("utf-8", "replace")), WAIT_S)
    except TimeoutError:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()
        return False
    return child.returncode == 0
