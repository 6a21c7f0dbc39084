"""Small apps around single widgets, for the pilot, for snapshots and for a pseudo-terminal.

``python -m tests.widgets.hosts SCENE`` runs one in a terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from textual.app import App, ComposeResult
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget

from tests.widgets.samples import (
    CLOCK,
    FULL,
    HOSTILE,
    PROBLEMS,
    SPARSE,
    ListRows,
    hostile_row,
)
from widgets.call_detail import CallDetail
from widgets.call_document import Extra, Section
from widgets.call_table import CallTable
from widgets.column_chooser import ColumnChooser
from widgets.columns import DEFAULT_COLUMNS
from widgets.confirm import Confirm
from widgets.empty_state import EmptyState
from widgets.form import Field, Form
from widgets.player_line import PlayerLine, PlayerView
from widgets.sidebar import AccountItem, Sidebar, ViewItem
from widgets.status_line import StatusLine
from widgets.text_modal import TextModal
from widgets.waveform import Wave, Waveform


class Host(App[None]):
    """Shows some widgets; `setup` is called once they are mounted."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, *widgets: Widget, setup: Callable[[Host], object] | None = None) -> None:
        super().__init__()
        self._widgets, self._setup = widgets, setup

    def compose(self) -> ComposeResult:
        yield from self._widgets

    def on_mount(self) -> None:
        if self._setup:
            self._setup(self)


class Seen:
    """A message hook for `run_test`: keeps each message of these kinds once."""

    def __init__(self, *kinds: type[Message]) -> None:
        self.kinds = kinds
        self.messages: list[Message] = []

    def __call__(self, message: Message) -> None:
        known = any(message is other for other in self.messages)
        if isinstance(message, self.kinds) and not known:
            self.messages.append(message)

    def take(self) -> list[Message]:
        """The messages since the last time."""
        taken, self.messages = self.messages, []
        return taken


def table_host(rows: ListRows, **attributes: object) -> Host:
    table = CallTable()

    def setup(host: Host) -> None:
        table.clock = CLOCK
        for name, value in attributes.items():
            setattr(table, name, value)
        table.set_rows(rows)
        table.focus()

    return Host(table, setup=setup)


VIEWS = (
    ViewItem("missed", "Missed today", "1", 12),
    ViewItem("follow", "Follow up", "2", 3),
    ViewItem("long", "Long calls with a very long name", "3", 1_234_567),
)
ACCOUNTS = (
    AccountItem("sales", "Liner", "fresh", 12_345, "2 min ago"),
    AccountItem("sales-eu", "Liner", "syncing", 1_500, "31%"),
    AccountItem("support", "CINNOX", "token missing", 0, "", "Set RINGBACK_TOKEN_SUPPORT."),
    AccountItem("hotline", "CINNOX", "rate-limited", 88, "for 30 s"),
    AccountItem("field", "Nectar Desk", "offline", 7, "yesterday"),
    AccountItem("lab", "Nectar Desk", "refused", 7, "", "The vendor answered 401."),
    AccountItem("old", "Nectar Desk", "failed", None, ""),
    AccountItem("new", "Nectar Desk"),
)  # fmt: skip


def sidebar_host(
    accounts: tuple[AccountItem, ...] = ACCOUNTS, views: tuple[ViewItem, ...] = VIEWS
) -> Host:
    sidebar = Sidebar()
    sidebar.views, sidebar.accounts = views, accounts
    return Host(sidebar, setup=lambda host: sidebar.focus())


def detail_host(call: object, extra: Extra | None = None) -> Host:
    detail = CallDetail()

    def setup(host: Host) -> None:
        detail.show(call, "support", CLOCK, extra)  # type: ignore[arg-type]
        detail.focus()

    return Host(detail, setup=setup)


EXTRA = Extra((Section("Triage", ("open, Ann, 15:20: call back on Monday",)),), playing=1)

