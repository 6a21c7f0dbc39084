"""`token_command`: each way to fail in a clear line, nothing of it shown, nothing of it left."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from providers.sandbox import Sandbox
from tests.slow_params import few
from tests.ui.terminal import Program
from tests.widgets.terminal import ROOT
from tui.cli import main
from tui.config.accounts import Account, make_account
from tui.secrets.process import in_thread
from tui.secrets.tokens import TokenMissing, find_token

TOKEN = "tok-SENTINEL-42"
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def account(command: str) -> Account:
    return make_account("liner", "liner", "https://api.example.com", token_command=command)


def sh(script: str) -> str:
    return f"sh -c {shlex.quote(script)}"


def python(code: str) -> str:
    return f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}"


def both(end: str) -> str:
    """A command that writes the token to both outputs and then ends so."""
    return sh(f"echo {TOKEN}; echo {TOKEN} >&2; echo '\033]0;owned\007 {TOKEN}' >&2; {end}")


@pytest.mark.parametrize(
    "command",
    [
        f"printf ' {TOKEN} \\r\\nlogin: me\\n'",
        f"printf {TOKEN}",
        f"printf '\\357\\273\\277{TOKEN}\\n'",
        sh(f"echo {TOKEN}; seq 100000"),
        sh(f"echo to nobody >&2; echo {TOKEN}"),
        sh(f"seq 1000000 >&2; echo {TOKEN}"),
    ],
    ids=["carriage return", "no line end", "byte order mark", "lines", "stderr", "much stderr"],
)
def test_the_first_line_is_the_token(command: str) -> None:
    assert find_token(account(command)).secret.reveal() == TOKEN


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (both("exit 3"), "ended with 3"),
        (both("kill -9 $$"), "was ended by SIGKILL"),
        (both("kill -15 $$"), "was ended by SIGTERM"),
        (both(f"/nonexistent/{TOKEN}"), "ended with 127 (command not found)"),
        (both(f"/etc/passwd {TOKEN}"), "ended with 126 (it may not be run)"),
        (python(f"raise SystemExit('no ' + {TOKEN!r})"), "ended with 1"),
        (python(f"raise ValueError({TOKEN!r})"), "ended with 1"),
        ("true", "printed nothing"),
        (sh("printf '\\n \\n'"), "printed nothing"),
        (sh(f"echo; echo {TOKEN}"), "printed an empty first line"),
        (f"/nonexistent/pass {TOKEN}", "cannot start: No such file"),
        (f"/etc/passwd {TOKEN}", "cannot start: Permission denied"),
        (f"pass 'show {TOKEN}", "quotes do not match"),
        (f"printf '{TOKEN} {TOKEN}\\n'", "spaces or other characters"),
        (f"printf '{TOKEN}\\r{TOKEN}\\n'", "spaces or other characters"),
        (sh(f"printf '{TOKEN}\\000\\377\\n'"), "spaces or other characters"),
        (python(f"import os; os.write(1, {TOKEN!r}.encode('utf-16'))"), "spaces or other characters"),
        (python(f"print({TOKEN!r} * 5000)"), "empty or too long"),
        (python("import os; os.write(1, os.urandom(9000))"), "spaces or other characters"),
        (sh(f"yes {TOKEN}"), "was stopped: it printed more than 1,024 kB"),
        (sh("head -c 1000000000 /dev/zero"), "was stopped: it printed more than 1,024 kB"),
        (sh(f"echo {TOKEN} >/dev/tty; read -r p </dev/tty && echo $p"), "ended with "),
        (python("import getpass; print(getpass.getpass())"), "ended with 1"),
    ],
)  # fmt: skip
def test_each_failure_is_a_clear_line_that_shows_nothing_of_it(command: str, said: str) -> None:
    began = time.monotonic()
    with pytest.raises(TokenMissing) as caught:
        find_token(account(command))
    error = caught.value
    assert said in error.message
    shown = f"{error!r}{error}{error.message}{error.hint}{error.args}{account(command)!r}"
    assert TOKEN not in shown and "owned" not in shown and "\x1b" not in shown
    assert error.message.isprintable() and len(error.message) < 160
    assert "read -rs RINGBACK_TOKEN_LINER" in error.hint or "on one line" in error.hint
    assert error.source == "token_command"
    assert time.monotonic() - began < 10, "none of them waits for its time to be over"


def test_the_command_line_says_it_and_ends_with_4(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--provider", "liner", "--base-url", "http://127.0.0.1:9"]
    more = ["--token-command", both("exit 3")]
    assert main(["accounts", "add", "desk", *where, *more]) == 0
    for words in (["sync"], ["accounts", "test"], ["sync", "--debug"]):
        assert main(words) == 4
    assert main(["doctor"]) in (0, 1)
    out, err = capsys.readouterr()
    assert "the token_command of desk ended with 3" in err
    [log] = Path(os.environ["HOME"]).rglob("*.log")
    assert TOKEN not in out + err + log.read_text()


# ---------------------------------------------------------------- what it started

STARTED = {
    "in the background": "sleep 77 &",
    "a session with the pipe": "setsid sleep 77 &",
    "with the pipe": "(sleep 77 </dev/null &);",
    "deaf": "(trap '' TERM HUP INT; exec sleep 77) &",
    "twice removed": "(sh -c '(sleep 77 &) &' &);",
    "a group of its own": 'bash -c "set -m; sleep 77 &";',
    "a session of its own": "setsid sleep 77 >/dev/null 2>&1 &",
}


def left(folder: Path) -> list[str]:
    """What runs in a folder: the test's commands, and all that they started."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink() == folder and entry.name != str(os.getpid()):
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return [one for one in found if one]


