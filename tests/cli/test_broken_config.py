"""A `config.toml` that cannot be read: each command says so first, with the place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.archive.calls import call
from tests.cli.test_foreign_text import code_of
from tests.slow_params import few
from tui.config.accounts import make_account
from tui.services import Services

BROKEN = {
    "twice": (b"[app]\ntheme = 'nord'\n\n[accounts.desk]\nprovider = 'liner'\n", 4, "twice"),
    "unfinished": (b"\n[app\n", 2, "Expected ']'"),
    "no text": (b"\n\n# caf\xe9\n", 3, "not UTF-8"),
    "the end": (b'a = """open\n', 1, "Unterminated string"),
    "the same key": (b"a = 1\na = 2\n", 2, "Cannot overwrite"),
}
"""What is added to good lines, which line of it is named, and what is said of it."""
COMMANDS = {
    "sync": 1,
    "sync desk": 1,
    "calls": 0,
    "calls --json": 0,
    "calls --account desk": 1,
    "show desk:1": 1,
    "download desk:1": 1,
    "play desk:1": 1,
    "refresh desk:1": 1,
    "triage desk:1 --state done": 1,
    "import desk nothing.json": 1,
    "accounts list": 1,
    "accounts test": 1,
    "accounts remove desk --yes": 1,
    "accounts add other --provider liner --base-url https://x.example": 1,
    "purge --before 2020-01-01 --yes": 0,
    "hold desk:1 --reason asked": 0,
    "hold --list": 0,
    "audit": 0,
    "paths": 0,
}


@pytest.fixture
def services() -> Services:
    services = Services.build(os.environ)
    services.accounts.add(make_account("desk", "nectar", "http://127.0.0.1:9", {"call_ids": "1"}))
    with services.open_archive() as archive, archive.transaction():
        archive.save("desk", [call(1)])
    return services


def add(services: Services, text: bytes) -> Path:
    file = services.paths.config_file
    file.write_bytes(file.read_bytes().rstrip() + b"\n" + text)
    return file


PAIRS = [(list(BROKEN)[at % len(BROKEN)], command) for at, command in enumerate(COMMANDS)]


@pytest.mark.parametrize(("name", "command"), few(1, PAIRS))
def test_the_first_line_names_the_file_the_line_and_the_fault(
    services: Services, capsys: pytest.CaptureFixture[str], name: str, command: str
) -> None:
    text, line, wrong = BROKEN[name]
    file = add(services, text)
    before = file.read_bytes()
    line += len(before[: before.index(text)].splitlines())
    code = code_of(command.split())
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith(f"ringback: {file}, line {line}: "), lines
    assert wrong in lines[0]
    assert sum(str(file) in line for line in lines) == 1 and len(lines) <= 3
    assert code == COMMANDS[command]
    assert file.read_bytes() == before


@pytest.mark.parametrize("command", ["sync", "sync desk", "show desk:1", "accounts list"])
def test_a_broken_account_is_named_first(
    services: Services, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    file = services.paths.config_file
    file.write_text(file.read_text().replace('provider = "nectar"\n', ""))
    assert code_of(command.split()) in (1, 2)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == f"ringback: {file}: accounts.desk.provider: is missing, or not text"
    assert sum(str(file) in line for line in lines) == 1


def test_a_wrong_setting_is_told_and_the_command_goes_on(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    file = add(services, b"[app]\ntime_zone = 'Mars/Base'\n")
    assert code_of(["calls"]) == 0
    out, err = capsys.readouterr()
    assert "desk:1" in out
    assert err == f"ringback: {file}: app.time_zone: is a name such as Europe/Berlin\n"


@pytest.mark.parametrize("number", ["nan", "-nan", "inf", "[1, nan, {a = nan}]"])
def test_a_number_that_is_none_stops_no_change(services: Services, number: str) -> None:
    file = add(services, f"[of.others]\nnumber = {number}\n".encode())
    assert code_of(["accounts", "remove", "desk", "--yes"]) == 0
    assert not services.accounts.list()
    assert f"number = {number}\n" in file.read_text()


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
@pytest.mark.parametrize(
    ("section", "setting", "range_"),
    [("audio", "speed", "0.5 and 3"), ("audio", "rewind_s", "0 and 10")],
)
def test_a_number_that_is_none_is_no_setting(
    services: Services,
    capsys: pytest.CaptureFixture[str],
    section: str,
    setting: str,
    range_: str,
    number: str,
) -> None:
    file = add(services, f"[{section}]\n{setting} = {number}\n".encode())
    assert code_of(["calls"]) == 0
    told = f"ringback: {file}: {section}.{setting}: is between {range_}\n"
    assert capsys.readouterr().err == told


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (b"[app]\nmasked = 'yes'\n", True),
        (b"[app]\nmasked = 1\n", True),
        (b"[app]\nmasked = false\n", False),
        (b"[app]\nrefresh_s = 'often'\n", False),
        *((text, True) for text, _, _ in BROKEN.values()),
    ],
)
def test_names_are_masked_where_it_cannot_be_read_whether_they_should_be(
    services: Services, text: bytes, masked: bool
) -> None:
    services.paths.config_file.write_bytes(text)
    if text == BROKEN["twice"][0]:
        add(services, text)
    assert services.settings().app.masked is masked
