"""Why something failed, however deep the cause lies."""

from __future__ import annotations

import errno
import os
import socket

import httpx
import pytest

from providers.errors import (
    BadAnswer,
    RecordingError,
    Unreachable,
    another_came,
    causes,
    reason,
)
from providers.http import VendorClient, why
from providers.media import Remote


def chained(outer: Exception, inner: Exception) -> Exception:
    outer.__cause__ = inner
    return outer


CALL_FAILED = "Connect call failed ('10.0.0.1', 443)"
REFUSED = OSError(errno.ECONNREFUSED, CALL_FAILED)
SECRET = "https://x.example/?sig=SECRET"
REASONS: dict[str, tuple[BaseException, str]] = {
    "with words": (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
    "a number alone": (OSError(errno.EHOSTUNREACH, None), os.strerror(errno.EHOSTUNREACH)),
    "a kind alone": (ConnectionResetError(), os.strerror(errno.ECONNRESET)),
    "a time-out": (TimeoutError(), os.strerror(errno.ETIMEDOUT)),
    "nothing at all": (OSError(), "OSError"),
    "a text of its own": (OSError(SECRET), "OSError"),
    "another kind": (OverflowError(SECRET), "OverflowError"),
    "a group": (ExceptionGroup("x", [REFUSED]), CALL_FAILED),
    "groups in groups": (
        ExceptionGroup("x", [ExceptionGroup("y", [ExceptionGroup("z", [OverflowError()])])]),
        "OverflowError",
    ),
    "a cause in a group": (
        ExceptionGroup("x", [chained(ValueError(SECRET), ConnectionResetError())]),
        os.strerror(errno.ECONNRESET),
    ),
    "a group as a cause": (
        chained(OSError("All connection attempts failed"), ExceptionGroup("x", [REFUSED])),
        CALL_FAILED,
    ),
}


@pytest.mark.parametrize("name", REASONS)
def test_the_innermost_cause_is_named(name: str) -> None:
    error, words = REASONS[name]
    assert reason(error) == words
    assert "Group" not in reason(error) and "SECRET" not in reason(error) + why(error)


def test_causes_that_go_round_end() -> None:
    one, other = ValueError(), ValueError()
    one.__cause__, other.__cause__ = other, one
    assert list(causes(one)) == [one, other] and reason(one) == "ValueError"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ExceptionGroup("x", [ExceptionGroup("y", [REFUSED])]), "the connection is refused"),
        (ExceptionGroup("x", [socket.gaierror(-2, "Name or service not known")]), "not known"),
        (chained(httpx.ConnectError(""), OSError(errno.ENETUNREACH, None)), "unreachable"),
        (httpx.ConnectError("all attempts failed"), "ConnectError"),
    ],
)
def test_a_failed_connection_is_told_by_its_cause(error: BaseException, words: str) -> None:
    assert words in why(error) and "Group" not in why(error)


async def test_a_group_of_failures_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where all addresses of a host are tried at a time, and none takes the port."""

    async def fail(*_: object, **__: object) -> None:
        raise ExceptionGroup("x", [ExceptionGroup("y", [OverflowError("port")])])

    monkeypatch.setattr(httpx.AsyncClient, "send", fail)
    client = VendorClient("http://127.0.0.1:9", {})
    with pytest.raises(Unreachable, match="cannot be reached: OverflowError"):
        await client.get("/x")
    await client.aclose()
    remote = Remote("http://127.0.0.1:9/r.mp3", allow_private=True)
    with pytest.raises(RecordingError, match=r"cannot be reached \(OverflowError\)"):
        await remote.open(0)
    await remote.close()


@pytest.mark.parametrize(
    ("came", "said"),
    [
        ("7", "call 5 was asked for, and call 7 came."),
        (None, "call 5 was asked for, and something without an id came."),
        ("", "call 5 was asked for, and something without an id came."),
        ("x\x1b[2J" * 40, "call 5 was asked for, and call x\ufffd[2Jx\ufffd[2Jx"),
    ],
)
def test_an_answer_about_another_thing_names_both(came: str | None, said: str) -> None:
    error = another_came("call", "5", came)
    assert isinstance(error, BadAnswer) and error.message.startswith(said)
    assert len(error.message) < 100
