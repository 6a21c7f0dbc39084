"""Commands as Textual's bindings, and the user's own keys checked before they are used."""

from __future__ import annotations

from collections.abc import Mapping

from textual.binding import Binding, BindingType

from tui.commands import (
    COMMANDS,
    CONTEXTS,
    EVERYWHERE,
    KEY_NAMES,
    TYPING,
    Command,
    commands_in,
    first_key,
    key_text,
    main_commands,
)
from widgets.call_table import CallTable
from widgets.key_line import KeyHint

TABLE_ACTIONS = {
    binding.id: binding.action
    for binding in CallTable.BINDINGS
    if isinstance(binding, Binding) and binding.id
}
"""The table's own bindings by their commands' ids."""

_INDISTINCT = {
    "ctrl+m": "enter",
    "ctrl+j": "enter",
    "ctrl+i": "tab",
    "ctrl+h": "backspace",
    "ctrl+left_square_bracket": "esc",
}
"""Keys that a terminal cannot tell from another."""


def bindings() -> list[BindingType]:
    """The bindings of the main screen, and those of the table while it has the focus.

    With priority they run before the next key is dealt out: what is typed fast after ``/``
    goes into the line that it opens, and a `d` right behind a `j` means the call below.
    """
    return [
        Binding(
            command.keys or f"f{40 + number}",  # no keyboard has it: only palette and keymap do
            action_of(command),
            command.title,
            id=command.id,
            show=command.footer,
            priority=True,
        )
        for number, command in enumerate(commands_in("main", "table"))
    ]


def bindings_of(context: str) -> list[BindingType]:
    """The bindings of another screen, or those of everywhere."""
    return [
        Binding(
            command.keys,
            command.action,
            command.title,
            id=command.id,
            show=command.footer,
            priority=command.context == EVERYWHERE,
        )
        for command in commands_in(context)
    ]


def action_of(command: Command) -> str:
    """What Textual calls a command: the screen's own are found by their ids."""
    if not command.action:
        return f"in_table({TABLE_ACTIONS[command.id]!r})"
    return command.action if command.action.startswith("app.") else f"command({command.id!r})"


def command_of(key: str, keymap: Mapping[str, str]) -> str | None:
    """The id of the main screen's command that a key stands for; None where it is no command's."""
    keys = ((command.id, keymap.get(command.id, command.keys)) for command in main_commands())
    return next((id_ for id_, several in keys if key in several.split(",")), None)


def _canonical(keys: str) -> str:
    named = {text: name for name, text in KEY_NAMES.items()}
    return ",".join(named.get(key.strip(), key.strip()) for key in keys.split(",") if key.strip())


def check_keymap(wanted: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The user's keys by command id, ready for `App.set_keymap`, and what is wrong with them.

    A wrong entry is left out and said; a key taken from another command is said too.
    """
    known = {command.id: command for command in COMMANDS}
    keymap: dict[str, str] = {}
    problems: list[str] = []
    for id_, keys in wanted.items():
        canonical = _canonical(keys)
        if id_ not in known:
            problems.append(f"[keys] {id_}: there is no such command")
            continue
        for key in canonical.split(","):
            if key in _INDISTINCT:
                problems.append(f"[keys] {id_}: a terminal sends {key} as {_INDISTINCT[key]}")
            elif known[id_].context in TYPING and len(key_text(key)) == 1:
                problems.append(f"[keys] {id_}: {key_text(key)} is typed there")
        keymap[id_] = canonical
    return keymap, problems + sorted(_conflicts(keymap))


def _conflicts(keymap: Mapping[str, str]) -> set[str]:
    """Keys that stand for two commands where both work, in words."""
    found = set()
    for contexts in CONTEXTS:
        owners: dict[str, Command] = {}
        for command in commands_in(*contexts, EVERYWHERE):
            for key in filter(None, keymap.get(command.id, command.keys).split(",")):
                if (other := owners.setdefault(key, command)) is not command:
                    mine, its = (command, other) if command.id in keymap else (other, command)
                    found.add(f"[keys] {mine.id}: {key_text(key)} is also the key of {its.id}")
    return found


def key_hints(keymap: Mapping[str, str], *, editing: bool, back: bool) -> tuple[KeyHint, ...]:
    """The last line's keys: those of the query while it is typed, else the footer's commands."""
    if editing:
        ends = (("query.keep", "Keep"), ("query.undo", "Undo"))
        return tuple(KeyHint(first_key(id_, keymap), what, "") for id_, what in ends)
    return tuple(
        # control as ^, for the line is short of room
        KeyHint(first_key(c.id, keymap).replace("ctrl+", "^"), c.title, action_of(c))
        for c in main_commands()
        if c.footer and (back or c.id != "back")
    )
