"""Nectar Desk's API as https://api-docs.nectardesk.com documents it: one call by its id.

Where the documents are silent, this server decides: an unknown id is 404 and a wrong token 401,
both with ``{"error": …}``; ids rise with time and every twenty-fifth is missing; what a call does
not have is absent, null, ``{}``, ``[]`` or ``""`` in turn, as the vendor's webhooks mix them.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from providers.sandbox.media import Library, Sound, takes
from providers.sandbox.server import Answer, Request
from providers.sandbox.world import CAMPAIGNS, LINES, Call, Leg, World

Row = dict[str, Any]

FIRST_CALL = 1000
_GAP_EVERY = 25
_ACCOUNT = "MAFAKEFAKEFAKEFAKEFA"
_MISSING = object()
_NOTHING: tuple[Any, ...] = (_MISSING, None, {}, [], "")
_OPTIONAL = ("contact", "number", "campaign", "ring_group", "ivr", "disposition", "agents", "tags")
_TYPES = {"live": "in_progress", "failed": "failed", "cancelled": "cancelled"}
_REASONS = {
    "answered": "NORMAL_CLEARING",
    "missed": "NO_ANSWER",
    "busy": "USER_BUSY",
    "declined": "CALL_REJECTED",
    "cancelled": "ORIGINATOR_CANCEL",
}


class Nectar:
    """The desk's data, and the answers to requests. Immutable once made."""

    def __init__(self, world: World, media_url: str, token: str) -> None:
        self._world, self._media, self._token = world, media_url, token
        self._library = Library(world.seed, "nectar")
        self._calls = {call_id(call.index): call for call in world.calls("nectar")}
        self._recordings = {id_: self._files(call) for id_, call in self._calls.items()}
        self.calls = {id_: self._row(id_, call) for id_, call in self._calls.items()}
        """Every call by its id, the oldest first, as it is served under ``calls``."""

    @property
    def sounds(self) -> dict[str, Sound]:
        """The files behind the recordings, by path on the media origin."""
        return self._library.sounds

    def answer(self, request: Request) -> Answer:
        """What the vendor says."""
        if request.headers.get("access-token") != self._token:
            return Answer(401, refusal(401, "Invalid access token"))
        match = re.fullmatch(r"/calls/(\d+)", request.path)
        if match is None or request.method != "GET":
            return Answer(404, refusal(404, "Not found"))
        row = self.calls.get(int(match[1]))
        if row is None:
            return Answer(404, refusal(404, "Call not found"))
        return Answer(200, {"calls": row})

    def _files(self, call: Call) -> list[tuple[int, Sound]]:
        """The recordings' ids and files; Plivo keeps them, as its address shows."""
        found = []
        for n, take in enumerate(takes(call)):
            digits = self._library.secret("plivo", call.index, n)
            uuid = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
            path = f"/v1/Account/{_ACCOUNT}/Recording/{uuid}.mp3"
            found.append(
                (call.index * 10 + n + 1, self._library.add(path, call, take, "mp3-phone"))
            )
        return found

    def _row(self, id_: int, call: Call) -> Row:
        agents = [self._agent(call, n, leg) for n, leg in enumerate(call.legs)]
        answered = call.outcome == "answered"
        handed_on = len(agents) > 1
        row: Row = {
            "id": id_,
            "is_inbound": call.inbound,
            "is_answered": answered or (call.outcome == "live" and bool(agents)),
            "is_in_queue": call.outcome == "live" and not agents,
            "contact": self._contact(call),
            "agents": [agent["id"] for agent in agents],
            "all_agents": agents,
            "answered_agents": agents if answered else [],
            "external_numbers": self._outside_numbers(call),
            "number": self._number(call, ""),
            "started_at": int(call.started.timestamp()),
            "duration": call.wait_s + call.talk_s + (3 if call.talk_s else 0),
            "talk_time": call.talk_s,
            "requested_callback": "callback" in call.topic.tags,
            "is_ended": call.outcome != "live",
            "type": _TYPES.get(call.outcome, call.outcome),
            "is_answered_within_sla": answered and call.wait_s <= 20,
            "is_data_cached": call.index % 2 == 0,
            "original_call_id": self._original(call) if handed_on or call.index % 8 == 0 else None,
            "campaign": None if call.inbound else self._campaign(call),
            "ring_group": self._ring_group(call) if call.inbound else None,
            "ivr": {"id": 1, "name": "Main menu"} if call.inbound and call.index % 3 else None,
            "disposition": self._disposition(call),
            "recordings": [
                {"id": recording, "url": self._media + sound.path}
                for recording, sound in self._recordings[id_]
            ],
            "tags": _tags(call),
        }
        return _thinned(row, call.index)

    def _agent(self, call: Call, place: int, leg: Leg) -> Row:
        reason = "BLIND_TRANSFER" if place < len(call.legs) - 1 else _REASONS.get(call.outcome)
        return {
            "id": leg.agent.number + 1,
            "user_id": leg.agent.number + 43,
            "alias": leg.agent.name,
            "sip": f"sip:agent{leg.agent.number + 1}@sip.example.com",
            "started_at": int(call.started.timestamp()) + leg.start_s,
            "type": "agent",
            "is_any_transfer": place > 0,
            "hangup_reason": reason or "",
        }

    def _contact(self, call: Call) -> Row:
        return {
            "id": 4000 + call.customer.number,
            "full_name": call.hostile or call.customer.name,
            "number_country_code": call.customer.calling_code,
            "national_number": call.customer.national,
            "number": call.customer.phone.lstrip("+"),
            "list_ids": [1 + call.customer.number % 3],
        }

    def _outside_numbers(self, call: Call) -> list[Row]:
        """Where a call was handed on to from outside the desk, now and then."""
        if len(call.legs) < 3:
            return []
        return [{"number": "12025550999", "is_any_transfer": True}]

    def _number(self, call: Call, plus: str) -> Row:
        title, phone = call.line
        number = plus + phone.lstrip("+")
        return {
            "id": 1 + LINES.index(call.line),
            "number": number,
            "numberWithAlias": f"{number} ({title})",
            "alias": title,
        }

    def _original(self, call: Call) -> int | None:
        return None if call.previous is None else call_id(call.previous)

    def _campaign(self, call: Call) -> Row:
        place = call.index % len(CAMPAIGNS)
        return {"id": place + 1, "name": CAMPAIGNS[place]}

    def _ring_group(self, call: Call) -> Row:
        place = LINES.index(call.line)
        return {"id": 7 + place, "name": LINES[place][0]}

    def _disposition(self, call: Call) -> Row | None:
        """The wrap-up: not every agent writes one, and some only pick a code."""
        if not call.talk_s or not call.legs or call.index % 5 == 4:
            return None
        note = call.hostile or (call.note if call.index % 5 else "")
        return {"id": 1 + len(call.topic.code) % 9, "code": call.topic.code, "note": note}

    def webhook(self, id_: int) -> Row:
        """The call as the webhook ``Call Ended`` posts it. Raises KeyError for an unknown id.

        Contradicts the REST form wherever the vendor's two pages do; see `_row`.
        """
        call, row = self._calls[id_], self.calls[id_]
        zone = self._world.now.tzinfo
        live = call.outcome == "live"
        body: Row = {
            "id": id_,
            "type": "inbound" if call.inbound else "outbound",
            "startedDate": _iso(call.started.astimezone(zone)),
            "endedDate": "" if live else _iso(call.started.astimezone(zone) + _length(call)),
            "duration": 0 if live else int(_length(call).total_seconds()),
            "talkTime": call.talk_s,
            "waitingTime": call.wait_s,
            "tags": _tags(call),
            "call_type": "inbound_ring_group" if call.inbound else "outbound",
            "call_recordings": [
                f"{self._media.partition('://')[2]}{sound.path}"
                for _, sound in self._recordings[id_]
            ],
            "number": {} if "number" not in row else self._number(call, "+"),
            "campaign": "" if call.inbound else self._campaign(call)["name"],
            "external_numbers": [
                {"number": "+12025550999 (Sales ext)", "is_any_transfer": True}
                for _ in self._outside_numbers(call)
            ],
            "transfer_details": self._transfer(call),
            "abandoned": int(call.outcome == "abandoned"),
            "sub_type": f"({call.line[0]})Handled" if call.talk_s else "Not Answered",
        }
        return body | (self._webhook_people(call) if call.talk_s else {})

    def _transfer(self, call: Call) -> Row:
        if len(call.legs) < 2:
            return {}
        return {"transfer_talk_time": call.legs[-1].talk_s, "number": call.line[1]}

    def _webhook_people(self, call: Call) -> Row:
        """What the sparse example of the page leaves out altogether."""
        people: Row = {
            "contact": {
                "id": 4000 + call.customer.number,
                "firstName": call.hostile or call.customer.first,
                "lastName": "" if call.hostile else call.customer.last,
                "email": call.customer.email,
                "phone": call.customer.phone,
                "createDate": "2025-10-01T12:00:00+02:00",
                "additionalFields": {"company": call.customer.company},
                "integrations": {},
            },
            "agents": [
                {
                    "id": leg.agent.number + 1,
                    "name": leg.agent.name,
                    "action": "Contact hangup" if call.hung_up == "customer" else "Answered",
                    "type": "Transfer Call" if place else "Normal call",
                }
                for place, leg in enumerate(call.legs)
            ],
        }
        if call.inbound:
            people["ringGroup"] = self._ring_group(call)
        if disposition := self._disposition(call):
            people["disposition"] = disposition
        return people


def call_id(index: int) -> int:
    """The id of the desk's call number `index`: ids rise, and every twenty-fifth is missing."""
    return FIRST_CALL + index + index // _GAP_EVERY


def refusal(status: int, message: str = "") -> Row:
    """The body of a failure; the documents show none."""
    return {"error": message or f"Error {status}"}


def _tags(call: Call) -> list[str]:
    return [*call.topic.tags, *filter(None, [call.hostile])] if call.talk_s else []


def _thinned(row: Row, index: int) -> Row:
    """The row with its empty fields in one of five disguises; every twelfth lacks much more."""
    empty = [key for key, value in row.items() if value is None]
    if index % 12 == 8:
        empty += [key for key in _OPTIONAL if key not in empty]
    for n, key in enumerate(empty):
        row[key] = _NOTHING[(index + n) % len(_NOTHING)]
    return {key: value for key, value in row.items() if value is not _MISSING}


def _length(call: Call) -> timedelta:
    """Longer than waiting and talk together: the line is set up and cleared as well."""
    return timedelta(seconds=call.wait_s + call.talk_s + (3 if call.talk_s else 0))


def _iso(when: Any) -> str:
    text: str = when.replace(microsecond=0).isoformat()
    return text
