"""What happened in a call, from the ring to the end, as far as the vendor tells."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from providers.model import Agent, Call, Outcome
from providers.sanitize import safe_text

Moment = tuple[float | None, str]
"""Seconds after the ring (None: not known), and what happened."""

DERIVED = "~"
"""Stands before a value that we computed because the vendor gives none."""


def timeline(call: Call) -> list[Moment]:
    """The call's moments in order, those without a time last. Nothing is invented: each comes
    from one field of the call, and one that was computed is marked with `DERIVED`."""
    moments = list(_moments(call))
    return sorted(moments, key=lambda moment: (moment[0] is None, moment[0] or 0.0))


def offset_s(call: Call, moment: datetime | None) -> float | None:
    """Seconds from the ring to `moment`."""
    if moment is None or call.started_at is None:
        return None
    return (moment - call.started_at).total_seconds()


def _moments(call: Call) -> Iterator[Moment]:
    if call.started_at is not None:
        line = call.company_number.name or call.company_number.number or call.to
        yield 0.0, "rings" + (f" at {safe_text(line, 80)}" if line else "")
    if call.wait_s is not None and call.started_at is not None and _answered(call):
        yield call.wait_s, ("~" if "wait_s" in call.derived else "") + "answered"
    names = {agent.id: agent.name for agent in call.agents if agent.id}
    for agent in call.agents:
        if agent.started_at is not None:
            yield offset_s(call, agent.started_at), _leg(agent, "starts", answer_text(agent))
        if agent.ended_at is not None and agent.ended_at != call.ended_at:
            yield offset_s(call, agent.ended_at), _leg(agent, "ends", agent.hangup_reason)
    for event in call.recording_events:
        who = names.get(event.recorder or "") or event.recorder
        by = f" by {safe_text(who, 80)}" if who else ""
        if event.started_at is not None:
            yield offset_s(call, event.started_at), f"recording starts{by}"
        if event.ended_at is not None:
            yield offset_s(call, event.ended_at), f"recording stops{by}"
    yield from _end(call)


def _answered(call: Call) -> bool:
    return call.outcome == Outcome.ANSWERED


def answer_text(agent: Agent) -> str:
    """Whether an agent answered; where not, the vendor's word for what happened instead."""
    if agent.answered is None:
        return ""
    return "answered" if agent.answered else safe_text(agent.status, 80) or "not answered"


def _leg(agent: Agent, what: str, how: str | None) -> str:
    who = safe_text(agent.name or agent.id, 80) or "an agent"
    return f"{who}'s leg {what}" + (f", {safe_text(how, 80)}" if how else "")


def _end(call: Call) -> Iterator[Moment]:
    by = call.hangup.by_name or (call.hangup.by if call.hangup.by != "unknown" else None)
    text = "ends" + (f", {safe_text(by, 80)} hung up" if by else "")
    if call.ended_at is not None:
        mark = DERIVED if "ended_at" in call.derived else ""
        yield offset_s(call, call.ended_at), mark + text
    elif call.outcome == Outcome.IN_PROGRESS:
        return  # what it has lasted so far is no end
    elif call.duration_s is not None and call.started_at is not None:
        yield call.duration_s, DERIVED + text
    elif by:
        yield None, text
