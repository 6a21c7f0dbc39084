"""The terminal, taken and given back: at the start and the end, when the job is stopped and goes
on, and when the terminal itself has gone.

Textual takes it again whenever the job goes on, also where SIGSTOP had left it no time to give
it back: a second thread then reads the keys, and the first one never ends.
"""

from __future__ import annotations

import os
import re
import select
import signal
import termios
import threading
import time
from codecs import getincrementaldecoder
from contextlib import suppress
from queue import Empty, Full, Queue
from typing import Any, TextIO

from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver

from tui.job_control import stop_job, wait_for_foreground
from widgets.painted_app import PaintedApp

NO_SHELL = "there is no shell to go back to here"
LOOK_S = 0.1
STUCK_S = 1.0
"""A terminal that took nothing for so long keeps nobody who wants to leave."""
ASK_FOR_MARGINS = "\x1b[?69$p"
"""DECRQM of DECLRMM: has it left and right margins?"""
HAS_MARGINS = re.compile(r"\x1b\[\?69;[12]\$y")
AHEAD = 30
"""Texts that wait for the terminal; who writes more waits with them."""
PIECE = 4096


def erases_with_color(terminal: int) -> bool:
    """Whether terminfo says so of the terminal behind this file; False where it is not known."""
    try:
        import curses
    except ImportError:  # some builds of Python have none
        return False
    try:
        curses.setupterm(fd=terminal)
        return curses.tigetflag("bce") > 0
    except curses.error:
        return False


class Output(threading.Thread):
    """Writes beside the screen. One that stands still, or has gone, holds up no end."""

    def __init__(self, file: TextIO) -> None:
        super().__init__(daemon=True, name="textual-output")
        self._fd, self._encoding = file.fileno(), file.encoding or "utf-8"
        self._queue: Queue[str | None] = Queue(AHEAD)
        self._moved_at = time.monotonic()
        self._hurried = self._over = False

    def write(self, text: str | None) -> None:
        """Write soon; None: end when all is written."""
        while not self._over:
            with suppress(Full):
                self._queue.put(text, timeout=LOOK_S)
                return
            self._over = self._hurried and self._is_stuck

    def hurry(self) -> None:
        """From now on nobody waits for a terminal that stands still."""
        self._moved_at, self._hurried = time.monotonic(), True

    def stop(self) -> None:
        """Wait for the end of what is to be written."""
        self.hurry()
        self.write(None)
        while self.is_alive() and not self._is_stuck:
            self.join(LOOK_S)
        self._over = True

    @property
    def _is_stuck(self) -> bool:
        return time.monotonic() - self._moved_at > STUCK_S

    def run(self) -> None:
        ends = False
        with suppress(OSError):  # the terminal has gone
            while not ends:
                texts = [self._queue.get()]
                with suppress(Empty):
                    while True:
                        texts.append(self._queue.get_nowait())
                ends = None in texts
                self._send("".join(filter(None, texts)).encode(self._encoding, "replace"))
        self._over = True

    def _send(self, data: bytes) -> None:
        """Raises `OSError`."""
        while data and not self._over:
            with suppress(BlockingIOError):  # another program made it so
                data = data[os.write(self._fd, data[:PIECE]) :]
                self._moved_at = time.monotonic()
                continue
            select.select([], [self._fd], [], LOOK_S)


vars(linux_driver)["WriterThread"] = Output  # by this name it makes what writes


