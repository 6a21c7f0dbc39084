"""`<&-`, `>&-`, `2>&-`: every command ends as it does with the null device, and in order."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.audio import sounds
from tests.providers.server import Answer, Server
from tests.slow_params import few
from tui.cli import main
from tui.cli.parser import build_parser
from tui.services import Services

NULL = "</dev/null >/dev/null 2>/dev/null"
CLOSED = ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"]
COMMANDS = {
    "calls": "calls",
    "show": "show desk:9",
    "accounts": "accounts add other --provider liner --base-url https://api.vendor.test --token-stdin",
    "screen": "",
    "import": "import desk -",
    "triage": "triage desk:9 --state done",
    "play": "play sound.wav --words",
    "doctor": "doctor",
    "sync": "sync",
    "refresh": "refresh desk:9",
    "open": "open desk:9",
    "download": "download desk:9",
    "purge": "purge --before 2020-01-01",
    "hold": "hold --list",
    "audit": "audit",
    "paths": "paths",
    "stats": "stats",
    "receive": "receive --addresses",
    "completions": "completions bash",
    "speaker": "speaker",
    "demo": "demo",
    "usage": "nonsense --x",
    "help": "--help",
    "version": "--version",
    "json": "calls --json",
    "unknown": "show nobody:1",
    "list": "accounts list",
    "test": "accounts test",
    "remove": "accounts remove nobody",
}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An account whose vendor is not there, with one call in the archive."""
    monkeypatch.setenv("RINGBACK_TOKEN_DESK", "t0ken-42")
    words = ["--provider", "nectar", "--base-url", "http://127.0.0.1:9", "--ids", "9"]
    assert main(["accounts", "add", "desk", *words]) == 0
    saved = tmp_path / "saved.json"
    saved.write_text(json.dumps({"calls": {"id": 9, "type": "answered", "recordings": []}}))
    assert main(["import", "desk", str(saved)]) == 0
    (tmp_path / "sound.wav").write_bytes(sounds.wav(sounds.tone(1, 8000), 8000))
    return tmp_path


def started(command: str, streams: str, folder: Path) -> subprocess.Popen[str]:
    """Streams that are not named are caught, standard input is empty."""
    line = f"exec {shlex.quote(sys.executable)} -P -m tui.cli {command} {streams}"
    root = str(Path(__file__).parents[2])
    return subprocess.Popen(
        ["sh", "-c", line],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": root, "RINGBACK_AUDIO": "none"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("name", few(1, COMMANDS))
def test_a_command_ends_in_order(desk: Path, name: str) -> None:
    ended = started(COMMANDS[name], NULL, desk)
    ended.communicate()
    open_ones = started(COMMANDS[name], "", desk)
    out, err = open_ones.communicate()
    for streams in CLOSED:
        closed = started(COMMANDS[name], streams, desk)
        said, wrong = closed.communicate()
        assert closed.returncode == ended.returncode, f"{streams}: {said}{wrong}"
        assert "Traceback" not in said + wrong and "Exception" not in said + wrong
        # times differ, lines do not
        lines = [len(text.splitlines()) for text in (said, wrong)]
        if streams == "2>&-":
            assert lines == [len(out.splitlines()), 0], "errors do not go elsewhere"
        if streams == ">&-":
            assert lines == [0, len(err.splitlines())]
        if streams == "<&-":
            assert lines == [len(out.splitlines()), len(err.splitlines())]


def test_every_command_is_in_the_table() -> None:
    words = {line.split()[0] for line in COMMANDS.values() if line}
    assert build_parser()[1] - {"screen"} <= words


def test_no_file_of_ours_gets_a_closed_streams_number(desk: Path) -> None:
    """What is printed later would go into it."""
    look = (
        "import os; from tui.cli import main; main(['paths']); from tui.services import Services;"
        "archive = Services.build().open_archive();"
        "print(*[os.readlink(f'/proc/self/fd/{n}') for n in (0, 1, 2)], file=open('seen', 'w'))"
    )
    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc")
    line = f"exec {shlex.quote(sys.executable)} -c {shlex.quote(look)} <&- >&- 2>&-"
    root = str(Path(__file__).parents[2])
    env = {**os.environ, "PYTHONPATH": root}
    assert subprocess.run(["sh", "-c", line], cwd=desk, env=env).returncode == 0
    assert (desk / "seen").read_text().split() == [os.devnull] * 3


SYNCS = {
    "all": ([Answer({"calls": {"id": 9, "type": "answered"}})], 0, 1),
    "refused": ([Answer({}, 401)], 4, 0),
    "no such call": ([Answer({"calls": {}})], 0, 0),
    "not read": ([Answer(b"no json")], 3, 0),
}
"""What the vendor answers, and how a sync ends: its exit code, and how many calls are there."""


@pytest.mark.parametrize("streams", [*CLOSED, "2>/dev/full", "2>&- >/dev/null"])
@pytest.mark.parametrize("name", few(2, SYNCS))
def test_a_sync_ends_as_its_work_does(tmp_path: Path, name: str, streams: str) -> None:
    answers, code, calls = SYNCS[name]
    with Server() as vendor:
        vendor.on("/calls/9", *answers)
        words = ["--provider", "nectar", "--base-url", vendor.url, "--ids", "9"]
        assert main(["accounts", "add", "desk", *words]) == 0
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("RINGBACK_TOKEN_DESK", "t0ken-42")
            ended = started("sync", streams, tmp_path)
            said = ended.communicate()
    assert ended.returncode == code, said
    with Services.build().open_archive() as archive:
        assert sum(archive.counts_by_account().values()) == calls


def test_errors_that_nobody_can_read_do_not_change_the_code(desk: Path) -> None:
    full = started("show nobody:1", "2>/dev/full", desk)
    assert full.communicate()[0] == "" and full.returncode == 2
