"""One question to the system's keyring, in a process that can be killed.

A keyring may block for ever on a prompt that nobody sees, so tokens.py runs this file as a
program of its own: one JSON request on standard input, one JSON answer on standard output.
It imports nothing of Ringback, prompts for nothing where it can know beforehand, and picks the
backend itself, since `keyring`'s own choice may be one that keeps tokens in clear text.

    request  {"op": "probe" | "get" | "set" | "delete", "users": [...], "secret": ..., "alarm": s}
    answer   {"state": ..., "backend": ..., "why": ..., "values": {user: token or null}}
    state    ok, absent (no keyring), locked, refused (not a safe one), failed
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import closing, suppress
from typing import Any

SERVICE = "ringback"

# the only ones chosen unasked; others (pass, 1Password, ...) when the user names them
_SYSTEM = {
    "keyring.backends.SecretService.Keyring": "Secret Service",
    "keyring.backends.kwallet.DBusKeyring": "KWallet",
    "keyring.backends.macOS.Keyring": "macOS Keychain",
    "keyring.backends.Windows.WinVaultKeyring": "Windows Credential Manager",
}
_OFF = ("keyring.backends.null", "keyring.backends.fail")


def turned_off(environ: Mapping[str, str]) -> str:
    """Why nothing need be asked: the environment says that no keyring is wanted; else empty."""
    module, _, class_ = environ.get("PYTHON_KEYRING_BACKEND", "").rpartition(".")
    return _off(module) if module in _OFF and class_ == "Keyring" else ""


def _off(module: str) -> str:
    return f"the keyring is turned off ({module})"


class Stop(Exception):
    """The question cannot be answered: a state, and why in a few words."""

    def __init__(self, state: str, why: str) -> None:
        super().__init__(state, why)
        self.state, self.why = state, why


def _full_name(ring: Any) -> str:
    return f"{type(ring).__module__}.{type(ring).__qualname__}"


def _chosen() -> Any:
    """What the user chose by PYTHON_KEYRING_BACKEND or keyringrc.cfg; None: nothing."""
    name = os.environ.get("PYTHON_KEYRING_BACKEND", "")
    try:
        if name:
            module, _, class_ = name.rpartition(".")
            return getattr(importlib.import_module(module), class_)()
        from keyring.core import load_config

        return load_config()
    except Exception as error:
        where = "PYTHON_KEYRING_BACKEND" if name else "keyringrc.cfg"
        raise Stop(
            "failed", f"{where} names a keyring that does not load ({type(error).__name__})"
        ) from None


def _best() -> Any:
    """The system's own keyring with the highest priority. Raises `Stop`."""
    rings: list[tuple[float, str]] = []
    for name in _SYSTEM:
        module, _, class_ = name.rpartition(".")
        try:
            rings.append((getattr(importlib.import_module(module), class_).priority, name))
        except Exception:  # noqa: S112 - a backend that is not for this system may raise anything
            continue
    if not rings:
        raise Stop("absent", "there is no keyring in this session")
    module, _, class_ = max(rings)[1].rpartition(".")
    return getattr(importlib.import_module(module), class_)()


def _backend() -> Any:
    """The keyring to use. Raises `Stop` for one that throws tokens away or shows them."""
    ring = _chosen()
    if ring is None or type(ring).__module__ == "keyring.backends.chainer":
        return _best()
    if type(ring).__module__ in _OFF:
        raise Stop("absent", _off(type(ring).__module__))
    for kind in type(ring).__mro__:
        if (
            f"{kind.__module__}.".startswith("keyrings.alt.")
            or "plaintext" in kind.__name__.lower()
        ):
            raise Stop("refused", f"{_full_name(ring)} may keep tokens in clear text")
    return ring


def _no_prompt(ring: Any, op: str, users: list[str]) -> bool:
    """Ask a Secret Service, without any prompt, whether it is locked; False: it is empty.

    Raises `Stop`. Other keyrings cannot be asked; for them the deadline holds.
    """
    if _full_name(ring) != "keyring.backends.SecretService.Keyring":
        return True
    import secretstorage
    from secretstorage.collection import DEFAULT_COLLECTION

    with closing(secretstorage.dbus_init()) as bus:
        path = getattr(ring, "preferred_collection", DEFAULT_COLLECTION)
        try:
            collection = secretstorage.Collection(bus, path)
        except secretstorage.ItemNotFoundException:
            if op in ("get", "delete"):
                return False
            raise Stop("locked", "no keyring has been made yet") from None
        if collection.is_locked():
            raise Stop("locked", "the keyring is locked")
        for user in users:
            found = collection.search_items(ring._query(SERVICE, user))
            if any(item.is_locked() for item in found):
                raise Stop("locked", "the keyring wants to ask before it gives this token")
    return True


def _delete(ring: Any, user: str) -> bool:
    if ring.get_password(SERVICE, user) is None:
        return False
    ring.delete_password(SERVICE, user)
    return True


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    op, users = request["op"], request.get("users", [])
    backend = ""
    try:
        ring = _backend()
        backend = _SYSTEM.get(_full_name(ring), _full_name(ring))
        filled = _no_prompt(ring, op, users)
        values: dict[str, Any] = dict.fromkeys(users)
        if op == "get" and filled:
            values = {user: ring.get_password(SERVICE, user) for user in users}
        elif op == "delete" and filled:
            values = {user: _delete(ring, user) for user in users}
        elif op == "set":
            for user in users:
                ring.set_password(SERVICE, user, request["secret"])
    except Stop as stop:
        return {"state": stop.state, "backend": backend, "why": stop.why}
    except BaseException as error:  # SystemExit too: a backend must not end this without an answer
        # only the error's name: its text may quote what it was given
        kind = type(error).__name__
        locked = isinstance(error, EOFError) or kind in ("KeyringLocked", "InitError")
        why = "the keyring is locked" if locked else f"the keyring failed ({kind})"
        return {"state": "locked" if locked else "failed", "backend": backend, "why": why}
    return {"state": "ok", "backend": backend, "values": values}


def _close_memory() -> None:
    """As `tui.secrets.process.harden_process`, whose limit on core dumps holds here too."""
    if sys.platform == "linux":
        with suppress(ImportError, OSError, AttributeError):
            import ctypes

            set_dumpable = 4
            ctypes.CDLL(None).prctl(set_dumpable, 0, 0, 0, 0)


def main() -> None:
    _close_memory()
    request = json.loads(sys.stdin.buffer.read())
    if hasattr(signal, "alarm"):
        signal.alarm(request["alarm"])  # ends this process should nobody be left to kill it
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a backend prints is no part of the answer
    json.dump(_answer(request), answer)
    answer.flush()
    os._exit(0)  # a backend's threads and exit handlers may hang


if __name__ == "__main__":
    main()
