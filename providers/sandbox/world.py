"""A busy week at a support desk: who called whom, when, for how long and about what.

Nothing here knows a vendor. Each vendor's module writes the same kind of calls in its own way.
The same seed and the same `now` make the same week; numbers are from ranges that the national
authorities keep free for fiction (NANPA 555-01xx, Ofcom, ARCEP, BNetzA, PTS, ACMA).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random

from providers.sandbox.texts import (
    AGENTS,
    COMPANIES,
    FIRST_NAMES,
    HOSTILE,
    LAST_NAMES,
    TOPICS,
    WHOLE_NAMES,
    Topic,
)

# Region, calling code, the digits that are free for fiction, and how many more follow.
FICTIONAL_NUMBERS = (
    ("US", "1", "20255501", 2),
    ("US", "1", "41555501", 2),
    ("US", "1", "21255501", 2),
    ("US", "1", "61755501", 2),
    ("GB", "44", "2079460", 3),
    ("GB", "44", "7700900", 3),
    ("FR", "33", "19900", 4),
    ("FR", "33", "63998", 4),
    ("DE", "49", "3023125", 3),
    ("DE", "49", "8999998", 3),
    ("SE", "46", "8465004", 2),
    ("AU", "61", "25550", 4),
    ("AU", "61", "27010", 4),
)
LINES = (
    ("Support", "+442079460000"),
    ("Sales", "+442079460001"),
    ("Billing", "+442079460002"),
    ("Support US", "+12025550100"),
    ("Service clientèle", "+33199000001"),
)
CAMPAIGNS = ("Spring renewal", "Win-back 2026", "Trial follow-up", "Winter Promo", "Übergabe Q3")

# How busy each hour of the day is, and how likely each outcome by direction.
_HOURS = (1, 1, 1, 1, 1, 2, 4, 10, 28, 52, 66, 58, 40, 44, 60, 54, 42, 26, 14, 9, 6, 4, 2, 1)
_WEEKDAYS = (1.25, 1.1, 1.0, 1.0, 0.9, 0.3, 0.18)
_OUTCOMES = {
    True: {"answered": 78, "missed": 7, "voicemail": 6, "abandoned": 6, "failed": 1, "busy": 2},
    False: {
        "answered": 52,
        "missed": 22,
        "busy": 8,
        "voicemail": 6,
        "declined": 5,
        "cancelled": 4,
        "failed": 3,
    },
}
_LEFT_MESSAGE = [topic for topic in TOPICS if topic.code == "Voicemail left"]
_USUAL = [topic for topic in TOPICS if topic not in _LEFT_MESSAGE]
_HUNG_UP = {"abandoned": "customer", "cancelled": "agent", "declined": "customer"}
TEAM_SIZES = {"liner": 12, "cinnox": 14, "nectar": 10}
SHARES = {"liner": 0.4, "cinnox": 0.4, "nectar": 0.2}
HEARD_VENDOR = "cinnox"
"""Who has the newest call of a world that begins with a recording."""
HEARD_S = 90
"""Seconds within which that call begins and ends; no other begins in them."""


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody at the desk. `number` counts from 0 within a vendor; `voice` is for `speech`."""

    number: int
    first: str
    last: str
    role: str
    department: str
    voice: int

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def email(self) -> str:
        return f"agent{self.voice:02d}@example.com"


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody outside, known to all vendors by the same number."""

    number: int
    first: str
    last: str
    company: str
    region: str
    calling_code: str
    national: str

    @property
    def phone(self) -> str:
        """The number in E.164."""
        return f"+{self.calling_code}{self.national}"

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def email(self) -> str:
        return f"customer{self.number}@example.org"


@dataclass(frozen=True, slots=True)
class Leg:
    """One agent's part: seconds from the call's start, and how long they talked."""

    agent: Agent
    start_s: int
    talk_s: int


@dataclass(frozen=True, slots=True)
class Call:
    """One call. Seconds are whole; wait_s + talk_s is the whole of it."""

    index: int
    started: datetime
    inbound: bool
    outcome: str
    customer: Customer
    line: tuple[str, str]
    legs: tuple[Leg, ...]
    wait_s: int
    talk_s: int
    topic: Topic
    note: str
    hung_up: str
    recorded: bool
    previous: int | None = None
    """Index of the same customer's call before this one."""
    hostile: str = ""
    """Text to put where a name or a note stands."""
    heard: bool = False
    """Whether nothing is wrong with its recording."""

    @property
    def ended(self) -> datetime:
        return self.started + timedelta(seconds=self.wait_s + self.talk_s)


