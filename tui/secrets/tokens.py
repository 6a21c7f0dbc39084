"""Tokens: where they are looked for, where they are kept, and what is said when there is none.

A token is looked for in the environment (`Account.token_variable`), by the account's
`token_command`, in the keyring; the first that has one serves. It is bound to scheme, host and
port (`tui.config.token_origins`): none is even looked for where the base URL moved to another
origin.

Nothing is ever kept in clear text, and no error or repr shows a token.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, NamedTuple

from providers.base import Secret
from providers.errors import reason
from providers.sanitize import safe_text
from tui.config.accounts import Account
from tui.log import redact
from tui.secrets.keyring_process import turned_off
from tui.secrets.process import (
    Finished,
    Stopped,
    TimedOut,
    clean_environ,
    harden_process,
    run_killable,
    without_own_tokens,
)

__all__ = [
    "UNLOCK_OVER_SSH",
    "Description",
    "SecretError",
    "Token",
    "TokenLocked",
    "TokenMissing",
    "TokenRefusedStore",
    "TokenUnconfirmed",
    "bind_command",
    "check_bound",
    "clean_environ",
    "delete_token",
    "describe",
    "describe_all",
    "find_token",
    "find_tokens",
    "harden_process",
    "probe_keyring",
    "store_token",
    "ways_to_give",
]

COMMAND_S = 15.0
# macOS asks its user in a window for a token that another program stored; elsewhere none is asked
KEYRING_S = 30.0 if sys.platform == "darwin" else 3.0
_LONGEST = 16 * 1024

UNLOCK_OVER_SSH = """\
# A keyring on a server, without a desktop (Debian: sudo apt install gnome-keyring dbus).
# Save this as ~/.local/bin/keyring-unlock, and in each login (bash):
#   source ~/.local/bin/keyring-unlock
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-$HOME/.cache/run}"; mkdir -p -m 700 "$XDG_RUNTIME_DIR"
if [ -z "$DBUS_SESSION_BUS_ADDRESS" ]; then
  export DBUS_SESSION_BUS_ADDRESS="unix:path=$XDG_RUNTIME_DIR/bus"
  # asked, not looked for: after a reboot the old socket may still lie there
  dbus-send --session --dest=org.freedesktop.DBus / org.freedesktop.DBus.Peer.Ping 2>/dev/null ||
    dbus-daemon --session --fork --address="$DBUS_SESSION_BUS_ADDRESS"
fi
read -rsp 'Keyring password: ' P; echo
# --replace, since a second daemon beside a running one unlocks nothing;
# printf, since echo would make its newline a part of the password
printf '%s' "$P" | gnome-keyring-daemon --replace --unlock --components=secrets >/dev/null 2>&1
unset P
ringback doctor   # the daemon does not say so when the password was wrong
# Whatever runs as you in this session can read the keyring while it is unlocked.
"""


class SecretError(Exception):
    """There is no token to use. `message` is one sentence, `hint` one or two lines of commands."""

    state: ClassVar[str] = "failed"

    def __init__(self, message: str, hint: str = "", source: str = "") -> None:
        super().__init__(message, hint)
        self.message, self.hint, self.source = message, hint, source

    def __str__(self) -> str:
        return self.message


class TokenMissing(SecretError):
    """No place has a usable token."""

    state = "missing"


class TokenUnconfirmed(SecretError):
    """The base URL leads to another origin than the token may go to; nobody confirmed it yet."""

    state = "unconfirmed"


class TokenLocked(SecretError):
    """The keyring is there, and locked or waiting for an answer that nobody can give."""

    state = "locked"


class TokenRefusedStore(SecretError):
    """There is no keyring that may be used: it is not there, not safe, or it did not keep it."""

    state = "refused"


@dataclass(frozen=True, slots=True)
class Token:
    """A token and the place that served it, such as ``keyring (Secret Service)``."""

    secret: Secret
    source: str


class Description(NamedTuple):
    """Where an account's token comes from, and ``found``, ``not run`` or a `SecretError.state`."""

    source: str
    state: str


@dataclass(frozen=True, slots=True)
class _Answer:
    """What `tui.secrets.keyring_process` said; see there."""

    state: str
    backend: str = ""
    why: str = ""
    values: Mapping[str, str | bool | None] = field(default_factory=dict, repr=False)

    @property
    def source(self) -> str:
        return f"keyring ({safe_text(self.backend, 60)})" if self.backend else "keyring"


# ---------------------------------------------------------------- finding


def find_token(account: Account, environ: Mapping[str, str] = os.environ) -> Token:
    """The account's token. Takes up to 18 s; prompts for nothing. Raises `SecretError`."""
    found = find_tokens([account], environ)[account.name]
    if isinstance(found, SecretError):
        raise found
    return found


def find_tokens(
    accounts: Iterable[Account], environ: Mapping[str, str] = os.environ
) -> dict[str, Token | SecretError]:
    """Each account's token or why there is none, by name; the keyring is asked once for all."""
    accounts = list(accounts)
    found: dict[str, Token | SecretError] = {}
    for account in accounts:
        try:
            check_bound(account)
            token = _from_environ(account, environ) or _from_command(account, environ)
        except SecretError as error:
            found[account.name] = error
        else:
            if token is not None:
                found[account.name] = token
    found |= _from_keyring([one for one in accounts if one.name not in found], environ)
    return {account.name: found[account.name] for account in accounts}


