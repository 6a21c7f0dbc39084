"""Every command of every screen, once: bindings, footer, palette, help and the table of `docs`
are made from this list, and `[keys]` in config.toml remaps it by id.

A widget's own commands have the keys of this list in its bindings, too: it stands alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Command(NamedTuple):
    """One thing that a key does."""

    id: str
    keys: str
    """Textual's names of keys, comma-separated; empty: only in the palette."""
    title: str
    """Two words for footer and palette."""
    help: str
    """One sentence."""
    group: str
    action: str = ""
    """The action of the screen (``toggle_sidebar``); empty: a widget's own binding."""
    footer: bool = False
    context: str = "main"
    """Where it works; see `CONTEXTS`."""


COMMANDS = (
    # -- the table (its own bindings; listed here for help, remapping and the docs)
    Command("table.down", "j,down", "Next call", "Go to the next call.", "Move", context="table"),
    Command("table.up", "k,up", "Previous call", "Go to the previous call.", "Move", context="table"),
    Command("table.first", "g,home", "First call", "Go to the first call.", "Move", context="table"),
    Command("table.last", "G,end", "Last call", "Go to the last call.", "Move", context="table"),
    Command("table.half-down", "ctrl+d", "Half page down", "Go down half a page.", "Move", context="table"),
    Command("table.half-up", "ctrl+u", "Half page up", "Go up half a page.", "Move", context="table"),
    Command("table.page-down", "pagedown", "Page down", "Go down a page.", "Move", context="table"),
    Command("table.page-up", "pageup", "Page up", "Go up a page.", "Move", context="table"),
    Command("table.open", "enter", "Open", "Open the call's detail.", "Move", "open", True, context="table"),
    Command("table.sort-left", "less_than_sign", "Sort left", "Sort by the column before.", "Table", context="table"),
    Command("table.sort-right", "greater_than_sign", "Sort right", "Sort by the next column.", "Table", context="table"),
    Command("table.reverse", "z", "Reverse", "Turn the order round.", "Table", context="table"),
    Command("table.mark", "x", "Mark", "Mark the call, or take its mark away.", "Triage", context="table"),
    Command("table.mark-range", "X", "Mark range", "Mark from the last mark, or from here, to wherever the cursor goes; again: end.", "Triage", context="table"),
    # -- what is decided about a call, or about all that are marked
    Command("done", "d", "Done", "Done, and on to the next untriaged call.", "Triage", "triage('done')", True),
    Command("done-with-note", "D", "Done, note", "Done with a note, and on.", "Triage", "done_with_note"),
    Command("follow-up", "f", "Follow up", "To be followed up.", "Triage", "triage('follow-up')"),
    Command("open", "", "Open, undecided", "Somebody is at it.", "Triage", "triage('open')"),
    Command("new", "", "New again", "As if nobody had decided.", "Triage", "triage('new')"),
    Command("note", "", "Note", "Write a note; earlier ones are kept.", "Triage", "note"),
    Command("tag", "t", "Tag", "Give tags of ours; -tag takes one away.", "Triage", "tag"),
    Command("comment", "c", "Comment", "Comment at the playhead, or at a time.", "Triage", "comment"),
    Command("snooze", "Z", "Snooze", "Put off until a time.", "Triage", "snooze"),
    Command("snooze-hour", "", "Snooze 1 hour", "Put off for an hour.", "Triage", "snooze('1h')"),
    Command("snooze-tomorrow", "", "Snooze until tomorrow", "Put off to 9:00 tomorrow.", "Triage", "snooze('tomorrow')"),
    Command("snooze-monday", "", "Snooze until Monday", "Put off to 9:00 on Monday.", "Triage", "snooze('monday')"),
    Command("hold", "K", "Hold", "Keep the call whatever happens: no purge takes it; again: release it.", "Triage", "hold"),
    Command("undo", "u", "Undo", "Take back your last step, and go to that call; again: the one before.", "Triage", "undo"),
    Command("next-untriaged", "n", "Next untriaged", "Go to the next untriaged call.", "Triage", "untriaged(1)"),
    Command("previous-untriaged", "N", "Previous untriaged", "Go to the previous untriaged call.", "Triage", "untriaged(-1)"),
    # -- the screen
    Command("filter", "slash", "Filter", "Edit the query; the table narrows while you type.", "Table", "filter", True),
    Command("save-view", "V", "Save view", "Keep the present query as a view, by a name.", "Table", "save_view"),
    Command("columns", "C", "Columns", "Choose the table's columns and their order.", "Table", "columns"),
    Command("refresh", "r", "Refresh", "Ask the vendors for what is new.", "Calls", "refresh", True),
    Command("load-all", "R", "Load all", "Bring every call of the shown accounts, to the end.", "Calls", "load_all"),
    Command("refresh-call", "U", "Ask anew", "Ask the vendor anew for the call, or all that are marked, with its recordings.", "Calls", "refresh_call"),
    Command("discover", "", "Discover ids", "Vendors that give calls by id: look above the highest known.", "Calls", "discover"),
    Command("cancel", "ctrl+x", "Cancel", "Stop the syncs, downloads and long readings that are running; else take all marks away.", "Calls", "cancel_work"),
    Command("related", "J", "Related call", "Go to the original call or the next one with the number; in the end back.", "Calls", "related"),
    Command("copy", "y", "Copy", "Copy, by a second key: n number, i id, l link, s summary.", "Calls", "copy"),
    Command("export", "E", "Export", "Save the calls of the present query as CSV or JSON Lines.", "Calls", "export"),
    Command("page", "o", "Vendor's page", "Open the call's page at the vendor; over SSH copy its address.", "Calls", "page"),
    Command("play", "space", "Play", "Play the call's recording; again: pause, and go on.", "Recording", "play", True),
    Command("seek-back", "left", "Back 5 s", "Go back 5 seconds.", "Recording", "seek(-5)"),
    Command("seek-forward", "right", "Forward 5 s", "Go forward 5 seconds.", "Recording", "seek(5)"),
    Command("seek-back-far", "shift+left", "Back 30 s", "Go back 30 seconds.", "Recording", "seek(-30)"),
    Command("seek-forward-far", "shift+right", "Forward 30 s", "Go forward 30 seconds.", "Recording", "seek(30)"),
    Command("restart", "0", "From the start", "Play from the start.", "Recording", "restart"),
    Command("stop", "s", "Stop", "Stop playing.", "Recording", "stop"),
    Command("slower", "left_square_bracket", "Slower", "Play slower by a quarter; the pitch stays.", "Recording", "speed(-0.25)"),
    Command("faster", "right_square_bracket", "Faster", "Play faster by a quarter; the pitch stays.", "Recording", "speed(0.25)"),
    Command("normal-speed", "equals_sign", "Speed 1", "Play at normal speed.", "Recording", "normal_speed"),
    Command("louder", "plus", "Louder", "Turn the volume up.", "Recording", "volume(0.1)"),
    Command("quieter", "minus", "Quieter", "Turn the volume down.", "Recording", "volume(-0.1)"),
    Command("mute", "m", "Mute", "No sound; again: as loud as before.", "Recording", "mute"),
    Command("side", "vertical_line", "Side", "Hear one side of a stereo recording: left, right, both.", "Recording", "side"),
    Command("skip-silence", "i", "Skip silence", "Shorten long silences, or hear them again.", "Recording", "skip_silence"),
    Command("loop", "l", "Loop", "Mark where a loop begins; again: where it ends; again: no loop.", "Recording", "loop"),
    Command("next-turn", "L", "Next turn", "Go to where somebody speaks next.", "Recording", "turn(1)"),
    Command("previous-turn", "H", "Previous turn", "Go back to where this turn of speech began, or the one before.", "Recording", "turn(-1)"),
    Command("turns", "W", "In words", "The recording in words: who speaks when, and the silences.", "Recording", "turns"),
    *(
        Command(f"percent-{n}0", "", f"Go to {n}0 %", f"Go to {n}0 % of the recording.", "Recording", f"percent({n}0)")
        for n in range(1, 10)
    ),
    Command("next-recording", "full_stop", "Next recording", "Play the call's next recording.", "Recording", "recording(1)"),
    Command("previous-recording", "comma", "Previous recording", "Play the call's previous recording.", "Recording", "recording(-1)"),
    Command("autoplay", "A", "Autoplay", "When a recording has ended, or its call is done, play the next: of the call, then of the calls below.", "Recording", "autoplay"),
    Command("download", "w", "Download", "Save the call's recordings in the current folder.", "Recording", "download"),
    Command("output", "O", "Output", "Hear it elsewhere: at your speaker, on this machine, not at all.", "Recording", "output"),
    Command("copy-speaker", "Y", "Copy speaker", "Copy the command that brings the sound to your own machine.", "Recording", "copy_speaker"),
    Command("insights", "I", "Insights", "The figures of the calls that match, as charts; each bar opens its calls.", "Screen", "insights"),
    Command("mask", "M", "Mask", "Mask numbers and names for a screen that is shared, or show them again.", "Screen", "mask"),
    Command("reveal", "v", "Reveal", "Show the masked call until the cursor leaves it; the audit log has it.", "Screen", "reveal"),
    Command("sidebar", "b", "Sidebar", "Show or hide the sidebar.", "Screen", "toggle_sidebar"),
    Command("detail", "p", "Detail", "Show or hide the detail beside the table.", "Screen", "toggle_detail"),
    Command("next-pane", "tab", "Next pane", "Go to the next pane.", "Screen", "next_pane"),
    Command("previous-pane", "shift+tab", "Previous pane", "Go to the previous pane.", "Screen", "previous_pane"),
    Command("accounts", "a", "Accounts", "Add, test and remove accounts.", "Screen", "accounts", True),
    Command("demo", "e", "Demo", "Without an account: try it with synthetic calls; nothing of yours is touched.", "Screen", "demo"),
    Command("back", "escape", "Back", "Leave what is open; then show all calls, on the call where you were.", "Screen", "back", True),
    Command("help", "question_mark", "Help", "All keys, and how the query line is written.", "Screen", "help", True),
    Command("palette", "colon,ctrl+p", "Commands", "Find a command by its name.", "Screen", "app.command_palette"),
    Command("leave", "q", "Back, quit", "Leave what is open; at the table: quit.", "Screen", "leave"),
    Command("suspend", "ctrl+z", "Suspend", "Back to the shell; `fg` there comes back.", "Screen", "app.suspend_process", context="everywhere"),
    Command("quit", "ctrl+q", "Quit", "Quit at once.", "Screen", "app.quit", True, context="everywhere"),
    *(
        Command(f"view-{n}", str(n), f"View {n}", f"Show view {n} of the sidebar.", "Views", f"view({n})")
        for n in range(1, 10)
    ),
    # -- beside the table
    Command("sidebar.down", "j,down", "Next", "Go to the next line.", "Sidebar", context="sidebar"),
    Command("sidebar.up", "k,up", "Previous", "Go to the previous line.", "Sidebar", context="sidebar"),
    Command("sidebar.first", "g,home", "First", "Go to the first line.", "Sidebar", context="sidebar"),
    Command("sidebar.last", "G,end", "Last", "Go to the last line.", "Sidebar", context="sidebar"),
    Command("sidebar.choose", "enter", "Show", "Show the calls of the line; of a name: only or no longer its calls.", "Sidebar", context="sidebar"),
    Command("detail.next-comment", "enter", "Next comment", "Play from the next comment of the call.", "Detail and texts", context="detail"),
    Command("query.keep", "enter", "Keep", "Keep the query, or give the answer, and leave the line.", "Query and answers", context="line"),
    Command("query.to-table", "down", "Keep", "Keep the query, and go to the table; behind earlier ones: to the later one.", "Query and answers", context="query"),
    Command("query.earlier", "up", "Earlier", "The query that was kept before; again: the one before that.", "Query and answers", context="query"),
    Command("query.undo", "escape", "Undo", "Leave the line; the query is as before, nothing is answered.", "Query and answers", context="line"),
    Command("query.complete", "tab", "Complete", "Take the first name or word that is proposed.", "Query and answers", context="line"),
    Command("prompt.complete", "down", "Complete", "The same, where an answer is typed.", "Query and answers", context="prompt"),
    # -- other screens
    Command("text.down", "j,down", "Down", "Go down a line.", "Detail and texts", context="text"),
    Command("text.up", "k,up", "Up", "Go up a line.", "Detail and texts", context="text"),
    Command("text.half-down", "ctrl+d", "Half a page down", "Go down half a page.", "Detail and texts", context="text"),
    Command("text.half-up", "ctrl+u", "Half a page up", "Go up half a page.", "Detail and texts", context="text"),
    Command("text.page-down", "pagedown", "Page down", "Go down a page.", "Detail and texts", context="text"),
    Command("text.page-up", "pageup", "Page up", "Go up a page.", "Detail and texts", context="text"),
    Command("text.first", "g,home", "First line", "Go to the first line.", "Detail and texts", context="text"),
    Command("text.last", "G,end", "Last line", "Go to the last line.", "Detail and texts", context="text"),
    Command("text.close", "escape,q,enter", "Close", "Close the text.", "Detail and texts", context="text view"),
    Command("text.copy", "y", "Copy", "Copy the whole text.", "Detail and texts", context="text view"),
    Command("help.back", "escape,q,question_mark", "Back", "Leave the help.", "Help", "app.pop_screen", True, "help"),
    Command("columns.down", "j,down", "Next", "Go to the next column.", "Columns", context="columns"),
    Command("columns.up", "k,up", "Previous", "Go to the previous column.", "Columns", context="columns"),
    Command("columns.first", "g,home", "First", "Go to the first column.", "Columns", context="columns"),
    Command("columns.last", "G,end", "Last", "Go to the last column.", "Columns", context="columns"),
    Command("columns.toggle", "space,x", "On or off", "Show the column, or do not.", "Columns", context="columns"),
    Command("columns.move-down", "J,shift+down", "Move down", "Put the column further right in the table.", "Columns", context="columns"),
    Command("columns.move-up", "K,shift+up", "Move up", "Put the column further left in the table.", "Columns", context="columns"),
    Command("columns.default", "0", "Default columns", "The columns of the start.", "Columns", context="columns"),
    Command("columns.accept", "enter", "Accept", "Take these columns.", "Columns", context="columns"),
    Command("columns.cancel", "escape,q", "Cancel", "Leave the columns as they were.", "Columns", context="columns"),
    Command("accounts.add", "a", "Add", "Add an account.", "Accounts", "add", True, "accounts"),
    Command("accounts.change", "e", "Change, give token", "Change the account, or give its token anew; so does enter.", "Accounts", "change", True, "accounts"),
    Command("accounts.test", "t", "Test", "Ask the vendor whether it accepts the account.", "Accounts", "test", True, "accounts"),
    Command("accounts.remove", "x,delete", "Remove", "Remove the account, after a question.", "Accounts", "remove", True, "accounts"),
    Command("accounts.down", "j", "Next", "Go to the next account.", "Accounts", "cursor(1)", context="accounts"),
    Command("accounts.up", "k", "Previous", "Go to the previous account.", "Accounts", "cursor(-1)", context="accounts"),
    Command("accounts.back", "escape,q", "Back", "Leave the accounts.", "Accounts", "leave", True, "accounts"),
    *(
        Command(f"insights.chart-{n}", str(n), f"Chart {n}", f"Go to chart {n}.", "Insights", f"chart({n})", context="insights")
        for n in range(1, 9)
    ),
    Command("insights.next", "tab", "Next chart", "Go to the next chart.", "Insights", "next(1)", context="insights"),
    Command("insights.previous", "shift+tab", "Previous chart", "Go to the previous chart.", "Insights", "next(-1)", context="insights"),
    Command("insights.right", "right,l", "Next bar", "Go to the next bar.", "Insights", "step(1)", context="insights"),
    Command("insights.left", "left,h", "Previous bar", "Go to the bar before.", "Insights", "step(-1)", context="insights"),
    Command("insights.down", "down,j", "Down", "Go down: to the next bar, or the next day.", "Insights", "step_down(1)", context="insights"),
    Command("insights.up", "up,k", "Up", "Go up: to the bar or the day before.", "Insights", "step_down(-1)", context="insights"),
    Command("insights.calls", "enter", "Calls", "Show the calls behind the bar.", "Insights", "calls", True, "insights"),
    Command("insights.period", "w", "Period", "Another period: today, yesterday, 7 days, 30 days, all.", "Insights", "period", True, "insights"),
    Command("insights.compare", "c", "Compare", "Compare with the period before, or no longer.", "Insights", "compare", True, "insights"),
    Command("insights.back", "escape,q,I", "Back", "Leave the figures.", "Insights", "leave", True, "insights"),
    Command("form.submit", "ctrl+s", "Save", "Save or send the form.", "Forms", context="form"),
    Command("form.cancel", "escape", "Cancel", "Leave the form.", "Forms", context="form"),
    Command("confirm.yes", "y", "Yes", "Answer yes.", "Questions", context="question"),
    Command("confirm.no", "n,escape,q", "No", "Answer no.", "Questions", context="question"),
    Command("confirm.other", "left,right,h,l", "Other button", "Go to the other answer; enter gives it.", "Questions", context="question"),
)  # fmt: skip

