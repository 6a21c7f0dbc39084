"""What commands say where nothing is found, nothing can be written, or nothing is to be done."""

from __future__ import annotations

import errno
import io
import json
import os
from pathlib import Path

import pytest

from providers.errors import Unreachable
from providers.model import Contact, Recording
from providers.nectar import Nectar
from tests.archive.calls import call
from tui.cli import main
from tui.cli.errors import exit_code, file_error
from tui.config.accounts import make_account
from tui.exit_codes import ExitCode
from tui.recordings.cache import RecordingCache
from tui.services import Services

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def services() -> Services:
    """An account that cannot be reached, and a call of it with a recording in the cache."""
    services = Services.build(os.environ)
    services.accounts.add(make_account("desk", "nectar", "http://127.0.0.1:9", {"call_ids": "1"}))
    one = call(1, contact=Contact(name="Anna"), recordings=(Recording("r"),), has_recording=True)
    with services.open_archive() as archive, archive.transaction():
        archive.save("desk", [one])
    cache = RecordingCache(services.paths.cached_recordings)
    handle, partial = cache.partial()
    os.write(handle, b"sound")
    os.close(handle)
    cache.keep(partial, "desk", one, 0, "mp3")
    return services


def said(capsys: Captured, *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(words)
    return code, *capsys.readouterr()


@pytest.mark.parametrize(
    ("words", "code", "out", "err"),
    [
        (["hold", "id:404"], 1, "No such call is in the archive.\n", ""),
        (["hold", "desk:1", "--reason", "x" * 5000], 2, "", "ringback: "),
        (["hold"], 2, "", "ringback: name the calls, or a query that finds them\nFor example: "),
        (["triage"], 2, "", "ringback: name the calls\nFor example: ringback triage desk:1234\n"),
        (["triage", "--undo"], 1, "", "ringback: there is nothing to undo by "),
        (["triage", "desk:1", "--undo"], 1, "", "ringback: there is nothing to undo\n"),
        (["import", "desk", "/nowhere/x"], 1, "", "ringback: cannot read /nowhere/x: No such file"),
        (["play", "desk:1", "--from", "1:2:3:4"], 2, "", "ringback: --from 1:2:3:4: write it as m:ss"),
        (["play", "desk:1", "--speed", "0.4"], 2, "", "ringback: --speed is from 0.5 to 3\n"),
        (["play", "none.mp3"], 1, "", "ringback: there is no file none.mp3\nName a file, or ACCOUNT:ID"),
        (["purge", "--before", "soon"], 2, "", "ringback: --before: 'soon' is not a date"),
        (["audit", "--since", "soon"], 2, "", "ringback: --since: 'soon' is not a date"),
        (["calls", "--columns", ","], 2, "", "ringback: --columns ,: there is no column \nThere is: "),
        (["calls", "--csv-phones", "safe"], 2, "", "ringback: --csv-phones goes with --csv\n"),
        (["calls", "--limit", "-1"], 2, "", "ringback: --limit is 0 or more\n"),
        (["show", "desk:2"], 4, "", "ringback: desk: "),
        (["refresh", "desk:1"], 4, "", "desk:1: "),
        (["accounts", "add", "x", "--provider", "liner", "--base-url", "https://x.example", "--set", "y"],
         2, "", "ringback: --set y: write it as KEY=VALUE\n"),
    ],
)  # fmt: skip
def test_it_is_said_in_one_or_two_lines(
    services: Services, capsys: Captured, words: list[str], code: int, out: str, err: str
) -> None:
    got = said(capsys, *words)
    assert got[0] == code and got[1] == out
    assert got[2].startswith(err) and got[2].count("\n") <= 3, got[2]


def test_a_purge_by_retention_needs_the_setting(services: Services, capsys: Captured) -> None:
    assert said(capsys, "purge", "--retention") == (
        2,
        "",
        "ringback: calls are kept for ever: config.toml: retention.calls_days is not set\n"
        "Write into config.toml, for example:\n[retention]\ncalls_days = 400\n",
    )


def test_an_empty_archive_is_told_once_nothing_was_found(capsys: Captured) -> None:
    assert said(capsys, "calls") == (0, "", "The archive is empty; run: ringback sync\n")
    assert said(capsys, "calls", "--json") == (0, "", "")


def test_a_folder_that_cannot_be_written_to_is_named(
    services: Services, capsys: Captured, tmp_path: Path
) -> None:
    (tmp_path / "out").write_text("in the way")
    code, out, err = said(capsys, "download", "desk:1", "--output", str(tmp_path / "out"))
    assert (code, out) == (1, "")
    assert err == f"ringback: cannot write to {tmp_path / 'out'}: File exists\n"


def test_an_import_without_a_call_is_told(
    services: Services, capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "saved.json"
    file.write_text("[]")
    told = f"ringback: desk: there is no call in {file}\n"
    assert said(capsys, "import", "desk", str(file)) == (1, "", told)
    file.write_bytes(b'{"calls": {"id": 5, "contact": "Zo\xeb"}}')
    code, _, err = said(capsys, "import", "desk", str(file))
    assert code == 1 and err.endswith("Save it as UTF-8, as: iconv -f latin1 -t utf-8 FILE\n")
    body = json.dumps({"calls": {"id": 5, "type": "answered"}}).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(body)))
    assert said(capsys, "import", "desk", "-")[:2] == (0, "desk: 1 new, 0 changed, 0 as before\n")


