"""What `--json` must print for CINNOX's raw records. Written without a look at the program."""

from __future__ import annotations

from typing import Any

from tests.outside import raw_cinnox
from tests.outside.expected import (
    ANY,
    AtLeast,
    Either,
    Row,
    blank,
    direction,
    number,
    objects,
    of,
    pick,
    text,
    when,
    yes,
)

OUTCOMES = {
    "call ended": "answered",
    "not answered": "missed",
    "busy": "busy",
    "declined": "declined",
    "cancelled": "cancelled",
    "abandoned": "abandoned",
    "unreachable": "failed",
    "call failed": "failed",
}


OWN = ("callType", "recordType", "mediaType", "fromRegion", "fromIP", "callPrepareFromNum")


def cinnox(account: str, legs: list[Row], staff: bool = True) -> Row:
    """The legs of one callID, in any order, as one call (2.9)."""
    legs = sorted(legs, key=lambda leg: number(leg.get("callSeq")) or 0)
    each = [_leg(account, leg, staff) for leg in legs]
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


def _leg(account: str, row: Row, staff: bool) -> Row:
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
        "outcome": OUTCOMES.get((status or "").lower(), Either("unknown", None)),
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
            "name": _name(row, "caller" if word == "inbound" else "callee", other),
            "number": customer,
            "email": None,
        },
        "company_number": {"number": Either(company or prepared, prepared or company), "name": ANY},
        "agents": _agents(row, side, staff),
        "hangup": {
            "by": _release(row),
            "reason": text(row.get("byeReason")),
            "code": text(row.get("lastResponseCode")),
            "by_name": _releaser(row, staff),
        },
        "vendor_fields": {name: said for name in OWN if (said := text(row.get(name)))},
        "original_call_id": Either(None, text(row.get("hid"))),
        **_recordings(row),
    }
    if end is None and (status or "").lower() not in OUTCOMES:
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


def _name(row: Row, person: str, side: str) -> Any:
    parts = [text(row.get(f"{person}FirstName")), text(row.get(f"{person}LastName"))]
    full, shown = " ".join(p for p in parts if p), text(row.get(f"{side}DisplayName"))
    return Either(full or shown, shown or full or None)


def _agents(row: Row, side: str, staff: bool) -> Any:
    id, person = text(row.get(f"{side}EID")), "callee" if side == "to" else "caller"
    last = text(row.get("lastHandledParty"))
    known = pick(raw_cinnox.STAFF, id) if staff else None
    outcome = OUTCOMES.get((text(row.get("status")) or "").lower())
    own = [text(of(known, "firstName")), text(of(known, "lastName"))]
    shown = [text(of(known, "displayName")), " ".join(o for o in own if o) or None]
    named = _name(row, person, side).values
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


def _release(row: Row) -> Any:
    party = text(row.get("releaseParty"))
    ours = {text(row.get("fromEID")), text(row.get("toEID"))} - {None}
    ours |= {member["id"] for member in raw_cinnox.STAFF}
    if party in ours:
        # without a staff list only the row's own ids are known
        known = party in {text(row.get("fromEID")), text(row.get("toEID"))}
        return "agent" if known else Either("agent", "unknown", None)
    if party in {"Caller", "Callee"}:
        return ANY  # the call log's words, in a field of call-detail
    return Either(None, "unknown") if party else None


def _releaser(row: Row, staff: bool) -> Any:
    """The name of the party that hung up: as the row shows it, as the staff list does, or the id."""
    party = text(row.get("releaseParty"))
    if party is None or party in {"Caller", "Callee"}:
        return ANY if party else None
    member = pick(raw_cinnox.STAFF, party) if staff else None
    shown = [text(of(member, "displayName")), f"{of(member, 'firstName')} {of(member, 'lastName')}"]
    shown += [
        text(row.get(f"{s}DisplayName")) for s in ("from", "to") if row.get(f"{s}EID") == party
    ]
    names = [name for name in shown if name and name != "None None"]
    return Either(*names) if names else Either(party, None)


def _recordings(row: Row) -> Row:
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
        "recordings": [_file(event, file) for event, file in files],
    }


def _file(event: Row, file: Row) -> Row:
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
