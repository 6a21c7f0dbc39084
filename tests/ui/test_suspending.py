"""Stopped and continued, in every way and at every moment: the terminal is given back whole, comes
back whole, and the program ends when it is told to, with nothing left.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from providers.sandbox import Sandbox
from tests.audio import sounds, ssh_host
from tests.benchmarks.fill import fill
from tests.slow_params import few
from tests.ui.jobs import BASH, PROMPT, Shell, state_of, switched, until
from tests.ui.services import select, services_for
from tests.ui.terminal import Program
from tests.ui.test_quitting import processes
from tui.services import Services

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
    pytest.mark.skipif(BASH is None, reason="no shell with jobs"),
]
STOP, CONT = signal.SIGSTOP, signal.SIGCONT
SUSPEND, QUIT = "\x1a", "\x11"


@pytest.fixture
def calls() -> Services:
    """An archive, and no vendor whose answers would be said."""
    services = fill(os.environ, 60)
    services.accounts.remove("desk")
    return services


def _suspended(shell: Shell) -> None:
    """ctrl+z, and the terminal is the shell's, whole."""
    shell.write(SUSPEND)
    shell.stopped()
    shell.screen.reset()
    assert switched(shell.output) == {}
    assert PROMPT.encode() in shell.output.rpartition(b"\x1b[?1049l")[2]


def _left(shell: Shell) -> None:
    """ctrl+q, and nothing is left."""
    shell.write(QUIT)
    assert shell.ends() == 0
    assert switched(shell.output) == {} and shell.attrs == shell.at_prompt
    assert [*processes(Path(os.environ["HOME"]))] == [shell.pid]


@pytest.mark.parametrize("times", few(1, [1, 3]))
def test_ctrl_z_gives_the_terminal_back_and_fg_takes_it_again(calls: Services, times: int) -> None:
    with Shell() as shell:
        shell.start()
        shell.wait_for("Outcomes")  # the last that comes
        shell.read(wait_s=0.5)
        before, during, raw = shell.text, switched(shell.output), shell.attrs
        assert {"1049", "1003", "2004"} <= {*during}, "the modes are seen here"
        for _ in range(times):
            _suspended(shell)
            shell.run("fg", "rows 1-")
            assert shell.text == before
            assert switched(shell.output) == during
            assert shell.attrs == raw
        _left(shell)


def _stop_and_go(shell: Shell) -> None:
    """Somebody else stops and continues it: by then the terminal is the shell's."""
    shell.kill(STOP)
    shell.stopped()
    shell.kill(CONT)
    time.sleep(0.3)
    until(lambda: state_of(shell.job) == "T", "it is stopped again")
    shell.write("fg\n")


def _ctrl_z_and_fg(shell: Shell) -> None:
    _suspended(shell)
    shell.write("fg\n")


def _kill_and_fg(shell: Shell) -> None:
    shell.kill(STOP)
    shell.stopped()
    shell.write("fg\n")


def _kill_tstp_and_fg(shell: Shell) -> None:
    shell.kill(signal.SIGTSTP)
    shell.stopped()
    assert switched(shell.output) == {}
    shell.write("fg\n")


def _bg_then_fg(shell: Shell) -> None:
    """In the background it may not use the terminal: it is stopped again."""
    _suspended(shell)
    shell.run("bg", PROMPT)
    until(lambda: state_of(shell.job) == "T", "it is stopped again")
    assert switched(shell.output) == {}
    shell.write("fg\n")


def _smaller(shell: Shell) -> None:
    _suspended(shell)
    shell.resize(80, 24)
    shell.write("fg\n")


