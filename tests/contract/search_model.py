"""A plain reading of calls, beside which any archive answers random queries on awkward text."""

from __future__ import annotations

import operator
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from providers.model import Agent, Call, CompanyNumber, Contact, Disposition, Hangup
from tests.archive.calls import START
from tui.archive.interface import CallArchive
from tui.archive.sqlite.call_columns import LOW_COMMA
from tui.archive.triage_events import note, state, tag
from tui.query.parser import Query, Term, parse, words
from tui.query.phone_numbers import digits

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
TEXTS = (
    *("Müller", "José Núñez", "AND", "OR NOT", "NEAR(a b)", '"quoted"', "50%_off", "a*", "^start"),
    *(
        "東京電話",
        "山田太郎",
        "مرحبا بك",
        "שלום",
        "😀 smile",
        "don't",
        "x\x00y",
        "=outcome=6d",
        "İstanbul",
    ),
    *(
        "Straße",
        "ﬁne",
        "hello, world",
        "call back",
        "note of 2",
        "\u202eevil",
        "𝐀bc",
        "हिन्दी",
        "한국",
    ),
)
WITHOUT_COMMA = tuple(text for text in TEXTS if "," not in text)
NUMBERS = ("+44 (20) 7946-0123", "+12025550123", "0123-45 67", "", "117", "08001234567")
LETTERED = {"anonymous": "", "sip:bob@pbx7.example": "", "1-800-FLOWERS": "18003569377"}
"""Numbers that are words, and their digits."""
REGIONS_ASKED = ("hong", '"hong kong"', '="Hong Kong"', "ile")
EMAILS = (None, "anna@example.com", "anna.lee@example.com")
LEGS = (None, "declined", "no answer")
REGIONS = ("Hong Kong", "Hong Kong East", "Île-de-France", None)
OUTCOMES = ("answered", "missed", "abandoned", "voicemail")


class Ours(NamedTuple):
    """What people decided and wrote about a call."""

    state: str = "new"
    tags: tuple[str, ...] = ()
    text: str = ""


def decide(archive: CallArchive, name: tuple[str, str], ours: Ours) -> None:
    changes = [state(ours.state), note(ours.text), *map(tag, ours.tags)]
    archive.triage.append([name], changes, "ann")


def decided(archive: CallArchive, name: tuple[str, str]) -> Ours:
    now = archive.triage.of(*name)
    return Ours(now.state, now.tags, now.note or "")


def random_call(number: int, random: Random) -> Call:
    def text() -> str | None:
        return random.choice((None, *TEXTS))

    def end() -> str:
        return random.choice((*NUMBERS, *LETTERED))

    many = random.sample(TEXTS, random.randrange(3))
    started = None if random.random() < 0.05 else START + timedelta(seconds=random.randrange(60))
    return Call(
        id=str(number),
        provider=random.choice(("nectar", "liner")),
        direction=random.choice(("inbound", "outbound", None)),
        outcome=random.choice(OUTCOMES),
        started_at=started,
        duration_s=random.choice((None, 0.0, 0.5, 3.0, 59.0, 120.0, 121.0, 4000.0)),
        wait_s=random.choice((None, 5.0, 40.0)),
        from_=end(),
        to=end(),
        contact=Contact(random.choice((None, "7", "77")), text(), end(), random.choice(EMAILS)),
        company_number=CompanyNumber(random.choice((None, "08001234567")), text()),
        agents=tuple(Agent(id=name, name=name, status=random.choice(LEGS)) for name in many),
        ivr=text(),
        hangup=Hangup(random.choice((None, "customer", "agent")), text()),
        sla_met=random.choice((None, True, False)),
        vendor_fields={
            "callType": random.choice(("onnet", "offnet")),
            "fromRegion": random.choice(REGIONS),
            "list_ids": random.sample((1, 12, 123), random.randrange(3)),
            "is_in_queue": random.choice((None, True, False)),
            "transferred_to": end(),
        },
        ring_group=text(),
        queue=text(),
        campaign=text(),
        disposition=Disposition(text(), text()),
        tags=tuple(random.sample(TEXTS, random.randrange(3))),
        summary=" ".join(random.sample(TEXTS, 3)),
        has_recording=random.choice((True, False, None)),
        raw={"id": number},
    )


def holds(text: str | None, term: Term, *, whole: bool = False) -> bool:
    """Whether the words of a term stand in a text in a row; the last may go on unless `whole`."""
    have, wanted = words(text or ""), words(term.value)
    for start in range(len(have) - len(wanted) + 1):
        piece = have[start : start + len(wanted)]
        last_fits = piece[-1] == wanted[-1] or (not whole and piece[-1].startswith(wanted[-1]))
        if piece[:-1] == wanted[:-1] and last_fits:
            return True
    return False


def ends_of(call: Call) -> dict[str, list[str | None]]:
    """Numbers by the field that asks for them, each the last of its texts."""
    return {
        "number": [call.contact.number],
        "from": [call.from_],
        "to": [call.to],
        "line": [call.company_number.name, call.company_number.number],
        "transferred_to": [call.vendor_fields["transferred_to"]],
    }


