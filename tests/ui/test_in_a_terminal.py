"""The program in a real pseudo-terminal: foreign text, leaving, signals, crashes."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from random import Random

import pytest
from rich.cells import cell_len

from providers.model import Agent, Contact, Disposition
from providers.sandbox import Sandbox
from providers.sandbox.texts import HOSTILE
from tests.audio.processes import is_alive
from tests.benchmarks.fill import call, fill
from tests.slow_params import few
from tests.ui.services import select, services_for
from tests.ui.terminal import Program
from tests.widgets.terminal import MOVES, SEQUENCE, shapes
from tests.widgets.test_in_a_terminal import FOREIGN, STYLES
from tui.query.parser import parse

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")


@pytest.fixture
def hostile() -> None:
    """An archive in which every other call carries foreign text in every field."""
    services, random = fill(os.environ, 2), Random(1)
    calls = []
    for number in range(2, 2 + 2 * len(HOSTILE)):
        one = replace(call(number, random), contact=Contact(name=f"plain {number:03d}"))
        if number % 2:
            text = HOSTILE[number // 2 - 1]
            one = replace(
                one,
                contact=Contact(name=text, number=text, email=text),
                agents=(Agent(name=text, hangup_reason=text),),
                disposition=Disposition(text, text),
                tags=(text,),
                summary=text,
                status=text,
                raw={text: text},
            )
        calls.append(one)
    with services.open_archive() as archive, archive.transaction():
        archive.save("desk", calls)


def test_foreign_text_changes_nothing_but_its_own_cell(hostile: None) -> None:
    count = 2 * len(HOSTILE)
    with Program("tui.cli", rows=count + 8, columns=160, RINGBACK_TOKEN_DESK="x") as program:
        program.wait_for("plain 002")
        program.read()
        usual = shapes(program.output)
        lines = program.screen.display
        plain = [line for line in lines if "plain 0" in line]
        assert len(plain) == len(HOSTILE), "\n".join(lines)
        # the columns of a plain row stand where they stand in every other plain row
        assert {line.index("plain 0") for line in plain} == {plain[0].index("plain 0")}
        assert len({line.rstrip().rfind("desk") for line in plain}) == 1
        for _ in range(len(HOSTILE)):
            assert program.press("\rGqj", quiet_s=0.05, show=False)
        output = program.output
    text = SEQUENCE.sub(b"", output).decode()
    assert "\x1b" not in text
    assert [char for char in FOREIGN if char in text] == []
    assert shapes(output) - usual <= MOVES | {b"\x1b[?Nl", b"\x1b[?Nh", b"\x1b[N q"}
    styles = {found for found in SEQUENCE.findall(output) if found.endswith(b"m")}
    assert [style for style in styles if not STYLES.fullmatch(style)] == []
    assert max(cell_len(line) for line in lines) <= 160


def test_a_step_that_was_not_kept_stands_on_the_terminal_when_the_screen_has_closed() -> None:
    services = fill(os.environ, 3)
    with Program("tui.cli", RINGBACK_TOKEN_DESK="x") as program:
        program.wait_for("rows 1-3")
        program.read()
        with closing(sqlite3.connect(services.paths.archive_file)) as later:
            later.execute("PRAGMA user_version = 999")
        code, _ = program.leave("d\x11", wait_s=20)
        assert program.restored
        text = " ".join(program.text.split())
    assert code == 3
    assert "a step of triage could not be kept: a later Ringback made this archive" in text
    assert "Update Ringback" in text and "ringback triage desk:2 --state done" in text


ONCE = (
    "?qq", "C\r\r", "E\x1b\x1b\x1b", "aqq", ":half page down\r\r\r",
    "xjxdnn\x18", "xjxd\r\r\x18", "tspam\x1b\x1b", "yii",
)  # fmt: skip
"""Each opens something and closes it by the last key, which comes more than once."""


@pytest.mark.slow
def test_keys_of_one_write_act_in_their_order_and_close_once() -> None:
    services = fill(os.environ, 40)
    services.accounts.remove("desk")  # what its vendor answers would be said, too
    with services.open_archive() as archive:
        rows = {row.key: row for row in archive.rows(archive.keys()).window(0, 40)}
        missed = [rows[key].id for key in archive.keys(parse("missed", services.now(), UTC))]
    with Program("tui.cli", columns=80, rows=24, RINGBACK_TOKEN_DESK="x") as program:
        program.write("jjf")  # before anything is painted
        program.wait_for("follow-up: ")
        program.read()
        for burst in ("/missed\rjf", "jk/missed\rd"):
            program.press("\x1b")
            program.press(burst)
        program.wait_for("done: ")
        program.press("\x1b\x1b")
        for burst in ONCE:
            program.press(burst)
            program.wait_for("enter Open")
            assert "Agents" not in program.screen.display[5], f"{burst!r} opened a call"
        code, _ = program.leave()
        assert code == 0
    decided = select(services, "SELECT id, kind FROM event ORDER BY seq")
    ids = [row.id for row in rows.values()]
    assert decided == [(id_, "state") for id_ in (ids[2], missed[1], missed[0])]


def test_esc_and_what_comes_with_it_are_two_keys(tmp_path: Path) -> None:
    services = fill(os.environ, 40)
    services.accounts.remove("desk")
    with Program("tui.cli", columns=80, rows=24) as program:
        program.wait_for("of 40")
        program.read()
        program.press("E\x1b\r")  # not the file: the call
        program.wait_for("Agents")
        program.press("\x1bjj/missed\r\x1bf")
        program.wait_for("follow-up: ")
        program.press("t\x1b1\x1b?\x1b\x1bjd")
        program.wait_for("done: ")
        assert program.leave()[0] == 0
    assert not list(tmp_path.glob("*.csv"))
    decided = select(services, "SELECT id, kind FROM event ORDER BY seq")
    with services.open_archive() as archive:
        ids = [row.id for row in archive.rows(archive.keys()).window(0, 40)]
    assert decided == [(ids[2], "state"), (ids[3], "state")]


def until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


@pytest.fixture
def ready(world: Sandbox) -> dict[str, str]:
    """A Nectar Desk account that was never synced; its token for the environment."""
    services_for(world, ["nectar"], os.environ)
    return {"RINGBACK_TOKEN_NECTAR": world.tokens["nectar"]}


@pytest.mark.parametrize(("columns", "rows"), few(1, [(80, 24), (120, 40)]))
def test_first_calls_detail_and_leaving(ready: dict[str, str], columns: int, rows: int) -> None:
    with Program(
        "tui.cli", "rec", "dispo:c", "dur<240", columns=columns, rows=rows, env=ready
    ) as program:
        program.wait_for("answered", wait_s=20)
        program.read()
        program.press("\r")
        for word in ("Agents", "Disposition", "Recordings"):
            program.wait_for(word)
        code, took = program.leave()
        assert code == 0 and took < 1.5
        assert program.restored
        assert b"\x1b[?1049l" in program.output and b"\x1b[?25h" in program.output
        assert b"\x1b[?1003l" in program.output, "the mouse is given back"


def test_it_leaves_at_once_while_it_asks_the_vendor(world: Sandbox, ready: dict[str, str]) -> None:
    world.fail("nectar", status=0, times=4, delay_s=8.0)
    with Program("tui.cli", env=ready) as program:
        program.wait_for("asking")
        program.read()
        code, took = program.leave()
        assert code == 0 and took < 1.0
        assert program.restored


def test_it_leaves_at_once_while_a_token_command_hangs(tmp_path: Path) -> None:
    services, begun = fill(os.environ, 2), tmp_path / "begun"
    command = f"sh -c 'echo $$ >{begun}; sleep 60; true'"
    services.accounts.replace(replace(services.accounts.get("desk"), token_command=command))
    with Program("tui.cli") as program:
        program.wait_for("asking")
        until(lambda: begun.exists() and begun.read_text(), "the command has begun")
        code, took = program.leave()
        assert code == 0 and took < 1.0
    pid = int(begun.read_text())
    until(lambda: not is_alive(pid), "the command was ended as well")


@pytest.mark.parametrize("streams", ["2>/dev/null", "2>&-", "2>said"])
def test_the_screen_is_drawn_wherever_standard_error_goes(
    ready: dict[str, str], tmp_path: Path, streams: str
) -> None:
    streams = streams.replace("said", f"{tmp_path}/said")
    with Program("tui.cli", streams=streams, env=ready) as program:
        program.wait_for("rows 1-")
        code, _ = program.leave()
        assert code == 0 and program.restored
    assert not (tmp_path / "said").exists() or not (tmp_path / "said").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_its_threads_share_one_heap(ready: dict[str, str]) -> None:
    with Program("tui.cli", env=ready) as program:
        program.wait_for("rows 1-")
        program.press("/desk\r")
        assert len([*Path(f"/proc/{program.pid}/task").iterdir()]) > 2
        assert program.thread_heaps == 0


@pytest.mark.parametrize("number", few(1, [signal.SIGHUP, signal.SIGTERM]))
def test_a_lost_terminal_ends_it_in_order(ready: dict[str, str], number: signal.Signals) -> None:
    with Program("tui.cli", env=ready) as program:
        program.wait_for("rows 1-")
        began = time.monotonic()
        os.kill(program.pid, number)
        code, took = program.ended(began)
        assert code == 0 and took < 1.5
        assert program.restored


def test_a_crash_shows_no_values_and_is_a_failure(ready: dict[str, str]) -> None:
    with Program("tests.ui.crashing", columns=160, env=ready) as program:
        program.wait_for("rows 1-")
        program.read()
        code, _ = program.leave("?")
        assert code == 1
        assert program.restored
        said = program.output.rpartition(b"\x1b[?1049l")[2].decode()
        assert "RuntimeError" in said and "t0ken-in-a-local" not in said


def test_a_terminal_that_cannot_show_it_is_told_what_can() -> None:
    with Program("tui.cli", TERM="dumb") as program:
        code, _ = program.ended(time.monotonic())
        assert code == 2
        assert "ringback calls" in program.text and "\x1b" not in program.output.decode()