@pytest.mark.parametrize("broken", [1, 2, 3])
def test_what_hides_all_accounts_is_told(services: Services, capsys: Captured, broken: int) -> None:
    """Each problem once, and that nothing can be read."""
    file = services.paths.config_file
    file.write_text("".join(f"[accounts.desk{n}]\nbase_url = 'x'\n" for n in range(broken)))
    code, out, err = said(capsys, "sync")
    lines = err.splitlines()
    assert (code, out) == (1, "")
    problems = [line for line in lines if "accounts.desk" in line]
    assert len(problems) == len(set(problems)) == broken, err
    assert lines[-1] == "No account can be read."


def test_a_log_that_is_asked_for_and_cannot_be_kept_ends_a_sync(
    services: Services, capsys: Captured
) -> None:
    services.paths.log_file.mkdir(parents=True)
    code, out, err = said(capsys, "sync", "--debug")
    assert (code, out) == (1, "")
    assert err.startswith(f"ringback: no log can be kept: {services.paths.log_file}: ")


def test_refreshed_calls_as_json(
    services: Services, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(self: Nectar, id_: str) -> None:
        raise Unreachable("No answer", "the vendor is out of reach", "Try later.")

    monkeypatch.setenv("RINGBACK_TOKEN_DESK", "t")
    monkeypatch.setattr(Nectar, "call", gone)
    code, out, err = said(capsys, "refresh", "desk:1", "desk:2", "--json")
    entries = [json.loads(line) for line in out.splitlines()]
    assert code == 1
    assert [(one["account"], one["id"], one["error"], one["new"]) for one in entries] == [
        ("desk", id_, "No answer: the vendor is out of reach", False) for id_ in ("1", "2")
    ]
    assert err.splitlines()[-1] == "Try later." and err.count("Try later.") == 1


# -- exit codes and files


def test_the_exit_code_tells_how_much_failed() -> None:
    from providers.errors import AuthError

    token, other = AuthError("Token refused"), Unreachable("No answer")
    assert exit_code([], 2) == ExitCode.DONE
    assert exit_code([token], 2) == exit_code([other], 2) == ExitCode.PARTLY
    assert exit_code([token, token], 2) == ExitCode.TOKEN
    assert exit_code([token, other], 2) == exit_code([other], 1) == ExitCode.FAILED


@pytest.mark.parametrize(
    ("number", "name", "message", "hint"),
    [
        (errno.ENOSPC, "/a", "/a: No space left on device", "See whether the disk has room."),
        (errno.EDQUOT, "/a", "/a: Disk quota exceeded", "See whether the disk has room."),
        (errno.EACCES, "/a", "/a: Permission denied", "Where its files are: ringback paths"),
        (errno.EIO, None, "what is printed: Input/output error", "Where its files are: ringback paths"),
    ],
)  # fmt: skip
def test_a_file_that_fails_is_named(number: int, name: str | None, message: str, hint: str) -> None:
    error = file_error(OSError(number, os.strerror(number), name))
    assert (error.message, error.hint) == (message, hint)


def test_a_word_that_finds_nothing_is_nearly_another(services: Services, capsys: Captured) -> None:
    with services.open_archive() as archive, archive.transaction():
        archive.save("desk", [call(2, contact=Contact(name="Ottilie Quackenbush"))])
    code, out, err = said(capsys, "calls", "in", "quackenbsh")
    assert (code, out) == (0, "")
    told, line, signs = err.splitlines()
    assert told.startswith("ringback: ") and "quackenbush" in told.lower()
    assert (line, signs) == ("  in quackenbsh", f"  {' ' * 3}{'^' * 10}")
    assert said(capsys, "calls", "quackenbsh", "--limit", "0") == (0, "", "")
    assert said(capsys, "calls", "quackenbush")[2] == ""


# -- accounts bind


@pytest.fixture
def moved(services: Services) -> Services:
    """The account's base URL changed since its token was given."""
    file = services.paths.config_file
    account = services.accounts.bind(services.accounts.get("desk"))
    assert account.bound
    file.write_text(file.read_text().replace("http://127.0.0.1:9", "http://127.0.0.1:10", 1))
    assert not services.accounts.get("desk").bound
    return services


ALONE = "The token of desk goes to http://127.0.0.1:10 alone.\n"


def test_a_token_is_bound_to_the_place_that_is_named(moved: Services, capsys: Captured) -> None:
    code, out, err = said(capsys, "accounts", "bind", "desk", "http://127.0.0.1:9")
    assert (code, out) == (2, "")
    assert err == "ringback: the base URL of desk is at http://127.0.0.1:10\n"
    assert not moved.accounts.get("desk").bound
    assert said(capsys, "accounts", "bind", "desk", "http://127.0.0.1:10") == (0, ALONE, "")
    assert moved.accounts.get("desk").bound
    assert said(capsys, "accounts", "bind", "desk") == (0, ALONE, "")


def test_without_a_terminal_nobody_confirms(moved: Services, capsys: Captured) -> None:
    code, out, err = said(capsys, "accounts", "bind", "desk")
    assert (code, out) == (4, "")
    assert err.startswith(
        "ringback: the token of desk was not let go to http://127.0.0.1:10\n"
    ) and err.splitlines()[-1].startswith("Without a terminal to ask on: ringback accounts bind")
    assert not moved.accounts.get("desk").bound


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1), ("", 1)])
def test_only_a_yes_lets_a_token_go(
    moved: Services, capsys: Captured, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    got = said(capsys, "accounts", "bind", "desk")
    assert got[0] == code and got[1].endswith(ALONE) is (code == 0)
    assert got[2] == ("" if code == 0 else "ringback: nothing was changed\n")
    assert moved.accounts.get("desk").bound is (code == 0)
