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

from providers.model import Contact
from tests.archive.calls import call
from tests.ui.calls_page import CallsPage, open_page
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

Home = Callable[..., Services]


def with_calls(services: Services, *calls: object, account: str = "nectar") -> None:
    """Put calls into the archive, as a sync would."""
    with services.open_archive() as archive, archive.transaction():
        archive.save(account, calls)  # type: ignore[arg-type]


def offline(services: Services) -> Services:
    """The same without tokens: nothing comes beside what the test put there."""
    kept = {key: value for key, value in services.environ.items() if "TOKEN" not in key}
    return replace(services, environ=kept)


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
    async with open_page(services, "id:7") as page:
        await page.idle()
        before = page.hints
        for key, text in (
            ("n", "+1 202 555"),
            ("i", "7"),
            ("l", "ringback://nectar/7"),
        ):
            await page.press("y")
            assert page.hints == "n Number i Id l Link s Summary esc Nothing"
            await page.press(key)
            await page.until(lambda text=text: copied[-1:] == [text])  # type: ignore[misc]
            assert page.hints == before and page.focused is page.table
        await page.until(lambda: "link copied by the terminal (OSC 52): ring" in page.status)
        await page.press("y", "s")
        await page.until(lambda: len(copied) == 4)
        assert copied[-1].startswith("2026-11-02 09:07:00 · inbound · answered · Anna")
        assert copied[-1].endswith("0:07 · agent Zoë Müller · Sale · nectar:7")
        assert copied[-1].isprintable()


async def test_another_key_waits_on_and_escape_ends_it(home: Home, copied: list[str]) -> None:
    services = offline(home("nectar"))
    with_calls(services, call(7), call(8, contact=Contact()))
    async with open_page(services) as page:
        await page.idle()
        row = page.row
        await page.press("y", "j", "q", "d", "space")
        assert "press n number, i id, l link, s summary" in page.status
        assert page.row == row and page.app.is_running and not page.player.strip()
        await page.press("escape")
        await page.pause()
        assert page.focused is page.table and "Filter" in page.hints
        await page.press("y", "n")
        await page.until(lambda: "this call has no number" in page.status)
        assert copied == []
        await page.press("y")
        await page.click(page.table, 10, 2)
        await page.pause()
        assert "Filter" in page.hints, "a click elsewhere ends the waiting"
        await page.press("y")
        await page.click(page.screen.query_one(KeyLine), 9, 0)
        await page.until(lambda: copied == ["7"])


async def test_keys_typed_ahead_of_the_screen_stay_in_order(home: Home, copied: list[str]) -> None:
    services = offline(home("nectar"))
    with_calls(services, *(call(n) for n in range(5)))
    async with open_page(services) as page:
        await page.idle()
        for key in "yiynylj":
            page.app.post_message(events.Key(key, key))
        await page.until(lambda: page.table.cursor == 1)
        await page.until(lambda: sorted(copied) == ["+12025550004", "4", "ringback://nectar/4"])


async def test_a_link_names_the_playhead(synced: Home, copied: list[str]) -> None:
    services = synced("nectar")
    async with open_page(services, "rec dur>60 dur<300", size=(120, 30)) as page:
        await page.idle()
        await page.press("space")
        await page.until(lambda: "Playing" in page.player)
        await page.press("right", "right", "space")
        await page.until(lambda: "Paused" in page.player)
        at_s = page.sound.view.position_s
        assert at_s >= 10
        await page.press("y", "l")
        await page.until(lambda: copied)
        link = parse(copied[0])
        assert link.at_s == int(at_s) and link.recording == 0
        await page.until(lambda: logged(services, "play"))
        [entry] = logged(services, "play")
        assert entry["call"] == link.name, "pausing and seeking are one play"


# -- links


