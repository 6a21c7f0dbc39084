"""Synthetic calls, a frozen clock and rows that remember how they were asked."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from providers.model import (
    Agent,
    Call,
    CallRow,
    CompanyNumber,
    Contact,
    Disposition,
    Hangup,
    Recording,
    RecordingEvent,
)
from widgets.columns import Clock

ZONE = timezone(timedelta(hours=1), "CET")
CLOCK = Clock(datetime(2026, 11, 20, 17, 0, tzinfo=UTC), ZONE)
START = datetime(2026, 11, 20, 14, 5, 33, tzinfo=UTC)

HOSTILE = (
    "A\x1b]0;PWNED\x07B",
    "\x1b]52;c;cHduZWQ=\x1b\\ends",
    "\x9b31mred\x9b0m \x85 nel",
    "right \u202e to left \u2066 isolate \u061c",
    "[@click=app.bell]click[/] [/nope] [red]",
    "Zalgo" + "\u0301" * 40 + " more",
    "line\r\nbreak\ttab\rreturn\x08\x08\x7f",
    "日本語の長い名前がここにあります本当に長い",
    "سلام می‌خواهم",
    "👨‍👩‍👧 family 🇩🇪 ①②③",
    "lone \ud800 surrogate \ufffe \ue000",
    "\u200d\u0301\ufe0f starts with marks",
)
"""Names that somebody might give a contact to get at the agent's terminal."""

NAMES = ("Ada Lovelace", "Grace Hopper", None, "Jürgen Groß", "Mary Jackson", "李小龙", None)
AGENTS = ("Ann Smith", "Bo Chen, Ann Smith", None, "Carla Díaz", "Dmitri Volkov")
OUTCOMES = ("answered", "answered", "missed", "answered", "voicemail", "abandoned", "in_progress")
DISPOSITIONS = ("Sale", None, "Callback", "Wrong number", None, "Complaint")


def row(key: int, **changes: Any) -> CallRow:
    """The call with this key: always the same; the higher the key, the older the call."""
    answered = OUTCOMES[key % 7] == "answered"
    values = CallRow(
        key=key,
        account=("sales", "support", "nectar-eu")[key % 3],
        id=f"C{key:06}",
        provider=("liner", "cinnox", "nectar")[key % 3],
        started_at=START.timestamp() - key * 3607,
        direction=("inbound", "outbound", "internal", "inbound")[key % 4],
        outcome=OUTCOMES[key % 7],
        status="ANSWERED" if answered else "NO ANSWER",
        contact=NAMES[key % 7],
        number=f"+4420794{key % 10000:05}",
        company="Support line",
        agents=AGENTS[key % 5],
        ring_group="Sales",
        campaign=None,
        disposition=DISPOSITIONS[key % 6],
        note="Will call again on Monday" if key % 5 == 1 else None,
        tags="vip" if key % 9 == 0 else None,
        duration_s=float(key * 37 % 4000),
        wait_s=float(key % 50),
        talk_s=float(key * 37 % 4000 - key % 50) if answered else None,
        has_recording=(True, False, None)[key % 3] if not answered else True,
        recordings=2 if key % 11 == 3 else int(answered),
        problems=int(key % 13 == 5),
    )
    return values._replace(**changes)


def hostile_row(key: int) -> CallRow:
    """A row whose every text comes from somebody who means harm."""
    words = [HOSTILE[(key + shift) % len(HOSTILE)] for shift in range(12)]
    return row(key)._replace(
        account=words[0], id=words[1], provider=words[2], direction=words[3],
        outcome=words[4], status=words[5], contact=words[key % 2 and 6], number=words[7],
        company=words[8], agents=words[9], ring_group=words[10], disposition=words[11],
        note=words[6], tags=words[7], campaign=words[8], started_at=1e300, duration_s=-1.0,
    )  # fmt: skip


