"""The scripts that complete the command line, run in their shells."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tui.cli import main
from tui.cli.completions import script
from tui.config.accounts import make_account
from tui.services import Services


@pytest.fixture
def program(tmp_path: Path) -> dict[str, str]:
    """An environment with `ringback` in its path, and an account `desk`."""
    Services.build(os.environ).accounts.add(
        make_account("desk", "nectar", "http://127.0.0.1:9", {"call_ids": "1"})
    )
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "ringback").symlink_to(Path(sys.executable).with_name("ringback"))
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


@pytest.mark.parametrize(
    ("words", "wanted", "other"),
    [
        (["ca"], ["calls"], ["sync"]),
        (["--vi"], ["--view"], []),
        (["--view", ""], ["today", "missed"], ["desk"]),
        (["calls", "--cs"], ["--csv", "--csv-phones"], []),
        (["calls", "--account", ""], ["desk"], ["today"]),
        (["sync", "d"], ["desk"], []),
        (["accounts", "re"], ["remove"], []),
        (["completions", ""], ["bash", "zsh", "fish"], []),
        (["scr"], [], ["screen"]),
    ],
)
def test_bash(
    program: dict[str, str], words: list[str], wanted: list[str], other: list[str]
) -> None:
    line = " ".join(f"'{word}'" for word in ["ringback", *words])
    asked = f"COMP_WORDS=({line}); COMP_CWORD={len(words)}; _shtab_ringback"
    done = subprocess.run(
        ["bash", "-c", f'{script("bash")}\n{asked}; printf "%s\\n" "${{COMPREPLY[@]}}"'],
        env=program,
        capture_output=True,
        text=True,
    )
    found = done.stdout.split()
    assert done.stderr == "" and {*wanted} <= {*found}
    assert not {*found} & {*other}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_read_by_its_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completions", shell]) == 0
    text = capsys.readouterr().out
    assert "completions --names accounts" in text
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    read = subprocess.run([shell, "-n"], input=text, capture_output=True, text=True)
    assert (read.returncode, read.stderr) == (0, "")


def test_without_a_shell_it_says_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completions"]) == 2
    assert "bash, zsh or fish" in capsys.readouterr().err
