"""Nothing is written past the one place of the command line, nor drawn past the screen's."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.guards.readme_text import ROOT

CONSOLE = "tui/console.py"
WRITERS = {
    CONSOLE: "it is the place",
    "tui/cli/standard_streams.py": "opens the streams and ends them",
    "tui/cli/dispatch.py": "gives them their encoding and ends them",
    "tui/cli/argument_parser.py": "asks which of them argparse means",
    "providers/sandbox/__main__.py": "a program of its own, that prints its own words",
}
"""Who may hold a standard stream, and why."""
LOOKS = {"isatty", "fileno", "flush"}
"""What anybody may ask of a stream."""
TEXT_WIDGETS = {"Static", "Label", "Button", "Checkbox", "RadioButton", "Option", "Selection"}
"""Widgets that read their text as markup, unless told otherwise."""
MARKUP = {"from_markup", "render_markup", "Markdown"}
SOURCES = sorted(
    path for package in ("providers", "widgets", "tui") for path in (ROOT / package).rglob("*.py")
)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def called(node: ast.AST) -> str:
    """The last name of what is called; "" for what is no call."""
    if not isinstance(node, ast.Call):
        return ""
    return str(getattr(node.func, "attr", "") or getattr(node.func, "id", ""))


def writes(tree: ast.AST) -> Iterator[str]:
    """Ways to a standard stream that do more than look at it."""
    looked_at = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in LOOKS
    }
    for node in ast.walk(tree):
        match node:
            case ast.Name("print"):
                yield f"{node.lineno}: print"
            case ast.Attribute(ast.Name("sys"), "stdout" | "stderr") if id(node) not in looked_at:
                yield f"{node.lineno}: sys.{node.attr}"
            case ast.Attribute(ast.Name("sys"), "__stdout__" | "__stderr__"):
                yield f"{node.lineno}: sys.{node.attr}"
            case ast.Call(ast.Attribute(ast.Name("os"), "write"), [ast.Constant(1 | 2), *_]):
                yield f"{node.lineno}: os.write"
            case ast.Call() if called(node) in ("ArgumentParser", "Console"):
                yield f"{node.lineno}: {called(node)}, which writes by itself"


def bare_texts(tree: ast.AST) -> Iterator[str]:
    """Texts that a widget would read as markup, but for those of the program itself."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = called(node)
        if name in MARKUP:
            yield f"{node.lineno}: {name}"
        if name not in TEXT_WIDGETS | {"notify"} or not node.args:
            continue
        plain = any(
            word.arg == "markup" and getattr(word.value, "value", True) is False
            for word in node.keywords
        )
        text = node.args[0]
        if not (plain or isinstance(text, ast.Constant) or called(text) == "Content"):
            yield f"{node.lineno}: {name}"


@pytest.mark.parametrize("find", [writes, bare_texts])
def test_every_text_goes_the_one_way(find: object) -> None:
    found = [
        f"{name_of(path)}:{what}"
        for path in SOURCES
        if find is bare_texts or name_of(path) not in WRITERS
        for what in find(ast.parse(path.read_text(encoding="utf-8")))  # type: ignore[operator]
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "print(x)",
        "say = print",
        "sys.stdout.write(x)",
        "write(sys.stderr, x)",
        "sys.__stderr__.write(x)",
        "os.write(2, x)",
        "argparse.ArgumentParser()",
        "rich.console.Console(stderr=True)",
    ],
)
def test_a_way_past_it_is_found(code: str) -> None:
    assert list(writes(ast.parse(code)))


@pytest.mark.parametrize(
    "code", ["Static(name)", "Label(f'{x}')", "app.notify(x)", "Content.from_markup(x)"]
)
def test_a_bare_text_is_found(code: str) -> None:
    assert list(bare_texts(ast.parse(code)))


def test_what_only_looks_is_none() -> None:
    code = "sys.stdout.isatty(); sys.stderr.flush(); Static('a'); Static(x, markup=False)"
    tree = ast.parse(code)
    assert not [*writes(tree), *bare_texts(tree)]


def test_whoever_may_write_is_there() -> None:
    assert WRITERS.keys() <= {name_of(path) for path in SOURCES}
