"""Tokens in keyrings: a real one, ones that misbehave, and none."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from providers.base import Secret
from tests.secrets.keyrings import SecretService, install, secret_service
from tests.slow_params import few
from tui.config.accounts import Account, make_account
from tui.secrets.tokens import (
    UNLOCK_OVER_SSH,
    SecretError,
    TokenLocked,
    TokenMissing,
    TokenRefusedStore,
    delete_token,
    describe,
    find_token,
    find_tokens,
    probe_keyring,
    store_token,
)

TOKEN = "tok-SENTINEL-42"


def account(name: str = "liner", url: str = "https://api.example.com") -> Account:
    return make_account(name, "liner", url)


def shows(error: SecretError) -> str:
    return f"{error!r} {error} {error.message} {error.hint} {error.args}"


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretService]:
    # a socket's path holds no more than 107 characters, and pytest's folders are deep
    with tempfile.TemporaryDirectory() as home, secret_service(Path(home)) as running:
        monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", running.address)
        yield running


@pytest.mark.slow
def test_a_real_keyring_keeps_a_token_for_one_origin(service: SecretService) -> None:
    service.unlock("pass word")
    liner = account()
    assert probe_keyring() == ("keyring (Secret Service)", "ok")
    assert describe(liner) == ("none", "missing")

    assert store_token(liner, Secret(TOKEN)) == "keyring (Secret Service)"
    found = find_token(liner)
    assert found.secret.reveal() == TOKEN
    assert found.source == "keyring (Secret Service)"
    assert describe(liner) == ("keyring (Secret Service)", "found")

    for url in (
        "https://api.example.com:8443",
        "https://api.example.org",
        "https://x.api.example.com",
    ):
        with pytest.raises(TokenMissing):
            find_token(account(url=url))
    assert find_token(account(url="https://API.example.com:443/v2")).secret.reveal() == TOKEN
    with pytest.raises(TokenMissing):
        find_token(account("other"))

    store_token(liner, Secret("tok-second"))
    assert find_token(liner).secret.reveal() == "tok-second"
    assert delete_token(liner) is True
    assert delete_token(liner) is False
    assert describe(liner) == ("none", "missing")
    on_disk = b"".join(file.read_bytes() for file in service.home.rglob("*.keyring"))
    assert on_disk
    assert TOKEN.encode() not in on_disk


def test_a_locked_keyring_is_told_from_an_empty_one_without_a_prompt(
    service: SecretService, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.unlock("pass word")
    store_token(account(), Secret(TOKEN))
    assert find_token(account()).secret.reveal() == TOKEN
    with pytest.raises(TokenMissing):
        find_token(account(url="https://api.example.org"))
    service.lock()
    monkeypatch.setenv("DISPLAY", ":77")  # a display that nobody looks at
    started = time.monotonic()
    with pytest.raises(TokenLocked) as caught:
        find_token(account())
    assert time.monotonic() - started < 4
    assert "ringback doctor" in caught.value.hint
    assert "read -rs RINGBACK_TOKEN_LINER" in caught.value.hint
    assert describe(account()) == ("keyring (Secret Service)", "locked")
    assert probe_keyring().state == "locked"
    with pytest.raises(TokenLocked):
        store_token(account(), Secret("tok-other"))
    with pytest.raises(TokenLocked):
        delete_token(account())

    service.unlock("pass word")
    assert find_token(account()).secret.reveal() == TOKEN


def test_a_keyring_that_was_never_made_has_no_token_and_takes_none(service: SecretService) -> None:
    service.lock()
    with pytest.raises(TokenMissing):
        find_token(account())
    with pytest.raises(TokenLocked, match="no keyring has been made"):
        store_token(account(), Secret(TOKEN))


@pytest.mark.slow
def test_many_accounts_ask_the_keyring_once(service: SecretService) -> None:
    service.unlock("p")
    accounts = [account(f"a{number}") for number in range(6)]
    for one in accounts[:2]:
        store_token(one, Secret(f"tok-{one.name}"))
    started = time.monotonic()
    found = find_tokens(accounts)
    assert time.monotonic() - started < 2
    assert list(found) == [one.name for one in accounts]
    kinds = [type(one).__name__ for one in found.values()]
    assert kinds == ["Token"] * 2 + ["TokenMissing"] * 4


@pytest.mark.slow
def test_the_recipe_that_doctor_prints_gives_a_keyring_over_ssh() -> None:
    """Run as a login shell would, twice: a fresh machine, and one with a dead bus's socket."""
    with tempfile.TemporaryDirectory() as home, secret_service(Path(home)) as running:
        running.end()
        (Path(home) / "bus").unlink(missing_ok=True)
        environ = {**os.environ, "HOME": home, "XDG_DATA_HOME": f"{home}/share"}
        environ.pop("PYTHON_KEYRING_BACKEND")
        for expected in ("TokenMissing", "found"):
            check = Path(home, "check.py")
            check.write_text(
                "from tests.secrets.test_keyring import *\n"
                "try: find_token(account()); print('found')\n"
                "except SecretError as error: print(type(error).__name__)\n"
                "else: raise SystemExit\n"
                f"store_token(account(), Secret({TOKEN!r}))\n"
            )
            # between the two runs the bus dies, as at a reboot; its socket stays
            script = UNLOCK_OVER_SSH.replace(
                "ringback doctor", f"{shlex.quote(sys.executable)} {check}"
            ).replace("dbus-daemon --session --fork", "dbus-daemon --session --fork --print-pid=3")
            done = subprocess.run(
                ["bash", "-c", f"exec 3>{home}/pid; {script}"],
                input=b"secret\n",
                env={**environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                capture_output=True,
                timeout=20,
            )
            os.kill(int(Path(home, "pid").read_text()), 9)  # and the keyring with it
            assert done.stdout.split()[-1:] == [expected.encode()], (done.stdout, done.stderr)
            assert Path(home, ".cache/run/bus").is_socket()


# ---------------------------------------------------------------- none, unsafe, broken


def test_without_a_bus_the_message_names_what_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    with pytest.raises(TokenMissing) as caught:
        find_token(account("my-liner"))
    assert "no keyring" in caught.value.message
    lines = [caught.value.message, *caught.value.hint.split("\n")]
    assert len(lines) <= 3
    assert "read -rs RINGBACK_TOKEN_MY_LINER && export RINGBACK_TOKEN_MY_LINER" in lines[1]
    assert "--token-command 'pass show ringback/my-liner'" in lines[2]
    assert "ringback doctor" in lines[2]
    with pytest.raises(TokenRefusedStore):
        store_token(account(), Secret(TOKEN))
    assert delete_token(account()) is False


def test_a_bus_that_died_is_no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    assert probe_keyring() == ("keyring", "absent")


@pytest.mark.parametrize(
    ("module", "class_"),
    few(
        1,
        [
            ("keyrings.alt.file", "PlaintextKeyring"),
            ("keyrings.alt.file", "Subtle"),
            ("own", "Subtle"),
        ],
    ),
)
def test_a_clear_text_keyring_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, module: str, class_: str
) -> None:
    install(monkeypatch, tmp_path, module, class_)
    with pytest.raises(TokenRefusedStore, match="clear text") as caught:
        store_token(account(), Secret(TOKEN))
    assert TOKEN not in shows(caught.value)
    with pytest.raises(TokenRefusedStore, match="clear text"):
        find_token(account())
    assert not Path(os.environ["HOME"], "keyring_pass.cfg").exists()


