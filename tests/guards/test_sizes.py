"""What is too long to be read at once: files, classes and functions, of the tests too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.guards.readme_text import ROOT

FILE_LINES, CLASS_METHODS, FUNCTION_LINES = 500, 60, 60


def too_large(path: str, text: str) -> Iterator[str]:
    """One line for each file, class or function that is over its limit."""
    lines = text.count("\n")
    if lines > FILE_LINES:
        yield f"{path}: {lines} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            methods = sum(
                isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) for each in node.body
            )
            if methods > CLASS_METHODS:
                yield f"{path}: class {node.name} with {methods} methods"
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield f"{path}: function {node.name} of {length} lines"


def sources() -> Iterator[Path]:
    for folder in ("providers", "screenshots", "tests", "tui", "widgets"):
        yield from sorted((ROOT / folder).rglob("*.py"))


def test_everything_can_be_read_at_once() -> None:
    names = {path.relative_to(ROOT).as_posix(): path for path in sources()}
    found = [
        line for name, path in names.items() for line in too_large(name, path.read_text("utf-8"))
    ]
    assert found == []


def test_each_limit_is_the_last_that_passes() -> None:
    statements = "    pass\n"
    for count, text in (
        (FUNCTION_LINES, "def f():\n" + statements * (FUNCTION_LINES - 1)),
        (CLASS_METHODS, "class A:\n" + "    def f(self): ...\n" * CLASS_METHODS),
        (FILE_LINES, "\n" * FILE_LINES),
    ):
        assert [*too_large("a.py", text)] == [], count
    over = "def f():\n" + statements * FUNCTION_LINES
    assert [*too_large("a.py", over)] == [f"a.py: function f of {FUNCTION_LINES + 1} lines"]
    over = "class A:\n" + "    def f(self): ...\n" * (CLASS_METHODS + 1)
    assert [*too_large("a.py", over)] == [f"a.py: class A with {CLASS_METHODS + 1} methods"]
    assert [*too_large("a.py", "\n" * 501)] == ["a.py: 501 lines"]
