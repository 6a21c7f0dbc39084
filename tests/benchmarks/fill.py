"""``python -m tests.benchmarks.fill HOME COUNT``: an archive of synthetic calls, one account."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import Random

from providers.model import Agent, Call, Contact, Direction, Disposition, Outcome
from providers.sandbox.texts import AGENTS, FIRST_NAMES, LAST_NAMES, TOPICS
from tui.config.accounts import make_account
from tui.services import Services

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
STEP = 1000
NOWHERE = "http://127.0.0.1:9"
"""The account's vendor: nobody listens there."""


def call(number: int, random: Random) -> Call:
    """One answered or missed call, a minute after the one before."""
    answered = random.random() < 0.7
    first, last = random.choice(AGENTS)
    name = f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)}"
    phone = f"+1202555{number % 10_000:04d}"
    topic = random.choice(TOPICS)
    started = FIRST + timedelta(minutes=number)
    seconds = random.randint(20, 900)
    return Call(
        id=str(number),
        provider="nectar",
        direction=random.choice((Direction.INBOUND, Direction.OUTBOUND)),
        outcome=Outcome.ANSWERED if answered else Outcome.MISSED,
        started_at=started,
        ended_at=started + timedelta(seconds=seconds),
        duration_s=seconds,
        from_=phone,
        contact=Contact(id=str(number % 5000), name=name, number=phone),
        agents=(Agent(id=str(number % 36), name=f"{first} {last}"),),
        disposition=Disposition(code=topic.code),
        raw={"id": number},
    )


def fill(environ: Mapping[str, str], count: int) -> Services:
    """An archive of `count` calls in this environment's home; the latest is the last."""
    services, random = Services.build(environ), Random(7)
    services.accounts.add(make_account("desk", "nectar", NOWHERE, {"call_ids": "1-1000"}))
    with services.open_archive() as archive:
        archive.read_by("desk", 99)  # their raw is none of a vendor's: there is nothing to read
        for start in range(0, count, STEP):
            with archive.transaction():
                numbers = range(start, min(start + STEP, count))
                archive.save("desk", (call(number, random) for number in numbers))
    return services


if __name__ == "__main__":
    fill({"RINGBACK_HOME": sys.argv[1]}, int(sys.argv[2]))
