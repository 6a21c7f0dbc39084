"""SECURITY.md is true as far as a test can say: the tests that it names exist, and are tests."""

from __future__ import annotations

import ast
import re

import pytest

from tests.guards.readme_text import README, ROOT

TEXT = (ROOT / "SECURITY.md").read_text("utf-8")
NAMED = re.findall(r"`(tests/[^`]*)`", TEXT)
PROMISES = TEXT.partition("## Tokens\n")[2].partition("## What is not promised\n")[0]


def functions_of(path: str) -> set[str]:
    """The names of a file's functions, those in classes too."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {one.name for one in ast.walk(tree) if isinstance(one, kinds)}


@pytest.mark.parametrize("path", sorted({one.partition("::")[0] for one in NAMED}))
def test_the_tests_that_it_names_exist(path: str) -> None:
    named = {one.partition("::")[2] for one in NAMED if one.partition("::")[0] == path}
    assert named <= functions_of(path), f"{path}: {sorted(named - functions_of(path))}"
    assert all(one.startswith("test_") for one in named)


def test_every_promise_names_its_tests() -> None:
    """After each paragraph of promises stands the list of what holds it."""
    parts = [one for one in PROMISES.strip().split("\n\n") if not one.startswith("## ")]
    assert len(parts) > 20
    for promise, held in zip(parts[::2], parts[1::2], strict=True):
        assert not promise.startswith("* "), promise
        assert all(line.startswith("* `tests/") for line in held.splitlines()), promise
    assert len(NAMED) == len(set(NAMED)), "each stands once"


def test_the_readme_leads_there() -> None:
    assert "](SECURITY.md)" in README.read_text("utf-8")
    for heading in ("To report a fault", "Who is not trusted", "What is not promised"):
        assert f"## {heading}\n" in TEXT
