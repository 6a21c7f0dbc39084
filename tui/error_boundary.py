"""A fence around what is done for one account: whatever fails there costs that account alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from providers.errors import NotUnderstood, ProviderError, RecordingError
from tui.archive.errors import ArchiveError, StatementRefused
from tui.config.paths import Paths
from tui.log import log_failure

_LEAVING = (KeyboardInterrupt, GeneratorExit)


@contextmanager
def error_boundary(paths: Paths, account: str, *passing: type[Exception]) -> Iterator[None]:
    """Only what is known leaves it: `ProviderError`, `RecordingError`, an archive's trouble
    (`is_of_archive`), the cancelling of this task, and the kinds of `passing`. All else becomes
    `NotUnderstood`; the log has its traceback.
    """
    try:
        yield
    except BaseException as error:
        raise known(paths, account, error, *passing) from None


def known(
    paths: Paths, account: str, error: BaseException, *passing: type[Exception]
) -> BaseException:
    """What a failure over an account is to those who wait: see `error_boundary`."""
    leaves = list(_leaves(error))
    leaving = (*_LEAVING, asyncio.CancelledError) if _is_cancelled() else _LEAVING
    for tells in (
        lambda one: isinstance(one, leaving),
        is_of_archive,
        lambda one: isinstance(one, (ProviderError, RecordingError, *passing)),
    ):
        if found := next(filter(tells, leaves), None):
            return found
    return _odd(paths, account, error)


def is_of_archive(error: BaseException) -> bool:
    """Whether it is the archive as a whole that fails (a full disk, a damaged file), and not one
    row that cannot be kept.
    """
    return isinstance(error, ArchiveError) and not isinstance(error, StatementRefused)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    else:
        yield error


def _is_cancelled() -> bool:
    """Whether somebody cancelled this task: a vendor's part may raise `CancelledError` itself."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no loop runs
        return False
    return task is not None and task.cancelling() > 0


def _odd(paths: Paths, account: str, error: BaseException) -> NotUnderstood:
    no_log = log_failure(paths, f"account {account}", error)
    where = f"No log can be kept ({no_log})" if no_log else "The log says where (ringback paths)"
    return NotUnderstood(
        "Not understood",
        f"Ringback failed over what the vendor sent ({type(error).__name__}).",
        f"{where}; please report it.",
    )
