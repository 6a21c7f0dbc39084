"""Nectar Desk's two ways to describe one call, the REST body and the webhook body, as `Call`.

Pages: https://api-docs.nectardesk.com/call/get-call-by-id/ and /webhook/call-ended/. The same
word means different things in them: REST's `type` is an outcome, the webhook's a direction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from typing import Any

from providers.fields import (
    Reader,
    ends,
    first_text,
    is_empty,
    joined,
    later,
    made_id,
    word,
)
from providers.limits import MOST_PROBLEMS, bounded
from providers.model import (
    Agent,
    Call,
    CompanyNumber,
    Contact,
    Disposition,
    Hangup,
    Json,
    Outcome,
    Recording,
)
from providers.nectar_bodies import DIRECTIONS, RUNNING, split, without_brackets
from providers.origin import absolute_url

ID = "nectar"
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
    **dict.fromkeys(RUNNING, Outcome.IN_PROGRESS),
}
_HANGUP = {"contacthangup": "customer", "agenthangup": "agent", "systemhangup": "system"}
_ALIASES: Mapping[str, str] = {"from_": "from"}
_KEPT = {"id", "provider", "derived", "problems", "raw", "recordings_known", "has_recording"}


def parse(raw: Json, base_url: str) -> Call:
    """A body as a call, or both bodies of one call field by field, REST first.

    Raises ValueError when there is no object in it.
    """
    raw, cut = bounded(raw, "bodies")
    found = split(raw)
    if not found:
        raise ValueError("a Nectar Desk call is an object")
    calls = [
        parse_rest(body, base_url) if name == "rest" else parse_webhook(body, base_url)
        for name, body in sorted(found.items())
    ]
    kept = raw[0] if isinstance(raw, list) and len(raw) == 1 else raw
    call = _joined(_in_order(calls)) if len(calls) > 1 else calls[0]
    return replace(call, raw=kept, problems=(*cut, *call.problems)[:MOST_PROBLEMS])


def _in_order(calls: list[Call]) -> list[Call]:
    """REST first; but where one form knows the call to be over, that goes before what the other
    says of one that goes on, and the call does not.
    """
    running = [call for call in calls if call.outcome == Outcome.IN_PROGRESS]
    over = [call for call in calls if call.outcome != Outcome.IN_PROGRESS]
    if not any(call.ended_at or call.outcome != Outcome.UNKNOWN for call in over):
        return calls
    return over + [
        replace(
            call,
            outcome=Outcome.UNKNOWN,
            vendor_fields={k: v for k, v in call.vendor_fields.items() if k != "is_in_queue"},
        )
        for call in running
    ]


def _joined(calls: list[Call]) -> Call:
    """Field by field the first that speaks; what a form gives goes before what one derived."""
    values: dict[str, Any] = {}
    derived: list[str] = []
    for field in fields(Call):
        if field.name in _KEPT:
            continue
        name = _ALIASES.get(field.name, field.name)
        speaking = [call for call in calls if _speaks(getattr(call, field.name))]
        speaking.sort(key=lambda call: (getattr(call, field.name) == 0.0, name in call.derived))
        if speaking:
            chosen = [getattr(call, field.name) for call in speaking]
            values[field.name] = _overlaid(chosen)
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
    return value not in (None, (), {}, Outcome.UNKNOWN)


def _overlaid(values: list[Any]) -> Any:
    """The first value; of small dataclasses and of the vendor's own fields each part from the
    first that has it.
    """
    first: Any = values[0]
    if isinstance(first, dict):
        return {name: part for value in reversed(values) for name, part in value.items()}
    if not is_dataclass(first):
        return first
    whole: Any = first
    return replace(
        whole,
        **{
            field.name: next(
                (v for value in values if (v := getattr(value, field.name)) is not None), None
            )
            for field in fields(first)
        },
    )


def parse_rest(raw: dict[str, Json], base_url: str) -> Call:
    """The answer of ``GET /calls/{callId}``, without its envelope."""
    read = Reader(raw)
    inbound = read.boolean("is_inbound")
    direction = None if inbound is None else DIRECTIONS["inbound" if inbound else "outbound"]
    contact = _contact(read, name=read.object("contact").text("full_name"), number="number")
    company = _company(read)
    ended = read.boolean("is_ended")
    started, duration = read.time("started_at"), read.seconds("duration")
    recordings = tuple(
        Recording(id=item.text("id"), url=_address(item.text("url"), base_url))
        for item in read.objects("recordings")
    )
    from_, to = ends(direction, contact.number, company.number)
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
        vendor_fields=_vendor_fields(read),
        problems=tuple(read.problems),
        raw=raw,
    )


def parse_webhook(raw: dict[str, Json], base_url: str) -> Call:
    """The body that ``Call Ended`` and ``Call Abandoned`` post."""
    read = Reader(raw)
    word_ = read.text("type")
    direction = DIRECTIONS.get(word(word_), word_)
    person = read.object("contact")
    name = joined(person.text("firstName"), person.text("lastName"))
    contact = _contact(read, name=name, number="phone")
    company = _company(read)
    from_, to = ends(direction, contact.number, company.number)
    ended, duration, talk = (
        read.time("endedDate"),
        read.seconds("duration"),
        read.seconds("talkTime"),
    )
    hangup = _hangup(read, name)
    said = _webhook_outcome(read)
    outcome = _likely(said, talk, over=bool(ended or duration or talk or hangup.by))
    recordings = _webhook_recordings(read, base_url)
    derived = {
        "outcome": outcome if outcome not in (said, Outcome.UNKNOWN) else None,
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
        ended_at=ended,
        duration_s=duration,
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
        hangup=hangup,
        tags=read.texts("tags", "name", "title"),
        has_recording=True if recordings else None,
        recordings=recordings,
        vendor_fields=_vendor_fields(read),
        problems=tuple(read.problems),
        raw=raw,
    )


def _webhook_recordings(read: Reader, base_url: str) -> tuple[Recording, ...]:
    found = read.texts("call_recordings", "url")
    addresses = [text for text in found if "/" in text]
    if len(addresses) < len(found):
        read.note("call_recordings", "not an address")
    return tuple(Recording(url=_address(text, base_url)) for text in addresses)


def _address(text: str | None, base_url: str) -> str | None:
    return text and absolute_url(text, base_url)


def _vendor_fields(read: Reader) -> dict[str, Json]:
    """What Nectar Desk alone has and a supervisor asks for; nothing that is empty."""
    found: dict[str, Json] = {
        "is_in_queue": read.boolean("is_in_queue"),
        "list_ids": list(read.object("contact").texts("list_ids", "id")),
        "transferred_to": ", ".join(_transferred_to(read)),
        "transfer_talk_time": read.object("transfer_details").number("transfer_talk_time"),
        "call_type": read.text("call_type"),
    }
    return {name: value for name, value in found.items() if not is_empty(value)}


def _transferred_to(read: Reader) -> list[str]:
    """The numbers that the call was handed on to; a longer form of the first is left out."""
    first = read.object("transfer_details").text("number")
    others = (
        text
        for item in read.objects("external_numbers")
        if (text := item.text("number")) and item.boolean("is_any_transfer")
        if not (first and text.startswith(first))
    )
    return list(dict.fromkeys([*([first] if first else []), *others]))


def _hangup(read: Reader, contact: str | None) -> Hangup:
    """Who hung up, by the first agent's `action` that says so."""
    for agent in read.objects("agents"):
        if by := _HANGUP.get(word(agent.text("action"))):
            named = {"customer": contact, "agent": agent.text("name")}
            return Hangup(by=by, by_name=named.get(by))
    return Hangup()


