"""The README and its pages are true: their commands exist and run, their tables and pictures are
those of the code.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from providers.sandbox import Sandbox
from tests.guards.man_page import MAN_PAGE, man_page
from tests.guards.readme_text import (
    PAGES,
    README,
    ROOT,
    blocks,
    generated,
    synopsis,
    with_generated,
)
from tui.cli.parser import build_parser
from tui.config.paths import Paths
from tui.config.settings import load_settings
from tui.query.parser import parse
from tui.screens.keymap import check_keymap

TEXT = README.read_text("utf-8")
NOW = datetime(2026, 11, 4, 15, 20, tzinfo=UTC)


def subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def all_options() -> dict[str, set[str]]:
    """The options of every command of the real parser, as `synopsis` gives the README's."""

    def of(parser: argparse.ArgumentParser) -> set[str]:
        named = {name for action in parser._actions for name in action.option_strings}
        return {name for name in named if name.startswith("--")} - {"--help"}

    parser, _ = build_parser(vendors=True)
    found = {"": of(parser)}
    for name, command in subparsers(parser).items():
        inner = subparsers(command)
        found |= {f"{name} {action}": of(one) for action, one in inner.items()}
        if not inner:
            found[name] = of(command)
    return found


def sh_commands() -> list[str]:
    """The lines of the README's shell blocks that call Ringback."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith("ringback ")]


def test_the_first_block_is_the_demo_and_the_tests() -> None:
    first = re.search(r"^```\w*\n(.*?)^```$", TEXT, re.M | re.S)
    assert first is not None
    clone, cd, *rest = first[1].splitlines()
    assert clone.startswith("git clone ") and cd == "cd ringback"
    assert rest == ["./run demo", "./run test"]


def test_generated_parts_are_current() -> None:
    for page in PAGES:
        text = page.read_text("utf-8")
        assert with_generated(text) == text, "run: ./run keys"


@pytest.mark.parametrize("name", generated())
def test_each_generated_part_stands_on_one_page(name: str) -> None:
    assert sum(f"<!-- /{name} -->" in page.read_text("utf-8") for page in PAGES) == 1


def test_the_readme_names_every_page_and_stays_short() -> None:
    named = set(re.findall(r"\]\((docs/[a-z]+\.md)\)", TEXT))
    assert named == {f"docs/{page.name}" for page in PAGES if page != README}
    assert len(TEXT.splitlines()) < 150


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="Pythons differ in how they say usage")
def test_the_man_page_is_current() -> None:
    assert MAN_PAGE.read_text("utf-8") == man_page(), "run: ./run keys"


def test_every_command_and_option_of_the_parser_stands_in_the_readme_and_no_other() -> None:
    assert synopsis() == all_options()


@pytest.mark.parametrize("line", sh_commands())
def test_examples_are_right_usage(line: str) -> None:
    parser, _ = build_parser(vendors=True)
    arguments = parser.parse_args(shlex.split(line)[1:])
    query = parse(" ".join(getattr(arguments, "query", [])), NOW, UTC)
    assert query.problems == ()


def test_links_and_pictures_exist() -> None:
    links = set()
    for page in PAGES:
        here = re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8"))
        found = {(page.parent / link).resolve() for link in here if "://" not in link}
        assert [link for link in sorted(found) if not link.exists()] == [], page
        links |= {str(link.relative_to(ROOT)) for link in found}
    pictures = {f"screenshots/{path.name}" for path in (ROOT / "screenshots").glob("*.svg")}
    assert pictures and pictures == {link for link in links if link.endswith(".svg")}


def test_files_that_are_named_exist() -> None:
    text = (ROOT / "docs/inside.md").read_text("utf-8")
    table = text.partition("| to change |")[2].partition("\n\n")[0]
    named = re.findall(r"`((?:tui|widgets|providers|screenshots)/[^`]*)`", table)
    assert len(named) > 10
    assert [name for name in named if not list(ROOT.glob(name))] == []


def test_the_settings_example_is_without_problems(paths: Paths) -> None:
    example = next(block for block in blocks("toml") if "[keys]" in block)
    assert tomllib.loads(example).keys() == {
        *("aliases", "app", "audio", "keys", "privacy", "retention", "views"),
    }
    paths.config_file.write_text(example)
    settings = load_settings(paths)
    keymap, problems = check_keymap(settings.keys)
    assert (settings.problems, problems) == ((), [])
    assert keymap == {"download": "ctrl+s", "discover": "ctrl+n"}
    [view] = settings.views
    assert parse(view.query, NOW, UTC).problems == () and view.key == "7"


def test_examples_of_the_query_line_are_understood() -> None:
    table = (ROOT / "docs/query.md").read_text("utf-8")
    for row in [line for line in table.splitlines() if line.startswith("| `")]:
        for example in re.findall(r"`([^`]+)`", row):
            query = parse(f"{example}x" if example.endswith(":") else example, NOW, UTC)
            assert query.terms and not query.problems, example


@pytest.mark.slow
def test_the_commands_of_the_readme_do_what_they_say(tmp_path: Path) -> None:
    """One after the other in a fresh home, against the synthetic vendors."""
    with Sandbox(seed=7, now=NOW) as sandbox:
        accounts = {"sales": "liner", "support": "cinnox", "desk": "nectar"}
        tokens = {
            f"RINGBACK_TOKEN_{name.upper()}": sandbox.tokens[vendor]
            for name, vendor in accounts.items()
        }
        saved = [json.dumps(sandbox.data.nectar_webhooks(id_)) for id_ in (1619, 1620)]
        (tmp_path / "saved-webhooks.jsonl").write_text("\n".join(saved))
        said = {}
        for line in sh_commands():
            words = shlex.split(line.replace("my-app", sandbox.settings["cinnox"]["app_id"]))
            for vendor in accounts.values():
                words = [
                    sandbox.base_url(vendor) if word == f"https://{vendor}.example.com" else word
                    for word in words
                ]
            done = subprocess.run(
                [sys.executable, "-m", "tui.cli", *words[1:]],
                cwd=tmp_path,
                env={**os.environ, **tokens, "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
            said[line] = done.stdout
    assert "support: 1,197 new" in said["ringback sync"]
    assert "2 changed" in said["ringback import desk saved-webhooks.jsonl"]
    assert json.loads(said["ringback show desk:1619 --raw"])
    objects = map(json.loads, said["ringback calls rec --account desk --json"].splitlines())
    assert "1619" in {call["id"] for call in objects}
    files = said["ringback download desk:1619 --output recordings"].splitlines()
    assert len(files) == 1 and all((tmp_path / file).stat().st_size > 10_000 for file in files)
