"""Ids as people type them: commas and ranges, ``1000-1060,1071``."""

from __future__ import annotations

import re
from array import array
from itertools import chain, pairwise

LIMIT = 1_000_000
_PART = re.compile(r"(\d{1,18})(?:\s*-\s*(\d{1,18}))?")


def parse_ids(text: str) -> list[int]:
    """The ids in the order given, each once. Raises ValueError as `id_ranges`."""
    return list(dict.fromkeys(chain.from_iterable(id_ranges(text))))


def id_array(text: str) -> array[int]:
    """As `parse_ids`, in 8 bytes an id: an account may have a hundred thousand."""
    ranges = sorted(id_ranges(text), key=lambda part: part.start)
    apart = all(one.stop <= other.start for one, other in pairwise(ranges))
    return array("q", chain.from_iterable(id_ranges(text)) if apart else parse_ids(text))


def id_ranges(text: str) -> list[range]:
    """The ranges in the order given. Raises ValueError with what is wrong and where.

    At most `LIMIT` ids, so that a slip in a range cannot ask a vendor for billions.
    """
    ranges: list[range] = []
    for part in re.split(r"[,\s;]+(?!-)", re.sub(r"\s*-\s*", "-", text.strip())):
        if not part:
            continue
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{part[:40]!r} is neither an id nor a range such as 1000-1060")
        first = int(match[1])
        last = int(match[2] or first)
        if first < 1 or last < first:
            raise ValueError(f"{part!r} is not a range of ids: it goes from low to high, from 1 on")
        ranges.append(range(first, last + 1))
        if last - first >= LIMIT or sum(map(len, ranges)) > LIMIT:
            raise ValueError(f"{part!r} makes it more than {LIMIT:,} ids")
    return ranges
