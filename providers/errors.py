"""What can go wrong with a vendor, in words for a person.

    ProviderError            title, message, hint
      AuthError              the token is refused (401)
        Forbidden            the token is not allowed this (403)
        MissingToken         there is no token to send, or it cannot be had now
          Unconfirmed        nobody confirmed yet that it may go to where the base URL is now
      RateLimited            the vendor asks us to slow down
      Unreachable            no connection, time-out, 502 to 504
        Broken               the vendor fails (any other 5xx), perhaps at this alone
      NotFound               the thing asked for does not exist (404, 410)
      BadAnswer              an answer that is not what the vendor documents
      Rejected               the vendor refuses the request's parameters (400, 422, ...)
      NotUnderstood          an answer over which Ringback itself, or a vendor's part in it, failed
    RecordingError           why a recording cannot be had; `reason` is one of RECORDING_REASONS

No error ever carries a token, a header or the query of a URL.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

from providers.sanitize import safe_text


class ProviderError(Exception):
    """A vendor did not do what was asked.

    `title` is two or three words, `message` one sentence, `hint` the thing to do.
    """

    kind = "failed"
    retry_after_s: float | None = None
    """In how many seconds the vendor may be asked again, where it says so; a day at most."""

    def __init__(self, title: str, message: str = "", hint: str = "") -> None:
        super().__init__(title, message, hint)
        self.title, self.message, self.hint = title, message, hint

    def __str__(self) -> str:
        return ": ".join(part for part in (self.title, self.message) if part)


class AuthError(ProviderError):
    kind = "refused"


class Forbidden(AuthError):
    """Refused too, but perhaps for this alone: other questions may be answered."""


class MissingToken(AuthError):
    kind = "token missing"


class Unconfirmed(MissingToken):
    kind = "token unconfirmed"


class RateLimited(ProviderError):
    kind = "rate-limited"

    def __init__(
        self, title: str, message: str = "", hint: str = "", retry_after_s: float | None = None
    ) -> None:
        super().__init__(title, message, hint)
        self.retry_after_s = retry_after_s


class Unreachable(ProviderError):
    kind = "offline"


class Broken(Unreachable):
    """The vendor fails, but perhaps at this alone: other questions may be answered."""


class NotFound(ProviderError):
    kind = "not found"


class BadAnswer(ProviderError):
    kind = "bad answer"


class Rejected(ProviderError):
    kind = "rejected"

    def __init__(self, title: str, message: str = "", hint: str = "", status: int = 0) -> None:
        super().__init__(title, message, hint)
        self.status = status


class NotUnderstood(ProviderError):
    kind = "not understood"


def another_came(what: str, asked: str, came: str | None) -> BadAnswer:
    """For an answer about another thing than the one that was asked for by its id."""
    came = f"{what} {safe_text(came, 40)}" if came else "something without an id"
    asked = safe_text(asked, 40)
    return BadAnswer("Another answer", f"{what} {asked} was asked for, and {came} came.")


RECORDING_REASONS = {
    "none": "this call has no recording",
    "pending": "the recording is not there yet",
    "refused": "the recording's host refuses access",
    "gone": "the recording was deleted at the vendor",
    "expired": "the recording's address has expired",
    "changed": "the recording was replaced at the vendor while it was fetched",
    "unreachable": "the recording's host cannot be reached",
    "unsafe": "the recording's address is not one that may be fetched",
    "not_sound": "the host sent a page, not sound",
    "damaged": "the recording cannot be decoded",
    "no_sound": "there is no sound in the recording",
    "too_large": "the recording is larger than the limit",
    "no_room": "there is no room left on the disk for the recording",
}


class VariableError(Exception):
    """A variable of the environment, for proxies or certificates, that cannot be obeyed."""

    hint = "Correct that variable of the environment, or unset it."

    def __init__(self, variable: str, wrong: str) -> None:
        super().__init__(variable, wrong)
        self.variable, self.wrong = variable, wrong

    def __str__(self) -> str:
        return f"{self.variable}: {self.wrong}"


class RecordingError(Exception):
    """Why there is no sound: `reason` is a key of `RECORDING_REASONS`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail

    def __str__(self) -> str:
        text = RECORDING_REASONS[self.reason]
        return f"{text} ({self.detail})" if self.detail else text


_NUMBERS: dict[type, int] = {
    kind: number
    for number in sorted(errno.errorcode, reverse=True)
    if (kind := type(OSError(number, ""))) is not OSError
}
"""The number behind Python's own kinds of OSError, for one that was raised without any."""
_DEEPEST = 20


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and all that it came from: the members of groups, however deep, as well."""
    found, known = [error], set[int]()
    while found:
        one = found.pop()
        if one is None or id(one) in known:
            continue
        known.add(id(one))
        yield one
        found += [one.__cause__ or one.__context__, *reversed(getattr(one, "exceptions", ()))]


def reason(error: BaseException) -> str:
    """Why something failed, in few words: those of the system for the innermost cause, or else
    its kind. Never its text, which may hold an address or a token.
    """
    for _ in range(_DEEPEST):
        told = isinstance(error, OSError) and error.strerror
        inner = next(iter(getattr(error, "exceptions", ())), error.__cause__)
        if told or inner is None:
            break
        error = inner
    if not isinstance(error, OSError):
        return type(error).__name__
    number = error.errno or _NUMBERS.get(type(error))
    return error.strerror or (os.strerror(number) if number else type(error).__name__)