async def test_a_link_opens_its_call_among_all_and_plays_from_its_time(
    synced: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = synced("nectar")
    async with open_page(services, "rec dur>60 dur<300") as page:
        await page.idle()
        wanted = page.calls(50)[-1]
    link = Link("nectar", wanted.id, 21.0)
    monkeypatch.setattr(SyncController, "sync", lambda _: None)  # what it says covers the line
    async with open_page(services, link=link) as page:
        await page.pause()
        assert wanted.id in page.detail, "it stands there with the first paint"
        assert "space plays from 21s" in page.status
        await page.idle()
        assert page.count > 50 and page.key == wanted.key
        await page.press("space")
        await page.until(lambda: "Playing" in page.player and "0:2" in page.player)
        assert page.sound.view.position_s >= 21
        await page.press("s", "escape")
        assert page.key == wanted.key


async def test_the_place_of_a_link_is_said_until_it_is_played(home: Home) -> None:
    services = home("nectar")
    async with open_page(services, "rec dur>60 dur<300") as page:
        await page.idle()
        wanted = page.calls(50)[-1]
    link = Link("nectar", wanted.id, 21.0)
    async with open_page(services, link=link) as page:
        await page.idle()
        page.status_line.flash("something else", "info")
        await page.until(lambda: page.status.rstrip().endswith("space plays from 21s"), 10)
        await page.press("escape", "j")
        await page.until(lambda: "plays from" not in page.status)
        await page.press("k", "space")
        await page.until(lambda: "Playing" in page.player)
        await page.until(lambda: "plays from" not in page.status)


async def test_a_links_second_recording_plays(
    synced: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = synced("cinnox")
    async with open_page(services, "rec") as page:
        await page.idle()
        window = page.calls(400)
        wanted = next(row for row in window if (row.recordings or 0) > 1)
    link = Link("cinnox", wanted.id, 2.0, 1)
    monkeypatch.setattr(SyncController, "sync", lambda _: None)
    async with open_page(services, link=link) as page:
        await page.until(lambda: "plays from 2s of recording 2" in page.status)
        await page.press("space")
        await page.until(lambda: page.sound.view.status == "playing")
        playing = page.sound.playing
        assert playing is not None and playing.index == 1
        assert page.sound.view.position_s >= 2


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
    async with open_page(services, "id:3") as page:
        await page.idle()
        key = page.key
        await page.press("enter", "G")
        await page.pause()
        await page.press("g")
        await page.until(lambda: "Related calls (J goes there)" in page.whole_detail)
        lines = page.whole_detail.partition("Related calls")[2].splitlines()[1:3]
        assert "same number" in lines[0] and "liner:2" in lines[0], "the newest first"
        assert "original" in lines[1] and "nectar:1" in lines[1]
        await page.press("J")
        assert "original, 1 of 2; esc goes back" in page.status
        await page.until(lambda: shown(page) == "nectar:1")
        await page.idle()
        assert shown(page) == "nectar:1", "the others came round it"
        assert page.count == 303, "the query hid it"
        await page.press("J")
        await page.until(lambda: shown(page) == "liner:2")
        await page.press("J")
        await page.until(lambda: page.key == key)
        assert page.query == "id:3" and page.detail_is_open
        await page.press("J", "J")
        await page.until(lambda: shown(page) == "liner:2")
        await page.press("escape")
        await page.until(lambda: page.key == key)
        await page.idle()
        assert page.query == "id:3" and page.count == 1
        await page.press("escape")
        assert not page.detail_is_open, "then escape is what it was"


async def test_a_click_goes_to_a_related_call_and_a_call_without_any_says_so(home: Home) -> None:
    services = offline(home("nectar"))
    with_calls(services, call(1), call(2, original_call_id="1", contact=Contact()), call(3))
    async with open_page(services, size=(80, 50)) as page:
        await page.idle()
        await page.press("J")
        assert "no related call is known" in page.status
        await page.press("j", "enter")
        await page.until(lambda: "nectar:1" in page.detail)
        y = next(y for y, line in enumerate(page.detail.splitlines()) if "nectar:1" in line)
        await page.click(page.screen.query_one(CallDetail), 10, y)
        await page.until(lambda: shown(page) == "nectar:1")
        await page.press("escape")
        await page.until(lambda: shown(page) == "nectar:2")


def shown(page: CallsPage) -> str:
    """The call under the cursor, which is the one in the detail."""
    widget = page.screen.query_one(CallDetail)
    row = page.call
    assert widget.call and row and widget.call.id == row.id
    return f"{row.account}:{row.id}"


# -- exports


async def test_two_keys_export_the_present_query_with_the_tables_columns(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    services = offline(home("nectar"))
    with_calls(services, *(call(n, outcome=("missed", "answered")[n % 2]) for n in range(60)))
    async with open_page(services, "missed") as page:
        await page.idle()
        shown = page.calls(1000)
        await page.press("E")
        await page.until(lambda: isinstance(page.top, ExportPrompt))
        assert "Export the calls of: missed" in page.text
        await page.press("enter")
        await page.until(lambda: f"{len(shown)} calls saved in" in page.status)
        [name] = os.listdir(tmp_path)
        assert name.startswith("ringback-") and name.endswith(".csv")
        text = (tmp_path / name).read_bytes().decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        assert [row["id"] for row in rows] == [row.id for row in shown], "in the table's order"
        assert list(rows[0])[:3] == ["started_at", "direction", "outcome"]
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
        await page.until(lambda: logged(services, "export"))
        [entry] = logged(services, "export")
        assert (entry["form"], entry["calls"], entry["accounts"]) == ("csv", len(shown), ["nectar"])


async def test_a_file_that_exists_is_replaced_only_after_a_question(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    services = offline(home("nectar"))
    with_calls(services, call(1))
    (tmp_path / "mine.jsonl").write_text("mine")

    async def ask(page: CallsPage) -> None:
        await page.press("E")
        await page.until(lambda: isinstance(page.top, ExportPrompt))
        await page.press("shift+tab", "down", "down", "down", "enter", "tab")
        await page.until(lambda: ".jsonl" in page.text, 3)
        await page.press("ctrl+u")
        await page.type_text("mine.jsonl")
        await page.press("enter")
        await page.until(lambda: isinstance(page.top, Confirm))
        assert "mine.jsonl exists" in page.text

    async with open_page(services) as page:
        await page.idle()
        await ask(page)
        await page.press("enter")
        await page.pause()
        assert (tmp_path / "mine.jsonl").read_text() == "mine"
        await ask(page)
        await page.press("y")
        await page.until(lambda: "1 call saved" in page.status)
        assert json.loads((tmp_path / "mine.jsonl").read_text())["id"] == "1"
        await page.press("E")
        await page.until(lambda: isinstance(page.top, ExportPrompt))
        await page.press("ctrl+u")
        await page.type_text("no/such/x.csv")
        await page.press("enter")
        await page.until(lambda: "There is no folder" in page.text)
        await page.press("escape")
        await page.pause()
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
    async with open_page(services) as page:
        await page.idle()
        page.unflash()  # the missing token
        await page.press("E")
        await page.until(lambda: page.top.is_modal and page.focused is not None)
        await page.press("enter")
        await page.until(lambda: " of 300 (ctrl+x stops)" in page.status)
        await page.press("ctrl+x")
        seen.set()
        await page.until(lambda: not page.screen.controllers.exports.progress)
        await page.until(lambda: os.listdir(tmp_path) == [])
        assert "1 stopped" in page.status
        await page.press("j")
        assert page.table.cursor == 1


# -- the vendor's page


@pytest.mark.parametrize("ssh", [True, False])
async def test_the_vendors_page_opens_here_and_is_copied_over_ssh(
    home: Home, copied: list[str], monkeypatch: pytest.MonkeyPatch, ssh: bool
) -> None:
    opened: list[str] = []

    def open_browser(address: str) -> bool:
        opened.append(address)
        return True

    monkeypatch.setattr("webbrowser.open", open_browser)
    services = offline(home("nectar"))
    ways = {"SSH_CONNECTION": "1 2 3 4"} if ssh else {"DISPLAY": ":9", "PATH": ""}
    services = replace(services, environ={**services.environ, **ways})
    config = services.paths.config_file
    template = 'page = "https://pbx.example.com/calls/{id}"'
    config.write_text(
        config.read_text().replace("[accounts.nectar]", f"[accounts.nectar]\n{template}")
    )
    with_calls(services, call(7, id="7/x"))
    async with open_page(services) as page:
        await page.idle()
        await page.press("o")
        address = "https://pbx.example.com/calls/7%2Fx"
        await page.until(lambda: [*copied, *opened] == [address])
        await page.until(lambda: ("copied by" if ssh else "opened in the browser") in page.status)
        assert copied == ([address] if ssh else [])


async def test_without_a_page_the_line_says_where_to_give_it(home: Home) -> None:
    services = offline(home("nectar"))
    with_calls(services, call(7))
    async with open_page(services, size=(120, 24)) as page:
        await page.idle()
        await page.press("o")
        await page.until(lambda: "[accounts.nectar] page =" in page.status)


async def test_a_whole_query_leaves_by_two_keys(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`E` and enter: what the table shows, as a file for a spreadsheet."""
    monkeypatch.chdir(tmp_path)
    services = offline(home("nectar"))
    with_calls(services, *(call(n) for n in range(30)))
    async with open_page(services) as page:
        await page.idle()
        await page.press("E")
        await page.until(lambda: page.focused is not None and page.top.is_modal)
        await page.press("enter")
        await page.until(lambda: "30 calls saved" in page.status)


def test_a_device_or_a_pipe_is_not_replaced_by_an_export(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    assert "no ordinary file" in _wrong(pipe) and "no ordinary file" in _wrong(Path("/dev/null"))
    (tmp_path / "old.csv").write_text("")
    assert _wrong(tmp_path / "old.csv") == _wrong(tmp_path / "new.csv") == ""
