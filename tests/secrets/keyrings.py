"""Keyring backends that misbehave, and a real Secret Service to keep tokens in."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

BACKENDS = '''
import json, os, sys, time
from keyring.backend import KeyringBackend

class PlaintextKeyring(KeyringBackend):
    priority = 9
    def get_password(self, service, username):
        return "clear-text-token"
    def set_password(self, service, username, password):
        open(os.environ["HOME"] + "/keyring_pass.cfg", "w").write(password)

class Subtle(PlaintextKeyring):
    """A refused one under another name."""

class FileKeyring(KeyringBackend):
    """What a third party's might be; it also prints, which must not spoil the answer."""
    priority = 1
    path = property(lambda self: os.environ["HOME"] + "/kept.json")
    def _all(self):
        return json.load(open(self.path)) if os.path.exists(self.path) else {}
    def get_password(self, service, username):
        print("hello from a backend")
        return self._all().get(f"{service}/{username}")
    def set_password(self, service, username, password):
        json.dump(self._all() | {f"{service}/{username}": password}, open(self.path, "w"))
    def delete_password(self, service, username):
        kept = self._all()
        del kept[f"{service}/{username}"]
        json.dump(kept, open(self.path, "w"))

class Forgetful(FileKeyring):
    def set_password(self, service, username, password):
        pass

class Hanging(FileKeyring):
    """Waits for a window that nobody sees, and has a helper that does so too."""
    def get_password(self, service, username):
        import signal, subprocess
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        time.sleep(60)

class Asking(FileKeyring):
    def get_password(self, service, username):
        import getpass
        return getpass.getpass("Please enter password for encrypted keyring: ")

class Quoting(FileKeyring):
    def set_password(self, service, username, password):
        raise RuntimeError(f"cannot keep {password}")

class Curious(FileKeyring):
    def _memory(self):
        """Whether a core may be dumped, and a debugger look in."""
        import ctypes, resource
        return [*resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)]
    def get_password(self, service, username):
        open(os.environ["HOME"] + "/seen.json", "w").write(
            json.dumps({"argv": sys.argv, "environ": dict(os.environ), "memory": self._memory()}))
        return "tok-curious"
'''


def install(monkeypatch: pytest.MonkeyPatch, folder: Path, module: str, class_: str) -> None:
    """Put the backends where the child finds them as `module`, and choose one by name."""
    file = folder.joinpath(*module.split(".")).with_suffix(".py")
    file.parent.mkdir(parents=True, exist_ok=True)
    for package in file.relative_to(folder).parents[:-1]:
        (folder / package / "__init__.py").touch()
    file.write_text(BACKENDS)
    path = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{path}" if path else str(folder))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"{module}.{class_}")


class SecretService:
    """A D-Bus session and a gnome-keyring-daemon of the test's own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.address = f"unix:path={home}/bus"
        self.environ = {
            **os.environ,
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home / "run"),
            "XDG_DATA_HOME": str(home / "share"),
            "DBUS_SESSION_BUS_ADDRESS": self.address,
        }
        self._children: list[subprocess.Popen[bytes]] = []
        (home / "run").mkdir(mode=0o700)
        config = home / "bus.conf"
        config.write_text(
            f"<busconfig><type>session</type><listen>{self.address}</listen>"
            '<policy context="default"><allow send_destination="*"/><allow own="*"/>'
            '<allow eavesdrop="false"/></policy></busconfig>'
        )
        self._start(["dbus-daemon", f"--config-file={config}", "--nofork"])
        _wait(lambda: (home / "bus").is_socket())

    def _start(self, argv: list[str], stdin: bytes | None = None) -> None:
        child = subprocess.Popen(
            argv,
            env=self.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._children.append(child)
        assert child.stdin is not None
        with child.stdin as pipe:
            pipe.write(stdin or b"")

    def unlock(self, password: str) -> None:
        """Begin a daemon that reads the password; what ran before is ended."""
        self.end_daemon()
        self._daemon(["--unlock"], password.encode())

    def lock(self) -> None:
        """Begin a daemon that was given no password."""
        self.end_daemon()
        self._daemon([], None)

    def _daemon(self, options: list[str], stdin: bytes | None) -> None:
        self._start(
            ["gnome-keyring-daemon", "--foreground", "--components=secrets", *options], stdin
        )
        _wait(self._answers)

    def _answers(self) -> bool:
        call = "org.freedesktop.DBus.GetNameOwner string:org.freedesktop.secrets"
        argv = ["dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/"]
        return not subprocess.run(
            [*argv, *call.split()], env=self.environ, capture_output=True, timeout=5
        ).returncode

    def end_daemon(self) -> None:
        while len(self._children) > 1:
            _end(self._children.pop())

    def end(self) -> None:
        while self._children:
            _end(self._children.pop())


def _end(child: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _wait(ready: object, seconds: float = 5) -> None:
    assert callable(ready)
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "the test's Secret Service did not start"
        time.sleep(0.02)


@contextmanager
def secret_service(home: Path) -> Iterator[SecretService]:
    missing = [
        name
        for name in ("gnome-keyring-daemon", "dbus-daemon", "dbus-send")
        if shutil.which(name) is None
    ]
    if missing:
        pytest.skip(f"not installed here: {', '.join(missing)}")
    service = SecretService(home)
    try:
        yield service
    finally:
        service.end()
