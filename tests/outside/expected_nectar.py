"""What `--json` must print for a body of Nectar Desk, in its REST form and as a webhook (3.5)."""

from __future__ import annotations

from typing import Any

from tests.outside.expected import (
    ANY,
    AtLeast,
    Either,
    Row,
    after,
    blank,
    direction,
    ends,
    number,
    objects,
    of,
    text,
    when,
    yes,
)

WORDS = {"answered", "missed", "abandoned", "voicemail", "busy", "declined", "cancelled", "failed"}


def named(value: Any, field: str = "name") -> str | None:
    """The name in an object, or the name itself: REST gives an object, webhooks a string (5)."""
    return text(of(value, field)) if isinstance(value, dict) else text(value)


def tags(value: Any) -> Any:
    """The texts of a list; a lone text may be one tag or none."""
    found = [t for t in map(text, value) if t] if isinstance(value, list) else []
    return Either([], [value]) if text(value) else found


def rest(account: str, call: Row) -> Row:
    """A call as `GET /calls/{id}` gives it (3.2)."""
    want = blank(account, "nectar", str(call["id"]))
    inbound, ended = yes(call.get("is_inbound")), yes(call.get("is_ended"))
    word = direction({True: "inbound", False: "outbound"}.get(inbound))  # type: ignore[arg-type]
    start, total = when(call.get("started_at")), number(call.get("duration"))
    contact, company = call.get("contact"), call.get("number")
    customer = text(of(contact, "number"))
    outside = [text(of(e, "number")) for e in objects(call.get("external_numbers"))]
    own = named(company, "number")
    caller, callee = ends(word, customer, own)
    derived_end = after(start, total)
    if customer is None and outside:
        caller, callee = Either(caller, *outside), Either(callee, *outside)
    want |= {
        "direction": word,
        "outcome": rest_outcome(call),
        "status": text(call.get("type")),
        "started_at": start,
        # the end is derived of a call that is over; of one that may not be, it may be left out
        "ended_at": derived_end
        if ended
        else (Either(None, derived_end) if ended is None else None),
        "duration_s": total,
        "talk_s": number(call.get("talk_time")),
        "derived": AtLeast(
            ["ended_at"] if ended and derived_end else [],
            ["ended_at", "from", "to", "outcome", "has_recording", "direction", "contact"],
        ),
        "from": caller,
        "to": callee,
        "contact": {
            "id": text(of(contact, "id")),
            "name": text(of(contact, "full_name")) or Either(None, text(contact)),
            "number": Either(customer, *outside) if customer is None else customer,
            "email": None,
        },
        "company_number": {"number": own, "name": text(of(company, "alias"))},
        "agents": rest_agents(call),
        "ring_group": named(call.get("ring_group"))
        or Either(None, text(of(call.get("ring_group"), "id"))),
        "ivr": named(call.get("ivr")),
        "campaign": named(call.get("campaign")),
        "disposition": {
            "code": named(call.get("disposition"), "code"),
            "note": text(of(call.get("disposition"), "note")),
        },
        "tags": tags(call.get("tags")),
        "sla_met": yes(call.get("is_answered_within_sla")),
        "callback_requested": yes(call.get("requested_callback")),
        # 0 is no call's id
        "original_call_id": text(call.get("original_call_id")),
        "vendor_fields": rest_fields(call),
        "hangup": dict.fromkeys(["by", "reason", "code", "by_name"]),
        **rest_recordings(call),
    }
    if call.get("original_call_id") == 0:
        want["original_call_id"] = Either(None, "0")
    return want


def rest_fields(call: Row) -> Row:
    """What the vendor alone has: where the call was transferred to, the queue, the lists (3.2)."""
    passed_on = [
        text(of(e, "number"))
        for e in objects(call.get("external_numbers"))
        if yes(e.get("is_any_transfer"))
    ]
    fields = {
        "is_in_queue": yes(call.get("is_in_queue")),
        "list_ids": [str(n) for n in of(call.get("contact"), "list_ids") or []],
        "transferred_to": ", ".join(filter(None, passed_on)),
    }
    return {name: value for name, value in fields.items() if value not in (None, [], "")}


def rest_outcome(call: Row) -> Any:
    kind, answered = text(call.get("type")), yes(call.get("is_answered"))
    if yes(call.get("is_ended")) is False:
        return "in_progress"
    if kind in WORDS:
        return kind
    if answered:
        return "answered"
    # not answered, and the vendor's word is none we know
    return Either("missed", "unknown", None)


