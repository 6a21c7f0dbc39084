"""The detail of a call: what it says, what it hides, and what it never invents."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from rich.cells import cell_len

from providers.model import Agent, Call, Hangup, Recording
from tests.widgets.hosts import EXTRA, Host, Seen, detail_host
from tests.widgets.samples import CLOCK, FULL, HOSTILE, PROBLEMS, SECRET_URL, SPARSE, START
from widgets.call_detail import CallDetail
from widgets.call_document import Extra, Section, document, offset_text, secrets_of, size_text
from widgets.json_text import HIDDEN, MAX_LINES, TOO_LONG, hide_addresses, json_lines
from widgets.timeline import timeline


def page(call: Call, width: int = 80, extra: Extra | None = None) -> list[str]:
    rows = document(call, "support", CLOCK, extra or Extra(), width)
    return ["".join(text for text, _ in row.line).rstrip() for row in rows]


def shown(host: Host) -> str:
    detail = host.query_one(CallDetail)
    return "\n".join(detail.render_line(y).text.rstrip() for y in range(detail.size.height))


@pytest.mark.parametrize(
    ("size", "text"),
    [(None, ""), (-1, ""), (0, "0 B"), (999, "999 B"), (2_080_000, "2.1 MB"), (10**12, "1.0 TB")],
)  # fmt: skip
def test_sizes(size: int | None, text: str) -> None:
    assert size_text(size) == text


def test_offsets() -> None:
    assert [offset_text(s) for s in (None, 0, 12, -2, 3700)] == [
        "", "+0:00", "+0:12", "-0:02", "+1:01:40",
    ]  # fmt: skip


def test_the_timeline_is_in_order_and_marks_what_was_computed() -> None:
    assert timeline(FULL) == [
        (0.0, "rings at Support line"),
        (3.0, "Ann Smith's leg starts, not answered"),
        (12, "~answered"),
        (12.0, "Bo Chen's leg starts, answered"),
        (12.0, "recording starts by Bo Chen"),
        (254.0, "recording stops by Bo Chen"),
        (254.0, "ends, customer hung up"),
    ]


def test_the_timeline_invents_nothing() -> None:
    assert timeline(SPARSE) == []
    assert timeline(replace(SPARSE, wait_s=5, duration_s=9, outcome="answered")) == []
    missed = replace(SPARSE, outcome="missed", started_at=START, wait_s=20, duration_s=20)
    assert timeline(missed) == [(0.0, "rings"), (20, "~ends")]
    running = replace(missed, outcome="in_progress", duration_s=0)
    assert timeline(running) == [(0.0, "rings")]
    assert timeline(replace(SPARSE, hangup=Hangup("agent"))) == [(None, "ends, agent hung up")]
    assert timeline(replace(SPARSE, hangup=Hangup("unknown"))) == []
    leg = Agent(name=HOSTILE[0], started_at=START)
    assert timeline(replace(SPARSE, agents=(leg,))) == [
        (None, "A\ufffd]0;PWNED\ufffdB's leg starts")
    ]


def test_every_value_of_a_full_call_is_on_the_page() -> None:
    text = "\n".join(page(FULL, 80, EXTRA))
    for value in (
        "Ada Lovelace", "+442079460123", "+442079460999", "ada@example.test", "c7", "Support line",
        "inbound", "answered", "2026-11-20 15:05:33", "2026-11-20 15:09:47", "4:14", "~0:12",
        "4:02", "Sales EU", "Wants two more seats", "customer, normal clearing, 16", "vip, renewal",
        "SLA met", "Call back", "support (nectar)", "1180022", "not answered", "caller hung up",
        "transfer", "private", "2.1 MB", "Second part, after the transfer.", "call back on Monday",
    ):  # fmt: skip
        assert value in text, value


@pytest.mark.parametrize("width", [20, 40, 79, 80, 120])
def test_a_long_problem_is_whole_in_lines_that_fit(width: int) -> None:
    words = [f"word{number}" for number in range(30)]
    rows = page(replace(SPARSE, problems=(" ".join(words), "short")), width)
    problems = rows[rows.index("Problems") + 1 :]
    assert [row[:4] for row in problems if row[2] != " "] == ["  ! ", "  ! "]
    assert " ".join(row[4:] for row in problems).split() == [*words, "short"]
    assert max(map(cell_len, rows)) <= width


def test_a_value_that_would_be_computed_and_is_not_there_leaves_no_mark() -> None:
    names = ("started_at", "ended_at", "direction", "outcome", "duration_s", "wait_s", "talk_s")
    nothing = Call("1", "nectar", derived=(*names, "sla_met"))
    assert "~" not in "\n".join(page(replace(nothing, outcome="")))
    assert "  Wait       ~0:07" in page(replace(nothing, wait_s=7.0), 40)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


LEGS = replace(
    SPARSE,
    provider="cinnox",
    recordings_known=True,
    has_recording=True,
    started_at=START,
    ended_at=at(274),
    hangup=Hangup("agent", "Normal Clearing", "200", "Mei"),
    agents=(
        Agent("s1", "Mei", "AGENT", "Support", START, True, None, "Normal Clearing", "Call Ended",
              "200", at(274)),
        Agent("s2", "Ada", "AGENT", "Sales", at(53), False, None, "Call Rejected", "Declined",
              "603", at(65)),
        Agent(started_at=at(70), status="Ringing"),
    ),
    vendor_fields={
        "callType": ["offnet", "onnet"],
        "callPrepareFromNum": "85230001234",
        "is_in_queue": False,
        "size": 3.0,
        "nothing": "",
        "unknown": None,
        HOSTILE[5]: list(HOSTILE),
    },
)  # fmt: skip


def test_every_leg_shows_how_it_ended_itself() -> None:
    rows = page(LEGS)
    start = rows.index("Agents") + 1
    assert rows[start : start + 6] == [
        "  +0:00  Mei        answered  AGENT, Support",
        "             Call Ended, Normal Clearing, 200, until +4:34",
        "  +0:53  Ada        Declined  AGENT, Sales",
        "             Call Rejected, 603, until +1:05",
        "  +1:10  (no name)",
        "             Ringing",
    ]
    wide = page(LEGS, 120)
    start = wide.index("Agents") + 1
    assert wide[start + 1].endswith("AGENT, Sales    Call Rejected, 603, until +1:05")
    assert "  Hang-up    agent Mei, Normal Clearing, 200" in rows
    assert timeline(LEGS)[2:] == [
        (53.0, "Ada's leg starts, Declined"),
        (65.0, "Ada's leg ends, Call Rejected"),
        (70.0, "an agent's leg starts"),
        (274.0, "ends, Mei hung up"),
    ]


def test_a_leg_whose_status_is_its_reason_says_it_once() -> None:
    said = {True: "answered  Hung up", False: "Hung up", None: "Hung up"}
    for answered, ending in said.items():
        leg = Agent("s1", "Mei", answered=answered, hangup_reason="Hung up", status="Hung up")
        rows = page(replace(SPARSE, agents=(leg,)))
        assert " ".join(rows[rows.index("Agents") + 1].split()) == f"Mei {' '.join(ending.split())}"


@pytest.mark.parametrize("width", [20, 54, 80, 120])
def test_the_vendors_own_fields_stand_under_its_names(width: int) -> None:
    rows = page(LEGS, width)
    start = rows.index("Vendor's fields") + 1
    assert max(map(cell_len, rows)) <= width
    assert not any(ord(char) < 32 or "\u202a" <= char <= "\u202e" for char in "".join(rows))
    if width >= 54:
        words = " ".join(rows[start : start + 4]).split()
        assert words[:9] == [
            *("callType", "offnet,", "onnet", "callPrepareFromNum", "85230001234"),
            *("is_in_queue", "no", "size", "3"),
        ]
    assert "nothing" not in "".join(rows) and "unknown" not in "".join(rows)


@pytest.mark.parametrize("length", range(9, 20))
def test_a_vendors_field_is_parted_from_its_value(length: int) -> None:
    name = "n" * length
    rows = page(replace(LEGS, vendor_fields={name: "value"}), 100)
    assert rows[rows.index("Vendor's fields") + 1].split() == [name, "value"]


def test_a_young_recording_is_still_to_come() -> None:
    said = [page(replace(LEGS, ended_at=CLOCK.now - timedelta(hours=h))) for h in (1, 30)]
    assert ["  not there yet" in rows for rows in said] == [True, False]
    assert ["  the vendor gives no file" in rows for rows in said] == [False, True]


def test_an_address_is_a_secret_as_the_vendor_wrote_it() -> None:
    """The recording's is whole; the vendor may have written it without scheme or host."""
    for written in ("/rec/abc.mp3?sig=SECRETSIG", "media.example.test/rec/abc.mp3?sig=SECRETSIG"):
        call = replace(FULL, summary=f"see {written}", raw={"url": written})
        text = "\n".join([*page(call), *json_lines(call.raw, secrets_of(call))])
        assert "SECRETSIG" not in text and HIDDEN in text


