"""Copies of the checkout in which faults are tried: each with an environment that imports from it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_CHILD = (
    "import os; 'COVERAGE_PROCESS_START' in os.environ and __import__('coverage').process_startup()"
)
_stamps = count(1_000_000_000)


@dataclass(frozen=True)
class Copy:
    """A copy of the checkout; of two runs at a time, each needs one of its own."""

    root: Path

    @classmethod
    def make(cls, root: Path) -> Copy:
        """What git tracks or would track, as it is in the checkout now."""
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=_ROOT, capture_output=True, check=True).stdout
        for name in filter(None, names.decode().split("\0")):
            if (_ROOT / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(_ROOT / name, root / name)
        made = cls(root)
        made._make_environment()
        return made

    def _make_environment(self) -> None:
        """Packages are lent by the checkout's environment, without its link to the checkout."""
        venv.create(self.root / ".venv", symlinks=True)
        [site] = (self.root / ".venv").glob("lib/python*/site-packages")
        lines = [str(self.root), sysconfig.get_path("purelib"), _CHILD]
        (site / "copy.pth").write_text("\n".join(lines) + "\n")
        command = Path(sys.executable).with_name("ringback")
        text = command.read_text().replace(sys.executable, str(self.python))
        (self.root / ".venv/bin/ringback").write_text(text)
        (self.root / ".venv/bin/ringback").chmod(0o755)

    @property
    def python(self) -> Path:
        return self.root / ".venv/bin/python"

    def write(self, path: str, text: str) -> None:
        """In the place of a module; what was compiled from it before is not taken for it."""
        module = self.root / path
        module.write_text(text, "utf-8")
        stamp = next(_stamps)
        os.utime(module, (stamp, stamp))

    def pytest(
        self, words: Sequence[str], limit_s: float | None = None, **environ: str
    ) -> tuple[int | None, str]:
        """Pytest's exit code, and what it printed; None when it takes longer than it may."""
        process = subprocess.Popen(
            [self.python, "-m", "pytest", "-m", "", *words],
            cwd=self.root,
            env={**os.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            printed, _ = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return None, ""
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        return process.returncode, printed
