"""Nectar Desk's two ways to describe one call, the REST body and the webhook body, as `Call`.

Pages: https://api-docs.nectardesk.com/call/get-call-by-id/ and /webhook/call-ended/. The same
word means different things in them: REST's `type` is an outcome, the webhook's a direction.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from providers.fields import (
    Reader,
    first_text,
    is_empty,
    joined,
    later,
    made_id,
    rows,
    to_text,
    word,
)
from providers.model import (
    Agent,
    Call,
    CompanyNumber,
    Contact,
    Direction,
    Disposition,
    Hangup,
    Json,
    Outcome,
    Recording,
)
from providers.origin import absolute_url

ID = "nectar"
_REST = {
    "is_inbound",
    "is_answered",
    "is_ended",
    "is_in_queue",
    "started_at",
    "talk_time",
    "all_agents",
    "answered_agents",
    "ring_group",
    "recordings",
    "is_answered_within_sla",
}
_WEBHOOK = {
    "startedDate",
    "endedDate",
    "call_type",
    "sub_type",
    "talkTime",
    "waitingTime",
    "ringGroup",
    "call_recordings",
    "transfer_details",
    "abandoned",
}
_DIRECTIONS = {
    "inbound": Direction.INBOUND,
    "incoming": Direction.INBOUND,
    "outbound": Direction.OUTBOUND,
    "outgoing": Direction.OUTBOUND,
}
_OUTCOMES = {
    "answered": Outcome.ANSWERED,
    "handled": Outcome.ANSWERED,
    "completed": Outcome.ANSWERED,
    "missed": Outcome.MISSED,
    "notanswered": Outcome.MISSED,
    "noanswer": Outcome.MISSED,
    "unanswered": Outcome.MISSED,
    "abandoned": Outcome.ABANDONED,
    "voicemail": Outcome.VOICEMAIL,
    "overflowedtovoicemail": Outcome.VOICEMAIL,
    "busy": Outcome.BUSY,
    "declined": Outcome.DECLINED,
    "rejected": Outcome.DECLINED,
    "cancelled": Outcome.CANCELLED,
    "canceled": Outcome.CANCELLED,
    "failed": Outcome.FAILED,
    "inprogress": Outcome.IN_PROGRESS,
}
_HANGUP = {"contacthangup": "customer", "agenthangup": "agent", "systemhangup": "system"}
_ALIASES: Mapping[str, str] = {"from_": "from"}
_KEPT = {"id", "provider", "derived", "problems", "raw", "recordings_known", "has_recording"}


def form(raw: dict[str, Json]) -> str:
    """``rest`` or ``webhook``, by the fields that only one of the two has."""
    rest, webhook = len(_REST & raw.keys()), len(_WEBHOOK & raw.keys())
    if rest == webhook:
        return "webhook" if word(to_text(raw.get("type"))) in _DIRECTIONS else "rest"
    return "webhook" if webhook > rest else "rest"


def is_call(raw: Json) -> bool:
    """Whether this is a call at all, not an error's body or something else."""
    return isinstance(raw, dict) and bool(raw.keys() & (_REST | _WEBHOOK | {"id"}))


def bodies(value: Json) -> list[Json]:
    """The calls in an answer or a saved body: under `calls` or `call`, bare, or in a list."""
    if isinstance(value, dict):
        for key in ("calls", "call"):
            if key in value and "id" not in value:
                return rows(value[key])
    return rows(value)


def split(raw: Json) -> dict[str, dict[str, Json]]:
    """What is known of a call, by form. A list holds one body of each form."""
    return {form(body): body for body in rows(raw) if isinstance(body, dict)}


def merge(older: Json, newer: Json) -> Json:
    """One body of each form; within a form the newer fields win where they are not empty."""
    found = split(older)
    for name, body in split(newer).items():
        known = {key: value for key, value in body.items() if not is_empty(value)}
        found[name] = {**body, **found.get(name, {}), **known}
    kept = [found[name] for name in ("rest", "webhook") if name in found]
    return kept[0] if len(kept) == 1 else kept


def parse(raw: Json, base_url: str) -> Call:
    """A body as a call, or both bodies of one call field by field, REST first.

    Raises ValueError when there is no object in it.
    """
    found = split(raw)
    if not found:
        raise ValueError("a Nectar Desk call is an object")
    calls = [
        parse_rest(body) if name == "rest" else parse_webhook(body, base_url)
        for name, body in sorted(found.items())
    ]
    if len(calls) == 1:
        return replace(calls[0], raw=raw if isinstance(raw, dict) else next(iter(found.values())))
    rest, webhook = calls
    stale = rest.outcome == Outcome.IN_PROGRESS and webhook.outcome != Outcome.UNKNOWN
    return replace(_joined([webhook, rest] if stale else [rest, webhook]), raw=raw)