COMMANDS_BY_ID = {command.id: command for command in COMMANDS}
CONTEXTS = (
    ("main", "table"),
    ("main", "sidebar"),
    ("main", "detail", "text"),
    ("line", "query"),
    ("line", "prompt"),
    ("help", "text"),
    ("text view", "text"),
    ("columns",),
    ("accounts",),
    ("insights",),
    ("form",),
    ("question",),
)
"""Where commands work whose keys must differ: what has the focus, and what lies around it. What
works everywhere is part of each.
"""
EVERYWHERE = "everywhere"
TYPING = frozenset(("line", "query", "prompt", "form"))
"""Contexts in which text is typed: a key that writes does no more."""

AT_ONCE = frozenset(("Table", "Recording", "Screen", "Views"))
"""Groups of commands that have to do with no call of the table: they wait for no rows."""
OTHERWISE = frozenset(
    ("play", "download", "palette", "refresh", "load-all", "discover", "cancel", "reveal")
)
"""Commands that are otherwise in this than their group."""
STEPS = frozenset(("table.down", "table.up"))
"""Commands that move the cursor over rows that are there."""
PAGES = frozenset(("table.half-down", "table.half-up", "table.page-down", "table.page-up"))
"""The same by as many rows as fit on the screen."""
PALETTE = "(palette)"
SERIES = {
    "view": ("1", "1 ... 9", "Show that view of the sidebar."),
    "insights.chart": ("1", "1 ... 8", "Go to that chart."),
    "percent": (
        "10",
        PALETTE,
        "Go to 10 %, 20 % ... 90 % of the recording; so does a click on it.",
    ),
}
"""Commands that differ by a number: the first, and one line of help for all of them."""
KEY_NAMES = {
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "slash": "/",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "equals_sign": "=",
    "plus": "+",
    "minus": "-",
    "full_stop": ".",
    "comma": ",",
    "vertical_line": "|",
    "question_mark": "?",
    "colon": ":",
    "escape": "esc",
}