def test_what_is_not_known_is_not_on_the_page() -> None:
    assert page(SPARSE) == [
        "Overview",
        "  Outcome    ?                            Account    support (liner)",
        "  Call id    77",
        "Agents",
        "  none",
        "Disposition",
        "  none",
        "Recordings",
        "  not asked for yet",
    ]


@pytest.mark.parametrize(
    ("known", "text"),
    [(True, "the vendor gives no file"), (False, "none"), (None, "not known")],
)
def test_why_there_is_no_recording(known: bool | None, text: str) -> None:
    call = replace(SPARSE, recordings_known=True, has_recording=known)
    assert page(call)[-1].strip() == text


@pytest.mark.parametrize("width", [20, 54, 80, 120, 200])
def test_lines_fit_the_width_and_long_values_are_whole(width: int) -> None:
    long = "a-very-long-campaign-name-" * 6
    rows = page(replace(FULL, campaign=long), width, EXTRA)
    assert max(map(len, rows)) <= width
    assert long in "".join(line.strip() for line in rows)


def test_an_ordinary_call_fits_80x24_up_to_its_recordings() -> None:
    rows = page(replace(FULL, recordings=FULL.recordings[:1]))
    assert rows.index("Timeline") <= 24


def test_problems_are_listed_and_harmless() -> None:
    rows = page(PROBLEMS)
    at = rows.index("Problems")
    assert rows[at + 1 : at + 3] == ["  ! callDate: not a time", "  ! duration: not a number"]
    assert not any(ord(char) < 32 or "\u202a" <= char <= "\u202e" for char in "".join(rows))


