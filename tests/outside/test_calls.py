"""About 1,500 calls of three vendors, from the account to the JSON, field by field."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from tests.outside import expected, expected_nectar, raw
from tests.outside.compare import compare
from tests.outside.conftest import Ringback
from tests.outside.server import Vendors


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ringback, Vendors]]:
    """Three accounts, synced once; the tests of this module read them."""
    vendors = Vendors.full()
    ringback = Ringback(tmp_path_factory.mktemp("home"))
    ids = f"{min(vendors.nectar)}-{max(vendors.nectar) + 5}"
    ringback.add("sales", "liner", vendors.url)
    ringback.add("care", "cinnox", vendors.url)
    ringback.add("desk", "nectar", vendors.url, "--ids", ids)
    ringback("sync", "--since", raw.SINCE, "--until", raw.UNTIL)
    yield ringback, vendors
    vendors.close()


def wanted(vendors: Vendors) -> list[dict[str, Any]]:
    legs = defaultdict(list)
    for stored in vendors.cinnox:
        legs[stored.row.get("callID") or stored.row["id"]].append(stored.row)
    return [
        *(expected.liner("sales", s.row, filed_under=s.order) for s in vendors.liner),
        *(expected.cinnox("care", rows) for rows in map(list, legs.values())),
        *(expected_nectar.rest("desk", raw.nectar_call(body)) for body in vendors.nectar.values()),
    ]


def without_urls(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The expected calls as they are printed without --with-urls."""

    def hide(recordings: Any) -> Any:
        if isinstance(recordings, expected.Either):
            return expected.Either(*map(hide, recordings.values))
        return [{**recording, "url": None} for recording in recordings]

    return [{**call, "recordings": hide(call["recordings"])} for call in calls]


def test_every_call_is_printed_with_every_field_right(world: tuple[Ringback, Vendors]) -> None:
    ringback, vendors = world
    want = wanted(vendors)
    assert len(want) > 1450
    report = compare(ringback.calls("--limit", "5000"), without_urls(want))
    assert not report, f"\n{report}"