def describe(
    account: Account, environ: Mapping[str, str] = os.environ, *, run_command: bool = False
) -> Description:
    """Where the account's token comes from; its `token_command` runs only when asked for."""
    return describe_all([account], environ, run_commands=run_command)[account.name]


def describe_all(
    accounts: Iterable[Account],
    environ: Mapping[str, str] = os.environ,
    *,
    run_commands: bool = False,
) -> dict[str, Description]:
    """`describe` for many: the keyring is asked once."""
    accounts = list(accounts)
    unrun = {
        account.name: Description("token_command", "not run")
        for account in accounts
        if account.token_command
        and account.bound
        and not run_commands
        and not environ.get(account.token_variable, "").strip()
    }
    found = find_tokens((one for one in accounts if one.name not in unrun), environ)
    said = {
        name: Description(one.source, one.state if isinstance(one, SecretError) else "found")
        for name, one in found.items()
    }
    return {account.name: (unrun | said)[account.name] for account in accounts}


def _from_environ(account: Account, environ: Mapping[str, str]) -> Token | None:
    text = environ.get(account.token_variable, "").strip()
    return _token(account, text, account.token_variable) if text else None


def _from_command(account: Account, environ: Mapping[str, str]) -> Token | None:
    if not account.token_command:
        return None
    finished = _run_command(account, account.token_command, environ)
    if finished.code:
        raise _command_failed(account, _end_words(finished.code))
    line = finished.stdout.split(b"\n", 1)[0].decode("utf-8-sig", "replace").strip()
    if line:
        return _token(account, line, "token_command")
    said = "an empty first line" if finished.stdout.strip() else "nothing"
    raise _command_failed(account, f"printed {said}")


def _end_words(code: int) -> str:
    """``ended with 127 (command not found)``, ``was ended by SIGKILL``."""
    if code < 0:
        with suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
    why = {126: " (it may not be run)", 127: " (command not found)"}.get(code, "")
    return f"ended with {code}{why}"


def _run_command(account: Account, command: str, environ: Mapping[str, str]) -> Finished:
    """No shell; the user's own secrets stay in its environment, since password managers need them.

    `GPG_TTY` stays as well, but not behind the screen: it is how `pass` finds a terminal to ask on.
    What it says is never shown: who knows the token may write it to standard error as well.
    """
    try:
        argv = shlex.split(command)
        if not argv:
            raise ValueError
        return run_killable(argv, env=without_own_tokens(environ), timeout_s=COMMAND_S)
    except ValueError:
        raise _command_failed(account, "is not a command line; its quotes do not match") from None
    except Stopped as error:
        raise _command_failed(account, f"was stopped: {error}") from None
    except OSError as error:
        raise _command_failed(account, f"cannot start: {reason(error)}") from None


def _command_failed(account: Account, what: str) -> TokenMissing:
    return TokenMissing(
        f"the token_command of {account.name} {what}",
        "Run it by hand: what it says is not shown here, and it may have to be unlocked. Or:\n"
        f"{_by_hand(account)}",
        "token_command",
    )


def _from_keyring(
    accounts: list[Account], environ: Mapping[str, str]
) -> dict[str, Token | SecretError]:
    if not accounts:
        return {}
    answer = _ask("get", [_user(one) for one in accounts], environ)
    return {account.name: _read_answer(account, answer) for account in accounts}


def _read_answer(account: Account, answer: _Answer) -> Token | SecretError:
    try:
        if answer.state != "ok":
            raise _keyring_error(account, answer)
        value = answer.values.get(_user(account))
        if not isinstance(value, str) or not value.strip():
            raise TokenMissing(
                f"there is no token for {account.name}", ways_to_give(account), "none"
            )
        return _token(account, value.strip(), answer.source)
    except SecretError as error:
        return error


def check_bound(account: Account) -> None:
    """Raises `TokenUnconfirmed` where the account's token may not go to its present origin."""
    if account.bound:
        return
    if not account.bound_to:
        raise TokenUnconfirmed(
            f"where the token of {account.name} may go cannot be read, so it is not sent",
            "Look at what ringback doctor says of its config.",
            "bound to nothing",
        )
    known = safe_text(account.bound_to, 200)
    raise TokenUnconfirmed(
        f"the token of {account.name} is for {known}, and its base URL is now at {account.origin}",
        f"Where that is right: {bind_command(account)}\n"
        "Where it is not: correct its base_url in config.toml.",
        f"bound to {known}",
    )


def bind_command(account: Account) -> str:
    """The command that lets the account's token go to its present origin."""
    return f"ringback accounts bind {account.name} {shlex.quote(account.origin)}"


