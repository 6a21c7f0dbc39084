"""`ringback triage`, and what `show` and `calls` say of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from providers.model import Contact
from tests.archive.calls import call
from tests.slow_params import few
from tui.archive.sqlite import Archive
from tui.cli import main
from tui.config.accounts import make_account
from tui.config.paths import Paths
from tui.services import Services


@pytest.fixture(autouse=True)
def desk(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Services:
    """An archive of five calls, and somebody called Ann at the desk."""
    monkeypatch.setenv("RINGBACK_USER", "ann")
    services = Services.build()
    account = make_account("desk", "nectar", "http://127.0.0.1:9", {"call_ids": "1-9"})
    services.accounts.add(account)
    with services.open_archive() as archive, archive.transaction():
        archive.save("desk", [call(number) for number in range(1, 6)])
    return services


def triage(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(["triage", *words])
    return code, *capsys.readouterr()


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main([*words, "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_decision_is_shown_by_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("desk:1", "--state", "done", "--note", "called back", "--tag", "VIP")
    assert triage(capsys, *words)[0] == 0
    [decided] = printed(capsys, "triage", "desk:1")
    at = decided["triage"].pop("at")
    assert decided == {
        "account": "desk",
        "id": "1",
        "triage": {"state": "done", "note": "called back", "tags": ["VIP"], "by": "ann"},
    }
    [shown] = printed(capsys, "show", "desk:1")
    [listed] = printed(capsys, "calls", "state:done")
    assert shown["triage"] == listed["triage"] == {**decided["triage"], "at": at}
    assert len(printed(capsys, "calls", "state:new")) == 4
    main(["show", "desk:1"])
    page = capsys.readouterr().out
    assert "note: called back (ann, " in page and "tags: VIP" in page


def test_several_calls_are_one_step_that_undo_takes_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    triage(capsys, "desk:1", "desk:2", "--state", "open")
    triage(capsys, "desk:1", "desk:2", "desk:3", "--state", "done", "--tag", "spam")
    code, out, err = triage(capsys, "--undo")
    assert code == 0 and "undone: done, tag spam" in err
    assert [line.split("  ")[:2] for line in out.splitlines()] == [
        ["desk:1", "open"],
        ["desk:2", "open"],
        ["desk:3", "new"],
    ]
    assert triage(capsys, "desk:2", "--undo")[0] == 0
    code, _, err = triage(capsys, "--undo")
    assert code == 1 and "there is nothing to undo by ann" in err


def test_of_calls_that_are_not_here_the_others_are_kept(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = triage(capsys, "desk:1", "desk:404", "--state", "done")
    assert code == 3 and out.startswith("desk:1  done") and "no call desk:404" in err
    code, out, err = triage(capsys, "desk:404", "--state", "done")
    assert code == 1 and not out


@pytest.mark.parametrize(
    ("words", "says"),
    few(
        3,
        [
            ((), "name the calls"),
            (("desk:1", "--state", "finished"), "is not a state"),
            (("desk:1", "--state", "snoozed"), "needs --until"),
            (("desk:1", "--state", "snoozed", "--until", "yesterday"), "is not 1h"),
            (("desk:1", "--state", "snoozed", "--until", "2020-01-01"), "not in the future"),
            (("desk:1", "--until", "1h"), "goes with --state snoozed"),
            (("desk:1", "--note", " "), "a note is some text"),
            (("desk:1", "--tag", ","), "a tag is some text"),
            (("desk:1", "--comment", "refund"), "begin with the time"),
            (("desk:1", "--comment", "3:99 refund"), "begin with the time"),
            (("desk:1", "--tag", "a", "--undo"), "--undo stands alone"),
            (("nobody:1", "--tag", "a"), "no account"),
            (("desk", "--tag", "a"), "does not name a call"),
        ],
    ),
)
def test_wrong_use_changes_nothing(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    code, _, err = triage(capsys, *words)
    assert code == 2 and says in err
    assert printed(capsys, "triage", "desk:1")[0]["triage"]["by"] is None


def test_one_option_gives_tags_and_takes_others_away(
    capsys: pytest.CaptureFixture[str],
) -> None:
    triage(capsys, "desk:1", "--tag", "x", "--tag", "call back, vip")
    triage(capsys, "desk:1", "--tag", "billing -x", "--untag", "vip")
    [decided] = printed(capsys, "triage", "desk:1")
    assert decided["triage"]["tags"] == ["call back", "billing"]


def test_a_state_may_be_written_in_capitals(
    capsys: pytest.CaptureFixture[str], desk: Services
) -> None:
    assert triage(capsys, "desk:1", "--state", "Snoozed", "--until", "2h")[0] == 0
    with desk.open_archive() as archive:
        assert archive.triage.of("desk", "1").state == "snoozed"
    assert triage(capsys, "desk:1", "--state", "SNOOZED")[0] == 2


def test_a_snooze_has_an_end(capsys: pytest.CaptureFixture[str], desk: Services) -> None:
    assert triage(capsys, "desk:1", "--state", "snoozed", "--until", "1h")[0] == 0
    with desk.open_archive() as archive:
        decided = archive.triage.of("desk", "1")
    assert decided.state == "snoozed"
    assert 3500 < (decided.snoozed_until or 0) - desk.now().timestamp() < 3610


def test_the_end_of_a_snooze_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("desk:1", "--state", "snoozed", "--until", "2100-01-01T09:00Z", "--note", "later")
    assert "snoozed until 2100-01-01T09:00:00Z  later" in triage(capsys, *asked)[1]
    assert "open  later" in triage(capsys, "desk:1", "--state", "open")[1]


def test_a_comment_stands_at_its_time(capsys: pytest.CaptureFixture[str], desk: Services) -> None:
    said = ("--comment", "3:12 refund promised", "--comment", "1:00:05 goodbye")
    assert triage(capsys, "desk:1", *said)[0] == 0
    with desk.open_archive() as archive:
        events = [event.body for event in archive.triage.events("desk", "1")]
    assert events == [
        {"text": "refund promised", "at_s": 192, "recording": 0},
        {"text": "goodbye", "at_s": 3605, "recording": 0},
    ]
    main(["show", "desk:1"])
    assert "3:12 refund promised" in capsys.readouterr().out


def test_an_account_s_region_brings_its_numbers_to_those_of_others(
    capsys: pytest.CaptureFixture[str], desk: Services, tmp_path: Path
) -> None:
    add = ["accounts", "add", "uk", "--provider", "nectar", "--base-url", "http://127.0.0.1:9"]
    assert main([*add, "--ids", "1-9", "--region", "gb"]) == 0
    assert main([*add, "--ids", "1-9", "--region", "UK", "--replace"]) == 2
    assert "two letters such as GB" in capsys.readouterr().err
    bodies = tmp_path / "calls.jsonl"
    bodies.write_text("")
    main(["import", "uk", str(bodies)])
    with desk.open_archive() as archive, archive.transaction():
        missed = call(6, outcome="missed", contact=Contact(number="020 7946 0000"))
        archive.save("uk", [missed])
        archive.save("desk", [call(7, contact=Contact(number="+442079460000"))])
    assert printed(capsys, "calls", "open-miss") == []
    main(["show", "uk:6"])
    assert "answered later: " in capsys.readouterr().out


def test_removing_an_account_removes_what_was_decided(
    capsys: pytest.CaptureFixture[str], desk: Services
) -> None:
    triage(capsys, "desk:1", "--note", "secret")
    assert main(["accounts", "remove", "desk", "--yes"]) == 0
    with desk.open_archive() as archive:
        assert not archive.triage.events("desk", "1")
        assert isinstance(archive, Archive)
