"""Exports, links, purge and the audit log on the command line."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from providers.model import CompanyNumber, Contact, Disposition, Recording
from tests.archive.calls import START, call
from tests.slow_params import few
from tui import audit_log
from tui.audio.client.source import FileSource
from tui.cli import main
from tui.config.accounts import make_account
from tui.recordings.cache import RecordingCache
from tui.services import Services

NUMBER = "+49 30 9876-54321"
TRACE = "98765"
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def services() -> Services:
    """Two accounts whose vendors cannot be reached, and calls of them, some with one number."""
    services = Services.build(os.environ)
    for name in ("desk", "eu"):
        services.accounts.add(make_account(name, "nectar", NOBODY, {"call_ids": "1-9"}))
    one = call(
        1,
        contact=Contact(name="Ottilie", number=NUMBER),
        recordings=(
            Recording("r1", "https://x.example/s?sig=SECRET"),
            Recording("r2", "https://x.example/t"),
        ),
        has_recording=True,
    )
    other = call(2, contact=Contact(name="=SUM(1)", number="+12025550123"))
    third = call(3, from_="030987654321", contact=Contact(name="Anna"))
    with services.open_archive() as archive, archive.transaction():
        archive.save("desk", [one, other])
        archive.save("eu", [third, call(4, started_at=None)])
    return services


@pytest.fixture
def cached(services: Services) -> list[Path]:
    """The files of the first call's recordings and of another's, and peaks beside the first."""
    cache = RecordingCache(services.paths.cached_recordings)
    found = []
    with services.open_archive() as archive:
        one, other = archive.call_by_id("desk", "1"), archive.call_by_id("desk", "2")
    assert one and other
    other = replace(other, recordings=(Recording("r9"),))
    for sound, (held, index) in enumerate(((one, 0), (one, 1), (other, 0))):
        handle, partial = cache.partial()
        os.write(handle, b"sound %d" % sound)
        os.close(handle)
        found.append(cache.keep(partial, "desk", held, index, "mp3").path)
    found[0].with_suffix(".peaks").write_bytes(b"peaks")
    return found


def run(*words: str) -> int:
    return main(words)


def log(services: Services) -> list[dict[str, object]]:
    return [
        {key: value for key, value in entry.items() if key not in ("at", "who")}
        for entry in audit_log.entries(services.paths)
    ]


def everything(services: Services) -> bytes:
    """Every byte that this home holds."""
    home = Path(services.environ["RINGBACK_HOME"])
    return b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())


# -- exports


def test_csv_has_the_columns_asked_for_and_no_formula(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("calls", "--csv", "--columns", "contact, number,time", "--account", "desk") == 0
    text = capsys.readouterr().out
    assert not text.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0] == ["contact.name", "contact.number", "started_at", "account", "id"]
    assert [row[0] for row in rows[1:]] == ["'=SUM(1)", "Ottilie"]
    assert [row[1] for row in rows[1:]] == ["'+12025550123", f"'{NUMBER}"]
    assert run("calls", "--csv", "--csv-phones", "e164", "--account", "desk") == 0
    rows2 = list(csv.DictReader(io.StringIO(capsys.readouterr().out, newline="")))
    assert [row["contact.number"] for row in rows2] == ["+12025550123", f"'{NUMBER}"]
    assert run("calls", "--csv", "--columns", "nope") == 2
    assert "there is no column nope" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", few(1, ["ascii", "latin-1"]))
def test_names_that_the_terminal_cannot_show_stop_no_list(
    services: Services, encoding: str
) -> None:
    with services.open_archive() as archive, archive.transaction():
        archive.save("desk", [call(9, contact=Contact(name="李小龍 Zoë"))])

    def printed(*words: str) -> bytes:
        environ = {**os.environ, "PYTHONIOENCODING": encoding}
        program = [sys.executable, "-c", "import sys; from tui.cli import main; sys.exit(main())"]
        return subprocess.run(
            [*program, "calls", "id:9", *words], env=environ, capture_output=True, check=True
        ).stdout

    assert b"??? Zo" in printed()
    assert "李小龍 Zoë".encode() in printed("--json")
    assert "李小龍 Zoë".encode() in printed("--csv")


def test_options_of_csv_are_not_passed_over_without_it(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("calls", "--csv-phones", "e164") == 2
    assert "--csv-phones goes with --csv" in capsys.readouterr().err
    assert run("calls", "--json", "--columns", "time") == 2
    assert "--columns goes with" in capsys.readouterr().err


def test_the_columns_asked_for_hold_for_text(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("calls", "--columns", "account, contact", "Ottilie") == 0
    [line] = capsys.readouterr().out.splitlines()
    account, contact, name = line.split()
    assert (account, contact) == ("desk", "Ottilie") and name.startswith("desk:")
    assert run("calls", "--columns", "account,nope") == 2
    assert "there is no column nope" in capsys.readouterr().err


def test_titles_stand_above_the_calls_on_a_terminal_and_not_in_a_pipe(
    services: Services, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("calls") == 0
    piped = capsys.readouterr().out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert run("calls") == 0
    title, *rest = capsys.readouterr().out.splitlines()
    assert rest == piped.splitlines()
    assert title.split()[:3] == ["Time", "Dir", "Outcome"] and title.endswith("  Call")
    assert {line[title.index("Call") :].partition(":")[0] for line in rest} == {"desk", "eu"}
    assert run("calls", "--columns", "number,id") == 0
    assert capsys.readouterr().out.splitlines()[0].split() == ["Number", "Call", "id", "Call"]
    for words in (("id:no-such-call",), ("--json",), ("--csv",)):
        assert run("calls", *words) == 0
        assert "Outcome" not in capsys.readouterr().out


def test_exports_are_in_the_audit_log_without_the_query(services: Services) -> None:
    assert run("calls", "--json", "Ottilie") == 0
    assert run("calls", "--csv") == 0
    assert run("calls") == 0
    assert log(services) == [
        {"act": "export", "form": "json", "calls": 1, "accounts": ["desk"]},
        {"act": "export", "form": "csv", "calls": 4, "accounts": ["desk", "eu"]},
    ]
    assert stat.S_IMODE(services.paths.audit_file.stat().st_mode) == 0o600


# -- links


def test_a_link_stands_for_its_call(services: Services, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", "ringback://DESK/1?t=3m", "--json") == 0
    assert json.loads(capsys.readouterr().out)["id"] == "1"
    assert run("show", "ringback://desk/1?t=soon") == 2
    said = capsys.readouterr().err
    assert "t=soon is not a time" in said and "ringback://desk/1234?t=3m12s" in said
    assert run("show", "ringback://nobody/1") == 2
    assert run("download", "ringback://desk/%1b%5b2J") == 2
    assert "\x1b" not in capsys.readouterr().err
    assert log(services) == []


def test_a_link_may_be_pasted_with_blanks(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("triage", " ringback://desk/1\n") == 0
    assert capsys.readouterr().out.startswith("desk:1")


def test_open_needs_a_terminal(services: Services, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("open", "ringback://desk/1") == 2
    assert "the screen needs a terminal" in capsys.readouterr().err


def test_a_recording_that_is_here_plays_from_the_links_time(
    services: Services,
    cached: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    played: list[tuple[bytes, str, float]] = []

    async def play(
        source: FileSource, title: str, wishes: object, start_s: float, *steering: object
    ) -> int:
        played.append((await source.read(0, 99), title, start_s))
        return 0

    monkeypatch.setattr("tui.cli.terminal_player.play_on_terminal", play)
    assert run("play", "ringback://desk/1?t=1m5s&r=2") == 0
    assert run("play", "ringback://desk/1?t=1m5s", "--from", "0:07") == 0
    assert run("play", "desk:1") == 0
    assert played == [
        (b"sound 1", "Ottilie (2 of 2)", 65.0),
        (b"sound 0", "Ottilie (1 of 2)", 7.0),
        (b"sound 0", "Ottilie (1 of 2)", 0.0),
    ]
    assert run("play", "ringback://desk/1?t=1m5s&r=7") == 1
    assert log(services) == [
        {"act": "play", "call": "desk:1", "recording": 2},
        {"act": "play", "call": "desk:1", "recording": 1},
        {"act": "play", "call": "desk:1", "recording": 1},
    ]


# -- the audit log


def test_reveals_and_downloads_are_logged_and_the_log_can_be_read(
    services: Services, cached: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("show", "desk:1") == 0
    assert run("show", "desk:1", "--json", "--with-urls") == 0
    assert run("show", "desk:2", "--raw") == 0
    assert run("download", "desk:1", "--output", str(tmp_path / "out")) == 0
    capsys.readouterr()
    assert run("audit", "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["act"], one["call"]) for one in lines] == [
        ("reveal", "desk:1"),
        ("reveal", "desk:2"),
        ("download", "desk:1"),
        ("download", "desk:1"),
    ]
    assert all(one["who"] == audit_log.who() and one["at"].endswith("Z") for one in lines)
    assert b"SECRET" not in services.paths.audit_file.read_bytes()
    assert run("audit", "--since", "soon") == 2
    assert run("audit", "--since", "24h") == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert run("audit", "--since", "2999-01-01") == 0
    assert capsys.readouterr().out == ""


def test_an_act_does_not_fail_for_want_of_its_line(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(services.paths.audit_file, 0o600)
    assert run("show", "desk:1", "--raw") == 0, "nobody reads the pipe, and nobody waits for it"
    services.paths.audit_file.unlink()
    target = services.paths.state / "elsewhere"
    services.paths.audit_file.symlink_to(target)
    assert run("show", "desk:1", "--raw") == 0
    assert not target.exists(), "a planted link is not followed"
    assert not audit_log.record(services.paths, audit_log.PLAY, call="desk:1")


def test_lines_of_several_writers_do_not_mix(services: Services) -> None:
    program = (
        "import os\nfrom tui import audit_log\nfrom tui.config.paths import Paths\npaths = Paths.default(os.environ)\n"
        "for n in range(200):\n    assert audit_log.record(paths, 'play', call='desk:' + 'x' * 300, n=n)\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(4)]
    assert [writer.wait(60) for writer in writers] == [0] * 4
    found = [entry["n"] for entry in audit_log.entries(services.paths)]
    assert sorted(found) == sorted([*range(200)] * 4)


# -- purge


def test_a_purge_by_number_leaves_no_trace_of_it(
    services: Services, cached: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("calls", "--json", "#4321") == 0
    assert TRACE.encode() in everything(services).replace(b"-", b"").replace(b" ", b"")
    capsys.readouterr()
    assert run("purge", "--number", "030/98765 4321", "--yes") == 0
    said = capsys.readouterr().out
    assert "Removed 2 calls of desk, eu." in said and "Removed 3 files" in said
    assert [path.exists() for path in cached] == [False, False, True]
    assert not cached[0].with_suffix(".peaks").exists()
    left = everything(services)
    assert b"Ottilie" not in left
    assert TRACE.encode() not in left.replace(b"-", b"").replace(b" ", b"")
    assert log(services)[-1] == {
        "act": "purge", "by": "number", "calls": 2, "files": 3, "accounts": ["desk", "eu"],
    }  # fmt: skip
    assert run("purge", "--number", NUMBER, "--yes") == 0
    assert "nothing was removed" in capsys.readouterr().out
    assert len(log(services)) == 2, "what did nothing is not logged"


def test_a_purge_before_a_day(services: Services, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("purge", "--before", f"{START:%Y-%m-%d}", "--yes") == 0
    assert "nothing was removed" in capsys.readouterr().out
    assert run("purge", "--before", "2026-11-02T09:01:30", "--yes") == 0
    assert "Removed 1 call of desk." in capsys.readouterr().out
    assert run("purge", "--before", "2026-11-02T09:02:30", "--yes") == 0
    assert "Removed 1 call of desk." in capsys.readouterr().out
    with services.open_archive() as archive:
        assert archive.counts_by_account() == {"eu": 2}


@pytest.mark.parametrize("before", ["2026-11-02T09:01:30", "2020-01-01"])
def test_a_purge_by_age_says_which_calls_have_none(
    services: Services, capsys: pytest.CaptureFixture[str], before: str
) -> None:
    with services.open_archive() as archive, archive.transaction():
        archive.save("eu", [replace(call(80), started_at=None)])
    assert run("purge", "--before", before, "--yes") == 0
    assert "2 calls without a time: not removed" in capsys.readouterr().out


def test_a_purge_asks_and_a_script_says_yes(
    services: Services, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("purge", "--before", "2030-01-01") == 2
    assert "3 calls would be removed for good" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: "")
    assert run("purge", "--before", "2030-01-01") == 1
    with services.open_archive() as archive:
        assert archive.count() == 4
    monkeypatch.setattr("builtins.input", lambda _: "y")
    assert run("purge", "--before", "2030-01-01") == 0
    assert "3 calls of desk, eu, 2026-11-02 to 2026-11-02" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [("--number", "12"), ("--number", "anna"), ("--before", "soon"), (), ("--number",)]
)
def test_wrong_usage_removes_nothing(services: Services, words: tuple[str, ...]) -> None:
    try:
        code = run("purge", "--yes", *words)
    except SystemExit as left:
        code = int(str(left.code))
    assert code == 2
    with services.open_archive() as archive:
        assert archive.count() == 4


def test_calls_that_mention_the_number_are_told(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    line = call(7, to=NUMBER, company_number=CompanyNumber(NUMBER))
    note = call(8, disposition=Disposition("x", "told him 030987654321"))
    with services.open_archive() as archive, archive.transaction():
        archive.save("desk", [line, note])
    assert run("purge", "--number", NUMBER, "--yes") == 0
    assert "These digits stand in 2 calls that stay" in capsys.readouterr().out
