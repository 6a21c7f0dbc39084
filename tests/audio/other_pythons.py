"""Environments with simpleaudio for the Pythons of this machine, made once and kept."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = "here"
_SURROUNDINGS = dict(os.environ)  # before the tests make it a fresh user's
_NEEDED = ("av", "audioop", "simpleaudio")
_PACKAGES = ("av", "audioop-lts; python_version >= '3.13'", "simpleaudio")


def _others() -> Mapping[str, str]:
    """By version: those of RINGBACK_TEST_PYTHONS (as in PATH), or of pyenv, or this one."""
    named = os.environ.get("RINGBACK_TEST_PYTHONS", "")
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    installed = sorted(pyenv.glob("3.1[1-9].*/bin/python"))
    found = named.split(os.pathsep) if named else [str(path) for path in installed]
    asked = "import sys; print('%d.%d' % sys.version_info[:2])"
    versions = {
        subprocess.run([path, "-c", asked], capture_output=True, text=True).stdout.strip(): path
        for path in found or [sys.executable]
    }
    return {version: path for version, path in versions.items() if version}


OTHERS = _others()
PARAMS = [HERE, *(pytest.param(version, marks=pytest.mark.slow) for version in OTHERS)]


def with_simpleaudio(version: str) -> str:
    """The path of a Python that has it. Skips the test where there can be none."""
    if version == HERE:
        if find_spec("simpleaudio") is None:
            pytest.skip("simpleaudio is not installed in this environment")
        return sys.executable
    folder = Path(tempfile.gettempdir()) / f"ringback-tests-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    assert folder.stat().st_uid == os.getuid()
    with (folder / f"{version}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several workers, one environment
        return _made(OTHERS[version], folder / version)


def _made(base: str, folder: Path) -> str:
    python = folder / "bin" / "python"
    known = python.exists() and subprocess.run(
        [python, "-c", f"import {', '.join(_NEEDED)}"], capture_output=True
    )
    if not known or known.returncode:
        subprocess.run([base, "-m", "venv", "--clear", folder], check=True, env=_SURROUNDINGS)
        install = [str(python), "-m", "pip", "install", "--quiet", *_PACKAGES]
        done = subprocess.run(install, env=_SURROUNDINGS, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"simpleaudio cannot be built here: {done.stderr.splitlines()[-1:]}")
    return str(python)
