"""Every query finds what its words say, on awkward text: beside a plain reading of the calls."""

from __future__ import annotations

import operator
import sqlite3
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest

from providers.model import Agent, Call, CompanyNumber, Contact, Disposition, Hangup
from tests.archive.calls import START
from tests.archive.database import read
from tests.few import few
from tui.archive.sqlite import Archive
from tui.archive.sqlite.call_columns import LOW_COMMA
from tui.archive.sqlite.search.conditions import condition_of
from tui.archive.sqlite.triage_log import note, state, tag
from tui.query.parser import EVERYTHING, Query, Term, parse, words
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


def decide(archive: Archive, name: tuple[str, str], ours: Ours) -> None:
    changes = [state(ours.state), note(ours.text), *map(tag, ours.tags)]
    archive.triage.act([name], changes, "ann")


def decided(archive: Archive, name: tuple[str, str]) -> Ours:
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


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Archive, World]:
    """Calls that came, some that changed, some that people wrote to, some that went."""
    random = Random(3)
    world: World = {}
    archive = Archive(tmp_path_factory.mktemp("model") / "archive.db")
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
    return archive, {
        name: (call, decided(archive, name))
        for name, (call, _) in world.items()
        if name[0] != "gone"
    }


def found_by(archive: Archive, query: Query) -> list[tuple[str, str]]:
    rows = archive.rows(archive.keys(query)).window(0, 1000)
    return [(row.account, row.id) for row in rows]


def check(archive: Archive, world: World, count: int, seed: int) -> None:
    random, telling = Random(seed), 0
    for _ in range(count):
        line = " ".join(random_piece(random) for _ in range(random.randint(1, 3)))
        query = parse(line, NOW, UTC)
        want = expected(query, world)
        assert set(found_by(archive, query)) == want, (line, query)
        assert archive.count(query) == len(want), line
        telling += bool(want) and len(want) < len(world)
    assert telling > count / 4  # most lines must tell calls apart, else this shows little


@pytest.mark.parametrize(("seed", "count"), few(1, [(1, 60), (2, 600)]))
def test_every_query_finds_what_it_says(
    filled: tuple[Archive, World], seed: int, count: int
) -> None:
    check(*filled, count=count, seed=seed)


def test_who_waits_and_what_was_decided_when_is_found_by_its_own_index(
    filled: tuple[Archive, World],
) -> None:
    archive, world = filled
    with archive.transaction():
        archive.closing.fill(1000)
    for line in ("open-miss", "called-back", "untriaged", "triaged:1d", "-open-miss", "callback"):
        for more in ("", " muller", " -state:done", " #0123", " 2026-11-02..2026-11-03"):
            query = parse(line + more, datetime.now(UTC), UTC)
            conditions = [condition_of(term) for term in query.terms]
            sql = " AND ".join(condition for condition, _ in conditions)
            values = [value for _, values in conditions for value in values]
            want = read(archive.path, f"SELECT key FROM call WHERE {sql}", values)
            assert sorted(archive.keys(query)) == sorted(key for (key,) in want), line + more
    assert 0 < len(archive.keys(parse("called-back", NOW, UTC))) < len(world)


@pytest.mark.parametrize("line", ["m", "mu", "muller", "-muller", '"muller"', "in", "#0123"])
def test_counting_ends_above_what_is_asked_for(filled: tuple[Archive, World], line: str) -> None:
    archive, _ = filled
    query = parse(line, NOW, UTC)
    there = len(archive.keys(query))
    assert there > 5
    for most in (0, 1, there - 3, there - 1, there, there + 1):
        assert archive.count(query, most=most) == min(there, most + 1)


def test_pages_follow_each_other_to_the_end(filled: tuple[Archive, World]) -> None:
    archive, _ = filled
    for line in ("", "in", "-missed", "#0123", "muller", "dur>3", "-tag:and"):
        query = parse(line, NOW, UTC)
        for descending in (True, False):
            whole = list(archive.keys(query, descending=descending))
            pages: list[int] = []
            while page := archive.keys(
                query, descending=descending, limit=7, after=pages[-1] if pages else None
            ):
                pages += page
            assert pages == whole and len(whole) > 20
    times = [row.started_at or 0 for row in archive.rows(archive.keys()).window(0, 1000)]
    assert times == sorted(times, reverse=True)


