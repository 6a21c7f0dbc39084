"""Help and refusals: each command's own, with examples that are right."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tui.cli import main
from tui.cli.examples import EXAMPLES
from tui.cli.parser import SCREEN, build_parser
from tui.cli.words import parse_words
from tui.config.paths import Paths
from tui.config.views import DEFAULT_VIEWS
from tui.query.parser import parse

NOW = datetime(2026, 11, 4, 15, 20, tzinfo=UTC)


def commands() -> Iterator[argparse.ArgumentParser]:
    """Each command's parser, those of `accounts` as well."""
    parser, _ = build_parser(vendors=True)
    pending = [parser]
    while pending:
        command = pending.pop()
        yield command
        for action in command._actions:
            if isinstance(action, argparse._SubParsersAction):
                pending += [one for name, one in action.choices.items() if name != SCREEN]


def name_of(command: argparse.ArgumentParser) -> str:
    return command.prog.removeprefix("ringback").strip()


def test_every_command_has_examples_and_no_other() -> None:
    assert {name_of(command) for command in commands()} == {*EXAMPLES}


@pytest.mark.parametrize("line", [line for lines in EXAMPLES.values() for line, _ in lines])
def test_each_example_is_right_usage(line: str) -> None:
    words = shlex.split(line.rpartition("| ringback")[2] or line)
    for end in (">", "|"):
        words = words[: words.index(end)] if end in words else words
    words = [word for word in words if word != "ringback"]
    if "--help" in words:
        with pytest.raises(SystemExit) as left:
            parse_words(words)
        assert left.value.code == 0
        return
    arguments = parse_words(words)
    query = parse(" ".join(getattr(arguments, "query", [])), NOW, UTC)
    assert query.problems == ()
    assert getattr(arguments, "view", None) in (None, *(view.name for view in DEFAULT_VIEWS))


def test_help_ends_with_the_examples(capsys: pytest.CaptureFixture[str]) -> None:
    for command in commands():
        with pytest.raises(SystemExit):
            main([*name_of(command).split(), "--help"])
        text = capsys.readouterr().out
        wanted = [part for example in EXAMPLES[name_of(command)] for part in example]
        assert [line.strip() for line in text.rpartition("examples:\n")[2].splitlines()] == wanted


def test_every_word_and_option_has_its_help() -> None:
    bare = [
        (name_of(command), action.dest)
        for command in commands()
        for action in command._actions
        if not action.help and not isinstance(action, argparse._SubParsersAction)
    ]
    assert bare == []


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        (
            "calls --jsn",
            ["unknown: --jsn; did you mean --json?", "calls [QUERY ...] [OPTION ...]", "calls"],
        ),
        ("show", ["required: ACCOUNT:ID | LINK", "show ACCOUNT:ID | LINK [OPTION ...]", "show"]),
        ("show desk:1 desk:2", ["too many words: desk:2", "show ACCOUNT", "show"]),
        ("accounts", ["required: ACTION", "accounts ACTION ...", "accounts"]),
        (
            "accounts add desk --provider liner",
            ["required: --base-url", "accounts add --provider VENDOR --base-url", "accounts add"],
        ),
        (
            "completions tcsh",
            ["invalid choice: 'tcsh'", "completions [bash|zsh|fish]", "completions"],
        ),
        ("--nope", ["unknown: --nope", "[QUERY ...]", ""]),
        ("calls --json=form", ["no field form; did you mean from?", "calls [QUERY", "calls"]),
    ],
)
def test_a_refusal_is_three_lines_of_the_command_that_was_meant(
    capsys: pytest.CaptureFixture[str], line: str, lines: list[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(line.split())
    assert left.value.code == 2
    wrong, usage, more = capsys.readouterr().err.splitlines()
    assert wrong.startswith("ringback: ") and lines[0] in wrong
    assert usage.startswith("usage: ringback ") and lines[1] in usage
    assert more == f"More: {f'ringback {lines[2]}'.strip()} --help"


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("mine", "calls agent:ann today"),
        ("mine --csv", "calls agent:ann today --csv"),
        ("sync", "sync"),
        ("missed", "screen missed"),
        ("-- mine", "screen -- mine"),
    ],
)
def test_an_alias_stands_for_its_words(paths: Paths, line: str, meant: str) -> None:
    paths.config_file.write_text('[aliases]\nmine = "calls agent:ann today"\nsync = "doctor"\n')
    assert parse_words(line.split()) == parse_words(meant.split())


def test_an_alias_that_cannot_be_taken_apart_is_told(
    paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    paths.config_file.write_text('[aliases]\nmine = "calls \'open"\n')
    assert main(["mine"]) == 2
    assert "config.toml: aliases.mine: No closing quotation" in capsys.readouterr().err