PLAYER_STATES = (
    PlayerView("loading", title="Ada Lovelace, recording 1 of 2", message="fetching 2.1 MB"),
    PlayerView("playing", 41.2, 254.0, title="Ada Lovelace, recording 1 of 2"),
    PlayerView("paused", 200.0, 254.0, 1.5, 80, "Ada Lovelace, recording 1 of 2", "", "laptop"),
    PlayerView("finished", 3700.0, 3700.0, title="日本語の長い名前がここにあります"),
    PlayerView("failed", message="the recording was deleted at the vendor"),
    PlayerView("playing", 12.0, None, 2.0, title=HOSTILE[0] + HOSTILE[1]),
    PlayerView(
        "playing", 41.2, 254.0, 1.25, 110, "Ada Lovelace", "", "no sound",
        "left", True, (12.0, 71.5), True, True,
    ),
    PlayerView("paused", 41.2, 254.0, 1.0, 0, "Ada Lovelace", loop=(3671.0, None)),
    PlayerView(
        "playing", 41.2, 254.0, title="Ada Lovelace", output="no sound", autoplay=True,
        message="no sound: no device was found here; playing in silence (`ringback doctor`)",
    ),
)  # fmt: skip


def player_host() -> Host:
    lines = [PlayerLine() for _ in range(len(PLAYER_STATES) + 2)]

    def setup(host: Host) -> None:
        for line, state in zip(lines, PLAYER_STATES, strict=False):
            line.state = state
        lines[-1].plain = True
        lines[-1].state = PLAYER_STATES[1]

    return Host(*lines, setup=setup)


