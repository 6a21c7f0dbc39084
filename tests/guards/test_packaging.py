"""What is installed, from what, and whether the package is whole without the checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path

import pytest

from tests.guards.man_page import MAN_PAGE
from tests.guards.readme_text import ROOT

PYPROJECT = (ROOT / "pyproject.toml").read_text("utf-8")
PACKAGES = ("tui", "widgets", "providers")
OURS_AND_PIP = {"ringback", "pip"}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    assert all(len(pair) == 2 for pair in pairs)
    return {canonical(name): pinned for name, pinned in pairs}


def made_by_run() -> bool:
    """Whether this environment is one that ./run makes (a developer's own may hold anything)."""
    return (Path(sys.prefix) / "installed").exists()


def test_every_dependency_says_why() -> None:
    table = tomllib.loads(PYPROJECT)["project"]
    extras = table["optional-dependencies"].values()
    wanted = [*table["dependencies"], *(one for extra in extras for one in extra)]
    assert len(wanted) > 10
    lines = PYPROJECT.splitlines()
    for requirement in wanted:
        [at] = [n for n, line in enumerate(lines) if f'"{requirement}"' in line]
        assert "# " in lines[at] or lines[at - 1].startswith("# "), requirement


def test_everything_that_is_installed_is_pinned() -> None:
    if not made_by_run():
        pytest.skip("this environment was not made by ./run")
    pinned = pins()
    for one in distributions():
        name = canonical(one.metadata["Name"])
        assert name in OURS_AND_PIP or pinned.get(name) == one.version, f"{name}=={one.version}"


def test_every_dependency_is_pinned_within_its_bounds() -> None:
    from packaging.requirements import Requirement

    table = tomllib.loads(PYPROJECT)
    optional = table["project"]["optional-dependencies"]
    extras = [one for name in ("receive", "test", "lint") for one in optional[name]]
    wanted = [*table["project"]["dependencies"], *extras, *table["build-system"]["requires"]]
    pinned = pins()
    for requirement in map(Requirement, wanted):
        if requirement.name == "ringback":  # an extra that another one has
            continue
        assert requirement.specifier.contains(pinned[canonical(requirement.name)]), requirement


def test_the_license_and_the_version_are_those_of_the_package() -> None:
    project = tomllib.loads(PYPROJECT)["project"]
    assert project["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text("utf-8").startswith("MIT License")
    assert f"\n## {project['version']}\n" in (ROOT / "CHANGELOG.md").read_text("utf-8")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy of the checkout, built without the network."""
    try:
        if version("setuptools") != pins()["setuptools"]:
            raise PackageNotFoundError
    except PackageNotFoundError:
        pytest.skip("the pinned setuptools is not installed here; ./run installs it")
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("*.pyc"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    (source / "docs").mkdir()
    shutil.copy(MAN_PAGE, source / "docs")
    code = f"from setuptools.build_meta import build_wheel; build_wheel({str(built)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=source, capture_output=True, check=True)
    [made] = built.glob("ringback-*.whl")
    return made


@pytest.mark.slow
def test_the_wheel_holds_every_module_and_what_goes_with_them(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    beside = {name for name in names if ".data/" in name}
    assert [name.partition(".data/")[2] for name in beside] == ["data/share/man/man1/ringback.1"]
    wanted = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in (".py", ".tcss", ".txt") or path.name == "py.typed"
    }
    assert {"tui/app.tcss", *(f"{package}/py.typed" for package in PACKAGES)} <= wanted
    assert names - beside == wanted


@pytest.mark.slow
def test_the_installed_wheel_runs_far_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    """In an environment of its own; what Ringback depends on is lent by this one."""
    venv.create(tmp_path / "own", with_pip=False, symlinks=True)
    python = tmp_path / "own" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps"]
    subprocess.run([*pip, "--no-index", str(wheel)], capture_output=True, check=True)
    [site] = (tmp_path / "own").glob("lib/python*/site-packages")
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def run(*words: str) -> str:
        command = [str(tmp_path / "own" / "bin" / words[0]), *words[1:]]
        done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = run("python", "-c", "import tui.app, providers, widgets; print(tui.__file__)")
    assert where.strip().startswith(str(site))
    assert run("ringback", "--version") == f"ringback {version('ringback')}\n"
    assert "ok       archive    0 calls" in run("ringback", "doctor")
