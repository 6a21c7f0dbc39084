"""Calls go elsewhere: exports, copies, links, the vendor's page; and jumps to related calls."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot

from providers.model import Contact
from tests.archive.calls import call
from tests.ui.driving import (
    cursor_row,
    detail,
    main,
    page,
    player,
    press_each,
    run_app,
    settled,
    status,
    table,
    text_of,
    until,
)
from tui import audit_log
from tui.app import RingbackApp
from tui.archive.sqlite import Archive
from tui.call_links import Link, parse
from tui.screens.export_prompt import ExportPrompt, _wrong
from tui.screens.sync_controller import SyncController
from tui.services import Services
from widgets.call_detail import CallDetail
from widgets.confirm import Confirm
from widgets.key_line import KeyLine
from widgets.status_line import StatusLine

Home = Callable[..., Services]


def with_calls(services: Services, *calls: object, account: str = "nectar") -> None:
    """Put calls into the archive, as a sync would."""
    with services.open_archive() as archive, archive.transaction():
        archive.save(account, calls)  # type: ignore[arg-type]


def offline(services: Services) -> Services:
    """The same without tokens: nothing comes beside what the test put there."""
    kept = {key: value for key, value in services.environ.items() if "TOKEN" not in key}
    return replace(services, environ=kept)


def keys_line(pilot: Pilot[None]) -> str:
    return text_of(main(pilot).query_one(KeyLine))


def logged(services: Services, act: str) -> list[dict[str, object]]:
    return [entry for entry in audit_log.entries(services.paths) if entry["act"] == act]


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What went to the terminal's clipboard."""
    texts: list[str] = []
    monkeypatch.setattr(RingbackApp, "copy_to_clipboard", lambda _, text: texts.append(text))
    return texts


# -- copies


async def test_a_second_key_says_what_is_copied(home: Home, copied: list[str]) -> None:
    services = offline(home("nectar"))
    anna = call(7, contact=Contact(name="Anna\x1b[31m", number="+1 202\n555"))
    with_calls(services, anna, call(8, contact=Contact(name="Ben")))
    async with run_app(services, "id:7").run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        before = keys_line(pilot)
        for key, text in (
            ("n", "+1 202 555"),
            ("i", "7"),
            ("l", "ringback://nectar/7"),
        ):
            await pilot.press("y")
            assert keys_line(pilot) == "n Number i Id l Link s Summary esc Nothing"
            await pilot.press(key)
            await until(pilot, lambda text=text: copied[-1:] == [text])
            assert keys_line(pilot) == before and pilot.app.focused is table(pilot)
        await until(pilot, lambda: "link copied by the terminal (OSC 52): ring" in status(pilot))
        await pilot.press("y", "s")
        await until(pilot, lambda: len(copied) == 4)
        assert copied[-1].startswith("2026-11-02 09:07:00 · inbound · answered · Anna")
        assert copied[-1].endswith("0:07 · agent Zoë Müller · Sale · nectar:7")
        assert copied[-1].isprintable()


async def test_another_key_waits_on_and_escape_ends_it(home: Home, copied: list[str]) -> None:
    services = offline(home("nectar"))
    with_calls(services, call(7), call(8, contact=Contact()))
    async with run_app(services).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        row = cursor_row(pilot)
        await pilot.press("y", "j", "q", "d", "space")
        assert "press n number, i id, l link, s summary" in status(pilot)
        assert cursor_row(pilot) == row and pilot.app.is_running and not player(pilot).strip()
        await pilot.press("escape")
        await pilot.pause()
        assert pilot.app.focused is table(pilot) and "Filter" in keys_line(pilot)
        await pilot.press("y", "n")
        await until(pilot, lambda: "this call has no number" in status(pilot))
        assert copied == []
        await pilot.press("y")
        await pilot.click(table(pilot), offset=(10, 2))
        await pilot.pause()
        assert "Filter" in keys_line(pilot), "a click elsewhere ends the waiting"
        await pilot.press("y")
        await pilot.click(main(pilot).query_one(KeyLine), offset=(9, 0))
        await until(pilot, lambda: copied == ["7"])


async def test_keys_typed_ahead_of_the_screen_stay_in_order(home: Home, copied: list[str]) -> None:
    services = offline(home("nectar"))
    with_calls(services, *(call(n) for n in range(5)))
    async with run_app(services).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for key in "yiynylj":
            pilot.app.post_message(events.Key(key, key))
        await until(pilot, lambda: table(pilot).cursor == 1)
        await until(pilot, lambda: sorted(copied) == ["+12025550004", "4", "ringback://nectar/4"])