def _joined(calls: list[Call]) -> Call:
    """Field by field the first that speaks; what a form gives goes before what one derived."""
    values: dict[str, Any] = {}
    derived: list[str] = []
    for field in fields(Call):
        if field.name in _KEPT:
            continue
        name = _ALIASES.get(field.name, field.name)
        speaking = [call for call in calls if _speaks(getattr(call, field.name))]
        speaking.sort(key=lambda call: name in call.derived)
        if speaking:
            chosen = [getattr(call, field.name) for call in speaking]
            values[field.name] = _overlaid(chosen) if is_dataclass(chosen[0]) else chosen[0]
            if name in speaking[0].derived:
                derived.append(name)
    has = [call.has_recording for call in calls if call.has_recording is not None]
    if has:
        derived.append("has_recording")
    return Call(
        id=calls[0].id,
        provider=ID,
        **values,
        derived=tuple(derived),
        has_recording=True if True in has else has[0] if has else None,
        problems=tuple(dict.fromkeys(line for call in calls for line in call.problems)),
    )


def _speaks(value: object) -> bool:
    if is_dataclass(value) and not isinstance(value, type):
        return any(getattr(value, field.name) is not None for field in fields(value))
    return value not in (None, (), Outcome.UNKNOWN)


def _overlaid(values: list[Any]) -> Any:
    """One small dataclass from several: each field from the first that has it."""
    first = values[0]
    return replace(
        first,
        **{
            field.name: next(
                (v for value in values if (v := getattr(value, field.name)) is not None), None
            )
            for field in fields(first)
        },
    )


def parse_rest(raw: dict[str, Json]) -> Call:
    """The answer of ``GET /calls/{callId}``, without its envelope."""
    read = Reader(raw)
    inbound = read.boolean("is_inbound")
    direction = None if inbound is None else _DIRECTIONS["inbound" if inbound else "outbound"]
    contact = _contact(read, name=read.object("contact").text("full_name"), number="number")
    company = _company(read)
    ended = read.boolean("is_ended")
    started, duration = read.time("started_at"), read.seconds("duration")
    recordings = tuple(
        Recording(id=item.text("id"), url=item.text("url")) for item in read.objects("recordings")
    )
    from_, to = _ends(direction, contact.number, company.number)
    ended_at = later(started, duration) if ended else None
    has = True if recordings else False if "recordings" in raw and ended else None
    derived = {
        "ended_at": ended_at,
        "from": from_,
        "to": to,
        "has_recording": has,
    }
    return Call(
        id=_id(read),
        provider=ID,
        direction=direction,
        outcome=_rest_outcome(read, ended),
        status=read.text("type"),
        started_at=started,
        ended_at=ended_at,
        duration_s=duration,
        talk_s=read.seconds("talk_time"),
        derived=tuple(name for name, value in derived.items() if value is not None),
        from_=from_,
        to=to,
        contact=contact,
        company_number=company,
        agents=_rest_agents(read),
        ring_group=read.name("ring_group", "name"),
        ivr=read.name("ivr", "name"),
        campaign=read.name("campaign", "name"),
        disposition=_disposition(read),
        tags=read.texts("tags", "name", "title"),
        sla_met=read.boolean("is_answered_within_sla"),
        callback_requested=read.boolean("requested_callback"),
        original_call_id=read.ref("original_call_id"),
        has_recording=has,
        recordings=recordings,
        problems=tuple(read.problems),
        raw=raw,
    )


def parse_webhook(raw: dict[str, Json], base_url: str) -> Call:
    """The body that ``Call Ended`` and ``Call Abandoned`` post."""
    read = Reader(raw)
    word_ = read.text("type")
    direction = _DIRECTIONS.get(word(word_), word_)
    person = read.object("contact")
    name = joined(person.text("firstName"), person.text("lastName"))
    contact = _contact(read, name=name, number="phone")
    company = _company(read)
    from_, to = _ends(direction, contact.number, company.number)
    talk = read.seconds("talkTime")
    said = _webhook_outcome(read)
    outcome = said or (Outcome.ANSWERED if talk else Outcome.UNKNOWN)
    recordings = tuple(
        Recording(url=absolute_url(text, base_url)) for text in read.texts("call_recordings", "url")
    )
    actions = [word(agent.text("action")) for agent in read.objects("agents")]
    derived = {
        "outcome": None if said or not talk else outcome,
        "from": from_,
        "to": to,
        "has_recording": True if recordings else None,
    }
    return Call(
        id=_id(read),
        provider=ID,
        direction=direction,
        outcome=outcome,
        status=read.text("sub_type"),
        started_at=read.time("startedDate"),
        ended_at=read.time("endedDate"),
        duration_s=read.seconds("duration"),
        wait_s=read.seconds("waitingTime"),
        talk_s=talk,
        derived=tuple(key for key, value in derived.items() if value is not None),
        from_=from_,
        to=to,
        contact=contact,
        company_number=company,
        agents=tuple(_webhook_agent(agent) for agent in read.objects("agents")),
        ring_group=read.name("ringGroup", "name"),
        campaign=read.name("campaign", "name"),
        disposition=_disposition(read),
        hangup=Hangup(by=next((_HANGUP[a] for a in actions if a in _HANGUP), None)),
        tags=read.texts("tags", "name", "title"),
        has_recording=True if recordings else None,
        recordings=recordings,
        problems=tuple(read.problems),
        raw=raw,
    )