def wait_for(folder: Path, running: int) -> None:
    deadline = time.monotonic() + 20
    while len(left(folder)) < running:
        assert time.monotonic() < deadline, left(folder)
        time.sleep(0.02)


def gone(folder: Path, wait_s: float = 3.0) -> bool:
    deadline = time.monotonic() + wait_s
    while left(folder):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def files() -> int:
    return len(os.listdir("/proc/self/fd"))


@linux
@pytest.mark.parametrize("started", few(1, STARTED))
@pytest.mark.parametrize("end", ["exit 1", "kill -9 $$", "sleep 77", "yes"])
def test_what_a_failing_command_started_ends_with_it(
    started: str, end: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tui.secrets.tokens.COMMAND_S", 0.3)
    before = files()
    with pytest.raises(TokenMissing):
        find_token(account(sh(f"{STARTED[started]} sleep 0.1; {end}")))
    assert gone(tmp_path), left(tmp_path)
    time.sleep(0.15)
    assert files() == before


@linux
@pytest.mark.parametrize("started", few(2, STARTED))
def test_of_what_a_good_command_started_an_agent_alone_stays(
    started: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    before, began = files(), time.monotonic()
    script = f"{STARTED[started]} sleep 0.1; echo {TOKEN}"
    assert find_token(account(sh(script))).secret.reveal() == TOKEN
    assert time.monotonic() - began < 5, "nobody waits for it"
    if "session" in started:
        assert len(left(tmp_path)) == 1
        subprocess.run(["pkill", "-9", "-s", *_sessions(tmp_path)], check=True)
    assert gone(tmp_path), left(tmp_path)
    time.sleep(0.15)
    assert files() == before


def _sessions(folder: Path) -> list[str]:
    pids = [
        int(entry.name)
        for entry in Path("/proc").glob("[0-9]*")
        if os.access(entry / "cwd", os.R_OK) and (entry / "cwd").readlink() == folder
    ]
    return [",".join(str(os.getsid(pid)) for pid in pids if pid != os.getpid())]


@linux
async def test_who_no_longer_waits_ends_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    asked = asyncio.create_task(in_thread(find_token, account(sh("sleep 77 & sleep 77"))))
    await asyncio.to_thread(wait_for, tmp_path, 2)
    other = asyncio.create_task(in_thread(find_token, account(sh(f"sleep 0.5; echo {TOKEN}"))))
    await asyncio.sleep(0.1)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert (await other).secret.reveal() == TOKEN, "another's goes on"
    assert gone(tmp_path), left(tmp_path)


@linux
@pytest.mark.parametrize("number", few(2, [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]))
@pytest.mark.parametrize("words", few(1, ["sync", "accounts test", "refresh desk:1"]))
def test_a_command_that_is_ended_leaves_nothing(
    words: str, number: signal.Signals, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    where = ["--provider", "nectar", "--base-url", "http://127.0.0.1:9", "--ids", "1"]
    command = sh("sleep 77 & setsid sleep 77 & sleep 77")
    assert main(["accounts", "add", "desk", *where, "--token-command", command]) == 0
    running = subprocess.Popen(
        [sys.executable, "-m", "tui.cli", *words.split()],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(tmp_path, 5)
    running.send_signal(number)
    _, err = running.communicate(timeout=10)
    assert (running.returncode, err) == (1, "Interrupted; what had come is kept.\n")
    assert gone(tmp_path), left(tmp_path)


@linux
def test_a_screen_that_is_left_leaves_nothing_and_no_pinentry_has_its_terminal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GPG_TTY", "/dev/pts/99")
    where = ["--provider", "liner", "--base-url", "http://127.0.0.1:9"]
    command = sh(f"cd {tmp_path}; env >env; sleep 77 & setsid sleep 77 & sleep 77")
    assert main(["accounts", "add", "desk", *where, "--token-command", command]) == 0
    with Program("tui.cli", RINGBACK_AUDIO="none") as program:
        program.wait_for("asking")
        wait_for(tmp_path, 4)
        assert program.leave()[0] == 0
    assert gone(tmp_path), left(tmp_path)
    assert "RINGBACK_CHILD=" in (tmp_path / "env").read_text()
    assert "GPG_TTY" not in (tmp_path / "env").read_text()


def test_a_token_from_a_command_is_what_the_vendor_gets() -> None:
    with Sandbox(calls=10) as box:
        where = ["--provider", "liner", "--base-url", box.base_url("liner")]
        command = ["--token-command", f"echo {box.tokens['liner']}"]
        assert main(["accounts", "add", "desk", *where, *command]) == 0
        assert main(["accounts", "test"]) == 0
