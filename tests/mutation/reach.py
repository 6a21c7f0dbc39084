"""Which tests reach which lines: gathered once a room, kept until its code or tests change."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path

import coverage

from tests.mutation.copies import Copy

_ROOT = Path(__file__).parents[2]
_KEPT = _ROOT / ".mutation_cache"
_SETTINGS = """[run]
source = tui,widgets,providers
data_file = {folder}/coverage
parallel = true
context = ${{PYTEST_CURRENT_TEST-}}
"""


@dataclass(frozen=True)
class Reach:
    """The tests that pass, and what they run."""

    seconds: dict[str, float]
    """How long each takes."""
    failing: list[str]
    """They say nothing, since they fail without a fault too."""
    lines: dict[str, dict[str, list[str]]]
    """The tests by file and line; lines are text, as JSON has them."""

    def tests_of(self, path: str, line: int) -> tuple[list[str], bool]:
        """The tests that reach a line, quick files first, and whether it is known that they do.

        What runs on import, or in processes that may not write, is in no test's record: there all
        tests that reach the file are asked, or else all there are.
        """
        lines = self.lines.get(path, {})
        known = [test for test in lines.get(str(line), []) if test in self.seconds]
        reached = {test for tests in lines.values() for test in tests} & self.seconds.keys()
        return self._quick_first(known or reached or self.seconds), bool(known)

    def _quick_first(self, tests: list[str] | set[str] | dict[str, float]) -> list[str]:
        files: dict[str, list[str]] = defaultdict(list)
        for test in sorted(tests, key=lambda each: (self.seconds[each], each)):
            files[test.partition("::")[0]].append(test)
        by_cost = sorted(files.values(), key=lambda each: sum(map(self.seconds.__getitem__, each)))
        return [test for each in by_cost for test in each]


def reach_of(sources: tuple[str, ...], tests: tuple[str, ...], copy: Copy, jobs: int) -> Reach:
    """From the kept record, or gathered anew in a copy. Raises RuntimeError."""
    kept = _KEPT / f"{hashlib.sha256(repr((sources, tests)).encode()).hexdigest()[:16]}.json"
    state = _state({*sources, *tests})
    if kept.exists() and (record := json.loads(kept.read_text()))["state"] == state:
        return Reach(**record["reach"])
    print(f"looking which line is reached by which test of {', '.join(tests)} ...", flush=True)
    reach = _gather(tests, copy, jobs)
    _KEPT.mkdir(exist_ok=True)
    kept.write_text(json.dumps({"state": state, "reach": asdict(reach)}))
    return reach


def _gather(tests: tuple[str, ...], copy: Copy, jobs: int) -> Reach:
    folder = copy.root / ".mutation_records"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    settings = folder / "coveragerc"
    settings.write_text(_SETTINGS.format(folder=folder))
    spread = ["-n", str(jobs), "--dist", "loadfile"] if jobs > 1 else []
    words = ["-p", "tests.mutation.recorder", *spread, *tests]
    _, printed = copy.pytest(
        words,
        MUTATION_RECORDS=str(folder),
        MUTATION_COVERAGE=str(settings),
        COVERAGE_PROCESS_START=str(settings),
    )
    if not (folder / "results.json").exists():
        raise RuntimeError(f"the tests do not run:\n{printed}")
    results: dict[str, tuple[float, bool]] = json.loads((folder / "results.json").read_text())
    failed = [test for test, (_, passed) in results.items() if not passed]
    failing = [test for test in failed if copy.pytest([test])[0] != 0]
    return Reach(
        seconds={test: each[0] for test, each in results.items() if test not in failing},
        failing=failing,
        lines=_lines(copy.root, folder),
    )


def _lines(root: Path, folder: Path) -> dict[str, dict[str, list[str]]]:
    whole = coverage.Coverage(config_file=str(folder / "coveragerc"), data_file=folder / "coverage")
    whole.combine([str(folder)])
    data = whole.get_data()
    lines: dict[str, dict[str, list[str]]] = {}
    for path in data.measured_files():
        reached = {
            str(line): sorted({_test(each) for each in contexts} - {""})
            for line, contexts in data.contexts_by_lineno(path).items()
        }
        lines[str(Path(path).relative_to(root))] = {k: v for k, v in reached.items() if v}
    return lines


def _test(context: str) -> str:
    """Here a context is a test's id; in a child process it is what pytest says it is at."""
    return re.sub(r" \((setup|call|teardown)\)$", "", context.strip("|"))


def _state(names: set[str]) -> str:
    """A fingerprint of files and folders."""
    made = hashlib.sha256()
    for name in sorted(names):
        top = _ROOT / name
        for path in sorted(top.rglob("*.py")) if top.is_dir() else [top]:
            made.update(f"{path.relative_to(_ROOT)}\0".encode() + path.read_bytes())
    return made.hexdigest()