def test_a_clear_text_keyring_is_not_chosen_because_it_is_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, tmp_path, "keyrings.alt.file", "PlaintextKeyring")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.chainer.ChainerBackend")
    plugin = tmp_path / "alt-1.dist-info"
    plugin.mkdir()
    (plugin / "METADATA").write_text("Metadata-Version: 2.1\nName: alt\nVersion: 1\n")
    (plugin / "entry_points.txt").write_text("[keyring.backends]\nalt = keyrings.alt.file\n")
    by_itself = subprocess.run(
        [sys.executable, "-m", "keyring", "get", "x", "y"], capture_output=True, text=True
    )
    assert "clear-text-token" in by_itself.stdout  # what keyring alone would do
    assert describe(account()) == ("none", "missing")
    with pytest.raises(TokenRefusedStore):
        store_token(account(), Secret(TOKEN))


@pytest.mark.parametrize(
    "name", few(1, ["keyring.backends.null.Keyring", "keyring.backends.fail.Keyring"])
)
def test_a_keyring_that_is_turned_off_holds_nothing(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", name)
    monkeypatch.setattr("tui.secrets.tokens.run_killable", None)  # there is nothing to ask
    with pytest.raises(TokenMissing, match="turned off"):
        find_token(account())
    with pytest.raises(TokenRefusedStore, match="turned off"):
        store_token(account(), Secret(TOKEN))


def test_the_users_keyringrc_is_obeyed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, tmp_path, "own", "FileKeyring")
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    file = Path(os.environ["HOME"], ".config/python_keyring/keyringrc.cfg")
    file.parent.mkdir(parents=True)
    file.write_text("[backend]\ndefault-keyring=own.FileKeyring\n")
    assert store_token(account(), Secret(TOKEN)) == "keyring (own.FileKeyring)"
    file.write_text("[backend]\ndefault-keyring=own.Missing\n")
    with pytest.raises(TokenRefusedStore, match=r"keyringrc\.cfg names"):
        find_token(account())
    file.write_text("[backend]\ndefault-keyring=keyring.backends.null.Keyring\n")
    with pytest.raises(TokenMissing, match="turned off"):
        find_token(account())


