"""What ends a command: the lines that it says, and its exit code."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from providers.errors import AuthError, ProviderError, RecordingError, reason
from tui.console import print_failure
from tui.exit_codes import CommandError, ExitCode

if TYPE_CHECKING:
    from tui.archive.interface import CallArchive
    from tui.services import Services


def file_error(error: OSError) -> CommandError:
    """Of a file, or of standard output, that nobody answers for."""
    where = error.filename or "what is printed"
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    hint = "See whether the disk has room." if full else "Where its files are: ringback paths"
    return CommandError(f"{where}: {reason(error)}", hint)


def vendor_error(name: str, error: ProviderError) -> CommandError:
    """What a vendor refused, of the account or the call `name`."""
    code = ExitCode.TOKEN if isinstance(error, AuthError) else ExitCode.FAILED
    return CommandError(f"{name}: {error}", error.hint, code)


def exit_code(errors: Sequence[Exception], total: int) -> ExitCode:
    """0 without an error; 3 when a part of `total` came; else 4 where only tokens stood in the
    way, or 1.
    """
    if not errors:
        return ExitCode.DONE
    if len(errors) < total:
        return ExitCode.PARTLY
    refused = all(isinstance(error, AuthError) for error in errors)
    return ExitCode.TOKEN if refused else ExitCode.FAILED


@contextmanager
def recording_errors(services: Services, name: str) -> Iterator[None]:
    """What a vendor or a recording's host did wrong over the call or the file `name`, as a
    `CommandError`. BrokenPipeError passes.
    """
    from tui.error_boundary import error_boundary

    try:
        with error_boundary(services.paths, name, CommandError, OSError):
            yield
    except ProviderError as error:
        raise vendor_error(name, error) from None
    except RecordingError as error:
        raise CommandError(f"{name}: {error}") from None
    except BrokenPipeError:  # whoever read what is printed has left
        raise
    except OSError as error:
        what = f"{name}: it cannot be read or written here: {reason(error)}"
        raise CommandError(what) from None


def print_not_backed_up(archive: CallArchive) -> None:
    """That decisions stand in the archive alone, where the last try to back them up failed."""
    from tui.archive.errors import UNREACHED

    if why := archive.not_backed_up:
        hint = f"They are in the archive. {UNREACHED} The next decision tries again."
        print_failure(CommandError(f"the decisions are not backed up: {why}", hint))