class TerminalDriver(LinuxDriver):
    """See the module. All but the signals' handlers belong to the loop's thread."""

    _writer_thread: Output | None  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._taken = self._leaving = False
        self._opening: list[str] | None = None
        """What took the terminal, while that is written down."""
        self._took = ""
        self._attrs_during: list[Any] | None = None
        for number in (signal.SIGHUP, signal.SIGTERM):
            signal.signal(number, self.leave)

    # -- taking and giving back

    def start_application_mode(self) -> None:
        if self._taken:
            return
        self._painted.forget_terminal()
        if wait_for_foreground(self.fileno, lambda: self._leaving):
            self._opening = []
            super().start_application_mode()  # type: ignore[no-untyped-call]
            self._took, self._opening = "".join(self._opening), None
            self._painted.erases_with_color |= erases_with_color(self.fileno)
        self._taken = self._writer_thread is not None
        if self._taken:
            self._attrs_during = self._attrs()
        else:
            self.leave()

    def stop_application_mode(self) -> None:
        if self._taken:
            self.write(self._painted.leave_terminal())
            super().stop_application_mode()
            self._taken = False

    def disable_input(self) -> None:
        if self._taken:  # from the background, even to look at what was typed stops the job
            super().disable_input()

    def close(self) -> None:
        self._end_output()
        for number in (signal.SIGTSTP, signal.SIGCONT, signal.SIGHUP, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)

    def _end_output(self) -> None:
        if self._writer_thread is not None:
            self._writer_thread.stop()
            self._writer_thread = None

    def write(self, data: str) -> None:
        """Without a terminal that is ours, what is written goes nowhere."""
        if self._opening is not None:
            self._opening.append(data)
        if self._writer_thread is not None:
            self._writer_thread.write(data)

    @property
    def _painted(self) -> PaintedApp[Any]:
        assert isinstance(self._app, PaintedApp)
        return self._app

    def _request_terminal_sync_mode_support(self) -> None:
        super()._request_terminal_sync_mode_support()
        if self.input_tty and os.environ.get("TERM_PROGRAM") != "Apple_Terminal":  # prints the p
            self.write(ASK_FOR_MARGINS)

    def _disable_mouse_support(self) -> None:
        super()._disable_mouse_support()
        if self._mouse_pixels:
            self.write("\x1b[?1016l")

    def _attrs(self) -> list[Any] | None:
        with suppress(termios.error):
            return termios.tcgetattr(self.fileno)
        return None

    # -- being stopped, and going on

    def suspend(self) -> None:
        """Give the terminal back and be stopped, as ctrl+z does it everywhere; then go on."""
        had = self._taken
        self._app._suspend_signal()
        self.stop_application_mode()
        self._end_output()
        stopped = stop_job()
        if had and not self._leaving:
            self.start_application_mode()
            self._gone_on()
            if not stopped:
                self._app.notify(NO_SHELL, severity="warning", markup=False)

    def renew(self) -> None:
        """The job went on that was stopped without a word (SIGSTOP): who had the terminal meanwhile
        left it as he likes it.
        """
        if not self._taken:
            return
        if not wait_for_foreground(self.fileno, lambda: self._leaving):
            self.leave()
            return
        with suppress(termios.error):
            termios.tcsetattr(self.fileno, termios.TCSANOW, self._attrs_during or [])
        self._painted.forget_terminal()
        self.write("\x1b[<u" + self._took)  # its keys' mode is pushed once, as it is popped once
        signal.raise_signal(signal.SIGWINCH)
        self._gone_on()

    def _gone_on(self) -> None:
        self._app.refresh(layout=True)  # a size that is as before is no reason to paint anything
        self._app.post_message(self.SignalResume())

    def _sigtstp_application(self, *_: object) -> None:
        self._soon(self.suspend)

    def _sigcont_application(self, *_: object) -> None:
        self._soon(self.renew)

    def _soon(self, what: Any) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(what)

    # -- leaving

    def leave(self, *_: object) -> None:
        """End the program in order: its terminal has gone, or a signal says so. In any thread."""
        self._leaving = True
        if output := self._writer_thread:
            output.hurry()
        self._soon(self._app.exit)

    def run_input_thread(self) -> None:
        """Textual asks a terminal that has gone for ever, and ends at a byte that is no UTF-8."""
        parser = vars(linux_driver)["XTermParser"](self._debug)  # as `OrderedApp` wants it
        decode = getincrementaldecoder("utf-8")("replace").decode
        while not self.exit_event.is_set():
            if select.select([self.fileno], [], [], LOOK_S)[0]:
                data = b""
                with suppress(OSError):
                    data = os.read(self.fileno, PIECE)
                if not data:
                    self.leave()
                    return
                typed = decode(data)
                if HAS_MARGINS.search(typed):
                    self._painted.has_margins = True
                    self._painted.erases_with_color = True  # those that have them all do
                for event in parser.feed(typed):
                    self.process_message(event)
            for event in parser.tick():
                self.process_message(event)