def _id(read: Reader) -> str:
    id_ = read.id("id")
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


def _disposition(read: Reader) -> Disposition:
    wrap_up = read.object("disposition")
    return Disposition(code=wrap_up.text("code"), note=wrap_up.text("note"))


def _rest_outcome(read: Reader, ended: bool | None) -> Outcome:
    if ended is False or (ended is None and read.boolean("is_in_queue")):
        return Outcome.IN_PROGRESS
    answered = read.boolean("is_answered")
    said = _OUTCOMES.get(word(read.text("type")))
    if said == Outcome.IN_PROGRESS and ended:
        said = None
    if said or answered is None:
        return said or Outcome.UNKNOWN
    return Outcome.ANSWERED if answered else Outcome.MISSED


def _webhook_outcome(read: Reader) -> Outcome | None:
    """What `abandoned` and `sub_type` say; ``(Support)Handled`` names the ring group first."""
    if read.boolean("abandoned"):
        return Outcome.ABANDONED
    return _OUTCOMES.get(word(without_brackets(read.text("sub_type") or "")))


def _likely(said: Outcome | None, talk: float | None, over: bool) -> Outcome:
    """What a webhook says, in the light of its times: a call that was handled and has no end, no
    length and nobody who hung up goes on; one with an end does not; where words say nothing,
    talk does.
    """
    if said == Outcome.ANSWERED and not over:
        return Outcome.IN_PROGRESS
    if said and not (said == Outcome.IN_PROGRESS and over):
        return said
    return Outcome.ANSWERED if talk else Outcome.UNKNOWN


def _rest_agents(read: Reader) -> tuple[Agent, ...]:
    """`all_agents`, or where it is empty `answered_agents` and the other ids in `agents`."""
    answered = read.objects("answered_agents") if "answered_agents" in read.raw else None
    starts = None if answered is None else _starts(answered)
    legs = read.objects("all_agents")
    if legs:
        return tuple(_rest_agent(leg, starts) for leg in legs)
    known = tuple(_rest_agent(leg, starts) for leg in answered or ())
    ids = {agent.id for agent in known}
    return known + tuple(
        Agent(id=id_, answered=None if answered is None else False)
        for id_ in read.texts("agents", "id", "user_id")
        if id_ not in ids
    )


_Starts = dict[str | None, set[datetime | None]]


def _starts(legs: list[Reader]) -> _Starts:
    """When each agent's legs began, by the agent's id."""
    found: _Starts = {}
    for leg in legs:
        found.setdefault(first_text(leg.raw, ("id", "user_id")), set()).add(leg.time("started_at"))
    return found


def _rest_agent(leg: Reader, answered: _Starts | None) -> Agent:
    started = leg.time("started_at")
    agent = Agent(
        id=leg.text("id") or leg.text("user_id"),
        name=leg.text("alias"),
        started_at=started,
        transfer=leg.boolean("is_any_transfer"),
        hangup_reason=leg.text("hangup_reason"),
    )
    if answered is None:
        return agent
    # an agent may be rung twice: the start decides where both have one
    starts = answered.get(first_text(leg.raw, ("id", "user_id")), set())
    same = bool(starts) and (started is None or not starts.isdisjoint({started, None}))
    return replace(agent, answered=same)


def _webhook_agent(read: Reader) -> Agent:
    action, type_ = read.text("action"), read.text("type")
    said = _OUTCOMES.get(word(action))
    return Agent(
        id=read.text("id"),
        name=read.text("name"),
        answered=None if said is None else said == Outcome.ANSWERED,
        transfer=None if type_ is None else "transfer" in word(type_),
        hangup_reason=action if "hangup" in word(action) else None,
        status=action,
    )
