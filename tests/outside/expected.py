"""What `--json` must print for a vendor's raw row: by section 5 of the vendors' README.

Written without a look at the program. Where the documents leave a choice, `Either` lists what a
reasonable reader may make of it, and the comment says why.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.outside import raw

Row = dict[str, Any]


class Either:
    """Any of these values is right."""

    def __init__(self, *values: Any) -> None:
        self.values = values

    def __repr__(self) -> str:
        return f"one of {list(self.values)!r}"


class AtLeast:
    """A list that holds all of `must` and nothing outside `may`."""

    def __init__(self, must: Iterable[str], may: Iterable[str]) -> None:
        self.must, self.may = set(must), set(must) | set(may)

    def __repr__(self) -> str:
        return f"{sorted(self.must)}, perhaps {sorted(self.may - self.must)}"


ANY = object()

# ── reading: "", {}, [], null and absent all mean none; a wrong kind of value is none as well ──


def text(value: Any) -> str | None:
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(value)


def number(value: Any) -> float | None:
    try:
        found = None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None
    return found if found is not None and math.isfinite(found) else None


def yes(value: Any) -> bool | None:
    words = {"true": True, "false": False, "1": True, "0": False}
    return words.get(str(value).lower()) if isinstance(value, bool | int | str) else None


def when(value: Any) -> datetime | None:
    stamp = number(value)
    if stamp is not None:
        return datetime.fromtimestamp(stamp / 1000 if stamp > 1e11 else stamp, UTC)
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return found.astimezone(UTC) if found.tzinfo else None


def after(start: datetime | None, seconds: float | None) -> datetime | None:
    return None if start is None or seconds is None else start + timedelta(seconds=seconds)


def of(row: Any, field: str) -> Any:
    return row.get(field) if isinstance(row, dict) else None


def objects(value: Any) -> list[Row]:
    found = value if isinstance(value, list) else [value]
    return [item for item in found if isinstance(item, dict) and item]


def blank(account: str, provider: str, id: str) -> Row:
    """A call of which nothing is known but its name."""
    return {
        "account": account,
        "provider": provider,
        "id": id,
        **dict.fromkeys(
            [
                "outcome",
                "status",
                "started_at",
                "ended_at",
                "duration_s",
                "wait_s",
                "talk_s",
                "from",
                "to",
                "contact",
                "company_number",
                "ring_group",
                "queue",
                "ivr",
                "campaign",
                "disposition",
                "hangup",
                "sla_met",
                "callback_requested",
                "original_call_id",
                "summary",
                "has_recording",
            ]
        ),
        "direction": None,
        "derived": ANY,
        "agents": [],
        "tags": [],
        "recording_events": [],
        "recordings": [],
        "triage": ANY,
        "problems": ANY,
        "vendor_fields": ANY,
    }


def direction(value: Any) -> Any:
    """The normalised word; an unknown one passes through, or is named unknown (5.1)."""
    word = text(value)
    known = {"incoming": "inbound", "outgoing": "outbound"}
    plain = known.get((word or "").lower(), (word or "").lower())
    if plain in {"inbound", "outbound"}:
        return plain
    return Either(word, "unknown") if word else Either(None, "unknown")


def ends(direct: Any, customer: Any, company: Any) -> tuple[Any, Any]:
    """from and to by direction; without one, nothing says who called whom."""
    if direct == "inbound":
        return customer, company
    if direct == "outbound":
        return company, customer
    return None, None


# ── Liner ──


def liner(account: str, row: Row, names: bool = True, filed_under: int | None = None) -> Row:
    """`names`: the leads list is to be had; `filed_under`: the order the vendor lists it under."""
    want = blank(account, "liner", str(row["id"]))
    start, total = when(row.get("createdAt")), number(row.get("totalDurationSeconds"))
    talk, word = number(row.get("talkTimeDurationSeconds")), direction(row.get("direction"))
    status = liner_status(row)
    phone, company = text(row.get("clientPhone")), liner_number(row)
    caller, callee = ends(word, phone, of(company, "number"))
    lead = pick(raw.LINER_LEADS, row.get("leadId")) if names else None
    order = pick(raw.LINER_ORDERS, row.get("orderId"))
    code = text(row.get("orderId"))
    filed = pick(raw.LINER_ORDERS, filed_under) or {}
    user = pick(raw.LINER_USERS, row.get("userId"))
    by = {"client": "customer", "operator": "agent", "system": "system"}
    initiator = text(row.get("finishInitiator"))
    running = liner_running(row)
    must = ["ended_at"] if start and total is not None and not running else []
    agents = liner_agent(row, user)
    by_name = {"client": of(lead, "name"), "operator": of(agents[0] if agents else None, "name")}
    want |= {
        "direction": word,
        # only talk time tells, since statuses are customer-defined: with no talk either word fits
        "outcome": "answered" if talk else Either("missed", "unknown", None),
        "status": status,
        "started_at": start,
        "ended_at": None if running else after(start, total),
        "duration_s": total,
        "wait_s": number(row.get("waitTimeDurationSeconds")),
        "talk_s": talk,
        "derived": AtLeast(must, ["from", "to", "outcome", "company_number", "has_recording"]),
        "from": caller,
        "to": callee,
        "contact": {
            "id": text(row.get("leadId")),
            "name": text(of(lead, "name")),
            "number": phone,
            "email": None,
        },
        "company_number": company,
        "agents": agents,
        # a row without its order: nothing, or the order it was listed under
        "campaign": (text(of(order, "title")) or code) if code else Either(None, filed["title"]),
        # the mapping gives Liner's status as the disposition too; `status` already says it
        "disposition": Either(None, {"code": status, "note": None}),
        "hangup": {
            "by": by.get(initiator or "", initiator),
            "reason": None,
            "code": None,
            "by_name": text(by_name.get(initiator or "")),
        },
        "has_recording": yes(row.get("hasRecords")),
        "vendor_fields": liner_own(row),
    }
    if running:
        want["outcome"] = "in_progress"
    if initiator and initiator not in by:
        want["hangup"]["by"] = Either(initiator, "unknown")
    return want


def pick(rows: list[Row], id: Any) -> Row | None:
    wanted = text(id)
    return next((row for row in rows if wanted and str(row["id"]) == wanted), None)


def liner_status(row: Row) -> Any:
    """By id or by code, resolved in the dictionary; the raw value if it is not there (1.9, 1)."""
    id, code = text(row.get("statusId")), text(row.get("statusCode"))
    by_id = text(of(pick(raw.LINER_STATUSES, id), "title"))
    by_code = next(
        (text(s["title"]) for s in raw.LINER_STATUSES if code and s["code"] == code), None
    )
    known = pick(raw.LINER_STATUSES, id)
    if by_id and by_code and by_id != by_code:
        return Either(by_id, by_code)  # id and code that disagree: either may be believed
    # a status without a title: its code is more than its number
    return by_id or by_code or code or (Either(known["code"], id) if known else id)


def liner_running(row: Row) -> bool:
    """Nobody has ended it, and it has a status that the guide names for calls that go on (1.8)."""
    known = pick(raw.LINER_STATUSES, row.get("statusId"))
    code = text(row.get("statusCode")) or text(of(known, "code"))
    return not text(row.get("finishInitiator")) and code in {"waiting", "dialing", "processing"}


def liner_own(row: Row) -> Row:
    """What Liner alone has: predictive dialling, and a line that no dictionary knows."""
    predictive, line = yes(row.get("isPredictive")), text(row.get("sipEndpointId"))
    own: Row = {} if predictive is None else {"isPredictive": predictive}
    if line and not pick(raw.LINER_ENDPOINTS, line):
        own["sipEndpointId"] = line
    return own


def liner_number(row: Row) -> Any:
    id = text(row.get("sipEndpointId"))
    found = pick(raw.LINER_ENDPOINTS, id)
    if found is None:
        # an id that no dictionary knows: shown as the name, or as nothing
        return Either(None, {"number": None, "name": id}) if id else None
    title = text(found.get("title"))
    return {
        "number": text(of(found.get("params"), "phone")),
        "name": title if title else Either(None, id),
    }


def liner_agent(row: Row, user: Row | None) -> list[Row]:
    id = text(row.get("userId"))
    if not id:
        return []
    names = [text(of(user, "name")), text(of(user, "lastName"))]
    return [
        {
            "id": id,
            "name": " ".join(n for n in names if n) or None,
            "role": text(of(user, "accessGroup")),
            "department": None,
            "started_at": None,
            "answered": ANY,  # not given; a talk time says as much
            "transfer": None,
            "hangup_reason": None,
            "status": None,
            "hangup_code": None,
            "ended_at": None,
        }
    ]


def liner_recordings(records: list[Row]) -> list[Row]:
    return [
        {
            "id": text(r.get("id")),
            "url": text(r.get("fileUrl")),
            "name": ANY,
            "duration_s": number(r.get("durationSeconds")),
            "mime": None,
            "size": None,
            "media": Either(None, "audio"),
            "started_at": when(r.get("createdAt")),
            "ended_at": Either(
                None, after(when(r.get("createdAt")), number(r.get("durationSeconds")))
            ),
            "agent_id": text(r.get("userId")),
            "transfer": yes(r.get("isTransfer")),
            "private": None,
            "summary": text(r.get("recordSummary")),
        }
        for r in records
    ]


# ── CINNOX ──

CINNOX_OUTCOMES = {
    "call ended": "answered",
    "not answered": "missed",
    "busy": "busy",
    "declined": "declined",
    "cancelled": "cancelled",
    "abandoned": "abandoned",
    "unreachable": "failed",
    "call failed": "failed",
}


CINNOX_OWN = ("callType", "recordType", "mediaType", "fromRegion", "fromIP", "callPrepareFromNum")


def cinnox(account: str, legs: list[Row], staff: bool = True) -> Row:
    """The legs of one callID, in any order, as one call (2.9)."""
    legs = sorted(legs, key=lambda leg: number(leg.get("callSeq")) or 0)
    each = [cinnox_leg(account, leg, staff) for leg in legs]
    if len(each) == 1:
        return each[0]
    first, last = each[0], each[-1]
    ends_at = [e["ended_at"] for e in each if e["ended_at"]]
    start = min(e["started_at"] for e in each if e["started_at"])
    return {
        **first,
        "ended_at": max(ends_at),
        "duration_s": (max(ends_at) - start).total_seconds(),
        "recordings": [r for e in each for r in e["recordings"]],
        "recording_events": [r for e in each for r in e["recording_events"]],
        "has_recording": any(e["has_recording"] for e in each),
        # how a call with several legs ended is said by its last leg, or by the one that connected
        "status": Either(*(e["status"] for e in each)),
        "outcome": Either(*(e["outcome"] for e in each)),
        "hangup": Either(first["hangup"], last["hangup"]),
        # a leg each, with its own ending; here the last handler is always one of them
        "agents": [e["agents"].values[0][0] for e in each],
        "started_at": start,
    }


def cinnox_leg(account: str, row: Row, staff: bool) -> Row:
    # without a callID the record's own id is all there is
    want = blank(account, "cinnox", text(row.get("callID")) or text(row.get("id")) or "")
    word = direction(row.get("callDirection"))
    side, other = ("to", "from") if word == "inbound" else ("from", "to")
    start, end = when(row.get("callDate")), when(row.get("callEndTime"))
    caller, callee = text(row.get("caller")), text(row.get("callee"))
    customer, company = (caller, callee) if word == "inbound" else (callee, caller)
    status = text(row.get("status"))
    length = (end - start).total_seconds() if start and end else None
    prepared = text(row.get("callPrepareFromNum"))
    want |= {
        "direction": word,
        "outcome": CINNOX_OUTCOMES.get((status or "").lower(), Either("unknown", None)),
        "status": status,
        "started_at": start,
        "ended_at": end,
        # an end before the start gives no duration
        "duration_s": length if length is None or length >= 0 else Either(None, 0),
        "derived": AtLeast(
            ["duration_s"] if length is not None and length >= 0 else [],
            ["outcome", "has_recording", "company_number", "contact", "hangup"],
        ),
        "from": caller,
        "to": callee,
        "contact": {
            "id": None,
            "name": cinnox_name(row, "caller" if word == "inbound" else "callee", other),
            "number": customer,
            "email": None,
        },
        "company_number": {"number": Either(company or prepared, prepared or company), "name": ANY},
        "agents": cinnox_agents(row, side, staff),
        "hangup": {
            "by": cinnox_release(row),
            "reason": text(row.get("byeReason")),
            "code": text(row.get("lastResponseCode")),
            "by_name": cinnox_releaser(row, staff),
        },
        "vendor_fields": {name: said for name in CINNOX_OWN if (said := text(row.get(name)))},
        "original_call_id": Either(None, text(row.get("hid"))),
        **cinnox_recordings(row),
    }
    if end is None and (status or "").lower() not in CINNOX_OUTCOMES:
        want["outcome"] = "in_progress"  # the statuses of 2.7 are endings, all of them
    staff_only = text(row.get("fromEID")) and text(row.get("toEID"))
    if staff_only and text(row.get("callType")) == "onnet":
        # between two of the staff: the vendor's word, or the design's "internal"
        want |= {"direction": Either(word, "internal"), "from": caller, "to": callee}
    if staff_only or word not in {"inbound", "outbound"}:
        # nothing says which side is ours
        want |= {"contact": ANY, "company_number": ANY, "agents": ANY}
    if row.get("recordType") == "voicemail":
        want["outcome"] = Either(want["outcome"], "voicemail")
    return want


def cinnox_name(row: Row, person: str, side: str) -> Any:
    parts = [text(row.get(f"{person}FirstName")), text(row.get(f"{person}LastName"))]
    full, shown = " ".join(p for p in parts if p), text(row.get(f"{side}DisplayName"))
    return Either(full or shown, shown or full or None)


def cinnox_agents(row: Row, side: str, staff: bool) -> Any:
    id, person = text(row.get(f"{side}EID")), "callee" if side == "to" else "caller"
    last = text(row.get("lastHandledParty"))
    known = pick(raw.CINNOX_STAFF, id) if staff else None
    outcome = CINNOX_OUTCOMES.get((text(row.get("status")) or "").lower())
    own = [text(of(known, "firstName")), text(of(known, "lastName"))]
    shown = [text(of(known, "displayName")), " ".join(o for o in own if o) or None]
    named = cinnox_name(row, person, side).values
    agent = {
        "id": id,
        "name": Either(*named, *shown) if any(named) or any(shown) else None,
        "role": Either(text(row.get(f"{side}Role")), text(row.get(f"{side}RoleName"))),
        "department": text(row.get(f"{side}Department")),
        "started_at": when(row.get("callDate")),
        "answered": None if outcome is None else outcome == "answered",
        "transfer": None,
        "hangup_reason": text(row.get("byeReason")),
        "status": text(row.get("status")),
        "hangup_code": text(row.get("lastResponseCode")),
        "ended_at": when(row.get("callEndTime")),
    }
    # the staff id that had the call until the end may stand beside the first one
    extra = {**dict.fromkeys(agent, ANY), "id": last}
    lists: list[list[Row]] = [[agent]] if id else [[agent], []]
    if last and last != id:
        lists += [[agent, extra], [extra, agent], [extra]]
    if not id:
        lists += [[{**agent, "id": last}]]
    return Either(*lists)


def cinnox_release(row: Row) -> Any:
    party = text(row.get("releaseParty"))
    ours = {text(row.get("fromEID")), text(row.get("toEID"))} - {None}
    ours |= {member["id"] for member in raw.CINNOX_STAFF}
    if party in ours:
        # without a staff list only the row's own ids are known
        known = party in {text(row.get("fromEID")), text(row.get("toEID"))}
        return "agent" if known else Either("agent", "unknown", None)
    if party in {"Caller", "Callee"}:
        return ANY  # the call log's words, in a field of call-detail
    return Either(None, "unknown") if party else None


def cinnox_releaser(row: Row, staff: bool) -> Any:
    """The name of the party that hung up: as the row shows it, as the staff list does, or the id."""
    party = text(row.get("releaseParty"))
    if party is None or party in {"Caller", "Callee"}:
        return ANY if party else None
    member = pick(raw.CINNOX_STAFF, party) if staff else None
    shown = [text(of(member, "displayName")), f"{of(member, 'firstName')} {of(member, 'lastName')}"]
    shown += [
        text(row.get(f"{s}DisplayName")) for s in ("from", "to") if row.get(f"{s}EID") == party
    ]
    names = [name for name in shown if name and name != "None None"]
    return Either(*names) if names else Either(party, None)


def cinnox_recordings(row: Row) -> Row:
    events = objects(row.get("recordingEventList"))
    files = [(event, file) for event in events for file in objects(event.get("files"))]
    recorded, saved = yes(row.get("isRecording")), yes(row.get("hasAudioFile"))
    there = any(text(file.get("downloadUrl")) for _, file in files)
    has: Any = True if there else saved
    if not there and saved is None:
        has = recorded
    elif not there and recorded and not saved:
        has = True  # recorded and not yet saved: pending (2.4)
    elif not there and saved is not recorded and recorded is not None:
        has = Either(saved, recorded, None)  # saved and not recorded
    elif files and not there:
        has = Either(saved, True, None)  # a file without an address
    return {
        "has_recording": has,
        "recording_events": [
            {
                "recorder": text(e.get("recorderEID")),
                "started_at": when(e.get("startAt")),
                "ended_at": when(e.get("endAt")),
            }
            for e in events
            if any(text(e.get(key)) for key in ("recorderEID", "startAt", "endAt"))
        ],
        "recordings": [cinnox_file(event, file) for event, file in files],
    }


def cinnox_file(event: Row, file: Row) -> Row:
    length, kind = number(file.get("duration")), text(file.get("type"))
    media = {"2": "video", "3": "audio"}.get(kind or "")
    return {
        "id": text(file.get("id")),
        "url": text(file.get("downloadUrl")),
        "name": text(file.get("name")),
        "duration_s": None if length is None else length / 1000,
        # "video" and "mp4" are no MIME types (2.8, 3): as given, completed, or left out
        "mime": Either(text(file.get("mimeType")), "audio/mp4", "video/mp4", None),
        "size": number(file.get("size")),
        "media": media or Either(None, kind, "unknown", "video", "audio"),
        "started_at": when(event.get("startAt")),
        "ended_at": when(event.get("endAt")),
        "agent_id": text(event.get("recorderEID")),
        "transfer": None,
        "private": yes(file.get("isPrivate")),
        "summary": None,
    }