def kept(call: Call) -> dict[str, list[str]]:
    """Fields that no column has, by the column that the query names."""
    truth: dict[object, list[str]] = {True: ["yes", "true"], False: ["no", "false"], None: []}
    fields: Mapping[str, Any] = call.vendor_fields
    found: dict[str, Sequence[str | None]] = {
        "lead": [call.contact.id],
        "email": [call.contact.email],
        "ivr": [call.ivr],
        "leg": [agent.status for agent in call.agents],
        "hangup": [call.hangup.by, call.hangup.reason],
        "sla": truth[call.sla_met],
        "calltype": [fields["callType"]],
        "fromregion": [fields["fromRegion"]],
        "listids": [str(one) for one in fields["list_ids"]],
        "isinqueue": truth[fields["is_in_queue"]],
    }
    return {name: [text for text in texts if text] for name, texts in found.items()}


def is_the_same(text: str | None, term: Term) -> bool:
    """Just this name; of what is kept as words, just these words."""
    if term.kind == "kept":
        return words(text or "") == words(term.value)
    forms = (unicodedata.normalize("NFC", one) for one in (text or "", term.value))
    one, other = (form.replace(LOW_COMMA, ",").replace("\x00", " ").casefold() for form in forms)
    return one.replace('"', " ").split() == other.replace('"', " ").split()


def meant(term: Term, account: str, call: Call, ours: Ours) -> bool:
    """What one term says, of the call itself."""
    agents = [agent.name or agent.id or "" for agent in call.agents]
    parts: dict[str, Sequence[str | None]] = {
        "agents": agents,
        "tags": [*call.tags, *ours.tags],
        "ring_group": [call.ring_group or call.queue or ""],
        "queue": [call.queue or ""],
        "campaign": [call.campaign or ""],
        "disposition": [call.disposition.code or ""],
    }
    ends = ends_of(call)
    if term.kind in ("word", "phrase"):
        found_by = (
            *(call.contact.name, call.contact.email, call.disposition.code, call.disposition.note),
            *(call.summary, call.ring_group, call.queue, call.ivr, call.campaign),
            *(call.company_number.name, *agents, *call.tags),
        )
        lettered = dict.fromkeys(texts[-1] for texts in ends.values() if texts[-1] in LETTERED)
        texts = (*found_by, *lettered)
        everything = " ".join(filter(None, texts))
        return any(
            holds(text, term, whole=term.kind == "phrase")
            for text in (everything, ours.text, *ours.tags)
        )
    parts |= {
        "contact": [call.contact.name],
        "note": [call.disposition.note, ours.text],
        "summary": [call.summary],
        **kept(call),
    }
    if term.field in parts:
        fits = is_the_same if term.exact else holds
        return any(fits(part, term) for part in parts[term.field])
    if term.kind == "text":
        return any(holds(text, term) for text in ends[term.field])
    if term.kind == "number":
        numbers = [ends[term.field][-1]] if term.field else [one[-1] for one in ends.values()]
        found = (LETTERED.get(number or "", digits(number or "")) for number in numbers)
        return any(term.value in one for one in found)
    if term.kind == "clock":
        if call.started_at is None:
            return False
        there = call.started_at.astimezone(term.zone)
        second = there.hour * 3600 + there.minute * 60 + there.second
        after, before = second >= term.low, second <= term.high
        return after and before if term.low <= term.high else after or before
    if term.kind == "compare":
        sign = {"<": operator.lt, ">": operator.gt, "=": operator.eq, "<=": operator.le}
        value = getattr(call, term.field)
        return value is not None and (sign | {">=": operator.ge})[term.value](value, term.low)
    if term.kind == "period":
        return bool(call.started_at) and term.low <= call.started_at.timestamp() <= term.high  # type: ignore[union-attr]
    if term.field == "account":
        return account.lower() == term.value.lower()
    simple = {"direction": call.direction, "outcome": call.outcome, "provider": call.provider}
    simple |= {"state": ours.state, "recording": "rec" if call.has_recording else "", "id": call.id}
    return simple[term.field or term.kind] == term.value


EXCLUSIVE = ("direction", "outcome", "account", "provider", "period", "clock", "id", "state")


def expected(query: Query, world: dict[tuple[str, str], tuple[Call, Ours]]) -> set[tuple[str, str]]:
    """By reading every call."""
    found = set()
    for (account, id_), (call, ours) in world.items():
        either: dict[str, bool] = {}
        fits = True
        for term in query.terms:
            kind, yes = term.field or term.kind, meant(term, account, call, ours)
            kind = kind if kind in EXCLUSIVE else term.either
            if term.negated:
                fits = fits and not yes
            elif kind:
                either[kind] = either.get(kind, False) or yes
            else:
                fits = fits and yes
        if fits and all(either.values()):
            found.add((account, id_))
    return found


