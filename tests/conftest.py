"""Every test runs on a machine of its own: no user's files, keyring, tokens or network."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

from tests import pilot_idle
from tui.config.paths import Paths

pytest.register_assert_rewrite(  # what the shared tests compare is shown where it differs
    *(f"tests.contract.archive_{part}" for part in ("people", "reading", "writing")),
    "tests.contract.search_model",
)
_FOREIGN = ("RINGBACK_", "SSH_", "XDG_", "KEYRING_", "TEXTUAL", "DBUS_", "PULSE_")
_ALSO = (
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "NO_COLOR",
    "FORCE_COLOR",
    "TMUX",
    "STY",
    "GPG_TTY",
    "LC_ALL",
)
_MARK = "TESTS_OF_RINGBACK"
settings.register_profile(  # the same examples each run, no folder of examples, no clock
    "ringback",
    database=None,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("ringback")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background job, and its children
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """``figure(what, value, goal)`` prints a measured figure at the end of the run."""

    def figure(what: str, value: object, goal: str = "") -> None:
        record_property("figure", [what, str(value), goal])

    return figure


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The figures that tests measured, one a line."""
    reports = [one for kind in ("passed", "failed") for one in terminalreporter.getreports(kind)]
    figures = [
        value
        for report in reports
        if report.when == "call"
        for name, value in report.user_properties
        if name == "figure"
    ]
    if figures:
        terminalreporter.section("figures")
    for what, value, goal in sorted(figures):
        terminalreporter.write_line(f"{what}: {value}" + (f" (goal: {goal})" if goal else ""))


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A new folder for each user."""
    folder = tmp_path_factory.mktemp("users")  # it looks through all there is: once, not each time
    return (folder / str(number) for number in count())


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, homes: Iterator[Path]) -> None:
    """The environment of a fresh user who has no keyring."""
    for name in list(os.environ):
        kept = name.startswith("TEXTUAL_SNAPSHOT")  # the snapshot plugin's own
        if (name.startswith(_FOREIGN) or name in _ALSO) and not kept:
            monkeypatch.delenv(name)
    home = next(homes)
    home.mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("RINGBACK_HOME", str(home / "ringback"))
    monkeypatch.setenv("RINGBACK_RUNTIME_DIR", str(home / "run"))  # no speaker of this user's
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("TZ", "UTC")
    if hasattr(time, "tzset"):
        time.tzset()


@pytest.fixture(scope="session", autouse=True)
def quick_pilots() -> Iterator[None]:
    """A key costs as long as what it does, whatever else the machine does."""
    with pytest.MonkeyPatch.context() as patch:
        pilot_idle.install(patch)
        yield


@pytest.fixture
def paths() -> Paths:
    """The test's own folders, made."""
    made = Paths.default()
    made.make()
    return made


@pytest.fixture(autouse=True)
def off_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the cable were pulled: other machines cannot be named or reached; loopback can."""
    connect, connect_ex, getaddrinfo = (
        socket.socket.connect,
        socket.socket.connect_ex,
        socket.getaddrinfo,
    )

    def refuse(address: object) -> None:
        if isinstance(address, tuple) and not _here(str(address[0])):
            raise OSError(101, "the tests have no network", str(address[0]))

    def checked_connect(self: socket.socket, address: object) -> None:
        refuse(address)
        connect(self, address)  # type: ignore[arg-type]

    def checked_connect_ex(self: socket.socket, address: object) -> int:
        refuse(address)
        return connect_ex(self, address)  # type: ignore[arg-type]

    def checked_getaddrinfo(host: object, *args: object, **options: object) -> object:
        name = host.decode() if isinstance(host, bytes) else str(host or "localhost")
        # old forms of addresses (127.1, 0x7f.1) are read without asking anybody
        if not _here(name) and not _literal(name) and set(name) - set("0123456789abcdefx."):
            raise socket.gaierror(socket.EAI_NONAME, "the tests have no network")
        return getaddrinfo(host, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", checked_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", checked_connect_ex)
    monkeypatch.setattr(socket, "getaddrinfo", checked_getaddrinfo)


def _literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        return False
    return True


def _here(host: str) -> bool:
    return host == "localhost" or (_literal(host) and ipaddress.ip_address(host).is_loopback)


@pytest.fixture(scope="session", autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Whatever the tests start must be gone at their end; found by a mark in its environment."""
    mark = f"{_MARK}={uuid4().hex}"
    os.environ[_MARK] = mark.partition("=")[2]
    yield
    if sys.platform != "linux":
        return
    deadline = time.monotonic() + 3
    while (left := _marked(mark.encode())) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left, f"processes left behind: {sorted(left.values())}"


def _marked(mark: bytes) -> dict[int, str]:
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if "multiprocessing.resource_tracker" not in command:  # it ends after us
                    found[int(entry.name)] = command
        except (OSError, ValueError):
            continue
    # this process's own /proc entry shows the environment it was started with, without the mark
    return found
