"""Tokens from the environment and from commands, and what is never shown."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from providers.base import Secret
from tui.config.accounts import Account, make_account
from tui.secrets.tokens import (
    SecretError,
    TokenMissing,
    TokenUnconfirmed,
    clean_environ,
    describe,
    describe_all,
    find_token,
    find_tokens,
    store_token,
)

TOKEN = "tok-SENTINEL-42"


def account(command: str | None = None, name: str = "liner") -> Account:
    return make_account(name, "liner", "https://api.example.com", token_command=command)


def python(code: str) -> str:
    return f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}"


def test_the_environment_comes_before_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    both = account("echo from-command", "my-liner")
    assert find_token(both).secret.reveal() == "from-command"
    monkeypatch.setenv("RINGBACK_TOKEN_MY_LINER", f"  {TOKEN}\n")
    found = find_token(both)
    assert (found.secret.reveal(), found.source) == (TOKEN, "RINGBACK_TOKEN_MY_LINER")
    assert TOKEN not in f"{found} {found!r} {both!r}"
    monkeypatch.setenv("RINGBACK_TOKEN_MY_LINER", " ")
    assert find_token(both).source == "token_command"


@pytest.mark.parametrize("bad", ["two words", "new\nline", "ton é", "esc\x1b[0m", "x" * 20_000])
def test_what_cannot_stand_in_a_header_is_refused_unshown(
    monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    monkeypatch.setenv("RINGBACK_TOKEN_LINER", bad)
    with pytest.raises(TokenMissing, match="what RINGBACK_TOKEN_LINER gave") as caught:
        find_token(account())
    assert bad not in repr(caught.value)
    with pytest.raises(TokenMissing, match="what the input gave"):
        store_token(account(), Secret(bad))
    with pytest.raises(TokenMissing, match="empty"):
        store_token(account(), Secret(" "))


def test_the_command_is_no_shell_and_has_no_terminal(tmp_path: Path) -> None:
    planted = tmp_path / "planted"
    assert find_token(account(f"echo tok;>{planted}")).secret.reveal() == f"tok;>{planted}"
    assert not planted.exists()
    asks = python("import sys; print('tok-' + repr(sys.stdin.read()))")
    assert find_token(account(asks)).secret.reveal() == "tok-''"
    tty = python("import os\ntry: os.open('/dev/tty', 2)\nexcept OSError: print('tok-no-tty')")
    assert find_token(account(tty)).secret.reveal() == "tok-no-tty"


def test_the_command_keeps_the_users_secrets_but_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGBACK_TOKEN_OTHER", TOKEN)
    monkeypatch.setenv("OP_SERVICE_ACCOUNT_TOKEN", "op")
    monkeypatch.setenv("GPG_TTY", "/dev/pts/9")
    code = (
        "import os; e = os.environ;"
        "print(e.get('RINGBACK_TOKEN_OTHER'), e['OP_SERVICE_ACCOUNT_TOKEN'], e['GPG_TTY'], sep='|')"
    )
    assert find_token(account(python(code))).secret.reveal() == "None|op|/dev/pts/9"


def test_a_child_that_needs_no_secret_gets_none() -> None:
    names = (
        "RINGBACK_TOKEN_LINER GITHUB_TOKEN CLIENT_SECRET AWS_SECRET_ACCESS_KEY token DB_PASSWORD"
    )
    kept = "PATH HOME TERM SSH_AUTH_SOCK KEYBOARD TOKENS_AT"
    assert set(clean_environ(dict.fromkeys(f"{names} {kept}".split(), "x"))) == set(kept.split())


def test_a_moved_base_url_unbinds_every_source(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    code = f"open({str(ran)!r}, 'w'); print('tok')"
    moved = replace(account(python(code)).given(), base_url="https://evil.example.com")
    monkeypatch.setenv("RINGBACK_TOKEN_LINER", "tok-env")
    for found in (moved, replace(moved, token_command=None)):
        for environ in (os.environ, {**os.environ, "RINGBACK_TOKEN_LINER": ""}):
            with pytest.raises(TokenUnconfirmed) as caught:
                find_token(found, environ)
            assert "https://api.example.com:443" in caught.value.message
            assert "https://evil.example.com:443" in caught.value.message
            assert "accounts bind liner https://evil.example.com:443" in caught.value.hint
            said = describe(found, environ, run_command=True)
            assert said == ("bound to https://api.example.com:443", "unconfirmed")
    assert not ran.exists()
    assert find_token(moved.given()).secret.reveal() == "tok-env"


def test_describe_runs_no_command_unless_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    with_command = account(python(f"open({str(ran)!r}, 'w'); print('tok')"), "a")
    monkeypatch.setenv("RINGBACK_TOKEN_C", "tok-env")
    three = [with_command, account(name="b"), account("false", "c")]
    assert describe_all(three) == {
        "a": ("token_command", "not run"),
        "b": ("none", "missing"),
        "c": ("RINGBACK_TOKEN_C", "found"),
    }
    assert not ran.exists()
    assert describe(with_command, run_command=True) == ("token_command", "found")
    assert ran.exists()
    assert describe(account("false"), run_command=True) == ("token_command", "missing")


def test_one_accounts_failure_does_not_cost_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGBACK_TOKEN_C", "tok-env")
    found = find_tokens([account("false", "a"), account(name="b"), account(name="c")])
    assert list(found) == ["a", "b", "c"]
    assert isinstance(found["a"], SecretError)
    assert isinstance(found["b"], SecretError)
    assert not isinstance(found["c"], SecretError)


def test_a_found_token_is_blanked_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    from tui.log import scrub

    monkeypatch.setenv("RINGBACK_TOKEN_LINER", "tok-to-be-blanked")
    assert "tok-to-be-blanked" in scrub("it is tok-to-be-blanked")
    find_token(account())
    assert scrub("it is tok-to-be-blanked") == "it is ***"


def test_importing_is_cheap() -> None:
    import subprocess

    code = (
        "import sys, tui.config.accounts, tui.config.settings, tui.config.paths, tui.secrets.tokens, tui.log;"
        "heavy = 'keyring httpx tomlkit platformdirs textual asyncio logging.handlers';"
        "print([name for name in heavy.split() if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="prctl and /proc are Linux's")
def test_a_hardened_process_leaves_no_core_and_its_memory_closed() -> None:
    import subprocess

    code = (
        "import ctypes, resource; from tui.secrets.tokens import harden_process; harden_process();"
        "print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert done.stdout == "(0, 0) 0\n", done.stderr
