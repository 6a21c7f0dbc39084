"""Nectar Desk's API: one call by its id, in all its sparse variety, and the webhook's form."""

from __future__ import annotations

from datetime import datetime

import httpx
import pytest

from providers.sandbox import Sandbox
from tests.sandbox.conftest import Ask

FIELDS = {
    *("id", "is_inbound", "is_answered", "is_in_queue", "contact", "agents", "all_agents"),
    *("answered_agents", "external_numbers", "number", "started_at", "duration", "talk_time"),
    *("requested_callback", "is_ended", "type", "is_answered_within_sla", "is_data_cached"),
    *("original_call_id", "campaign", "ring_group", "ivr", "disposition", "recordings", "tags"),
}


@pytest.mark.parametrize("headers", [{}, {"Access-Token": "wrong"}, {"X-Api-Key": "x"}])
def test_a_wrong_or_missing_token_is_401(
    world: Sandbox, client: httpx.Client, headers: dict[str, str]
) -> None:
    answer = client.get(world.base_url("nectar") + "/calls/1000", headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"error": "Invalid access token"})


def test_every_id_of_the_setting_is_a_call_or_404(ask: Ask, world: Sandbox) -> None:
    first, last = map(int, world.settings["nectar"]["call_ids"].split("-"))
    served, gaps = [], 0
    for id_ in range(first, last + 1):
        answer = ask("nectar", f"/calls/{id_}")
        if answer.status_code == 404:
            assert answer.json() == {"error": "Call not found"}
            gaps += 1
        else:
            served.append(answer.json()["calls"])
    assert served == world.data.nectar_calls
    assert (len(served), gaps) == (600, 23)
    assert ask("nectar", f"/calls/{last + 1}").status_code == 404


@pytest.mark.parametrize("path", ["/calls", "/calls/", "/calls/x", "/calls/1000/", "/"])
def test_there_is_nothing_but_a_call_by_its_id(ask: Ask, path: str) -> None:
    assert ask("nectar", path).status_code == 404


def test_all_documented_fields_occur_and_no_others(world: Sandbox) -> None:
    rows = world.data.nectar_calls
    assert set().union(*rows) == FIELDS
    assert any(row.keys() == FIELDS for row in rows)


def test_a_field_without_a_value_is_empty_in_every_way(world: Sandbox) -> None:
    ways = {
        repr(row.get("campaign", "absent"))
        for row in world.data.nectar_calls
        if not row.get("campaign")
    }
    assert ways == {"'absent'", "None", "{}", "[]", "''"}
    assert any(not row.get("contact") for row in world.data.nectar_calls)


def test_some_calls_are_going_on_and_one_waits(world: Sandbox) -> None:
    live = [row for row in world.data.nectar_calls if not row["is_ended"]]
    assert len(live) == 3
    assert [row["is_in_queue"] for row in live].count(True) == 1
    assert not any(row["recordings"] or row["duration"] for row in live)


def test_transfers_name_every_agent_in_order(world: Sandbox) -> None:
    handed_on = [row for row in world.data.nectar_calls if len(row["all_agents"]) > 1]
    assert len(handed_on) > 20
    for row in handed_on:
        agents = row["all_agents"]
        assert [agent["is_any_transfer"] for agent in agents] == [
            False,
            *[True] * (len(agents) - 1),
        ]
        assert agents[0]["hangup_reason"] == "BLIND_TRANSFER"
        assert agents == sorted(agents, key=lambda agent: agent["started_at"])
        assert row["answered_agents"] == agents


def test_a_linked_call_is_an_earlier_one_of_the_same_contact(world: Sandbox) -> None:
    calls = {row["id"]: row for row in world.data.nectar_calls}
    linked = [row for row in calls.values() if row.get("original_call_id")]
    assert linked
    for row in linked:
        original = calls[row["original_call_id"]]
        assert original["started_at"] <= row["started_at"]
        if row.get("contact") and original.get("contact"):
            assert original["contact"]["number"] == row["contact"]["number"]


def test_notes_and_codes_read_like_a_desk(world: Sandbox) -> None:
    wraps = [row["disposition"] for row in world.data.nectar_calls if row.get("disposition")]
    assert len(wraps) > 200
    assert len({wrap["code"] for wrap in wraps}) > 15
    assert len({wrap["note"] for wrap in wraps if wrap["note"]}) > 150


def test_the_webhook_describes_the_same_call_in_its_own_words(world: Sandbox) -> None:
    row = next(
        row
        for row in world.data.nectar_calls
        if row["is_inbound"] and len(row["all_agents"]) == 2 and row["recordings"]
    )
    hook = world.data.nectar_webhooks(row["id"])
    assert hook["type"] == "inbound"
    assert datetime.fromisoformat(hook["startedDate"]).timestamp() == row["started_at"]
    assert (hook["duration"], hook["talkTime"]) == (row["duration"], row["talk_time"])
    assert hook["waitingTime"] + hook["talkTime"] != hook["duration"]
    assert [agent["type"] for agent in hook["agents"]] == ["Normal call", "Transfer Call"]
    assert hook["transfer_details"]["transfer_talk_time"] > 0
    urls = [recording["url"] for recording in row["recordings"]]
    assert [f"http://{text}" for text in hook["call_recordings"]] == urls
    assert not any("://" in text for text in hook["call_recordings"])


def test_the_webhook_leaves_out_what_a_lost_call_does_not_have(world: Sandbox) -> None:
    lost = next(row for row in world.data.nectar_calls if row["type"] == "abandoned")
    hook = world.data.nectar_webhooks(lost["id"])
    assert hook["abandoned"] == 1
    assert not {"contact", "agents", "ringGroup", "disposition"} & hook.keys()
    assert (hook["transfer_details"], hook["call_recordings"]) == ({}, [])
    live = next(row for row in world.data.nectar_calls if not row["is_ended"])
    assert world.data.nectar_webhooks(live["id"])["endedDate"] == ""


def test_no_webhook_for_an_unknown_call(world: Sandbox) -> None:
    with pytest.raises(KeyError):
        world.data.nectar_webhooks(1)