async def test_a_link_names_the_playhead(synced: Home, copied: list[str]) -> None:
    services = synced("nectar")
    async with run_app(services, "rec dur>60 dur<300").run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        await pilot.press("space")
        await until(pilot, lambda: "Playing" in player(pilot))
        await pilot.press("right", "right", "space")
        await until(pilot, lambda: "Paused" in player(pilot))
        at_s = main(pilot).player.playback.view.position_s
        assert at_s >= 10
        await pilot.press("y", "l")
        await until(pilot, lambda: copied)
        link = parse(copied[0])
        assert link.at_s == int(at_s) and link.recording == 0
        await until(pilot, lambda: logged(services, "play"))
        [entry] = logged(services, "play")
        assert entry["call"] == link.name, "pausing and seeking are one play"


# -- links


async def test_a_link_opens_its_call_among_all_and_plays_from_its_time(
    synced: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = synced("nectar")
    async with run_app(services, "rec dur>60 dur<300").run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        wanted = table(pilot)._rows.window(0, 50)[-1]
    link = Link("nectar", wanted.id, 21.0)
    monkeypatch.setattr(SyncController, "sync", lambda _: None)  # what it says covers the line
    async with RingbackApp(services, link=link).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert wanted.id in detail(pilot), "it stands there with the first paint"
        assert "space plays from 21s" in status(pilot)
        await settled(pilot)
        assert len(table(pilot)._rows) > 50 and table(pilot).current_key == wanted.key
        await pilot.press("space")
        await until(pilot, lambda: "Playing" in player(pilot) and "0:2" in player(pilot))
        assert main(pilot).player.playback.view.position_s >= 21
        await pilot.press("s", "escape")
        assert table(pilot).current_key == wanted.key


async def test_the_place_of_a_link_is_said_until_it_is_played(home: Home) -> None:
    services = home("nectar")
    async with run_app(services, "rec dur>60 dur<300").run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        wanted = table(pilot)._rows.window(0, 50)[-1]
    link = Link("nectar", wanted.id, 21.0)
    async with RingbackApp(services, link=link).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        main(pilot).query_one(StatusLine).flash("something else", "info")
        await until(pilot, lambda: status(pilot).rstrip().endswith("space plays from 21s"), 10)
        await pilot.press("escape", "j")
        await until(pilot, lambda: "plays from" not in status(pilot))
        await pilot.press("k", "space")
        await until(pilot, lambda: "Playing" in player(pilot))
        await until(pilot, lambda: "plays from" not in status(pilot))


async def test_a_links_second_recording_plays(
    synced: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = synced("cinnox")
    async with run_app(services, "rec").run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        window = table(pilot)._rows.window(0, 400)
        wanted = next(row for row in window if (row.recordings or 0) > 1)
    link = Link("cinnox", wanted.id, 2.0, 1)
    monkeypatch.setattr(SyncController, "sync", lambda _: None)
    async with RingbackApp(services, link=link).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "plays from 2s of recording 2" in status(pilot))
        await pilot.press("space")
        await until(pilot, lambda: main(pilot).player.playback.view.status == "playing")
        playing = main(pilot).player.playback.playing
        assert playing is not None and playing.index == 1
        assert main(pilot).player.playback.view.position_s >= 2


# -- related calls


async def test_related_calls_of_all_accounts_stand_in_the_detail_and_one_key_goes_round(
    home: Home,
) -> None:
    services = offline(home("nectar", "liner"))
    number = Contact(name="Anna", number="+49 30 1234567")
    with_calls(services, *(call(n, contact=Contact(name=f"Other {n}")) for n in range(100, 400)))
    with_calls(services, call(1, contact=number), call(3, original_call_id="1", contact=number))
    with_calls(
        services, call(2, contact=replace(number, number="0049 30 1234567")), account="liner"
    )
    async with run_app(services, "id:3").run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        key = table(pilot).current_key
        await pilot.press("enter", "G")
        await pilot.pause()
        await pilot.press("g")
        await until(pilot, lambda: "Related calls (J goes there)" in all_of(pilot))
        lines = all_of(pilot).partition("Related calls")[2].splitlines()[1:3]
        assert "same number" in lines[0] and "liner:2" in lines[0], "the newest first"
        assert "original" in lines[1] and "nectar:1" in lines[1]
        await pilot.press("J")
        assert "original, 1 of 2; esc goes back" in status(pilot)
        await until(pilot, lambda: shown(pilot) == "nectar:1")
        await settled(pilot)
        assert shown(pilot) == "nectar:1", "the others came round it"
        assert len(table(pilot)._rows) == 303, "the query hid it"
        await pilot.press("J")
        await until(pilot, lambda: shown(pilot) == "liner:2")
        await pilot.press("J")
        await until(pilot, lambda: table(pilot).current_key == key)
        assert main(pilot).query_text == "id:3" and main(pilot).detail_open
        await pilot.press("J", "J")
        await until(pilot, lambda: shown(pilot) == "liner:2")
        await pilot.press("escape")
        await until(pilot, lambda: table(pilot).current_key == key)
        await settled(pilot)
        assert main(pilot).query_text == "id:3" and len(table(pilot)._rows) == 1
        await pilot.press("escape")
        assert not main(pilot).detail_open, "then escape is what it was"


async def test_a_click_goes_to_a_related_call_and_a_call_without_any_says_so(home: Home) -> None:
    services = offline(home("nectar"))
    with_calls(services, call(1), call(2, original_call_id="1", contact=Contact()), call(3))
    async with run_app(services).run_test(size=(80, 50)) as pilot:
        await settled(pilot)
        await pilot.press("J")
        assert "no related call is known" in status(pilot)
        await pilot.press("j", "enter")
        await until(pilot, lambda: "nectar:1" in detail(pilot))
        y = next(y for y, line in enumerate(detail(pilot).splitlines()) if "nectar:1" in line)
        await pilot.click(main(pilot).query_one(CallDetail), offset=(10, y))
        await until(pilot, lambda: shown(pilot) == "nectar:1")
        await pilot.press("escape")
        await until(pilot, lambda: shown(pilot) == "nectar:2")


def shown(pilot: Pilot[None]) -> str:
    """The call under the cursor, which is the one in the detail."""
    widget = main(pilot).query_one(CallDetail)
    row = table(pilot)._blocks.row(table(pilot).cursor)
    assert widget.call and row and widget.call.id == row.id
    return f"{row.account}:{row.id}"


def all_of(pilot: Pilot[None]) -> str:
    """The whole page of the detail, also what is scrolled away."""
    lines = main(pilot).query_one(CallDetail).lines
    return "\n".join("".join(text for text, _ in line) for line in lines)


# -- exports


async def test_two_keys_export_the_present_query_with_the_tables_columns(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    services = offline(home("nectar"))
    with_calls(services, *(call(n, outcome=("missed", "answered")[n % 2]) for n in range(60)))
    async with run_app(services, "missed").run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        shown = table(pilot)._rows.window(0, 1000)
        await pilot.press("E")
        await until(pilot, lambda: isinstance(pilot.app.screen, ExportPrompt))
        assert "Export the calls of: missed" in page(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: f"{len(shown)} calls saved in" in status(pilot))
        [name] = os.listdir(tmp_path)
        assert name.startswith("ringback-") and name.endswith(".csv")
        text = (tmp_path / name).read_bytes().decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        assert [row["id"] for row in rows] == [row.id for row in shown], "in the table's order"
        assert list(rows[0])[:3] == ["started_at", "direction", "outcome"]
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
        await until(pilot, lambda: logged(services, "export"))
        [entry] = logged(services, "export")
        assert (entry["form"], entry["calls"], entry["accounts"]) == ("csv", len(shown), ["nectar"])


async def test_a_file_that_exists_is_replaced_only_after_a_question(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    services = offline(home("nectar"))
    with_calls(services, call(1))
    (tmp_path / "mine.jsonl").write_text("mine")

    async def ask(pilot: Pilot[None]) -> None:
        await pilot.press("E")
        await until(pilot, lambda: isinstance(pilot.app.screen, ExportPrompt))
        await pilot.press("shift+tab", "down", "down", "down", "enter", "tab")
        await until(pilot, lambda: ".jsonl" in page(pilot), 3)
        await pilot.press("ctrl+u")
        await press_each(pilot, "mine.jsonl")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        assert "mine.jsonl exists" in page(pilot)

    async with run_app(services).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await ask(pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert (tmp_path / "mine.jsonl").read_text() == "mine"
        await ask(pilot)
        await pilot.press("y")
        await until(pilot, lambda: "1 call saved" in status(pilot))
        assert json.loads((tmp_path / "mine.jsonl").read_text())["id"] == "1"
        await pilot.press("E")
        await until(pilot, lambda: isinstance(pilot.app.screen, ExportPrompt))
        await pilot.press("ctrl+u")
        await press_each(pilot, "no/such/x.csv")
        await pilot.press("enter")
        await until(pilot, lambda: "There is no folder" in page(pilot))
        await pilot.press("escape")
        await pilot.pause()
        assert os.listdir(tmp_path) == ["mine.jsonl"]


async def test_a_large_export_says_how_far_it_is_and_a_key_stops_it(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tui.screens.export_controller.TELL_S", 0.0)
    monkeypatch.setattr("tui.export.csv_json.STEP", 1)
    quick, seen = Archive.export, threading.Event()

    def slow(
        self: Archive, keys: Iterable[int], *more: Any
    ) -> Iterator[tuple[str, dict[str, object]]]:
        for number, one in enumerate(quick(self, keys, *more)):
            if number == 30:
                seen.wait(30.0)
            yield one

    monkeypatch.setattr(Archive, "export", slow)
    services = offline(home("nectar"))
    with_calls(services, *(call(n) for n in range(300)))
    async with run_app(services).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        main(pilot).query_one(StatusLine).unflash()  # the missing token
        await pilot.press("E")
        await until(pilot, lambda: pilot.app.screen.is_modal and pilot.app.focused is not None)
        await pilot.press("enter")
        await until(pilot, lambda: " of 300 (ctrl+x stops)" in status(pilot))
        await pilot.press("ctrl+x")
        seen.set()
        await until(pilot, lambda: not main(pilot).controllers.exports.progress)
        await until(pilot, lambda: os.listdir(tmp_path) == [])
        assert "1 stopped" in status(pilot)
        await pilot.press("j")
        assert table(pilot).cursor == 1


# -- the vendor's page


@pytest.mark.parametrize("ssh", [True, False])
async def test_the_vendors_page_opens_here_and_is_copied_over_ssh(
    home: Home, copied: list[str], monkeypatch: pytest.MonkeyPatch, ssh: bool
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: not opened.append(address))
    services = offline(home("nectar"))
    ways = {"SSH_CONNECTION": "1 2 3 4"} if ssh else {"DISPLAY": ":9", "PATH": ""}
    services = replace(services, environ={**services.environ, **ways})
    config = services.paths.config_file
    template = 'page = "https://pbx.example.com/calls/{id}"'
    config.write_text(
        config.read_text().replace("[accounts.nectar]", f"[accounts.nectar]\n{template}")
    )
    with_calls(services, call(7, id="7/x"))
    async with run_app(services).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("o")
        address = "https://pbx.example.com/calls/7%2Fx"
        await until(pilot, lambda: [*copied, *opened] == [address])
        await until(
            pilot, lambda: ("copied by" if ssh else "opened in the browser") in status(pilot)
        )
        assert copied == ([address] if ssh else [])


async def test_without_a_page_the_line_says_where_to_give_it(home: Home) -> None:
    services = offline(home("nectar"))
    with_calls(services, call(7))
    async with run_app(services).run_test(size=(120, 24)) as pilot:
        await settled(pilot)
        await pilot.press("o")
        await until(pilot, lambda: "[accounts.nectar] page =" in status(pilot))


async def test_a_whole_query_leaves_by_two_keys(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`E` and enter: what the table shows, as a file for a spreadsheet."""
    monkeypatch.chdir(tmp_path)
    services = offline(home("nectar"))
    with_calls(services, *(call(n) for n in range(30)))
    async with run_app(services).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("E")
        await until(pilot, lambda: pilot.app.focused is not None and pilot.app.screen.is_modal)
        await pilot.press("enter")
        await until(pilot, lambda: "30 calls saved" in status(pilot))


def test_a_device_or_a_pipe_is_not_replaced_by_an_export(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    assert "no ordinary file" in _wrong(pipe) and "no ordinary file" in _wrong(Path("/dev/null"))
    (tmp_path / "old.csv").write_text("")
    assert _wrong(tmp_path / "old.csv") == _wrong(tmp_path / "new.csv") == ""
