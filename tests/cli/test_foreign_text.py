"""What vendors, hosts and the command line itself bring in cannot command the terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from providers.model import Contact, Recording
from tests.archive.calls import call
from tests.guards.readme_text import ROOT
from tests.providers.test_sanitize import harmless
from tests.slow_params import few
from tests.ui.terminal import Program
from tui import console
from tui.archive.codec import dumps
from tui.cli import main
from tui.config.accounts import make_account
from tui.exit_codes import CommandError
from tui.services import Services

STEERING = "\x1b]52;c;cHduZWQ=\x07\x9b31m\x1b[2J\u202e\udc9b\x7f"
ID = "7" + STEERING.replace("\udc9b", "")  # readers replace what no archive can keep
NAME = f"desk:{ID}"


@pytest.fixture
def services() -> Services:
    """An account whose vendor is not there, with a call whose every text means harm."""
    services = Services.build(os.environ)
    services.accounts.add(make_account("desk", "nectar", "http://127.0.0.1:9", {"call_ids": "1-9"}))
    evil = call(
        7,
        contact=Contact(STEERING, STEERING, STEERING, STEERING),
        queue=STEERING,
        tags=(STEERING,),
        summary=STEERING,
        problems=(STEERING,),
        vendor_fields={STEERING: STEERING},
        recordings=(Recording(ID, f"https://x.example/{ID}", STEERING),),
        raw={STEERING: STEERING},
    )
    with services.open_archive() as archive, archive.transaction():
        archive.save("desk", [replace(evil, id=ID)])
    return services


COMMANDS = {
    "calls": ["calls"],
    "columns": ["calls", "--columns", "contact,number,queue,tags,our_tags"],
    "calls as JSON": ["calls", "--json"],
    "calls as CSV": ["calls", "--csv"],
    "show": ["show", NAME],
    "show as JSON": ["show", NAME, "--json"],
    "show raw": ["show", NAME, "--raw"],
    "show addresses": ["show", NAME, "--with-urls"],
    "download": ["download", NAME],
    "play": ["play", NAME],
    "triage": ["triage", NAME, "--note", STEERING, "--tag", STEERING],
    "triage of none": ["triage", f"desk:0{STEERING}", "--state", "done"],
    "refresh": ["refresh", NAME],
    "refresh as JSON": ["refresh", NAME, "--json"],
    "unknown account": ["show", f"{STEERING}:1"],
    "unknown column": ["calls", "--columns", STEERING],
    "unknown command": ["help", f"call{STEERING}"],
    "query": ["calls", f"agent:{STEERING}"],
    "usage": ["show", NAME, f"--{STEERING}"],
    "choice": ["accounts", STEERING],
    "no file": ["import", "desk", f"/nowhere/{STEERING}"],
    "import into none": ["import", STEERING, "-"],
    "when": ["calls", "--since", STEERING],
    "purge": ["purge", "--number", STEERING],
    "hold": ["hold", NAME, "--reason", STEERING],
    "audit": ["audit"],
    "doctor": ["doctor"],
    "accounts": ["accounts", "list"],
    "view": ["--view", STEERING],
}


def code_of(words: list[str]) -> int:
    try:
        return main(words)
    except SystemExit as left:
        return int(left.code or 0)


@pytest.mark.parametrize("name", few(10, COMMANDS))
def test_no_command_passes_it_on(
    services: Services, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    code_of(["show", NAME, "--raw"])  # an entry of the audit log
    capsys.readouterr()
    code_of(COMMANDS[name])
    out, err = capsys.readouterr()
    out = out.replace("\r\n", "\n")  # CSV's ends of lines
    assert out or err
    assert harmless(out, newline=True), out
    assert harmless(err, newline=True), err


@pytest.mark.parametrize("words", [["calls", "--json"], ["show", NAME, "--raw"]])
def test_data_means_the_same(
    services: Services, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert main(words) == 0
    body = json.loads(capsys.readouterr().out)
    assert body.get("id") == ID or body == {STEERING: STEERING}


@pytest.mark.parametrize(
    "name", few(2, ["calls", "calls as JSON", "calls as CSV", "show", "show raw"])
)
def test_a_terminal_is_not_steered(services: Services, name: str) -> None:
    with Program("tui.cli", *COMMANDS[name]) as program:
        program.ended(time.monotonic(), wait_s=60)
        shown = program.output.decode().replace("\r\n", "\n")
    assert shown.strip() and harmless(shown, newline=True), shown


@pytest.mark.parametrize("run", ["fail", "in_thread"])
def test_an_error_that_nobody_expected_is_safe(services: Services, run: str) -> None:
    code = (
        "import sys, threading; from tui import cli; from tui.cli import calls\n"
        "def fail(arguments): {}[arguments.account]\n"
        "def in_thread(arguments):\n"
        "    one = threading.Thread(target=fail, args=(arguments,)); one.start(); one.join()\n"
        "    return 1\n"
        f"calls.run = {run}\n"
        "sys.exit(cli.main(['calls', '--account', sys.argv[1]]))"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run([sys.executable, "-c", code, ID], env=env, capture_output=True)
    said = ended.stderr.decode()
    assert ended.returncode == 1 and "KeyError" in said and harmless(said, newline=True)


def test_what_is_logged_without_a_log_is_safe(services: Services) -> None:
    code = (
        "import sys, logging; from tui import cli; from tui.cli import calls;"
        "calls.run = lambda arguments: logging.getLogger('x').warning(arguments.account) or 0;"
        "sys.exit(cli.main(['calls', '--account', sys.argv[1]]))"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run([sys.executable, "-c", code, ID], env=env, capture_output=True)
    said = ended.stderr.decode()
    assert ended.returncode == 0 and "cHduZWQ" in said and harmless(said, newline=True)


@pytest.mark.parametrize(
    "say",
    [
        lambda text: console.print_text(text, flush=True),
        console.print_error,
        lambda text: console.print_failure(CommandError(text, f"{text}\n{text}")),
        lambda text: console.print_data(dumps({text: text})),
    ],
)
def test_each_way_out_of_the_console(
    capsys: pytest.CaptureFixture[str], say: Callable[[str], None]
) -> None:
    say(STEERING)
    assert all(harmless(text, newline=True) for text in capsys.readouterr())


def test_a_line_is_redrawn_by_its_own_sequence_alone(capsys: pytest.CaptureFixture[str]) -> None:
    console.redraw(f"{STEERING}\nAnn")
    text = capsys.readouterr().out
    assert text.startswith("\r\x1b[K") and harmless(text[4:]) and text.endswith(" Ann")


def test_errors_that_cannot_be_written_end_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stderr", full)
        console.print_error("nobody reads it")
        monkeypatch.undo()
        with pytest.raises(OSError):
            full.close()
