"""The first word of a command line: a command, help, a query, or nearly a command."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from typing import Any

from tui.cli.parser import SCREEN, build_parser
from tui.exit_codes import CommandError, ExitCode

BARE: dict[str, Any] = {
    "command": SCREEN,
    "account": None,
    "view": None,
    "query": [],
    "masked": False,
}
"""What `ringback` alone means; to build the parser takes longer than to read the first calls."""


def parse_words(words: list[str]) -> argparse.Namespace:
    """What a command line asks for. Raises `CommandError`, and SystemExit as argparse does."""
    if not words:
        return argparse.Namespace(**BARE)
    parser, commands = build_parser()
    words = _with_help(_with_alias(words, commands), commands)
    words, behind = _with_nots(_with_fields(_with_command(words, commands))), []
    if words[0] == "speaker" and "--" in words:  # argparse takes them only right behind the host
        at = words.index("--")
        words, behind = words[:at], words[at + 1 :]
    if words[:2] == ["accounts", "add"]:
        parser, _ = build_parser(vendors=True)
    return parser.parse_args(words, argparse.Namespace(ssh_options=behind))


def _with_alias(words: list[str], commands: frozenset[str]) -> list[str]:
    """`ringback mine today` with ``mine = "calls agent:ann"`` of config.toml; a command's own name
    is no alias. Raises `CommandError`.
    """
    if words[0] in commands or words[0].startswith("-") or words[0] in ("help", "version"):
        return words
    from tui.config.paths import Paths
    from tui.config.settings import load_settings

    meant = load_settings(Paths.default()).aliases.get(words[0])
    if meant is None:
        return words
    import shlex

    try:
        return [*shlex.split(meant), *words[1:]] or words
    except ValueError as error:
        raise CommandError(
            f"config.toml: aliases.{words[0]}: {error}", code=ExitCode.USAGE
        ) from None


def _with_help(words: list[str], commands: frozenset[str]) -> list[str]:
    """`ringback help accounts add` is `ringback accounts add --help`, `ringback version` is
    `ringback --version`. Raises `CommandError`.
    """
    if words == ["version"]:
        return ["--version"]
    if words[0] != "help":
        return words
    if words[1:] and words[1] not in commands:
        raise CommandError(
            f"there is no command {words[1]}{_did_you_mean(words[1], commands)}",
            f"There is: {', '.join(sorted(commands - {SCREEN}))}.",
            ExitCode.USAGE,
        )
    return [*words[1:], "--help"]


def _did_you_mean(word: str, commands: Iterable[str]) -> str:
    from tui.query.suggestions import SURE, nearest

    near = nearest(word.lower(), commands, SURE)
    return f"; did you mean {near}?" if near else ""


def _no_slip(word: str, commands: frozenset[str]) -> None:
    """A first word that is nearly a command's name is no query, unless it means something there.

    Raises `CommandError`.
    """
    from tui.query.parser import KEYWORDS

    if not word.isalpha() or word.lower() in KEYWORDS:
        return
    if near := _did_you_mean(word, commands - {SCREEN} | {"help", "version"}):
        raise CommandError(
            f"there is no command {word}{near}",
            f"To look for the word: ringback -- {word}",
            ExitCode.USAGE,
        )


def _with_nots(words: list[str]) -> list[str]:
    """`ringback calls -rec`: what stands for "not" in a query is no option; nor is what begins
    with a blank, which a query does not mind.
    """
    if words[0] not in (SCREEN, "calls", "hold", "stats"):
        return words
    return [f" {word}" if re.match("-[^-]", word) and word != "-h" else word for word in words]


def _with_fields(words: list[str]) -> list[str]:
    """`ringback calls --json id,outcome missed`: which words behind the option are its own."""
    if words[0] not in ("calls", "show") or "--json" not in words[1:]:
        return words
    from tui.cli.json_fields import are_fields

    at = words.index("--json")
    given = at + 1 < len(words) and are_fields(words[at + 1])
    option = f"--json={words[at + 1] if given else ''}"
    return [*words[:at], option, *words[at + 1 + given :]]


def _with_command(words: list[str], commands: frozenset[str]) -> list[str]:
    """`ringback missed` opens the screen with a query: it has no command of its own."""
    values = {"--account", "--view"}
    position = 0
    while position < len(words) and words[position].startswith("-"):
        if words[position] in ("-h", "--help", "--version"):
            return words
        position += 2 if words[position] in values else 1
    if position == 0 and words[0] in commands:
        return words
    if position < len(words) and "--" not in words[:position]:
        _no_slip(words[position], commands)
    return [SCREEN, *words]
