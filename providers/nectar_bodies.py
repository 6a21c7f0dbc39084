"""Nectar Desk's bodies before they are read: which form each has, and how the bodies of one call
go together, whichever came first.

A call's raw is one body, or a list of bodies: those of REST and of webhooks, and of earlier
states what no later one tells. Within a form the later state speaks first, field by field.
"""

from __future__ import annotations

import json
from functools import reduce

from providers.fields import is_empty, rows, to_number, to_text, to_time, to_yes, word
from providers.limits import is_left_out
from providers.model import Direction, Json

Body = dict[str, Json]

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
_EITHER = {
    "duration",
    "agents",
    "disposition",
    "external_numbers",
    "original_call_id",
    "requested_callback",
}
"""What both forms have and nothing but a call has."""
DIRECTIONS = {
    "inbound": Direction.INBOUND,
    "incoming": Direction.INBOUND,
    "outbound": Direction.OUTBOUND,
    "outgoing": Direction.OUTBOUND,
}
RUNNING = {"inprogress", "ongoing", "ringing", "queued", "inqueue", "active", "live"}
"""Words for a call that goes on."""
_LENGTHS = {"duration", "talk_time", "talkTime", "waitingTime"}
"""Where 0 says no more than nothing does, once there was more."""
_YES_OR_NO = {"abandoned", "requested_callback"}
_TIMES = {"started_at", "startedDate", "endedDate"}
_ON, _UNSURE, _OVER = range(3)


def form(raw: Body) -> str:
    """``rest`` or ``webhook``, by the fields that only one of the two has."""
    rest, webhook = len(_REST & raw.keys()), len(_WEBHOOK & raw.keys())
    if rest == webhook:
        return "webhook" if word(to_text(raw.get("type"))) in DIRECTIONS else "rest"
    return "webhook" if webhook > rest else "rest"


def is_call(raw: Json, called: bool = False) -> bool:
    """Whether this is a call at all, not an error's body, a contact's or something else; an id
    is enough for what is `called` one by its envelope.
    """
    if not isinstance(raw, dict):
        return False
    return bool(raw.keys() & (_REST | _WEBHOOK | _EITHER)) or (
        called and not is_empty(raw.get("id"))
    )


def bodies(value: Json) -> list[Json]:
    """The calls in an answer or a saved body: under `calls` or `call`, bare, or in a list."""
    if isinstance(value, dict):
        for key in ("calls", "call"):
            if key in value and "id" not in value:
                return rows(value[key])
    return rows(value)


def split(raw: Json) -> dict[str, Body]:
    """What is known of a call, by form: of several states the later first, field by field."""
    found: dict[str, list[Body]] = {}
    for body in _objects(raw):
        found.setdefault(form(body), []).append(body)
    return {name: _combined(states) for name, states in found.items()}


def merge(older: Json, newer: Json) -> Json:
    """Bodies of one call of which `newer` was fetched later: it wins where it is not empty, but
    what it says of a call that goes on takes nothing back of one that is over.
    """
    known = _objects(older)
    for body in _objects(newer):
        states = [state for state in known if form(state) == form(body)]
        if states and not (_stage(body) == _ON and max(map(_stage, states)) > _ON):
            known = [state for state in known if state not in states]
            body = _over(_combined(states), body)
        known.append(body)
    return _told(known)


def merge_saved(one: Json, other: Json) -> Json:
    """Bodies of one call that came in any order: the same for every order, and for each twice."""
    return _told([*_objects(one), *_objects(other)])


def without_brackets(text: str) -> str:
    """A text without what stands in brackets, which may be nested or left open."""
    depth, kept = 0, []
    for sign in text:
        depth += sign == "("
        if not depth:
            kept.append(sign)
        depth -= sign == ")" and depth > 0
    return "".join(kept)


def _objects(raw: Json) -> list[Body]:
    return [body for body in rows(raw) if isinstance(body, dict) and not is_left_out(body)]


def _told(known: list[Body]) -> Json:
    """The bodies without those that tell nothing beside a later one, in an order of their own."""
    if len(known) == 1:
        return known[0]
    kept: list[tuple[str, dict[str, int], Body]] = []
    for body in sorted(known, key=_rank, reverse=True):
        name, weights = form(body), {key: _weight(key, value) for key, value in body.items()}
        if not any(name == other and _covers(more, weights) for other, more, _ in kept):
            kept.append((name, weights, body))
    found = [body for _, _, body in sorted(kept, key=lambda item: item[0])]
    return found[0] if len(found) == 1 else found


def _covers(more: dict[str, int], weights: dict[str, int]) -> bool:
    return all(more.get(key, 0) >= weight for key, weight in weights.items())


def _combined(states: list[Body]) -> Body:
    """States of one form as one body."""
    return reduce(_over, sorted(states, key=_rank)) if len(states) > 1 else states[0]


def _over(under: Body, body: Body) -> Body:
    """A body over another one, field by field, but nothing over something."""
    return under | {
        key: value
        for key, value in body.items()
        if key not in under or _weight(key, value) >= _weight(key, under[key])
    }


def _weight(key: str, value: Json) -> int:
    """How much a field tells: 0 nothing; 1 not more than "none", as a length of 0 does, or what
    cannot be read; 2 something.
    """
    if is_empty(value):
        return 0
    if key in _TIMES:
        speaks = _moment(value) is not None
    elif key in _LENGTHS:
        speaks = (to_number(value) or 0) > 0
    elif isinstance(value, dict | list):
        speaks = not all(map(is_empty, value.values() if isinstance(value, dict) else value))
    elif value == 0 and not isinstance(value, bool):
        speaks = key.startswith("is_") or key in _YES_OR_NO
    else:
        speaks = True
    return 1 + speaks


def _rank(body: Body) -> tuple[int, float, float, float, int, str]:
    """How late and how full a state is; in the end by its text, so that no two are alike."""
    lengths = [to_number(body.get(key)) or 0 for key in ("duration", "talk_time", "talkTime")]
    said = [value for key, value in body.items() if _weight(key, value) > 1]
    parts = sum(len(value) if isinstance(value, dict | list) else 1 for value in said)
    text = json.dumps(body, default=str)
    end = _moment(body.get("endedDate")) or 0
    return _stage(body), end, lengths[0], max(lengths[1:]), parts, text


def _stage(body: Body) -> int:
    """Whether the call went on then, or was over."""
    if form(body) == "webhook":
        if _moment(body.get("endedDate")) is not None:
            return _OVER
        said = word(without_brackets(to_text(body.get("sub_type")) or ""))
        return _ON if said in RUNNING else _UNSURE
    ended = to_yes(body.get("is_ended"))
    if ended is not None:
        return _OVER if ended else _ON
    queued = to_yes(body.get("is_in_queue"))
    return _ON if queued or word(to_text(body.get("type"))) in RUNNING else _UNSURE


def _moment(value: Json) -> float | None:
    try:
        moment, _ = to_time(value)
    except ValueError:
        return None
    return moment.timestamp() if moment else None