def rest_agents(call: Row) -> Any:
    answered = {text(a.get("id")) for a in objects(call.get("answered_agents"))}
    listed = objects(call.get("all_agents")) or objects(call.get("answered_agents"))
    agents: list[Row] = [
        {
            "id": text(agent.get("id")),
            "name": text(agent.get("alias")),
            "role": Either(None, text(agent.get("type"))),
            "department": None,
            "started_at": when(agent.get("started_at")),
            "answered": Either(text(agent.get("id")) in answered, None)
            if not answered
            else text(agent.get("id")) in answered,
            "transfer": yes(agent.get("is_any_transfer")),
            "hangup_reason": text(agent.get("hangup_reason")),
            "status": None,
            "hangup_code": None,
            "ended_at": None,
        }
        for agent in listed
    ]
    numbers = [text(n) for n in call.get("agents") or [] if text(n)]
    bare = [{**dict.fromkeys(_AGENT), "id": id, "answered": ANY} for id in numbers]
    extra = [b for b in bare if b["id"] not in {a["id"] for a in agents}]
    if not agents:
        return bare
    # ids that only `agents` names may stand behind the described ones
    return Either(agents, agents + extra) if extra else agents


_AGENT = [
    "id",
    "name",
    "role",
    "department",
    "started_at",
    "answered",
    "transfer",
    "hangup_reason",
    "status",
    "hangup_code",
    "ended_at",
]


def rest_recordings(call: Row) -> Row:
    files = objects(call.get("recordings"))
    with_url = [f for f in files if text(f.get("url"))]
    listed = call.get("recordings")
    has: Any = True if with_url else Either(None, False)  # it may still come (3.3)
    if files and not with_url:
        has = Either(None, False, True)
    if listed in (None, ""):
        has = Either(None, False)  # null and "" may be how "none" is written (3.6)
    if "recordings" not in call:
        has = None  # not given is not the same as none
    kept = [recording(text(f.get("id")), text(f.get("url"))) for f in files]
    shown = [k for k in kept if k["id"] or k["url"]]
    return {"has_recording": has, "recordings": Either(kept, shown)}


def recording(id: Any, url: str | None) -> Row:
    return {
        "id": id,
        "url": url,
        "name": ANY,
        **dict.fromkeys(["duration_s", "size", "started_at", "ended_at", "agent_id", "transfer"]),
        "mime": Either(None, "audio/mpeg"),
        "media": Either(None, "audio"),
        "private": None,
        "summary": None,
    }


def webhook(account: str, body: Row) -> Row:
    """A body of `Call Ended` (3.3)."""
    want = blank(account, "nectar", str(body["id"]))
    word = direction(body.get("type"))
    contact, company = body.get("contact"), body.get("number")
    parts = [text(of(contact, "firstName")), text(of(contact, "lastName"))]
    customer, own = text(of(contact, "phone")), text(of(company, "number"))
    outside = [text(e.get("number")) for e in objects(body.get("external_numbers"))]
    caller, callee = ends(word, customer, own)
    if customer is None:
        caller, callee = Either(caller, *outside), Either(callee, *outside)
    urls = [f"https://{u}" for u in body.get("call_recordings") or []]
    hung_up = any(a.get("action") == "Contact hangup" for a in objects(body.get("agents")))
    return want | {
        "direction": word,
        "outcome": ANY,  # sub_type and abandoned contradict each other (3.5, 13): tested apart
        "status": text(body.get("sub_type")),
        "started_at": when(body.get("startedDate")),
        "ended_at": when(body.get("endedDate")) or ANY,
        "duration_s": number(body.get("duration")),
        "talk_s": number(body.get("talkTime")),
        "wait_s": number(body.get("waitingTime")),
        "from": caller,
        "to": callee,
        "contact": {
            "id": text(of(contact, "id")),
            "name": " ".join(p for p in parts if p) or None,
            "number": customer or Either(None, *outside),
            "email": text(of(contact, "email")),
        },
        "company_number": {"number": own, "name": text(of(company, "alias"))},
        "agents": [_webhook_agent(agent) for agent in objects(body.get("agents"))],
        "ring_group": text(of(body.get("ringGroup"), "name")),
        "campaign": named(body.get("campaign")),
        "disposition": {
            "code": text(of(body.get("disposition"), "code")),
            "note": text(of(body.get("disposition"), "note")),
        },
        "hangup": {
            "by": "customer" if hung_up else None,
            "reason": Either(None, "Contact hangup"),
            "code": None,
            "by_name": (" ".join(p for p in parts if p) or None) if hung_up else None,
        },
        "vendor_fields": webhook_fields(body),
        "tags": tags(body.get("tags")),
        "has_recording": True if urls else Either(None, False),
        "recordings": [recording(ANY, url) for url in urls],
        "queue": ANY,
    }


def webhook_fields(body: Row) -> Row:
    """What the vendor alone has: where the call was transferred to, how it was routed (3.3)."""
    details = body.get("transfer_details")
    fields = {
        "transferred_to": text(of(details, "number")),
        "transfer_talk_time": number(of(details, "transfer_talk_time")),
        "call_type": text(body.get("call_type")),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _webhook_agent(agent: Row) -> Row:
    return {
        **dict.fromkeys(_AGENT),
        "id": text(agent.get("id")),
        "name": text(agent.get("name")),
        "answered": Either(True) if agent.get("action") == "Answered" else ANY,
        "transfer": {"Normal call": Either(False, None), "Transfer Call": True}.get(
            agent.get("type", ""), ANY
        ),
        "hangup_reason": Either(None, text(agent.get("action"))),
        "role": ANY,
        "status": text(agent.get("action")),
    }