async def test_addresses_of_recordings_are_shown_nowhere() -> None:
    leaky = replace(FULL, summary=f"see {SECRET_URL}", problems=(f"bad {SECRET_URL}",))
    host = detail_host(leaky, EXTRA)
    async with host.run_test(size=(80, 200)) as pilot:
        await pilot.press("G")
        text = shown(host)
        assert "SECRETSIG" not in text and "media.example" not in text
        assert text.count(HIDDEN) == 5
        assert '"full_name": "Ada Lovelace"' in text


@pytest.mark.parametrize(
    "leak",
    [
        "https://h.test/a?sig=S3",
        "HTTPS:\\/\\/h.test\\/a?sig=S3",
        "x s3://bucket/a?sig=S3 y",
        "/rel/S3",
    ],
)
def test_addresses_in_json_are_hidden(leak: str) -> None:
    for raw in ({"url": leak}, {leak: 1}, [json.dumps({"url": leak})], leak):
        text = "\n".join(json_lines(raw, ["/rel/S3"]))
        assert "S3" not in text and HIDDEN in text


def test_hiding_is_not_quadratic() -> None:
    assert hide_addresses("a" * 1_000_000, ()) == "a" * 1_000_000


def test_endless_and_odd_json() -> None:
    assert json_lines(list(range(9 * MAX_LINES)))[-1] == TOO_LONG
    assert json_lines(["x" * 1_000_000])[-1] == TOO_LONG
    nested: object = 1
    for _ in range(5000):
        nested = [nested]
    assert json_lines(nested)[-1] == TOO_LONG
    assert json_lines({"a": START}) == ["{", f'  "a": "{START}"', "}"]