def commands_in(*contexts: str) -> list[Command]:
    """The commands that work in any of some contexts, but for those that work everywhere."""
    return [command for command in COMMANDS if command.context in contexts]


def main_commands() -> list[Command]:
    """The commands of the main screen, its table's and those of everywhere among them."""
    return commands_in("main", "table", EVERYWHERE)


def waits_for_rows(id_: str | None) -> bool:
    """Whether a command, or a key that is none's, waits for rows that are being read."""
    command = next((command for command in COMMANDS if command.id == id_), None)
    return command is None or (command.group in AT_ONCE) == (command.id in OTHERWISE)


def key_text(keys: str) -> str:
    """Keys as people write them: ``j, down``, ``/``, ``esc``."""
    return ", ".join(KEY_NAMES.get(key.strip(), key.strip()) for key in keys.split(",") if key)


def first_key(id_: str, keymap: Mapping[str, str]) -> str:
    """The first key of a command as people write it; its name in the palette if it has none."""
    command = next(command for command in COMMANDS if command.id == id_)
    keys = keymap.get(id_, command.keys)
    return key_text(keys.split(",")[0]) or f"{command.title} (palette)"


class KeyRow(NamedTuple):
    """A line of the table of keys."""

    keys: str
    """As people write them."""
    help: str
    id: str
    """By which `[keys]` in config.toml names it; ``view-1 ... view-9`` of a series."""


def key_table(keymap: Mapping[str, str] | None = None) -> list[tuple[str, list[KeyRow]]]:
    """The keys by group, in order: what help shows and docs/keys.md prints."""
    groups: dict[str, list[KeyRow]] = {}
    for command in COMMANDS:
        kind, _, number = command.id.rpartition("-")
        first, keys_of_all, help_of_all = SERIES.get(kind, (number, "", ""))
        if number != first:
            continue
        last = [c.id for c in COMMANDS if c.id.rpartition("-")[0] == kind][-1]
        ids = f"{command.id} ... {last}" if kind in SERIES else command.id
        keys = (keymap or {}).get(command.id, command.keys)
        text = keys_of_all or key_text(keys) or PALETTE
        row = KeyRow(text, help_of_all or command.help, ids)
        groups.setdefault(command.group, []).append(row)
    return list(groups.items())


def markdown_keys() -> str:
    """The table of keys in docs/keys.md."""
    lines = ["| key | what it does | in `[keys]` |", "|---|---|---|"]
    for group, rows in key_table():
        lines.append(f"| **{group}** | | |")
        lines += [f"| `{row.keys}` | {row.help} | `{row.id}` |" for row in rows]
    return "\n".join(lines)
