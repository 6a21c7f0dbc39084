"""A recording's address is asked for anew, also of a vendor that gives no single calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from providers.cinnox import Cinnox
from providers.errors import NotFound
from tests.providers.cinnox_bodies import (
    EVENT,
    FILE,
    OUTBOUND,
    PATH,
    RECORD,
    account,
    paged,
    script,
)
from tests.providers.server import Server, Waits
from tui.recordings.lookup import fetch_call

CALL_ID = RECORD["callID"]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def cinnox(server: Server) -> Cinnox:
    script(server)
    made = Cinnox(account(server))
    made.sleep = Waits()
    return made


def with_address(record: dict[str, Any], url: str) -> dict[str, Any]:
    return {**record, "recordingEventList": [{**EVENT, "files": [{**FILE, "downloadUrl": url}]}]}


async def test_cinnox_is_asked_for_the_time_of_the_call(server: Server, cinnox: Cinnox) -> None:
    """Among others, and with its legs on several pages; the others' addresses are not taken."""
    leg = {**RECORD, "id": "leg-2", "callSeq": 2, "recordingEventList": []}
    fresh = with_address(RECORD, "https://files.example.com/v1/fresh")
    other = with_address({**OUTBOUND, "hasAudioFile": True}, "https://files.example.com/v1/other")
    server.on(PATH, paged(other, leg, fresh, cap=1))
    async with cinnox:
        call = await fetch_call(cinnox, cinnox.parse([RECORD]))
    assert call.id == CALL_ID and len(call.raw) == 2, "both of its legs"
    assert [one.url for one in call.recordings] == ["https://files.example.com/v1/fresh"]
    request = server.asked(PATH)[0]
    asked = " ".join(value for _, value in request.query)
    assert "2023-07-04T02:14" in asked and "2023-07-04T02:20" in asked, "a minute around it"


async def test_a_call_that_cinnox_lists_no_more_is_not_found(
    server: Server, cinnox: Cinnox
) -> None:
    server.on(PATH, paged(OUTBOUND))
    async with cinnox:
        with pytest.raises(NotFound, match=f"no longer lists call {CALL_ID}"):
            await fetch_call(cinnox, cinnox.parse([RECORD]))


async def test_a_call_without_a_time_cannot_be_looked_for(server: Server, cinnox: Cinnox) -> None:
    call = replace(cinnox.parse([RECORD]), started_at=None)
    async with cinnox:
        with pytest.raises(NotFound, match="when call c1f0b6d4 was is not known"):
            await fetch_call(cinnox, call)
    assert server.requests == []