async def test_json_is_formatted_when_it_comes_into_sight() -> None:
    host = detail_host(FULL, EXTRA)
    async with host.run_test(size=(80, 24)) as pilot:
        detail = host.query_one(CallDetail)
        assert detail._json is None
        await pilot.press("G")
        assert shown(host).endswith("  }")
        assert '"url": "[address hidden]"' in shown(host)


async def test_the_same_call_keeps_its_place_and_another_starts_at_the_top() -> None:
    host = detail_host(FULL, EXTRA)
    async with host.run_test(size=(80, 12)) as pilot:
        detail = host.query_one(CallDetail)
        await pilot.press("j", "j")
        detail.show(replace(FULL, status="Changed"), "support", CLOCK)
        assert detail.top == 2
        for other, account in ((replace(FULL, id="2"), "support"), (FULL, "sales")):
            detail.show(other, account, CLOCK)
            assert detail.top == 0
            await pilot.press("j", "j")
            assert detail.top == 2
        detail.show(SPARSE, "support", CLOCK)
        assert detail.top == 0
        detail.show(None, "", CLOCK)
        assert detail.call is None
        assert "No call is chosen" in shown(host)


async def test_enter_goes_from_comment_to_comment_and_round() -> None:
    hook = Seen(CallDetail.MomentChosen)
    moments = ((0, (0, 12.0)), (2, (1, 5.0)))
    lines = ("0:12 first", "a note", "0:05 in the second recording")
    host = detail_host(FULL, Extra((Section("Comments", lines, moments),)))
    async with host.run_test(size=(80, 12), message_hook=hook) as pilot:
        await pilot.press("enter", "enter", "enter")
        found = [(one.recording, one.at_s) for one in hook.take()]  # type: ignore[attr-defined]
        assert found == [(0, 12.0), (1, 5.0), (0, 12.0)]
        host.query_one(CallDetail).show(replace(FULL, id="2"), "support", CLOCK)
        await pilot.press("enter")
        assert hook.take() == []


async def test_a_click_on_a_file_chooses_it() -> None:
    hook = Seen(CallDetail.RecordingChosen)
    host = detail_host(FULL, EXTRA)
    async with host.run_test(size=(100, 60), message_hook=hook) as pilot:
        await pilot.pause()
        lines = shown(host).split("\n")
        first = next(y for y, line in enumerate(lines) if line.startswith("   1  2:10"))
        for y, index in ((first, 0), (first + 1, 1), (first + 2, 1)):
            await pilot.click(CallDetail, offset=(8, y))
            (message,) = hook.take()
            assert isinstance(message, CallDetail.RecordingChosen) and message.index == index
        await pilot.click(CallDetail, offset=(8, first - 1))
        await pilot.click(CallDetail, offset=(8, 59))
        assert hook.take() == []


async def test_the_playing_file_is_marked_in_words() -> None:
    host = detail_host(FULL, Extra(playing=0))
    async with host.run_test(size=(100, 60)) as pilot:
        await pilot.pause()
        (line,) = [line for line in shown(host).split("\n") if "playing" in line]
        assert line.startswith("  >1  2:10")


def test_recordings_without_anything_known() -> None:
    call = replace(SPARSE, recordings=(Recording(), Recording()), recordings_known=True)
    assert page(call)[-2:] == ["   1", "   2"]


def test_of_many_parts_the_first_are_shown_and_the_others_counted() -> None:
    agents = tuple(Agent(str(n), f"Agent {n}", started_at=START) for n in range(10_000))
    recordings = tuple(
        Recording(str(n), f"https://files.example.com/{n}/x.mp3", f"file {n}", summary="so " * 900)
        for n in range(300)
    )
    text = "\n".join(page(replace(FULL, agents=agents, recordings=recordings)))
    assert "Agent 199" in text and "Agent 200" not in text
    assert "… and 9,800 more; ringback show --json has all" in text
    assert "more lines; ringback show --json has all" in text
    assert text.count("\n") < 1_500
    few = replace(FULL, recordings=tuple(replace(one, summary=None) for one in recordings))
    assert "… and 100 more; ringback show --json has all" in "\n".join(page(few))