def sounding(windows: int, period: int, share: float, seed: int = 0) -> bytes:
    """A lane of peaks: speech for `share` of every `period` windows, silence for the rest."""
    return bytes(
        60 + (at * 37 + at // 7 * 53 + seed) % 150
        if (at + seed) % period < share * period
        else (at * 7) % 15
        for at in range(windows)
    )


MONO = Wave((sounding(1200, 200, 0.7),), 1, True, length_s=60.0, position_s=20.0)
STEREO = Wave(
    (sounding(5080, 700, 0.6), sounding(5080, 700, 0.5, 350)), 1, True,
    length_s=254.0, position_s=41.2, loop=(100.0, 180.5), comments=(30.0, 222.0),
)  # fmt: skip
WAVES = (
    MONO,
    STEREO,
    replace(STEREO, lanes=(STEREO.lanes[0][:1800], STEREO.lanes[1][:1800]), complete=False),
    replace(STEREO, side="right", loop=(100.0, None)),
    Wave((b"", b""), length_s=60.0),
    replace(MONO, lanes=(b"",), complete=False, length_s=None),
)


def wave_host() -> Host:
    waves = [Waveform() for _ in range(len(WAVES) + 1)]

    def setup(host: Host) -> None:
        waves[-1].plain = True
        for widget, wave in zip(waves, (*WAVES, STEREO), strict=True):
            widget.styles.margin = (0, 0, 1, 0)
            widget.wave = wave

    return Host(*waves, setup=setup)


def status_host() -> Host:
    plain, busy, warned, failed = StatusLine(), StatusLine(), StatusLine(), StatusLine()

    def setup(host: Host) -> None:
        for line in (plain, busy, warned, failed):
            line.left = "rows 101-140 of 12,345 · page 3 of 124"
        busy.progress = "Liner: 1,500 of 12,345"
        warned.flash("CINNOX asks us to wait for 30 s", "warning", 999)
        failed.flash("a very long error " * 9 + HOSTILE[0], "error", 999)

    return Host(plain, busy, warned, failed, setup=setup)


def empty_host(kind: str, sentence: str = "") -> Host:
    state = EmptyState()
    state.kind, state.sentence = kind, sentence
    return Host(state)


FIELDS = (
    Field("name", "Name", value="support", required=True, help="Letters, digits and dashes."),
    Field(
        "vendor", "Vendor", "select", "cinnox", required=True,
        options=(("Liner", "liner"), ("CINNOX", "cinnox"), ("[b]Nectar[/] Desk", "nectar")),
    ),
    Field("url", "Base URL", value="http://example.test", required=True),
    Field("token", "Token", "password", "s3cret", help="Kept in the keyring."),
    Field("sync", "Fetch calls at once", "checkbox", True),
)  # fmt: skip


def form_host(errors: dict[str, str] | None = None) -> Host:
    form = Form(FIELDS)

    def setup(host: Host) -> None:
        if errors:
            host.call_after_refresh(form.set_errors, errors)

    return Host(form, setup=setup)


def modal_host(screen: Callable[[], Screen[Any]]) -> Host:
    return Host(setup=lambda host: host.push_screen(screen()))


URL_ERROR = {"url": "Plain http is for loopback alone.", "name": "Taken [/] already."}

SCENES: dict[str, Callable[[], Host]] = {
    "table": lambda: table_host(ListRows(range(1000))),
    "table-marked": lambda: table_host(
        ListRows(range(200)), marked=frozenset((0, 4, 9)), sort=("contact", False), plain=True
    ),
    "table-hostile": lambda: table_host(ListRows(range(60), hostile_row)),
    "sidebar": sidebar_host,
    "sidebar-hostile": lambda: sidebar_host(
        tuple(AccountItem(t, t, t, 1, t, t) for t in HOSTILE),
        tuple(ViewItem(t, t, t, 1) for t in HOSTILE),
    ),
    "detail-full": lambda: detail_host(FULL, EXTRA),
    "detail-sparse": lambda: detail_host(SPARSE),
    "detail-problems": lambda: detail_host(PROBLEMS),
    "player": player_host,
    "waveform": wave_host,
    "status": status_host,
    "empty-accounts": lambda: empty_host(
        "no accounts", "Add a Liner, CINNOX or Nectar Desk account to see calls."
    ),
    "empty-refused": lambda: empty_host("refused", "CINNOX (support) says: " + HOSTILE[0]),
    "form": lambda: form_host(URL_ERROR),
    "chooser": lambda: modal_host(lambda: ColumnChooser(DEFAULT_COLUMNS)),
    "confirm": lambda: modal_host(lambda: Confirm("Remove 3 calls?", HOSTILE[0], yes="Remove")),
    "text": lambda: modal_host(lambda: TextModal("Error", "\n".join(HOSTILE * 9))),
}


def everything_hostile() -> Host:
    """Every widget on one screen, and every text of theirs from somebody who means harm."""
    words = tuple(ViewItem(text, text, text, 1) for text in HOSTILE)
    items = tuple(AccountItem(text, text, text, 1, text, text) for text in HOSTILE)
    sidebar, table, detail, empty = Sidebar(), CallTable(), CallDetail(), EmptyState()
    player, status = PlayerLine(), StatusLine()
    form = Form((Field("a", HOSTILE[0], value=HOSTILE[1], help=HOSTILE[4]),), submit=HOSTILE[2])

    def setup(host: Host) -> None:
        sidebar.views, sidebar.accounts = words, items
        table.clock = CLOCK
        table.set_rows(ListRows(range(60), hostile_row))
        sections = (Section(HOSTILE[0], HOSTILE),)
        detail.show(PROBLEMS, HOSTILE[1], CLOCK, Extra(sections))
        empty.sentence = " ".join(HOSTILE)
        player.state = PlayerView("playing", 1.0, 2.0, title=HOSTILE[0], output=HOSTILE[1])
        status.left = HOSTILE[1]
        status.flash(HOSTILE[0], "error", 999)
        host.call_after_refresh(form.set_errors, {"a": HOSTILE[1]})
        table.focus()

    widgets = (sidebar, table, detail, empty, form)
    for widget in widgets:
        widget.styles.height = "1fr"
    return Host(*widgets, player, status, setup=setup)


SCENES["everything-hostile"] = everything_hostile

if __name__ == "__main__":
    SCENES[sys.argv[1]]().run()
