"""The man page, made from the parser of the command line (``./run keys``)."""

from __future__ import annotations

import argparse
import tomllib
from functools import partial
from pathlib import Path
from typing import Any

from tests.guards.readme_text import ROOT

MAN_PAGE = ROOT / "docs/ringback.1"

WIDE: Any = partial(argparse.RawDescriptionHelpFormatter, width=10_000)
"""Whatever the terminal's width: roff breaks lines by itself."""
SYNOPSIS = r"""\fBringback\fR [\-\-account NAME] [\-\-view NAME | QUERY]
.br
\fBringback\fR COMMAND ..."""


def man_page() -> str:
    """roff for man(7): every command with its options, and the examples."""
    from argparse_manpage.manpage import Manpage

    from tui.cli.examples import EXAMPLES
    from tui.cli.parser import SCREEN, build_parser

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    parser, _ = build_parser(vendors=True)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            action.choices.pop(SCREEN)
            for command in action.choices.values():
                command.formatter_class = WIDE
    data = {
        "project_name": "ringback",
        "version": project["version"],
        "description": project["description"].rstrip("."),
        "manual_title": "Ringback",
        "date": project["version"],  # the same page whenever it is made
    }
    page = Manpage(parser, data, format="single-commands-section")
    lines = [part for examples in EXAMPLES.values() for part in _example_lines(examples)]
    page.add_section("synopsis", "=", SYNOPSIS)
    page.add_section("examples", ">", "\n".join(lines))
    return str(page)


def _example_lines(examples: tuple[tuple[str, str], ...]) -> list[str]:
    found = []
    for line, meaning in examples:
        found += [".TP", "\\fB" + line.replace("\\", "\\\\").replace("-", "\\-") + "\\fR"]
        found.append(meaning)
    return found


def write(path: Path = MAN_PAGE) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(man_page(), "utf-8")
