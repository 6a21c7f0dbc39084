"""The screen's keys on a plain terminal: what each sends, and what it does to a player."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tui.audio.client.player import Player
from tui.audio.client.state import Loudness, next_side
from tui.commands import COMMANDS, KEY_NAMES, Command

_SENT: Final[Mapping[str, tuple[str, ...]]] = {
    "space": (" ",),
    "tab": ("\t",),
    "shift+tab": ("\x1b[Z",),
    "enter": ("\r", "\n"),
    "escape": ("\x1b",),
    "backspace": ("\x7f", "\b"),
    "delete": ("\x1b[3~",),
    "home": ("\x1b[H", "\x1bOH"),
    "end": ("\x1b[F", "\x1bOF"),
    "pageup": ("\x1b[5~",),
    "pagedown": ("\x1b[6~",),
    "vertical_line": ("|",),
}
_ARROWS = {"up": "A", "down": "B", "right": "C", "left": "D"}
_MODIFIERS = {"shift+": "2", "alt+": "3", "ctrl+": "5"}
_SHOWN = {"left": "←", "right": "→", "shift+left": "⇧←", "shift+right": "⇧→"}
_QUIT = ("stop", "leave", "quit")
_HELP = (
    (("play",), "pause"),
    (("seek-back", "seek-forward"), "5 s"),
    (("seek-back-far", "seek-forward-far"), "30 s"),
    (("slower", "faster"), "speed"),
    (("previous-turn", "next-turn"), "turn"),
    (("skip-silence",), "skip silence"),
    (("loop",), "loop"),
    (("side",), "side"),
    (("stop",), "quit"),
)


def sent(key: str) -> tuple[str, ...]:
    """What a terminal sends for a key of Textual's name; nothing for one that none sends."""
    key = key.strip()
    if key in _SENT:
        return _SENT[key]
    character = KEY_NAMES.get(key, key)
    if len(character) == 1:
        return (character,)
    if key in _ARROWS:
        return f"\x1b[{_ARROWS[key]}", f"\x1bO{_ARROWS[key]}"
    for modifier, number in _MODIFIERS.items():
        rest = key.removeprefix(modifier)
        if rest != key and rest in _ARROWS:
            return (f"\x1b[1;{number}{_ARROWS[rest]}",)
    letter = key.removeprefix("ctrl+")
    return (chr(ord(letter) & 0x1F),) if letter != key and len(letter) == 1 else ()


class Steering:
    """A player's keys."""

    def __init__(
        self,
        player: Player,
        keymap: Mapping[str, str],
        quit_: Callable[[], None],
        further: Callable[[int], None],
    ) -> None:
        """`keymap`: the user's own keys, by the command's id; `quit_` is called by those that
        leave, `further` by those that go to another recording.
        """
        self._player, self._quit, self._further = player, quit_, further
        self._loudness = Loudness(player.state.volume)
        self._keys: dict[str, Callable[[], None]] = {}
        for command in COMMANDS:
            if action := self._action(command):
                for key in keymap.get(command.id, command.keys).split(","):
                    self._keys.update(dict.fromkeys(sent(key), action))

    def press(self, typed: str) -> None:
        """Do what a key asks for, if it asks for anything here."""
        if action := self._keys.get(typed):
            action()

    def _action(self, command: Command) -> Callable[[], None] | None:
        if command.id in _QUIT:
            return self._quit
        name, _, argument = command.action.rstrip(")").partition("(")
        player = self._player
        plain: dict[str, Callable[[], None]] = {
            "play": player.toggle,
            "restart": lambda: player.seek_to(0.0),
            "normal_speed": lambda: player.set_speed(1.0),
            "mute": lambda: self._set(self._loudness.toggled()),
            "side": self._side,
            "skip_silence": lambda: player.set_skip_silence(not player.state.skip_silence),
            "loop": player.mark_loop,
        }
        by: dict[str, Callable[[float], None]] = {
            "seek": player.seek_by,
            "speed": lambda step: player.set_speed(player.state.speed + step),
            "volume": lambda step: self._set(self._loudness.changed(step)),
            "turn": lambda step: player.next_turn(int(step)),
            "recording": lambda step: self._further(int(step)),
        }
        if name in by:
            return lambda: by[name](float(argument))
        return plain.get(name)

    def _set(self, loudness: Loudness) -> None:
        self._loudness = loudness
        self._player.set_volume(loudness.heard)

    def _side(self) -> None:
        self._player.set_side(next_side(self._player.state.side))


def help_line(keymap: Mapping[str, str]) -> str:
    """``space pause · ← → 5 s · …``: the keys as they are now."""
    keys = {command.id: keymap.get(command.id, command.keys).split(",")[0] for command in COMMANDS}
    parts = (
        (" ".join(filter(None, (_shown(keys[id_]) for id_ in ids))), what) for ids, what in _HELP
    )
    return " · ".join(f"{shown} {what}" for shown, what in parts if shown)


def _shown(key: str) -> str:
    key = key.strip()
    return _SHOWN.get(key) or KEY_NAMES.get(key, key)
