"""The command line over the sandbox's real HTTP: accounts, sync, calls, show, download, exits."""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from providers.sandbox import Sandbox
from tui.cli import main
from tui.cli.words import parse_words
from tui.config.paths import Paths

Sync = Callable[..., None]
NOW = datetime(2026, 11, 6, 17, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(seed=3, now=NOW, calls=300) as box:
        yield box


@pytest.fixture
def home(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An account at each vendor, with its token in the environment."""
    box.requests.clear()
    for vendor, token in box.tokens.items():
        monkeypatch.setenv(f"RINGBACK_TOKEN_{vendor.upper()}_1", token)
        options = {"cinnox": ["--app-id", box.settings["cinnox"].get("app_id", "")]}
        options["nectar"] = ["--ids", box.settings["nectar"].get("call_ids", "")]
        url = ["--base-url", box.base_url(vendor)]
        name = f"{vendor}-1"
        assert (
            run("accounts", "add", name, "--provider", vendor, *url, *options.get(vendor, [])) == 0
        )
    return Path(os.environ["RINGBACK_HOME"])


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Archives as syncs left them."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def synced(home: Path, kept: Path) -> Sync:
    """`synced("liner-1")`: what that sync brings; the vendors are asked once for all tests."""

    def bring(*words: str) -> None:
        archive, same = home / "data" / "archive.db", kept / " ".join(words)
        if same.exists():
            shutil.copy(same, archive)
        else:
            assert run("sync", *words) == 0
            shutil.copy(archive, same)

    return bring


def run(*words: str) -> int:
    return main(words)


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert run("calls", "--json", *words) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_sync_brings_every_call_of_every_vendor_once(
    home: Path, box: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("sync") == 0
    calls = listed(capsys)
    names = [(call["account"], call["id"]) for call in calls]
    assert len(names) == len(set(names))
    expected = {("liner-1", str(one["id"])) for one in box.data.liner_calls}
    expected |= {("cinnox-1", one["callID"]) for one in box.data.cinnox_records}
    expected |= {("nectar-1", str(one["id"])) for one in box.data.nectar_calls}
    assert set(names) == expected
    times = [call["started_at"] for call in calls if call["started_at"]]
    assert times == sorted(times, reverse=True)


def test_a_second_sync_adds_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("sync", "liner-1") == 0
    count = len(listed(capsys))
    assert run("sync", "liner-1") == 0
    assert "0 new, 0 changed" in capsys.readouterr().out
    assert len(listed(capsys)) == count


def test_since_and_until_limit_a_sync_and_a_list(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("sync", "liner-1", "--since", "2026-11-03", "--until", "2026-11-04") == 0
    days = {call["started_at"][:10] for call in listed(capsys)}
    assert days == {"2026-11-03", "2026-11-04"}
    days = {call["started_at"][:10] for call in listed(capsys, "--until", "2026-11-03")}
    assert days == {"2026-11-03"}
    assert len(listed(capsys, "--limit", "3")) == 3
    assert listed(capsys, "--limit", "0") == []


def test_show_asks_for_recordings_once_and_hides_their_addresses(
    synced: Sync, box: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    synced("liner-1")
    call = next(one for one in listed(capsys) if one["has_recording"])
    capsys.readouterr()
    assert run("show", f"liner-1:{call['id']}", "--json") == 0
    first = json.loads(capsys.readouterr().out)
    assert first["recordings"] and first["recordings"][0]["url"] is None
    before = len(box.requests)
    assert run("show", f"LINER-1:{call['id']}", "--json", "--with-urls") == 0
    second = json.loads(capsys.readouterr().out)
    assert second["recordings"][0]["url"].startswith(box.media_url)
    assert len(box.requests) == before
    assert run("show", f"liner-1:{call['id']}") == 0
    text = capsys.readouterr().out
    assert "Recordings" in text and box.media_url not in text
    assert run("show", f"liner-1:{call['id']}", "--raw") == 0
    assert json.loads(capsys.readouterr().out)["id"] == int(call["id"])


def test_show_of_a_call_that_is_not_here_asks_the_vendor(
    home: Path, box: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = box.data.nectar_calls[0]["id"]
    assert run("show", f"nectar-1:{wanted}", "--json") == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["id"] == str(wanted)
    assert run("show", "nectar-1:99999999") == 1
    assert "nectar-1" in capsys.readouterr().err
    assert run("show", "cinnox-1:nope") == 1
    assert "ringback sync cinnox-1" in capsys.readouterr().err


def test_import_of_webhook_bodies_fills_in_what_the_vendor_says(
    home: Path, box: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bodies = [box.data.nectar_webhooks(one["id"]) for one in box.data.nectar_calls[:5]]
    saved = tmp_path / "saved.jsonl"
    saved.write_text("\n".join(json.dumps(one) for one in bodies) + "\nnot json\n")
    assert run("import", "nectar-1", str(saved)) == 3
    said = capsys.readouterr()
    assert "5 new" in said.out and "line 6" in said.err
    assert {call["id"] for call in listed(capsys)} == {str(one["id"]) for one in bodies}
    assert run("import", "liner-1", str(saved)) == 2
    assert run("import", "nectar-1", str(tmp_path / "none")) == 1


def test_csv_is_safe_for_spreadsheets_and_complete(
    synced: Sync, capsys: pytest.CaptureFixture[str]
) -> None:
    synced("nectar-1", "liner-1")
    count = len(listed(capsys))
    assert run("calls", "--csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == count
    assert not [cell for row in rows for cell in row.values() if cell[:1] in tuple("=+-@\t\r")]
    assert any(row["from"].startswith("'+") for row in rows)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["calls", "nonsense:x"], 2, "known are account"),
        (["calls", "--account", "nobody"], 2, "there is no account"),
        (["calls", "--since", "soon"], 2, "is not a date"),
        (["calls", "--since", "2026-11-02", "--until", "2026-11-01"], 2, "before it begins"),
        (["calls", "--limit", "-1"], 2, "0 or more"),
        (["show", "noid"], 2, "ACCOUNT:ID"),
        (["sync", "nobody"], 2, "there is no account"),
        (["sync", "--since", "soon"], 2, "is not a date"),
        (["play", "liner-1:1", "--speed", "9"], 2, "0.5 to 3"),
        (["play", "nofile.mp3"], 1, "no file"),
        (["accounts", "add", "a b", "--provider", "liner", "--base-url", "https://x.example"], 2, "name"),
        (["accounts", "add", "a", "--provider", "no", "--base-url", "https://x.example"], 2, "liner"),
        (["accounts", "add", "a", "--provider", "liner", "--base-url", "http://x.example"], 2, "https"),
        (["accounts", "add", "a", "--provider", "cinnox", "--base-url", "https://x.example"], 2, "App ID"),
        (["accounts", "remove", "nobody"], 1, "there is no account"),
        (["screen"], 2, "needs a terminal"),
    ],
)  # fmt: skip
def test_wrong_use_is_said_in_words_with_its_exit_code(
    home: Path, words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*words) == code
    lines = capsys.readouterr().err.splitlines()
    assert said in "\n".join(lines)
    assert 1 <= len(lines) <= 4


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        run("--version")
    assert stop.value.code in (0, None)
    assert capsys.readouterr().out.startswith("ringback 0.")


def test_an_unknown_option_is_wrong_use() -> None:
    with pytest.raises(SystemExit) as stop:
        run("calls", "--nonsense")
    assert stop.value.code == 2


def test_tokens_missing_and_refused_end_with_4_and_the_rest_is_kept(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RINGBACK_TOKEN_LINER_1", "wrong")
    assert run("sync", "liner-1") == 4
    assert "liner-1" in capsys.readouterr().err
    monkeypatch.delenv("RINGBACK_TOKEN_LINER_1")
    assert run("sync", "liner-1") == 4
    assert "RINGBACK_TOKEN_LINER_1" in capsys.readouterr().err
    assert run("sync", "liner-1", "nectar-1") == 3
    assert {call["account"] for call in listed(capsys)} == {"nectar-1"}
    assert run("accounts", "test", "liner-1") == 4
    assert run("accounts", "test") == 3
    assert run("accounts", "test", "nectar-1") == 0


def test_a_vendor_that_is_down_is_said_and_the_archive_stays_readable(
    synced: Sync, box: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    synced("nectar-1")
    count = len(listed(capsys))
    options = ["--provider", "liner", "--base-url", "http://127.0.0.1:9"]
    assert run("accounts", "add", "down", *options) == 0
    os.environ["RINGBACK_TOKEN_DOWN"] = "x"
    try:
        assert run("sync", "down") == 1
    finally:
        del os.environ["RINGBACK_TOKEN_DOWN"]
    assert "down" in capsys.readouterr().err
    assert len(listed(capsys)) == count


def test_replacing_an_account_keeps_what_is_not_given_anew(
    home: Path, synced: Sync, box: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    synced("nectar-1")
    count = len(listed(capsys))
    base = ["nectar-1", "--provider", "nectar", "--base-url", box.base_url("nectar")]
    assert run("accounts", "add", *base) == 1
    assert run("accounts", "add", *base, "--replace", "--token-command", "pass show x") == 0
    run("accounts", "list", "nectar-1", "--json")
    settings = json.loads(capsys.readouterr().out.splitlines()[-1])["settings"]
    assert settings == box.settings["nectar"]
    assert run("accounts", "add", *base, "--replace", "--ids", "1-3") == 0
    run("accounts", "list", "nectar-1", "--json")
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["settings"] == {"call_ids": "1-3"}
    assert 'token_command = "pass show x"' in (home / "config" / "config.toml").read_text()
    assert len(listed(capsys)) == count


def test_removing_an_account_removes_its_calls(
    synced: Sync, capsys: pytest.CaptureFixture[str]
) -> None:
    synced("nectar-1", "liner-1")
    assert run("accounts", "remove", "nectar-1", "--yes") == 0
    assert {call["account"] for call in listed(capsys)} == {"liner-1"}
    assert run("accounts", "list", "--json") == 0
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [entry["account"] for entry in entries] == ["liner-1", "cinnox-1"]
    assert entries[0]["calls"] > 0 and entries[0]["state"] == "fresh"


@pytest.mark.slow
def test_no_token_is_anywhere_and_every_file_is_private(
    home: Path, box: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("sync", "--debug", "--recordings")
    run("accounts", "list")
    run("doctor")
    call = next(one for one in listed(capsys) if one["has_recording"])
    run("download", f"{call['account']}:{call['id']}", "--output", str(tmp_path / "out"))
    said = capsys.readouterr()
    files = [path for path in home.rglob("*") if path.is_file()]
    assert any(path.suffix == ".log" for path in files)
    everything = (said.out + said.err).encode() + b"".join(path.read_bytes() for path in files)
    for token in box.tokens.values():
        assert token.encode() not in everything
        assert not [one for one in box.requests if token in one.path or token in str(one.query)]
    for request in box.requests:
        if request.origin == "media":
            assert not {"x-api-key", "authorization", "access-token"} & set(request.headers)
    for path in home.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.parametrize("command", [(), ("calls",)])
def test_a_query_with_nots_is_the_line_that_was_typed(command: tuple[str, ...]) -> None:
    """So that the screen knows a view by its query."""
    assert " ".join(parse_words([*command, "sla-missed", "-state:done"]).query) == (
        "sla-missed -state:done"
    )


@pytest.mark.parametrize(
    "words", [("-rec",), ("in", "-rec"), ("-rec", "-voicemail", "--limit", "5"), ("--", "-rec")]
)
def test_a_query_may_say_not(
    synced: Sync, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    synced("liner-1", "--recordings")
    found, everything = listed(capsys, *words), listed(capsys)
    assert 0 < len(found) < len(everything)
    assert not any(call["has_recording"] for call in found)


def test_the_signs_stand_under_what_was_not_understood(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("calls", "日本語の", "foo:x") == 2
    assert capsys.readouterr().err.splitlines()[1:] == ["  日本語の foo:x", f"{' ' * 11}^^^^^"]


def test_a_name_that_no_call_has_is_said_and_is_no_failure(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("sync", "liner-1", "nectar-1")
    run("accounts", "add", "new", "--provider", "liner", "--base-url", "https://x.example")
    capsys.readouterr()
    for form in ((), ("--json",), ("--csv",)):
        assert run("calls", "in", "-vendor:nosuch", "vendor:linr", "tag:none", *form) == 0
        out, err = capsys.readouterr()
        assert len(out.splitlines()) == (form == ("--csv",))
        assert err.splitlines()[:6] == [
            'ringback: no vendor "nosuch"; there are: liner, nectar, cinnox',
            "  in -vendor:nosuch vendor:linr tag:none",
            f"  {' ' * 3}{'^' * 14}",
            'ringback: no vendor "linr"; the nearest is liner',
            "  in -vendor:nosuch vendor:linr tag:none",
            f"  {' ' * 18}{'^' * 11}",
        ]
        assert err.splitlines()[6].startswith('ringback: no tag "none"; ')
    assert run("calls", "account:new", "vendor:cinnox", "vendor:Liner", "account:LINER-1") == 0
    assert capsys.readouterr().err == ""  # these may have calls soon, or have some


def test_a_reader_that_goes_away_is_no_error(
    synced: Sync, capsys: pytest.CaptureFixture[str]
) -> None:
    synced("liner-1")
    command = f"{shlex.quote(sys.executable)} -m tui.cli calls --json | head -1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""
    assert json.loads(done.stdout)["account"] == "liner-1"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("form", ["", "--json", "--csv"])
def test_output_to_a_full_disk_is_an_error_of_two_lines(synced: Sync, form: str) -> None:
    synced("liner-1")
    command = f"{shlex.quote(sys.executable)} -m tui.cli calls {form} > /dev/full"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert done.returncode == 1 and "No space left" in done.stderr
    assert len(done.stderr.splitlines()) == 2, done.stderr


def test_an_archive_that_cannot_be_written_is_said(
    home: Path, synced: Sync, capsys: pytest.CaptureFixture[str]
) -> None:
    synced("nectar-1")
    name = next(f"{call['account']}:{call['id']}" for call in listed(capsys))
    archive = sqlite3.connect(home / "data" / "archive.db")
    archive.execute(
        "CREATE TRIGGER full BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    )
    archive.close()
    assert run("triage", name, "--state", "done") == 1
    assert "the archive: disk full" in capsys.readouterr().err


def test_an_archive_that_cannot_be_opened_is_said(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = home / "data" / "archive.db"
    archive.write_bytes(b"this is not a database, whatever its name says" * 100)
    assert run("calls") == 1
    said = capsys.readouterr().err
    assert str(archive) in said and "file is not a database" in said and "--repair" in said
    archive.unlink()
    archive.mkdir()
    assert run("calls") == 1
    assert "it is not a file" in capsys.readouterr().err
    archive.rmdir()
    archive.write_bytes(b"this is not a database, whatever its name says" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(archive).execute("select * from call")


@pytest.mark.parametrize("words", [("sync",), ("accounts", "list"), ("accounts", "test")])
def test_a_broken_config_is_no_empty_one(
    paths: Paths, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    paths.config_file.parent.mkdir(parents=True, exist_ok=True)
    paths.config_file.write_text("[accounts.desk]\nprovider = 'nectar'\n[broken\n")
    assert main(words) == 1
    said = capsys.readouterr()
    assert said.err.startswith(f"ringback: {paths.config_file}, line 3: ")
    assert "No accounts yet" not in said.out


@pytest.mark.parametrize(
    "words",
    [
        ["anna@host", "--option", "Port=2022", "--", "-F", "none"],
        ["--option", "Port=2022", "anna@host", "--", "-F", "none"],
        ["--option=Port=2022", "anna@host", "--ssh", "SSH", "--", "-F", "none"],
    ],
    ids=["as the README says", "host last", "more behind the host"],
)
def test_the_options_of_a_speaker_stand_in_any_order(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ssh is started with, by a program in its place."""
    ssh, said = tmp_path / "ssh", tmp_path / "said"
    ssh.write_text(f'#!/bin/sh\nfor word; do echo "$word"; done >{said}\nexit 255\n')
    ssh.chmod(0o755)
    monkeypatch.setenv("RINGBACK_AUDIO", "none")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    words = [str(ssh) if word == "SSH" else word for word in words]
    assert main(["speaker", *words]) == 1
    given = said.read_text().split("\n")
    assert given[3:7] == ["-o", "Port=2022", "-F", "none"]
    assert given[given.index("--") + 1] == "anna@host"