class World:
    """The people and, vendor by vendor, their calls."""

    def __init__(
        self, seed: int, now: datetime, days: int, calls: int, *, recorded_newest: bool = False
    ) -> None:
        """`recorded_newest`: the newest call of all has ended just now, and can be heard."""
        if now.tzinfo is None or days < 1 or calls < 0:
            raise ValueError("now must be aware, days at least 1, calls at least 0")
        self.seed, self.now, self.days, self.size = seed, now, days, calls
        self._recorded_newest = recorded_newest
        self.customers = _customers(Random(seed), max(40, calls // 8))
        self._popularity = list(accumulate((n + 3) ** -0.7 for n in range(len(self.customers))))

    def team(self, vendor: str) -> tuple[Agent, ...]:
        """The vendor's agents; nobody works at two vendors."""
        before = list(TEAM_SIZES).index(vendor)
        start = sum(list(TEAM_SIZES.values())[:before])
        departments = ("Support", "Billing", "Sales", "Tier 2")
        return tuple(
            Agent(
                number,
                *AGENTS[start + number],
                "ADMIN" if number == 0 else "SUPERVISOR" if number % 6 == 5 else "AGENT",
                departments[number % len(departments)],
                start + number,
            )
            for number in range(TEAM_SIZES[vendor])
        )

    def count(self, vendor: str) -> int:
        """How many calls the vendor has; the shares add up to the whole."""
        if vendor == "cinnox":
            return self.size - self.count("liner") - self.count("nectar")
        return round(self.size * SHARES[vendor])

    def calls(self, vendor: str) -> list[Call]:
        """The vendor's calls, the oldest first; the newest are still going on."""
        rng = Random(f"{self.seed}:{vendor}")
        team, count = self.team(vendor), self.count(vendor)
        drafts = [self._draft(rng, start, team) for start in self._starts(rng, count)]
        live = min(3, count // 20)
        for n in range(live):
            drafts[-1 - n] = self._live(rng, drafts[-1 - n], n, team)
        if self._recorded_newest:
            drafts = _with_recorded_newest(drafts, self.now.astimezone(UTC), vendor)
        drafts.sort(key=lambda call: call.started)
        return _numbered(drafts)

    def _starts(self, rng: Random, count: int) -> list[tuple[datetime, float]]:
        """When calls begin, each with how busy it is then (0 to 1)."""
        quarter = timedelta(minutes=15)
        first = self.now - timedelta(days=self.days)
        slots = [first + quarter * n for n in range(self.days * 96)]
        busy = [_HOURS[s.hour] * _WEEKDAYS[s.weekday()] / max(_HOURS) for s in slots]
        chosen = rng.choices(range(len(slots)), cum_weights=list(accumulate(busy)), k=count)
        return [
            (slots[n].astimezone(UTC) + quarter * rng.random(), min(1.0, busy[n]))
            for n in sorted(chosen)
        ]

    def _draft(self, rng: Random, when: tuple[datetime, float], team: tuple[Agent, ...]) -> Call:
        start, busy = when
        inbound = rng.random() < 0.62
        outcome = _outcome(rng, inbound, busy)
        customer = rng.choices(self.customers, cum_weights=self._popularity)[0]
        wait, talk = _durations(rng, outcome, inbound, busy)
        topic = rng.choice(_LEFT_MESSAGE if outcome == "voicemail" and not inbound else _USUAL)
        start = min(start, self.now.astimezone(UTC) - timedelta(seconds=wait + talk + 5))
        return Call(
            index=0,
            started=start.replace(microsecond=start.microsecond // 1000 * 1000),
            inbound=inbound,
            outcome=outcome,
            customer=customer,
            line=LINES[min(4, int(rng.expovariate(0.8)))],
            legs=_legs(rng, outcome, inbound, team, wait, talk),
            wait_s=wait,
            talk_s=talk,
            topic=topic,
            note=topic.note.format(
                order=f"#{rng.randint(10000, 99999)}",
                amount=f"{rng.choice('£€$')}{rng.randint(4, 240)}.{rng.choice(('00', '50', '99'))}",
                day=rng.choice(("Monday", "Tuesday", "Thursday", "Friday", "the 14th")),
            ),
            hung_up=_hung_up(rng, outcome, talk),
            recorded=talk >= 4 and (outcome == "voicemail" or rng.random() < 0.88),
        )

    def _live(self, rng: Random, call: Call, place: int, team: tuple[Agent, ...]) -> Call:
        """The same call going on right now; the first of them still waits in the queue."""
        start = self.now.astimezone(UTC) - timedelta(seconds=20 + 70 * place + rng.randrange(60))
        waiting = place == 0
        return replace(
            call,
            started=start.replace(microsecond=0),
            inbound=waiting or call.inbound,
            outcome="live",
            legs=() if waiting else (Leg(rng.choice(team), 5, 0),),
            wait_s=0,
            talk_s=0,
            recorded=False,
        )


def _with_recorded_newest(drafts: list[Call], now: datetime, vendor: str) -> list[Call]:
    """The same calls, of which none began in the last `HEARD_S` but one with a recording."""
    latest = now - timedelta(seconds=HEARD_S)
    drafts = [replace(call, started=min(call.started, latest)) for call in drafts]
    if vendor == HEARD_VENDOR:
        for at, call in enumerate(drafts):
            length = call.wait_s + call.talk_s + 2
            fits = len(call.legs) == 1 and call.talk_s >= 20 and length < HEARD_S
            if call.recorded and call.outcome == "answered" and fits:
                drafts[at] = replace(call, started=now - timedelta(seconds=length), heard=True)
                break
    return drafts


def _customers(rng: Random, count: int) -> tuple[Customer, ...]:
    """People with different numbers; every ninth writes their name in another script."""
    taken: set[str] = {number for _, number in LINES}
    people = []
    for n in range(count):
        first, last = (rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES))
        if n % 9 == 4:
            first, last = WHOLE_NAMES[n // 9 % len(WHOLE_NAMES)]
        company = rng.choice(COMPANIES) if rng.random() < 0.3 else ""
        person = Customer(n, first, last, company, *_number(rng))
        while person.phone in taken and len(taken) < 20_000:
            person = Customer(n, first, last, company, *_number(rng))
        taken.add(person.phone)
        people.append(person)
    return tuple(people)


def _number(rng: Random) -> tuple[str, str, str]:
    """Region, calling code and national number."""
    region, code, prefix, digits = rng.choice(FICTIONAL_NUMBERS)
    return region, code, f"{prefix}{rng.randrange(10**digits):0{digits}d}"


def _outcome(rng: Random, inbound: bool, busy: float) -> str:
    """How it ends; a busy desk loses callers in the queue."""
    odds = dict(_OUTCOMES[inbound])
    if inbound:
        odds["abandoned"] = int(3 + 11 * busy * busy)
    return rng.choices(list(odds), list(odds.values()))[0]


def _durations(rng: Random, outcome: str, inbound: bool, busy: float) -> tuple[int, int]:
    """Seconds of waiting and of talk."""
    wait = min(600, round(rng.lognormvariate(math.log(6 + 30 * busy * inbound), 0.7)) + 2)
    if outcome == "answered":
        return wait, min(2400, round(rng.lognormvariate(math.log(165), 0.95)) + 3)
    if outcome == "voicemail":
        return 25, min(90, round(rng.lognormvariate(math.log(18), 0.5)) + 4)
    if outcome in ("missed", "abandoned"):
        return wait + 20, 0
    return min(30, wait), 0


def _hung_up(rng: Random, outcome: str, talk: int) -> str:
    if talk:
        return rng.choices(("customer", "agent", "system"), (58, 36, 6))[0]
    return _HUNG_UP.get(outcome, "system")


def _legs(
    rng: Random, outcome: str, inbound: bool, team: tuple[Agent, ...], wait: int, talk: int
) -> tuple[Leg, ...]:
    """Who was rung or talked. Long answered calls are sometimes handed on, now and then twice."""
    if outcome == "abandoned" or (inbound and outcome in ("failed", "busy", "voicemail")):
        return ()
    parts = 1
    if outcome == "answered" and talk > 60:
        parts = rng.choices((1, 2, 3), (88, 10, 2))[0]
    agents = rng.sample(team, parts)
    edges = [talk * n // parts for n in range(parts + 1)]
    return tuple(
        Leg(agent, wait + edges[n], edges[n + 1] - edges[n]) for n, agent in enumerate(agents)
    )


def _numbered(drafts: list[Call]) -> list[Call]:
    """The calls with their places, the callers' earlier calls, and a few hostile texts."""
    spread = len(drafts) // (len(HOSTILE) + 1)
    hostile = {spread * (n + 1): text for n, text in enumerate(HOSTILE)} if spread else {}
    latest: dict[int, int] = {}
    calls = []
    for index, call in enumerate(drafts):
        calls.append(
            replace(
                call,
                index=index,
                previous=latest.get(call.customer.number),
                hostile=hostile.get(index, ""),
            )
        )
        latest[call.customer.number] = index
    return calls
