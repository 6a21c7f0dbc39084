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
