"""Outside its own folder nobody knows that the archive is SQLite, nor how it fails."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.guards.readme_text import ROOT
from tui.archive import errors

SQLITE = ROOT / "tui" / "archive" / "sqlite"
SOURCES = sorted(
    path for part in ("tui", "widgets", "providers") for path in (ROOT / part).rglob("*.py")
)


def imported(path: Path) -> Iterator[str]:
    """The modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def raised(path: Path) -> Iterator[str]:
    """The names of what a file raises itself."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Raise) and node.exc:
            made = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if isinstance(made, ast.Name):
                yield made.id


def test_sqlite_is_known_to_its_own_folder_alone() -> None:
    knowing = {path for path in SOURCES if "sqlite3" in imported(path)}
    assert knowing and all(SQLITE in path.parents for path in knowing)


def test_the_archive_raises_no_error_of_a_dictionary_or_the_disk() -> None:
    """`KeyError` and `OSError` say nothing of calls; inside a file they are its own matter."""
    told = {"KeyError", "LookupError", "IndexError", "sqlite3"}
    assert not {
        path.name: found
        for path in SOURCES
        if SQLITE in path.parents
        if (found := told & {*raised(path)})
    }


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, one in vars(errors).items()
        if isinstance(one, type) and one.__module__ == errors.__name__
    ],
)
def test_every_error_is_of_one_tree(name: str) -> None:
    assert issubclass(vars(errors)[name], errors.ArchiveError)