class ListRows:
    """Rows of the given keys; `asked` remembers each window."""

    begins = ends = True

    def __init__(self, keys: Sequence[int], make: object = row) -> None:
        self.keys, self.make = keys, make
        self.asked: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self.keys)

    def window(self, start: int, stop: int) -> list[CallRow]:
        self.asked.append((start, stop))
        return [self.make(key) for key in self.keys[start:stop]]  # type: ignore[operator]

    def keys_between(self, start: int, stop: int) -> Sequence[int]:
        return self.keys[start:stop]

    def index_of(self, key: int) -> int | None:
        try:
            return self.keys.index(key)
        except ValueError:
            return None


def _at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


SECRET_URL = "https://media.example.test/rec/abc.mp3?sig=SECRETSIG"

FULL = Call(
    id="1180022",
    provider="nectar",
    direction="inbound",
    outcome="answered",
    status="Answered",
    started_at=START,
    ended_at=_at(254),
    duration_s=254,
    wait_s=12,
    talk_s=242,
    derived=("wait_s",),
    from_="+442079460123",
    to="+442079460999",
    contact=Contact("c7", "Ada Lovelace", "+442079460123", "ada@example.test"),
    company_number=CompanyNumber("+442079460999", "Support line"),
    agents=(
        Agent("101", "Ann Smith", "agent", "Sales", _at(3), False, False, "no answer"),
        Agent("102", "Bo Chen", "agent", "Sales", _at(12), True, True, "caller hung up"),
    ),
    ring_group="Sales EU",
    disposition=Disposition("Sale", "Wants two more seats, invoice by e-mail."),
    hangup=Hangup("customer", "normal clearing", "16"),
    tags=("vip", "renewal"),
    sla_met=True,
    callback_requested=False,
    has_recording=True,
    recording_events=(RecordingEvent("102", _at(12), _at(254)),),
    recordings=(
        Recording(
            "r1", SECRET_URL, "abc.mp3", 130, "audio/mpeg", 2_080_000, "audio", _at(12), _at(142),
            "102", False, False,
        ),
        Recording(
            "r2", SECRET_URL + "2", "abd.mp3", 112, "audio/mpeg", 1_790_000, "audio", _at(142),
            _at(254), "102", True, True, "Second part, after the transfer.",
        ),
    ),
    raw={
        "id": 1180022,
        "is_answered": True,
        "contact": {"full_name": "Ada Lovelace", "number": "442079460123"},
        "recordings": [{"url": SECRET_URL, "note": "see " + SECRET_URL}, {"url": SECRET_URL + "2"}],
    },
)  # fmt: skip

SPARSE = Call(id="77", provider="liner", recordings_known=False)

PROBLEMS = Call(
    id="9-1",
    provider="cinnox",
    outcome="missed",
    started_at=START,
    contact=Contact(name=HOSTILE[0], number=HOSTILE[1]),
    agents=(Agent(name=HOSTILE[2], hangup_reason=HOSTILE[4]),),
    disposition=Disposition(HOSTILE[3], "\n".join(HOSTILE)),
    problems=("callDate: not a time", "duration: not a number", HOSTILE[1]),
    has_recording=False,
    summary=" ".join(HOSTILE),
    raw={"callDate": "yesterday", HOSTILE[0]: list(HOSTILE)},
)

HOSTILE_ALPHABET = [
    *map(chr, range(0xA0)),
    *"\u200b\u200c\u200d\u200e\u200f\u061c\u2028\u2029\u202a\u202e\u2066\u2069\ufeff\ud800\udfff",
    *"\u0301\u0300\u20dd\ufe0f\ufe0e日本語Ａ｡ﾊ👨👩🏽🇩🇪①é\U000e0041\U000f0000\ue000\ufffe[]/@=…·",
]


def hostile_text(seed: int, length: int = 60) -> str:
    """Random text from an alphabet of everything that ever broke a terminal."""
    generator = random.Random(seed)
    return "".join(generator.choices(HOSTILE_ALPHABET, k=generator.randint(0, length)))
