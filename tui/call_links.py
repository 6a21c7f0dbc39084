"""Names of calls as people pass them on: ``desk:1234``, and ``ringback://desk/1234?t=3m12s``.

    ringback://ACCOUNT/ID           the call
    ...?t=3m12s                     at that time of its recording: 1h2m3s, or seconds alone
    ...?t=3m12s&r=2                 of its second recording

The id is percent-encoded; parameters that are not known are left out, so that a later Ringback
may add some. A link comes from anywhere: it is bounded, and nothing of it is taken as more than
text. The vendor's own page of a call is made here too, from the account's template.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from providers.counts import counted

SCHEME = "ringback://"
LONGEST = 1000
"""Characters that a link or a name may have."""
LONGEST_ID = 200
LATEST_S = 100 * 3600
RECORDINGS = 1000
FORM = "Write it as ACCOUNT:ID, for example desk:1234, or as ringback://desk/1234?t=3m12s"

_LINK = re.compile(
    r"(?i:ringback)://([A-Za-z0-9][A-Za-z0-9_-]{0,39})/([^/?#\s]+)/?(?:\?([^#\s]*))?"
)
_TIME = re.compile(r"(?:(\d{1,2})h)?(?:(\d{1,4})m)?(?:(\d{1,6}(?:\.\d{1,3})?)s?)?", re.A)


class Link(NamedTuple):
    """A call, and where in its recordings."""

    account: str
    id: str
    at_s: float | None = None
    """Seconds from the start of the recording; None: the link names no time."""
    recording: int = 0
    """Index of the recording in the call."""

    @property
    def name(self) -> str:
        return f"{self.account}:{self.id}"


def link_text(link: Link) -> str:
    """The link as text; `parse` reads the same call from it, and the time to the second."""
    text = f"{SCHEME}{link.account}/{quote(link.id, safe='')}"
    if link.at_s is None:
        return text
    part = f"&r={link.recording + 1}" if link.recording else ""
    return f"{text}?t={time_text(link.at_s)}{part}"


def time_text(seconds: float) -> str:
    """``3m12s``, ``1h2m``, ``0s``: whole seconds."""
    minutes, s = divmod(int(seconds), 60)
    h, m = divmod(minutes, 60)
    return "".join(f"{n}{unit}" for n, unit in ((h, "h"), (m, "m"), (s, "s")) if n) or "0s"


def is_link(text: str) -> bool:
    return text[: len(SCHEME)].lower() == SCHEME


def parse(text: str) -> Link:
    """A link, or ``account:id``. Raises ValueError with what is wrong."""
    text = text.strip()
    if len(text) > LONGEST:
        raise ValueError(f"a name of more than {LONGEST} characters is no call's")
    if is_link(text):
        return _parse_link(text)
    account, colon, id_ = text.partition(":")
    if not colon or not account or not id_:
        raise ValueError(f"{text} does not name a call")
    try:
        id_.encode()
    except UnicodeEncodeError:  # bytes of the command line that are no UTF-8
        raise ValueError(f"{text}: that is no call's id") from None
    return Link(account, id_)


def _parse_link(text: str) -> Link:
    match = _LINK.fullmatch(text)
    if match is None:
        raise ValueError(f"{text} is not a link to a call")
    account, encoded, query = match.groups()
    try:
        id_ = unquote(encoded, errors="strict")
    except UnicodeDecodeError:
        raise ValueError(f"{text}: the call's id is not UTF-8") from None
    if len(id_) > LONGEST_ID or not id_.isprintable():
        raise ValueError(f"{text}: that is no call's id")
    given: dict[str, str] = {}
    for key, value in parse_qsl(query or "", keep_blank_values=True, max_num_fields=20):
        given.setdefault(key, value)
    at_s = _seconds(given["t"]) if "t" in given else None
    return Link(account, id_, at_s, _recording(given.get("r", "1")))


def _seconds(text: str) -> float:
    match = _TIME.fullmatch(text)
    if match is None or not text:
        raise ValueError(f"t={text} is not a time; it is written as t=3m12s")
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    total = hours * 3600 + minutes * 60 + seconds
    if total > LATEST_S:
        raise ValueError(f"t={text} is beyond any recording")
    return total


def _recording(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,3}", text, re.A) or int(text) > RECORDINGS:
        raise ValueError(f"r={text} is not the number of a recording; the first is r=1")
    return int(text) - 1


def held_text(count: int) -> str:
    """``1 call is on hold and stays``, ``2 calls are on hold and stay``."""
    stay = "is on hold and stays" if count == 1 else "are on hold and stay"
    return f"{counted(count, 'call')} {stay}"


def page_address(template: str, call_id: str) -> str:
    """The vendor's page of a call: `template` with ``{id}`` filled in. Raises ValueError.

    Only https, and only into the path or the query: the id can name no other host.
    """
    parts = urlsplit(template)
    if parts.scheme != "https" or not parts.hostname or "{" in parts.netloc or "@" in parts.netloc:
        raise ValueError("page in config.toml is an https:// address without a user")
    if "{id}" not in template:
        raise ValueError("page in config.toml holds {id} where the call's id belongs")
    if not template.isprintable() or " " in template:
        raise ValueError("page in config.toml holds a blank or a control character")
    return template.replace("{id}", quote(call_id, safe=""))
