"""The one list of commands: every key of every screen stands in it, and none stands for two."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from textual.binding import BindingsMap
from textual.dom import DOMNode

import tui.screens
import widgets
from tui.commands import COMMANDS, CONTEXTS, EVERYWHERE, SERIES, KeyRow, commands_in, key_table
from tui.screens.keymap import check_keymap


def bound() -> Iterator[tuple[str, str | None]]:
    """Each key that a class of ours binds, and the binding's id."""
    for package in (widgets, tui.screens):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    importlib.import_module("tui.app")
    classes = [DOMNode]
    for cls in classes:
        classes += [sub for sub in cls.__subclasses__() if sub not in classes]
    for cls in classes:
        if cls.__module__.partition(".")[0] in ("tui", "widgets"):
            own = BindingsMap(cls.__dict__.get("BINDINGS", []))
            yield from (
                (key, one.id) for key, several in own.key_to_bindings.items() for one in several
            )


def test_every_key_is_one_of_a_command_and_has_its_id() -> None:
    keys: dict[str | None, set[str]] = {}
    for key, id_ in bound():
        keys.setdefault(id_, set()).add(key)
    listed = {command.id: set(command.keys.split(",")) for command in COMMANDS}
    palette_only = {id_ for id_, several in listed.items() if several == {""}}
    assert len(listed) == len(COMMANDS), "an id is one command's"
    assert {id_: several for id_, several in keys.items() if id_ not in palette_only} == {
        id_: several for id_, several in listed.items() if id_ not in palette_only
    }


def test_no_key_stands_for_two_commands_that_work_together() -> None:
    assert check_keymap({command.id: command.keys for command in COMMANDS})[1] == []
    named = {context for contexts in CONTEXTS for context in contexts}
    assert named | {EVERYWHERE} == {command.context for command in COMMANDS}


@pytest.mark.parametrize(
    ("keys", "problems"),
    [
        ({"done": "x"}, ["done: x is also the key of table.mark"]),
        ({"table.mark": "d"}, ["table.mark: d is also the key of done"]),
        ({"sidebar.down": "q"}, ["sidebar.down: q is also the key of leave"]),
        ({"sidebar.down": "n", "next-untriaged": "N", "previous-untriaged": "ctrl+n"}, []),
        ({"text.down": "n"}, ["text.down: n is also the key of next-untriaged"]),
        ({"help.back": "g"}, ["help.back: g is also the key of text.first"]),
        ({"text.copy": "j"}, ["text.copy: j is also the key of text.down"]),
        ({"columns.default": "d"}, []),
        ({"accounts.add": "t"}, ["accounts.add: t is also the key of accounts.test"]),
        ({"accounts.add": "ctrl+q"}, ["accounts.add: ctrl+q is also the key of quit"]),
        ({"confirm.yes": "n"}, ["confirm.yes: n is also the key of confirm.no"]),
        ({"form.submit": "s"}, ["form.submit: s is typed there"]),
        ({"query.keep": "ctrl+m"}, ["query.keep: a terminal sends ctrl+m as enter"]),
        ({"done": "D", "done-with-note": "d"}, []),
        ({"done": "f, F", "note": "f"}, [
            "done: f is also the key of follow-up",
            "note: f is also the key of done",
        ]),
        ({"no-such": "f"}, ["no-such: there is no such command"]),
    ],
)  # fmt: skip
def test_a_key_of_two_commands_is_told_where_both_work(
    keys: dict[str, str], problems: list[str]
) -> None:
    assert check_keymap(keys)[1] == [f"[keys] {problem}" for problem in problems]


def test_the_help_names_the_keys_of_all_screens_as_they_are_mapped() -> None:
    table = dict(key_table({"accounts.test": "T", "columns.default": ""}))
    test = KeyRow("T", "Ask the vendor whether it accepts the account.", "accounts.test")
    assert test in table["Accounts"]
    shown = [row.help for rows in table.values() for row in rows]
    series = [c for c in COMMANDS if c.id.rpartition("-")[0] in SERIES]
    assert len(shown) == len(COMMANDS) - len(series) + len(SERIES)
    assert {c.help for c in commands_in("columns")} < set(shown)
