"""``./run mutants [PATH]``: puts small faults into the code, and tells which no test notices.

Of the ready-made programs, mutmut changes functions without decorators only, and forks them within
one process; here a fault is a change of any line's text, tried as the tests are always run.
"""

from __future__ import annotations

import argparse
import difflib
import os
import random
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Lock

from tests.mutation.copies import Copy
from tests.mutation.faults import Fault, faults
from tests.mutation.reach import Reach, reach_of
from tests.rooms import room_of

_ROOT = Path(__file__).parents[2]
_MOST_SURVIVING = 0.05


@dataclass(frozen=True)
class Mutant:
    """A module with one fault in it."""

    path: str
    fault: Fault

    @property
    def source(self) -> str:
        return (_ROOT / self.path).read_text("utf-8")

    @property
    def text(self) -> str:
        return self.fault.put_into(self.source)

    def diff(self) -> str:
        before, after = self.source.splitlines(), self.text.splitlines()
        lines = [*difflib.unified_diff(before, after, n=1, lineterm="")][2:]
        return "\n".join(f"    {line}" for line in lines)


def drawn(paths: list[str], seed: int, count: int) -> list[Mutant]:
    """At most one of each line, in the order of files and lines. Raises FileNotFoundError."""
    lines: dict[tuple[str, int], list[Mutant]] = {}
    for path in sorted({each for top in paths for each in _modules(top)}):
        source = (_ROOT / path).read_text("utf-8")
        for fault in faults(source):
            with suppress(SyntaxError):
                compile(fault.put_into(source), path, "exec")
                lines.setdefault((path, fault.line), []).append(Mutant(path, fault))
    chance = random.Random(seed)
    return [
        chance.choice(lines[each])
        for each in sorted(chance.sample(sorted(lines), min(count, len(lines))))
    ]


def _modules(top: str) -> list[str]:
    path = (_ROOT / top).resolve()
    if not path.exists():
        raise FileNotFoundError(top)
    found = path.rglob("*.py") if path.is_dir() else [path]
    return [str(each.relative_to(_ROOT)) for each in found]


class Trial:
    """Tries mutants in a copy of the checkout: with their room's own tests, then with further ones."""

    def __init__(self, folder: Path, jobs: int) -> None:
        self._jobs = jobs
        self._copies: SimpleQueue[Copy] = SimpleQueue()
        for number in range(jobs):
            self._copies.put(Copy.make(folder / str(number)))
        self._reaches: dict[tuple[str, ...], Reach] = {}
        self._gathering = Lock()

    def survives(self, mutant: Mutant) -> bool:
        """Prints what became of it. Raises RuntimeError when the tests fail without it too."""
        room, copy = room_of(mutant.path), self._copies.get()
        try:
            stages = [tests for tests in (room.tests, room.further) if tests]
            verdicts = [self._passed(mutant, room.sources, tests, copy) for tests in stages[:1]]
            if all(verdicts):
                verdicts += [
                    self._passed(mutant, room.sources, tests, copy) for tests in stages[1:]
                ]
        finally:
            self._copies.put(copy)
        where = f"{mutant.path}:{mutant.fault.line}: {mutant.fault.kind}"
        if not all(verdicts):
            print(f"caught   {where}", flush=True)
            return False
        print(f"SURVIVED {where} ({', '.join(verdicts)})\n{mutant.diff()}", flush=True)
        return True

    def _passed(
        self, mutant: Mutant, sources: tuple[str, ...], tests: tuple[str, ...], copy: Copy
    ) -> str:
        """What passed despite the fault; nothing when a test fails or hangs."""
        reach = self._reach(sources, tests, copy)
        chosen, known = reach.tests_of(mutant.path, mutant.fault.line)
        listed = copy.root / ".mutation_tests"
        listed.write_text("\n".join(chosen))
        copy.write(mutant.path, mutant.text)
        limit_s = 60 + 4 * sum(reach.seconds[test] for test in chosen)
        code, _ = copy.pytest(["-x", f"@{listed}"], limit_s=limit_s)
        copy.write(mutant.path, mutant.source)
        if code != 0:
            return ""
        return f"{len(chosen)} tests pass" + ("" if known else " that may not reach the line")

    def _reach(self, sources: tuple[str, ...], tests: tuple[str, ...], copy: Copy) -> Reach:
        with self._gathering:
            if tests not in self._reaches:
                reach = reach_of(sources, tests, copy, self._jobs)
                for test in reach.failing:
                    print(f"left out, since it fails without a fault: {test}", flush=True)
                quickest = min(reach.seconds, key=lambda each: reach.seconds[each], default="")
                code, printed = copy.pytest([quickest]) if quickest else (1, "no test passes")
                if code != 0:
                    raise RuntimeError(f"{quickest} fails without a fault:\n{printed}")
                self._reaches[tests] = reach
        return self._reaches[tests]


def tried(mutants: list[Mutant], jobs: int) -> int:
    """How many survive."""
    with (
        tempfile.TemporaryDirectory(prefix="ringback-mutants-") as folder,
        ThreadPoolExecutor(jobs) as pool,
    ):
        trial = Trial(Path(folder).resolve(), jobs)
        return sum(pool.map(trial.survives, mutants))


def main() -> int:
    """0 when at most one fault in twenty passes, 1 when more do, 2 for wrong usage."""
    parser = argparse.ArgumentParser(
        prog="./run mutants", description=(__doc__ or "").split(":: ")[-1]
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="packages or files; otherwise all")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--count", type=int, default=20, help="how many faults (20)")
    options = parser.parse_args()
    jobs = int(os.environ.get("JOBS", "2"))
    try:
        mutants = drawn(
            options.paths or ["providers", "tui", "widgets"], options.seed, options.count
        )
        print(f"{len(mutants)} faults, seed {options.seed}", flush=True)
        survivors = tried(mutants, jobs)
    except (FileNotFoundError, RuntimeError, KeyError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    share = survivors / len(mutants) if mutants else 0.0
    print(
        f"{len(mutants)} faults: {len(mutants) - survivors} caught, {survivors} survived"
        f" ({share:.1%}; at most {_MOST_SURVIVING:.0%}), seed {options.seed}"
    )
    return int(share > _MOST_SURVIVING)


if __name__ == "__main__":
    sys.exit(main())