def random_field(random: Random) -> str:
    """A field with one value or several, some of them exact; a number that is words; a time."""

    def text() -> str:
        return f'"{random.choice(TEXTS).replace(chr(34), " ")}"'

    named = random.choice(("agent", "group", "queue", "campaign", "tag", "dispo"))
    texts = random.choice(("contact", "note", "summary", "ivr", "hangup", "line", named))
    exact = random.choice(("agent", "group", "tag", "contact", "ivr", named))
    end = random.choice(("number", "from", "to", "line", "transferred_to"))
    return random.choice(
        (
            f"{texts}:{text()},{text()}",
            f"{exact}:={text()}",
            f"{exact}:={text()},{text()}",
            f"{end}:{random.choice(('anonymous', 'bob@pbx7', '1-800-flowers', '0123', '#117'))}",
            f"{end}:0123,bob,44",
            f"lead:{random.choice(('7', '=7', '77,8'))}",
            f"email:{random.choice(('anna', 'anna@example.com', '=anna@example.com'))}",
            f"fromregion:{random.choice(REGIONS_ASKED)}",
            random.choice(("calltype:offnet", "calltype:on,off", "list_ids:12", "list_ids:=12,1")),
            random.choice(("is_in_queue:yes", "is_in_queue:false", "sla:no", "leg:declined,no")),
            random.choice(
                ("anonymous", "sip:bob@pbx7.example", "1-800-flowers", "flow", "3569377")
            ),
            random.choice(("9:00:10..9:00:40", "9:00:50..9:00:05", "..9:00:30", "8:00..8:30")),
            random.choice(
                ("outcome:missed,busy", "dir:in,int", "id:1,2,3", "rec:no", "account:eu,no")
            ),
        )
    )


def random_piece(random: Random) -> str:
    text = random.choice(TEXTS).replace('"', "")
    piece = random.choice(words(text) or ["x"])
    beginning = piece[: random.randint(1, len(piece))]
    field = random.choice(("agent", "group", "queue", "campaign", "tag", "dispo"))
    number = random.choice([number for number in map(digits, NUMBERS) if number])
    start = random.randrange(max(1, len(number) - 4))
    kinds = (
        *(
            beginning,
            piece,
            f'"{text}"',
            text.split()[0],
            f"{field}:{beginning}",
            f'{field}:"{text}"',
        ),
        *(f"#{number[start : start + 4]}", f"…{number[-3:]}", random.choice(("in", "out", "rec"))),
        *(random.choice(OUTCOMES), random.choice(("account:EU", "account:two", "vendor:liner"))),
        random.choice(("state:done", "state:new", "state:open", "flagged")),
        f"{random.choice(('dur', 'wait', 'talk'))}{random.choice(('<', '>', '<=', '>=', '='))}"
        f"{random.choice((0, 1, 3, 40, 120))}",
        *(f"id:{random.randrange(1, 300)}", "2026-11-02T09:00..2026-11-02T09:00:30"),
        *(random_field(random), random_field(random), random_field(random)),
    )
    return ("-" if random.random() < 0.25 else "") + random.choice(kinds)


World = dict[tuple[str, str], tuple[Call, Ours]]


def fill(archive: CallArchive) -> World:
    """Calls that came, some that changed, some that people wrote to, some that went."""
    random = Random(3)
    world: World = {}
    for account, numbers in {
        "eu": range(1, 201),
        "two": range(201, 301),
        "gone": range(301, 341),
    }.items():
        calls = [random_call(number, random) for number in numbers]
        changed = [replace(random_call(int(one.id), random)) for one in calls[::3]]
        with archive.transaction():
            archive.save(account, calls)
        for key in random.sample(list(archive.keys()), 10):
            decide(archive, archive.names_of([key])[0], Ours("open", ("before",), "before"))
        with archive.transaction():
            archive.save(account, changed)
        world |= {(account, call.id): (call, Ours()) for call in (*calls, *changed)}
    archive.remove_account("gone")
    for row in archive.rows(archive.keys()).window(0, 1000):
        if random.random() < 0.3:
            name, one = (row.account, row.id), random.choice(WITHOUT_COMMA)
            written = Ours("done", (one,), " ".join(random.sample(TEXTS, 2)))
            decide(archive, name, written)
    return {
        name: (call, decided(archive, name))
        for name, (call, _) in world.items()
        if name[0] != "gone"
    }


def found_by(archive: CallArchive, query: Query) -> list[tuple[str, str]]:
    rows = archive.rows(archive.keys(query)).window(0, 1000)
    return [(row.account, row.id) for row in rows]


def check(archive: CallArchive, world: World, count: int, seed: int) -> None:
    random, telling = Random(seed), 0
    for _ in range(count):
        line = " ".join(random_piece(random) for _ in range(random.randint(1, 3)))
        query = parse(line, NOW, UTC)
        want = expected(query, world)
        assert set(found_by(archive, query)) == want, (line, query)
        assert archive.count(query) == len(want), line
        telling += bool(want) and len(want) < len(world)
    assert telling > count / 4  # most lines must tell calls apart, else this shows little
