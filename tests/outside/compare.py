"""What differs between a printed call and the expected one, one line for each field."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tests.outside.expected import ANY, AtLeast, Either


def differences(got: Any, want: Any, where: str = "") -> Iterator[str]:
    """Lines like `contact.name: got "X", want "Y"`; none when all is right."""
    if want is ANY:
        return
    if isinstance(want, Either):
        tried = [list(differences(got, value, where)) for value in want.values]
        if all(tried):
            yield f"{where}: got {_json(got)}, want {want}"
        return
    if isinstance(want, AtLeast):
        if not (isinstance(got, list) and want.must <= set(got) <= want.may):
            yield f"{where}: got {_json(got)}, want {want}"
        return
    if want is None and isinstance(got, dict) and not any(got.values()):
        return  # nothing known of an object: null, or an object of nulls
    if isinstance(want, dict):
        yield from _object(got, want, where)
    elif isinstance(want, list) and isinstance(got, list) and len(got) == len(want):
        for index, (one, other) in enumerate(zip(got, want, strict=True)):
            yield from differences(one, other, f"{where}[{index}]")
    elif isinstance(want, datetime):
        if not (isinstance(got, str) and _utc(got) == want):
            yield f"{where}: got {_json(got)}, want {want.isoformat()}"
    elif isinstance(want, float) and _is_number(got):
        if abs(got - want) > 0.001:
            yield f"{where}: got {got}, want {want}"
    elif got != want or isinstance(got, bool) is not isinstance(want, bool):
        yield f"{where}: got {_json(got)}, want {_json(want)}"


def _object(got: Any, want: dict[str, Any], where: str) -> Iterator[str]:
    if got is None:
        got = dict.fromkeys(want)  # an object in which nothing is known may be null as a whole
    if not isinstance(got, dict):
        yield f"{where}: got {_json(got)}, want an object"
        return
    for key in [*want, *(key for key in got if key not in want)]:
        at = f"{where}.{key}" if where else key
        if key not in got:
            yield f"{at}: not printed"
        elif key not in want:
            yield f"{at}: printed, and not in the design"
        else:
            yield from differences(got[key], want[key], at)


def _utc(value: str) -> datetime | None:
    found = datetime.fromisoformat(value)
    offset = found.utcoffset()
    return found if offset is not None and not offset else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=repr)


def compare(got: list[dict[str, Any]], want: list[dict[str, Any]]) -> str:
    """A report: calls missing, extra, doubled, and fields that differ; "" when all is right."""
    printed = Counter((call["account"], call["id"]) for call in got)
    wanted = {(call["account"], call["id"]): call for call in want}
    lines = [f"doubled: {key}" for key, times in printed.items() if times > 1]
    lines += [f"missing: {key}" for key in wanted if key not in printed]
    lines += [f"extra: {key}" for key in printed if key not in wanted]
    for call in got:
        if found := wanted.get((call["account"], call["id"])):
            name = f"{call['account']}:{call['id']}"
            lines += [f"{name} {line}" for line in differences(call, found)]
    return "\n".join([*lines[:60], *([f"… {len(lines)} in all"] if len(lines) > 60 else [])])


def without_urls(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The expected calls as they are printed without --with-urls."""

    def hide(recordings: Any) -> Any:
        if isinstance(recordings, Either):
            return Either(*map(hide, recordings.values))
        return [{**recording, "url": None} for recording in recordings]

    return [{**call, "recordings": hide(call["recordings"])} for call in calls]