def test_a_third_partys_keyring_serves_when_it_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, tmp_path, "own", "FileKeyring")
    assert store_token(account(), Secret(TOKEN)) == "keyring (own.FileKeyring)"
    assert find_token(account()).secret.reveal() == TOKEN
    assert delete_token(account()) is True


def test_a_keyring_that_keeps_nothing_is_found_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, tmp_path, "own", "Forgetful")
    with pytest.raises(TokenRefusedStore, match="did not keep") as caught:
        store_token(account(), Secret(TOKEN))
    assert TOKEN not in shows(caught.value)


def test_a_keyrings_error_does_not_quote_the_token(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, tmp_path, "own", "Quoting")
    with pytest.raises(TokenRefusedStore, match="RuntimeError") as caught:
        store_token(account(), Secret(TOKEN))
    assert TOKEN not in shows(caught.value)


def test_a_keyring_that_asks_on_a_terminal_is_locked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, tmp_path, "own", "Asking")
    with pytest.raises(TokenLocked):
        find_token(account())


def test_a_hanging_keyring_is_killed_and_the_process_can_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, tmp_path, "own", "Hanging")
    program = (
        "from tests.secrets.test_keyring import *\n"
        "from tui.secrets import tokens; tokens.KEYRING_S = 1.0\n"
        "try: find_token(account())\n"
        "except TokenLocked as error: print(error.message)\n"
    )
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)])},
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert 1 <= time.monotonic() - started < 6
    assert "did not answer within 1 s" in done.stdout
    assert done.stderr == ""  # its helper is gone as well, or the session's end would tell


def test_the_keyrings_process_is_given_no_token_and_no_display(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, tmp_path, "own", "Curious")
    monkeypatch.setenv("RINGBACK_TOKEN_OTHER", TOKEN)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("KEYRING_PROPERTY_KEYRING_KEY", "for the backend")
    assert find_token(account()).secret.reveal() == "tok-curious"
    seen = json.loads(Path(os.environ["HOME"], "seen.json").read_text())
    assert TOKEN not in json.dumps(seen)
    assert "DISPLAY" not in seen["environ"]
    assert seen["environ"]["KEYRING_PROPERTY_KEYRING_KEY"] == "for the backend"


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_the_keyrings_process_leaves_no_core_and_its_memory_closed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, tmp_path, "own", "Curious")
    program = (
        "from tests.secrets.test_keyring import *\n"
        "from tui.secrets.process import harden_process\n"
        "harden_process(); find_token(account())"
    )
    environ = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)]),
    }
    subprocess.run([sys.executable, "-c", program], env=environ, check=True)
    assert json.loads(Path(os.environ["HOME"], "seen.json").read_text())["memory"] == [0, 0, 0]


def test_a_planted_module_in_the_current_folder_is_not_imported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("keyring", "secretstorage", "json", "secrets"):
        (tmp_path / f"{name}.py").write_text("open('planted', 'w')\n")
    monkeypatch.chdir(tmp_path)
    assert probe_keyring().state == "absent"
    assert not (tmp_path / "planted").exists()
