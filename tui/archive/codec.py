"""A `Call` as the JSON of the command line, and back. The archive keeps the same JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from providers.model import (
    Agent,
    Call,
    CompanyNumber,
    Contact,
    Disposition,
    Hangup,
    Recording,
    RecordingEvent,
)
from providers.sanitize import safe_json

_ODD = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What is kept as JSON's own escapes: lone surrogates cannot be stored otherwise."""

_TIMES = frozenset({"started_at", "ended_at"})
_APART = frozenset({"history_id", "recordings_known", "raw"})
"""What the archive keeps of a call and ``--json`` does not print."""
_LAST = ("problems", "vendor_fields")
"""What ``--json`` prints behind the triage."""
_TEXTS = frozenset({"derived", "tags", "problems"})
_ORDER = tuple(item.name.rstrip("_") for item in fields(Call) if item.name not in _APART)
_PARTS: dict[str, type[Any]] = {
    "contact": Contact,
    "company_number": CompanyNumber,
    "disposition": Disposition,
    "hangup": Hangup,
}
_LISTS: dict[str, type[Any]] = {
    "agents": Agent,
    "recording_events": RecordingEvent,
    "recordings": Recording,
}
NO_TRIAGE: Mapping[str, Any] = {"state": "new", "note": None, "tags": [], "by": None, "at": None}


def time_text(time: datetime | None) -> str | None:
    """ISO 8601 in UTC: ``2026-11-02T09:30:00Z``, milliseconds only where there are any."""
    if time is None:
        return None
    time = time.astimezone(UTC)
    spec = "milliseconds" if time.microsecond else "seconds"
    return time.isoformat(timespec=spec).replace("+00:00", "Z")


def seconds(value: float | None) -> float | int | None:
    """Durations print as whole numbers where they are whole."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_FIELDS = {
    kind: tuple(item.name for item in fields(kind)) for kind in {**_PARTS, **_LISTS}.values()
}


_NOT_PLAIN = frozenset(
    name
    for names in (_ORDER, *_FIELDS.values())
    for name in names
    if name in _TIMES or name.endswith("_s")
)
"""Fields that are written otherwise than they are kept; most are not."""
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _plain(name: str, value: Any) -> Any:
    if name in _TIMES:
        return time_text(value)
    return seconds(value) if name.endswith("_s") else value


def _encode_part(part: Any) -> dict[str, Any]:
    return {
        name: _plain(name, getattr(part, name)) if name in _NOT_PLAIN else getattr(part, name)
        for name in _FIELDS[type(part)]
    }


def encode(call: Call) -> dict[str, Any]:
    """The call in the order and with the names of ``--json``, recordings' addresses included."""
    out: dict[str, Any] = {}
    for name in _ORDER:
        value = getattr(call, "from_" if name == "from" else name)
        if name in _PARTS:
            out[name] = _encode_part(value)
        elif name in _LISTS:
            out[name] = [_encode_part(part) for part in value]
        elif isinstance(value, tuple):
            out[name] = list(value)
        else:
            out[name] = _plain(name, value)
    return out


def _decode_part(kind: type[Any], value: Mapping[str, Any]) -> Any:
    known = {name: value.get(name) for name in _FIELDS[kind]}
    for name in _TIMES & known.keys():
        known[name] = _time(known[name])
    return kind(**known)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def decode(body: Mapping[str, Any], extra: Mapping[str, Any], raw: Any) -> Call:
    """What `encode` and `encode_extra` wrote, as a `Call` again."""
    body = {"problems": extra.get("problems"), **body}  # where older archives have them
    known: dict[str, Any] = {}
    for name in _ORDER:
        value = body.get(name)
        if name in _PARTS:
            value = _decode_part(_PARTS[name], value or {})
        elif name in _LISTS:
            value = tuple(_decode_part(_LISTS[name], part) for part in value or ())
        elif name in _TEXTS:
            value = tuple(value or ())
        elif name == "vendor_fields":
            value = value or {}
        elif name in _TIMES:
            value = _time(value)
        known["from_" if name == "from" else name] = value
    return Call(
        **known,
        recordings_known=bool(extra.get("recordings_known", True)),
        history_id=extra.get("history_id"),
        raw=raw,
    )


_EMPTY = {kind: dict.fromkeys(names) for kind, names in _FIELDS.items()}
_NOTHING: Mapping[str, Any] = {
    name: {} if name in _PARTS else [] if name in _LISTS or name in _TEXTS else None
    for name in _ORDER
}


def completed(body: Mapping[str, Any]) -> dict[str, Any]:
    """What `encode` wrote, with a null for each field that it lacks, as `decode` reads it. Raises
    TypeError where it is something else.
    """
    out = {**_NOTHING, **body}
    for name, part in _PARTS.items():
        out[name] = {**_EMPTY[part], **(out[name] or {})}
    for name, part in _LISTS.items():
        out[name] = [{**_EMPTY[part], **one} for one in out[name] or ()]
    texts = [text for name in _TEXTS for text in out[name] or ()]
    texts += [agent[name] or "" for agent in out["agents"] for name in ("id", "name")]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("a text is none")
    return out


def encode_extra(call: Call) -> dict[str, Any]:
    extra = {"recordings_known": call.recordings_known}
    return {**extra, "history_id": call.history_id} if call.history_id else extra


def moment_text(moment: float | None) -> str | None:
    """`time_text` of Unix seconds."""
    return None if moment is None else time_text(datetime.fromtimestamp(moment, UTC))


def storable(text: str) -> str:
    """Lone surrogates, which JSON may hold and UTF-8 may not, become U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def printed(body: Mapping[str, Any], account: str, *, with_urls: bool = False) -> dict[str, Any]:
    """One object of ``--json``: account first, triage before what could not be read and what the
    vendor alone has, addresses only if asked for.
    """
    out = {"account": account, "provider": body.get("provider"), **body}
    last = {"triage": body.get("triage") or dict(NO_TRIAGE)}
    last |= {name: body.get(name) or ([] if name in _TEXTS else {}) for name in _LAST}
    for name, value in last.items():
        out.pop(name, None)
        out[name] = value
    if not with_urls:
        out["recordings"] = [{**recording, "url": None} for recording in body.get("recordings", ())]
    return out


def names() -> Iterator[str]:
    """What `printed` holds, in its order; inside of a part as ``contact.name``."""
    yield from ("account", "provider")
    for name in _ORDER:
        if name in _PARTS:
            yield from (f"{name}.{inner}" for inner in _FIELDS[_PARTS[name]])
        elif name != "provider" and name not in _LAST:
            yield name
    yield from (f"triage.{name}" for name in NO_TRIAGE)
    yield from _LAST


def stored(value: Any) -> str:
    """Compact JSON as the archive keeps it; `dumps` prints, for which each odd character is
    looked at: a long text of them takes too long for a thing that is done with every call.
    """
    text = _COMPACT.encode(value)
    return _ODD.sub(lambda odd: f"\\u{ord(odd[0]):04x}", text)


def dumps(value: Any) -> str:
    """Compact JSON in one line that no terminal takes for anything else."""
    return safe_json(_COMPACT.encode(value))
