"""Where each account's token may go: the origin that it was added, or confirmed, for.

This record stands beside the archive and not in `config.toml`, so that no edit of that file, no
merge and no copy from elsewhere takes a token to another place. It goes by the account's variable:
accounts whose names share one would share its token.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tui.config.paths import atomic_write, read_file
from tui.config.settings import SettingsError, locked

_T = TypeVar("_T")


class Origins:
    """The record, a file of JSON. Everything may raise `SettingsError`: where it cannot be read,
    nothing is known to be confirmed.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> dict[str, str]:
        """Origins by `tui.config.accounts.Account.token_variable`."""
        try:
            known = json.loads(read_file(self._file))
        except FileNotFoundError:
            return {}
        except (ValueError, RecursionError):
            known = None
        except OSError as error:
            raise SettingsError(f"{self._file}: {error.strerror or 'cannot be read'}") from None
        if not isinstance(known, dict) or not all(isinstance(one, str) for one in known.values()):
            raise SettingsError(
                f"{self._file}: is damaged, so no token is sent",
                "Look at every base_url in config.toml, then remove that file.",
            )
        return known

    def first(self, variable: str, origin: str) -> str:
        """The origin that holds; `origin` from now on, where there was none."""
        return self._edit(lambda known: known.setdefault(variable, origin))

    def put(self, variable: str, origin: str) -> None:
        self._edit(lambda known: known.update({variable: origin}))

    def forget(self, variable: str) -> None:
        self._edit(lambda known: known.pop(variable, None))

    def _edit(self, change: Callable[[dict[str, str]], _T]) -> _T:
        try:
            self._file.parent.mkdir(0o700, parents=True, exist_ok=True)
            with locked(self._file.with_name(self._file.name + ".lock")):
                known = self.read()
                before, answer = dict(known), change(known)
                if known != before:
                    atomic_write(self._file, json.dumps(known, indent=1, sort_keys=True) + "\n")
                return answer
        except OSError as error:
            raise SettingsError(f"{self._file}: {error.strerror or 'cannot be written'}") from None