def test_facets_count_what_a_query_shows(filled: tuple[Archive, World]) -> None:
    archive, world = filled
    for line in ("", "missed", "muller", "#0123", "-in dur>3"):
        query = parse(line, NOW, UTC)
        want: dict[str, Counter[str]] = {"outcome": Counter(), "dispo": Counter(), "tag": Counter()}
        for call, ours in (world[name] for name in found_by(archive, query)):
            want["outcome"][call.outcome] += 1
            want["dispo"].update(filter(None, [call.disposition.code]))
            tags = [tag.replace(",", LOW_COMMA).strip() for tag in (*call.tags, *ours.tags)]
            want["tag"].update(set(filter(None, tags)))
        facets = archive.facets(query, within=None)
        got = {kind: {k.strip(): n for k, n in facets.counts[kind].items()} for kind in want}
        assert got == {kind: dict(counts) for kind, counts in want.items()}, line
        some = archive.facets(query, within=5)
        assert some.complete == (not line)
        for kind, counts in some.counts.items():
            assert all(n <= facets.counts[kind][value] for value, n in counts.items())


def test_spellings_that_differ_in_case_are_one_name(tmp_path: Path) -> None:
    """Shown as most calls have it; a call that has two of them counts once."""
    with Archive(tmp_path / "archive.db") as archive:
        tags = (["VIP"], ["vip", "VIP"], ["VIP"], ["vip", "Straße"], ["VIP gold"], ["STRASSE"])
        agents = (("Ann", "ann"), ("ann",), ("ann",), ("Jose",), ("José",), ())
        groups = ("Sales", "sales", "sales", "Müller", "Muller", None)
        with archive.transaction():
            calls = [
                replace(
                    random_call(n, Random(n)), tags=tuple(tags[n]), ring_group=groups[n], queue="q"
                )
                for n in range(6)
            ]
            named = [tuple(Agent(id=one, name=one) for one in agents[n]) for n in range(6)]
            archive.save(
                "desk", [replace(call, agents=n) for call, n in zip(calls, named, strict=True)]
            )
        for number, ours in ((0, "vip"), (4, "vip"), (5, "Vip")):
            archive.triage.act([("desk", str(number))], [tag(ours)], "ann")
        for query in (EVERYTHING, parse("-id:nothing", NOW, UTC)):
            counts = archive.facets(query).counts
            assert counts["tag"] == {"vip": 6, "STRASSE": 2, "VIP gold": 1}
            assert counts["agent"] == {"ann": 3, "Jose": 1, "José": 1}
            assert counts["group"] == {"sales": 3, "Muller": 1, "Müller": 1, "q": 1}
            for name, count in counts["tag"].items():
                assert len(archive.keys(parse(f'tag:"{name}"', NOW, UTC))) >= count
        assert archive.complete("tag", "v") == ["vip", "VIP gold"]
        assert archive.complete("agent", "") == ["ann", "Jose", "José"]
        assert archive.triage.known_tags() == ["vip"]


def test_names_are_completed_as_a_query_would_find_them(filled: tuple[Archive, World]) -> None:
    archive, _ = filled
    assert archive.complete("agent", "mull") == ["Müller"]
    assert archive.complete("account", "") == ["eu", "two"]
    assert set(archive.complete("tag", "נ" + "x")) == set()
    assert "東京電話" in archive.complete("queue", "電")
    with pytest.raises(KeyError):
        archive.complete("nothing", "")


def test_what_no_call_has_any_more_is_not_kept(tmp_path: Path) -> None:
    with Archive(tmp_path / "archive.db") as archive:
        calls = [random_call(number, Random(number)) for number in range(30)]
        with archive.transaction():
            archive.save("eu", calls)
        decide(archive, ("eu", "1"), Ours("done", ("mine",), "secret words"))
        archive.remove_account("eu")
    db = sqlite3.connect(tmp_path / "archive.db")
    for table in ("word", "known", "number", "call_number"):
        assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table
    for text in ("secret", "mull", "missed"):
        assert not db.execute("SELECT 1 FROM search WHERE search MATCH ?", (text,)).fetchall()


@pytest.mark.parametrize("form", ["א" * 3, "Ａｂｃ", "ΐ", "İi", "ﬃ", "𝐀", "ſ", "가나", "हिन्दी"])
def test_words_of_words_are_the_same_words(form: str) -> None:
    once = words(unicodedata.normalize("NFC", form))
    assert once and words(" ".join(once)) == once