def _id(read: Reader) -> str:
    id_ = read.text("id")
    if id_ is None:
        read.note("id", "missing")
    return id_ or made_id(read.raw)


def _contact(read: Reader, name: str | None, number: str) -> Contact:
    """The contact; without its number the first external one that is no transfer's."""
    person = read.object("contact")
    transfer = read.object("transfer_details").text("number")
    outside = (
        text
        for item in read.objects("external_numbers")
        if (text := item.text("number"))
        and not item.boolean("is_any_transfer")
        and not (transfer and text.startswith(transfer))
    )
    return Contact(
        id=person.ref("id"),
        name=name,
        number=person.text(number) or next(outside, None),
        email=person.text("email"),
    )


def _company(read: Reader) -> CompanyNumber:
    """The company's number: an object, or in a careless body the number itself."""
    if not isinstance(read.raw.get("number"), dict | list):
        return CompanyNumber(number=read.text("number"))
    line = read.object("number")
    return CompanyNumber(line.text("number") or line.text("numberWithAlias"), line.text("alias"))


def _ends(
    direction: str | None, contact: str | None, company: str | None
) -> tuple[str | None, str | None]:
    if direction == Direction.INBOUND:
        return contact, company
    return (company, contact) if direction == Direction.OUTBOUND else (None, None)


def _disposition(read: Reader) -> Disposition:
    wrap_up = read.object("disposition")
    return Disposition(code=wrap_up.text("code"), note=wrap_up.text("note"))


def _rest_outcome(read: Reader, ended: bool | None) -> Outcome:
    if ended is False or (ended is None and read.boolean("is_in_queue")):
        return Outcome.IN_PROGRESS
    answered = read.boolean("is_answered")
    said = _OUTCOMES.get(word(read.text("type")))
    if said or answered is None:
        return said or Outcome.UNKNOWN
    return Outcome.ANSWERED if answered else Outcome.MISSED


def _webhook_outcome(read: Reader) -> Outcome | None:
    """What `abandoned` and `sub_type` say; ``(Support)Handled`` names the ring group first."""
    if read.boolean("abandoned"):
        return Outcome.ABANDONED
    return _OUTCOMES.get(word(re.sub(r"\([^)]*\)", "", read.text("sub_type") or "")))


def _rest_agents(read: Reader) -> tuple[Agent, ...]:
    """`all_agents`, or where it is empty `answered_agents` and the other ids in `agents`."""
    answered = read.objects("answered_agents") if "answered_agents" in read.raw else None
    legs = read.objects("all_agents")
    if legs:
        return tuple(_rest_agent(leg, answered) for leg in legs)
    known = tuple(_rest_agent(leg, answered) for leg in answered or ())
    ids = {agent.id for agent in known}
    return known + tuple(
        Agent(id=id_, answered=None if answered is None else False)
        for id_ in read.texts("agents", "id", "user_id")
        if id_ not in ids
    )


def _rest_agent(leg: Reader, answered: list[Reader] | None) -> Agent:
    return Agent(
        id=leg.text("id") or leg.text("user_id"),
        name=leg.text("alias"),
        started_at=leg.time("started_at"),
        answered=None if answered is None else any(_same_leg(leg, other) for other in answered),
        transfer=leg.boolean("is_any_transfer"),
        hangup_reason=leg.text("hangup_reason"),
    )


def _same_leg(a: Reader, b: Reader) -> bool:
    """The same agent, and the same start where both have one (an agent may be rung twice)."""
    if first_text(a.raw, ("id", "user_id")) != first_text(b.raw, ("id", "user_id")):
        return False
    starts = a.time("started_at"), b.time("started_at")
    return None in starts or starts[0] == starts[1]


def _webhook_agent(read: Reader) -> Agent:
    action, type_ = read.text("action"), read.text("type")
    said = _OUTCOMES.get(word(action))
    return Agent(
        id=read.text("id"),
        name=read.text("name"),
        answered=None if said is None else said == Outcome.ANSWERED,
        transfer=None if type_ is None else "transfer" in word(type_),
        hangup_reason=action if "hangup" in word(action) else None,
    )