HOW = [_stop_and_go, _bg_then_fg, _ctrl_z_and_fg, _kill_and_fg, _kill_tstp_and_fg, _smaller]
WHERE = [
    ("", "rows 1-"),
    ("?", "Go to the next call"),
    ("D", "note"),
    (":half", "Half page"),
    ("/anna", "anna"),
    ("\r", "Overview"),
    ("E", "CSV"),
]
"""What was typed before, and what stands on the screen then and afterwards."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "keys", "sign"),
    [*((how, *WHERE[0]) for how in HOW), *((_ctrl_z_and_fg, *where) for where in WHERE[1:])],
)
def test_it_comes_back_as_it_was_and_leaves(
    calls: Services, how: Callable[[Shell], None], keys: str, sign: str
) -> None:
    with Shell() as shell:
        shell.start()
        shell.read(wait_s=0.5)
        shell.press(keys) if keys else None
        shell.wait_for(sign)
        shell.read(wait_s=0.5)
        during = switched(shell.output)
        shell.screen.reset()
        shell.output = b""
        how(shell)
        shell.wait_for(sign)
        shell.read(wait_s=0.5)
        assert switched(shell.output) == during
        if keys[:1] in ("D", "/"):
            shell.press("\x1b")
        _left(shell)


@pytest.mark.slow
def test_what_was_typed_behind_ctrl_z_is_the_shells(calls: Services) -> None:
    with Shell() as shell:
        shell.start()
        shell.read(wait_s=0.5)
        shell.write(f"{SUSPEND}fdd\r")
        shell.stopped()
        shell.run("fg", "rows 1-")
        shell.press("j")
        _left(shell)
    assert not select(calls, "SELECT id FROM event")


@pytest.mark.parametrize("sleep_s", few(1, [None, 0.0, 0.15, 0.3, 0.5, 0.8]))
def test_sigstop_sigcont_and_it_leaves(calls: Services, sleep_s: float | None) -> None:
    """None: when all is shown; else so long after the start."""
    with Program("tui.cli") as program:
        program.wait_for("rows 1-") if sleep_s is None else time.sleep(sleep_s)
        for _ in range(2):
            os.kill(program.pid, STOP)
            until(lambda: state_of(program.pid) == "T", "it is stopped")
            os.kill(program.pid, CONT)
        program.wait_for("rows 1-")
        program.read(wait_s=0.5)
        code, _ = program.leave(wait_s=10)
        assert code == 0 and program.restored and switched(program.output) == {}


@pytest.mark.slow
@pytest.mark.parametrize("sleep_s", [0.05, 0.0, 0.02, 0.1, 0.2])
@pytest.mark.parametrize("number", [STOP, signal.SIGTSTP])
def test_stopped_while_it_leaves(calls: Services, sleep_s: float, number: signal.Signals) -> None:
    with Shell() as shell:
        shell.start()
        shell.read(wait_s=0.5)
        shell.write(QUIT)
        time.sleep(sleep_s)
        if state_of(shell.job):
            shell.kill(number)
            until(lambda: state_of(shell.job) in ("T", ""), "it is stopped, or has ended")
        if state_of(shell.job):
            shell.stopped()
            shell.write("fg\n")
        assert shell.ends() == 0
        assert switched(shell.output) == {} and shell.attrs == shell.at_prompt


@pytest.mark.slow
def test_without_a_shell_ctrl_z_says_so_and_it_goes_on(calls: Services) -> None:
    with Program("tui.cli") as program:
        program.wait_for("rows 1-")
        program.read(wait_s=0.5)
        during = switched(program.output)
        program.press(SUSPEND)
        program.wait_for("no shell to go back to")
        program.read(wait_s=0.5)
        assert "rows 1-" in program.text and switched(program.output) == during
        code, _ = program.leave(wait_s=10)
        assert code == 0 and program.restored and switched(program.output) == {}


@pytest.mark.slow
@pytest.mark.parametrize("command", ["kill %1", "kill -HUP %1", "exit\nexit"])
def test_ended_while_it_is_stopped(calls: Services, command: str) -> None:
    with Shell() as shell:
        shell.start()
        shell.read(wait_s=0.5)
        _suspended(shell)
        shell.write(f"{command}\n")
        until(lambda: not state_of(shell.job), "it has ended")
        shell.read(wait_s=0.5)
        assert switched(shell.output) == {}


# -- the terminal goes, or stands still


@pytest.mark.parametrize("ignored", few(1, [False, True]))
def test_a_terminal_that_has_gone_ends_it(calls: Services, ignored: bool) -> None:
    if ignored:  # as under nohup, and some wrappers
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    program = Program("tui.cli")
    try:
        with program:
            program.wait_for("rows 1-")
            program.read(wait_s=0.5)
            os.close(program.slave)
            os.close(program.fd)
            program.fd, program.slave = os.pipe()
            until(lambda: os.waitpid(program.pid, os.WNOHANG)[0], "it has ended", 10)
            program.status = 0
    finally:
        if ignored:
            signal.signal(signal.SIGHUP, before)
    assert processes(Path(os.environ["HOME"])) == {}


@pytest.mark.slow
def test_a_terminal_that_stands_still_keeps_nobody(calls: Services) -> None:
    with Program("tui.cli") as program:
        program.wait_for("rows 1-")
        program.read(wait_s=0.5)
        termios.tcflow(program.slave, termios.TCOOFF)
        for _ in range(60):  # more than waits for it
            program.write("Gg")
            time.sleep(0.01)
        os.kill(program.pid, signal.SIGTERM)
        began = time.monotonic()
        while not (ended := os.waitpid(program.pid, os.WNOHANG))[0]:
            assert time.monotonic() < began + 15
            time.sleep(0.01)
        program.status = os.waitstatus_to_exitcode(ended[1])
        assert program.status == 0


def test_bytes_that_are_no_text_are_no_end(calls: Services) -> None:
    with Program("tui.cli") as program:
        program.wait_for("rows 1-")
        program.read(wait_s=0.5)
        os.write(program.fd, b"\xe9\xff\xc3j\xc3\x28")
        program.read(wait_s=0.5)
        assert "rows 1-" in program.text
        assert program.leave(wait_s=10)[0] == 0


# -- with vendors and sound


@pytest.fixture
def token(world: Sandbox) -> dict[str, str]:
    services_for(world, ["nectar"], os.environ)
    return {"RINGBACK_TOKEN_NECTAR": world.tokens["nectar"]}


@pytest.mark.slow
def test_a_sync_goes_on_after_a_stop_in_which_the_vendor_answered(
    world: Sandbox, token: dict[str, str]
) -> None:
    asked = len(world.requests)
    world.fail("nectar", status=0, times=2, delay_s=0.5)
    with Shell(env=token) as shell:
        shell.start(sign="asking")
        until(lambda: len(world.requests) > asked, "the vendor is asked")
        _suspended(shell)
        time.sleep(1.0)
        shell.run("fg", "of 60")
        _left(shell)


@pytest.mark.slow
@pytest.mark.parametrize("output", ["none", "wav", "miniaudio"])
@pytest.mark.parametrize("how", [_ctrl_z_and_fg, _stop_and_go])
def test_it_is_stopped_while_it_plays(
    world: Sandbox,
    token: dict[str, str],
    tmp_path: Path,
    output: str,
    how: Callable[[Shell], None],
) -> None:
    audio = f"wav:{tmp_path}/out.wav" if output == "wav" else output
    with Shell(RINGBACK_AUDIO=audio, env=token) as shell:
        shell.start("rec", "'dur>60'", sign="fresh")
        shell.wait_for("rows 1-")
        shell.read(wait_s=0.5)
        shell.write(" ")
        shell.wait_for("Playing", "Ended")
        how(shell)
        shell.screen.reset()
        shell.wait_for("Playing", "Ended", "rows 1-")
        shell.read(wait_s=0.5)
        _left(shell)


def _second(shell: Shell) -> int:
    found = re.findall(r"0:(\d\d) / 0:40", shell.text)
    assert found, shell.text
    return int(found[-1])


@pytest.mark.slow
def test_what_the_command_plays_pauses_and_goes_on_with_its_keys(tmp_path: Path) -> None:
    recording = sounds.write(tmp_path, "a.wav", sounds.wav(sounds.tone(40, 8000), 8000))
    with Shell(RINGBACK_AUDIO="none") as shell:
        shell.start("play", str(recording), sign="0:01 / 0:40")
        during = shell.attrs
        shell.write(SUSPEND)
        shell.stopped()
        assert shell.attrs == shell.at_prompt
        stood = _second(shell)
        time.sleep(4)
        shell.run("fg", "▶")
        assert _second(shell) < stood + 4, "it made no sound meanwhile"
        assert shell.attrs == during
        shell.write("q")
        assert shell.ends() == 0 and shell.attrs == shell.at_prompt


@pytest.mark.slow
@pytest.mark.skipif(ssh_host.NO_SSHD is not None, reason=str(ssh_host.NO_SSHD))
def test_over_ssh(calls: Services, tmp_path: Path) -> None:
    with ssh_host.sshd_in(tmp_path) as sshd:
        home = os.environ["RINGBACK_HOME"]
        command = f"RINGBACK_HOME={home} TERM=xterm-256color exec {ssh_host.PYTHON}"
        trust = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
        ssh = ["-tt", "-p", str(sshd.port), "-i", str(tmp_path / "user"), trust, "127.0.0.1"]
        with Shell() as shell:
            shell.wait_for(PROMPT)
            shell.write(f"ssh {' '.join(ssh)} '{command}'\n")
            shell.wait_for("rows 1-")
            shell.read(wait_s=0.5)
            shell.press(SUSPEND)
            shell.wait_for("no shell to go back to")
            shell.job = shell.foreground
            shell.write(QUIT)
            assert shell.ends() == 0
            assert switched(shell.output) == {}