def _token(account: Account, text: str, source: str) -> Token:
    """Refuses what cannot be one header's value, before a library quotes it in an error."""
    if not 0 < len(text) <= _LONGEST or not all("!" <= character <= "~" for character in text):
        raise TokenMissing(
            f"no token for {account.name}: what {source} gave is empty or too long, "
            "or has spaces or other characters in it that no token has",
            "Give the token alone, on one line.",
            source,
        )
    secret = Secret(text)
    redact(secret)
    return Token(secret, source)


# ---------------------------------------------------------------- keeping


def store_token(account: Account, secret: Secret, environ: Mapping[str, str] = os.environ) -> str:
    """Keep the token in the keyring, for this account at its present origin.

    Answers the place. It is read back by another process and compared, since some keyrings
    say yes and keep nothing. Afterwards `AccountStore.replace(account.given())` records the origin.
    Raises `TokenLocked`, `TokenRefusedStore`; `TokenMissing` for a text that is no token.
    """
    token = _token(account, secret.reveal().strip(), "the input")
    user = _user(account)
    answer = _ask("set", [user], environ, token.secret)
    if answer.state == "ok":
        kept = _ask("get", [user], environ)
        if kept.state == "ok" and kept.values.get(user) == token.secret.reveal():
            return answer.source
        answer = _Answer("failed", answer.backend, "the keyring did not keep the token")
    error = _keyring_error(account, answer)
    if isinstance(error, TokenMissing):
        error = TokenRefusedStore(error.message, error.hint, error.source)
    raise error


def delete_token(account: Account, environ: Mapping[str, str] = os.environ) -> bool:
    """Take the token for the account's present origin out of the keyring.

    False: there was none, or there is no keyring. Raises `TokenLocked`, `TokenRefusedStore`.
    """
    answer = _ask("delete", [_user(account)], environ)
    if answer.state in ("locked", "failed"):
        raise _keyring_error(account, answer)
    return answer.values.get(_user(account)) is True


def probe_keyring(environ: Mapping[str, str] = os.environ) -> Description:
    """Which keyring there is and whether it can be written, before a token is asked for.

    The state is ``ok``, ``absent``, ``locked``, ``refused`` or ``failed``.
    """
    answer = _ask("probe", [], environ)
    return Description(answer.source, answer.state)


def _user(account: Account) -> str:
    """The origin is part of the key, so that another origin finds nothing."""
    return f"{account.name}@{account.origin}"


def _ask(
    op: str, users: list[str], environ: Mapping[str, str], secret: Secret | None = None
) -> _Answer:
    if why := turned_off(environ):  # asking takes a process that imports keyring: 0.3 s
        return _Answer("absent", why=why)
    request = {
        "op": op,
        "users": users,
        "secret": secret.reveal() if secret else None,
        "alarm": int(KEYRING_S) + 2,
    }
    # -P: neither the current folder nor tui/ (which has a secrets.py) is searched for modules
    argv = [sys.executable, "-P", str(Path(__file__).with_name("keyring_process.py"))]
    try:
        finished = run_killable(
            argv,
            env=_keyring_environ(environ),
            timeout_s=KEYRING_S,
            stdin=json.dumps(request).encode(),
            limit=(len(users) + 1) * 2 * _LONGEST,
        )
        return _Answer(**json.loads(finished.stdout))
    except TimedOut:
        return _Answer("locked", why=f"the keyring did not answer within {KEYRING_S:g} s")
    except (OSError, Stopped, ValueError, TypeError):
        return _Answer("failed", why="the keyring cannot be asked")


def _keyring_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Without a display there is nowhere to prompt; with the bus's usual place, a keyring."""
    env = clean_environ(environ) | {k: v for k, v in environ.items() if k.startswith("KEYRING_")}
    for display in ("DISPLAY", "WAYLAND_DISPLAY"):
        env.pop(display, None)
    if not env.get("DBUS_SESSION_BUS_ADDRESS") and (folder := env.get("XDG_RUNTIME_DIR")):
        bus = Path(folder, "bus")  # after su, in cron and in old tmux sessions it is not exported
        if bus.is_socket():
            env["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={bus}"
    return env


# ---------------------------------------------------------------- words


def _keyring_error(account: Account, answer: _Answer) -> SecretError:
    why = safe_text(answer.why, 200)
    about = f"no token for {account.name}: {why}"
    if answer.state == "locked":
        hint = f"Unlock it here (ringback doctor prints how), or:\n{_by_hand(account)}"
        return TokenLocked(about, hint, answer.source)
    kind = TokenMissing if answer.state == "absent" else TokenRefusedStore
    return kind(
        about, ways_to_give(account), answer.source if kind is TokenRefusedStore else "none"
    )


def _by_hand(account: Account) -> str:
    name = account.token_variable
    return f"read -rs {name} && export {name}"


def _add(account: Account) -> str:
    return (
        f"ringback accounts add {account.name} --provider {account.provider} "
        f"--base-url {shlex.quote(account.base_url)} --replace"
    )


def ways_to_give(account: Account) -> str:
    """The ways that work on a server; a keyring there is `UNLOCK_OVER_SSH`, which doctor prints."""
    return (
        f"For this shell: {_by_hand(account)}\n"
        f"For good: {_add(account)} --token-command 'pass show ringback/{account.name}'"
        " (ringback doctor prints how to have a keyring over SSH)"
    )
