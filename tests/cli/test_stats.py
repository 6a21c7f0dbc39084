"""`ringback stats`, against what `ringback calls` prints of the same archive."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import statistics
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.archive.calls import call
from tui.archive.triage_events import state
from tui.cli import main
from tui.cli.parser import BREAKDOWNS
from tui.config.accounts import make_account
from tui.services import Services

NOW = datetime.now(UTC)
OUTCOMES = ("answered", "missed", "abandoned", "voicemail", "busy")
Run = Callable[..., str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str, code: int = 0) -> str:
        assert main(words) == code
        return capsys.readouterr().out

    return run


@pytest.fixture(autouse=True)
def desk() -> Services:
    """Two accounts with 120 calls of the last ten days, of which a few were decided."""
    services = Services.build(os.environ)
    for name in ("desk", "care"):
        account = make_account(name, "nectar", "http://127.0.0.1:9", {"call_ids": "1-9"})
        services.accounts.add(account)
    with services.open_archive() as archive:
        for name, first in (("desk", 0), ("care", 1)):
            with archive.transaction():
                archive.save(
                    name,
                    [
                        call(
                            number,
                            outcome=OUTCOMES[number % 5],
                            direction="outbound" if number % 7 == 0 else "inbound",
                            started_at=NOW - timedelta(hours=2 * number + 1),
                            wait_s=float(number % 50) if name == "desk" else None,
                            talk_s=float(number) if number % 5 == 0 else None,
                            sla_met=number % 3 == 0 if number % 2 else None,
                            ring_group="Sales, EU" if number % 4 == 0 else None,
                        )
                        for number in range(first, 120, 2)
                    ],
                )
        archive.triage.append([("desk", "2"), ("care", "7")], [state("done")], "ann")
        archive.triage.append([("care", "13")], [state("follow-up")], "ben")
    return services


def calls(run: Run, *words: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run("calls", *words, "--json").splitlines()]


@pytest.mark.parametrize(
    "words", [(), ("in",), ("--account", "desk"), ("--since", "3d"), ("-rec",)]
)
def test_each_figure_is_what_calls_prints(run: Run, words: tuple[str, ...]) -> None:
    found, listed = json.loads(run("stats", *words, "--json")), calls(run, *words)
    assert found["calls"] == len(listed) > 0
    for name in ("answered", "missed", "abandoned", "voicemail"):
        assert found[name] == sum(one["outcome"] == name for one in listed)
    assert found["inbound"] == sum(one["direction"] == "inbound" for one in listed)
    assert found["outbound"] == sum(one["direction"] == "outbound" for one in listed)
    lost = calls(run, *words, "-out", "-internal", "outcome:missed,abandoned,voicemail")
    assert found["lost"] == len(lost)
    assert found["called_back"] == len(calls(run, *words, "called-back"))
    assert found["decided"] == len(calls(run, *words, "open-miss", "state:done"))
    assert found["waiting"] == len(calls(run, *words, "open-miss", "-state:done"))
    waits = [one["wait_s"] for one in listed if one["wait_s"] is not None]
    assert found["wait_s"]["of"] == len(waits)
    assert found["wait_s"]["avg"] == pytest.approx(statistics.mean(waits), abs=0.001)
    assert found["talk_s"]["sum"] == sum(one["talk_s"] or 0 for one in listed)
    told = [one["sla_met"] for one in listed if one["sla_met"] is not None]
    assert found["sla"] == {"met": sum(told), "of": len(told)}
    accounts = Counter(one["account"] for one in listed)
    assert {one["account"]: one["calls"] for one in found["by_account"]} == accounts
    groups = Counter(one["ring_group"] for one in listed if one["ring_group"])
    assert {one["group"]: one["calls"] for one in found["by_group"]} == groups
    hours = Counter(datetime.fromisoformat(one["started_at"]).hour for one in listed)
    assert {one["hour"]: one["calls"] for one in found["by_hour"] if one["calls"]} == hours
    flat = [hour["calls"] for day in found["by_weekday_hour"] for hour in day]
    assert (len(flat), sum(flat)) == (168, len(listed))
    decided = [one for one in listed if one["triage"]["by"]]
    assert found["triage"]["decided"] == len(decided)
    assert {one["person"]: one["decided"] for one in found["triage"]["by_person"]} == Counter(
        one["triage"]["by"] for one in decided
    )
    assert found["untold"]["wait"] == [name for name in ["care"] if name in accounts]


def test_the_period_before_is_as_long_and_ends_where_it_begins(run: Run) -> None:
    found = json.loads(run("stats", "--since", "3d", "--json"))
    since = datetime.fromisoformat(found["since"])
    before = [
        one
        for one in calls(run)
        if since - timedelta(days=3) <= datetime.fromisoformat(one["started_at"]) < since
    ]
    assert abs(found["previous"]["calls"] - len(before)) <= 1, "the clock goes on"
    assert found["previous"]["calls"] > 0 and "by_hour" not in found["previous"]
    assert json.loads(run("stats", "--json"))["previous"] is None
    assert json.loads(run("stats", "--since", "3d", "today", "--json"))["previous"] is None


@pytest.mark.parametrize("by", BREAKDOWNS)
def test_a_table_of_each_kind_as_text_and_as_csv(run: Run, by: str) -> None:
    rows = [*csv.reader(io.StringIO(run("stats", "--by", by, "--csv")))]
    assert rows[0] == [by, "calls", "answered", "missed", "abandoned", "voicemail"]
    table = run("stats", "--by", by).partition("\n\n")[2].splitlines()
    assert len(table) == len(rows) > 1
    assert [line.split()[-5:] for line in table[1:]] == [row[1:] for row in rows[1:]]
    whole = json.loads(run("stats", "--json"))["calls"]
    if by in ("hour", "day", "weekday", "account"):
        assert sum(int(row[1]) for row in rows[1:]) == whole


def test_words_name_what_is_not_told_and_the_period_before(run: Run) -> None:
    text = run("stats", "--since", "3d")
    assert "in brackets: the period before" in text
    assert re.search(r"not told +wait: by care", text)
    assert "decided here 3 after" in text and "ann 2, ben 1" in text
    assert "brackets" not in run("stats")
    assert run("stats", "agent:nobody").startswith("calls        0")


def test_an_empty_archive_says_what_fills_it(
    desk: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stats", "agent:nobody"]) == 0
    assert "empty" not in capsys.readouterr().err
    with desk.open_archive() as archive:
        for name in ("desk", "care"):
            archive.remove_account(name)
    assert main(["stats"]) == 0
    assert "The archive is empty; run: ringback sync" in capsys.readouterr().err


def test_prometheus_can_read_it(run: Run) -> None:
    lines = run("stats", "--prometheus").splitlines()
    sample = re.compile(r'ringback_[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.]+')
    for line in lines:
        assert line.startswith(("# HELP ringback_", "# TYPE ringback_")) or sample.fullmatch(line)
    assert 'ringback_calls{account="desk"} 60' in lines
    assert 'ringback_outcomes{account="care",outcome="missed"} 12' in lines


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--watch", "0.5"], "--watch is 1 s or more"),
        (["--watch", "nan"], "--watch is 1 s or more"),
        (["nonsense:x", "--json"], "nonsense"),
    ],
)
def test_wrong_usage_is_told(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stats", *words]) == 2
    assert told in capsys.readouterr().err


def test_watching_shows_it_anew_until_it_is_interrupted(
    run: Run, desk: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            raise KeyboardInterrupt
        with desk.open_archive() as archive, archive.transaction():
            archive.save("desk", [call(500, started_at=NOW)])

    monkeypatch.setattr("time.sleep", sleep)
    shown = re.findall(r"^calls +(\d+)", run("stats", "--watch", "2"), re.M)
    assert (shown, slept) == (["120", "121"], [2.0, 2.0])
