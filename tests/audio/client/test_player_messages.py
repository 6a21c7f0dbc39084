"""What a player tells its engine, and what it makes of each answer: an engine made up by the test."""

from __future__ import annotations

import asyncio

import pytest

from providers.errors import RecordingError
from tests.audio.client.fake_engine import FakeWorld, MemorySource
from tui.audio import protocol
from tui.audio.client import notices
from tui.audio.peaks import Peaks


async def test_a_recording_is_opened_as_the_state_says(world: FakeWorld) -> None:
    player = world.player
    player.set_speed(2.0)
    player.set_volume(0.5)
    player.set_side("left")
    player.set_skip_silence(True)
    await player.play(MemorySource(), start_s=-3.0)
    opened = {**world.engine.opened, "do": "open"}
    assert opened == {
        "do": "open", "id": opened["id"], "seq": opened["seq"], "size": 100, "paused": False,
        "start": 0.0, "speed": 2.0, "volume": 0.5, "skip": True, "side": "left", "loop": None,
        "peaks": True, "unmeasured": None, "near": False,
    }  # fmt: skip
    assert world.status == "loading"
    assert world.state.output == "miniaudio"


async def test_each_recording_has_a_number_of_its_own(playing: FakeWorld) -> None:
    first = playing.engine.opened
    await playing.player.play(MemorySource())
    assert len(playing.engines) == 1
    assert playing.engine.opened["id"] > first["id"]
    assert playing.engine.opened["seq"] > first["seq"]
    await playing.engine.say("at", id=first["id"], seq=first["seq"], s=9.0, state="flowing")
    assert (playing.status, playing.state.position_s) == ("loading", 0.0)
    assert (playing.state.length_s, playing.state.channels) == (None, None)


async def test_a_report_from_before_a_seek_is_out_of_date(playing: FakeWorld) -> None:
    old = playing.engine.opened
    playing.player.seek_to(30.0)
    await playing.engine.say("at", id=old["id"], seq=old["seq"], s=5.2, state="flowing")
    assert (playing.status, playing.state.position_s) == ("loading", 30.0)
    await playing.at(30.1)
    assert (playing.status, playing.state.position_s) == ("playing", 30.1)


async def test_the_state_of_the_engine_is_told_as_a_status(playing: FakeWorld) -> None:
    assert playing.status == "playing"
    await playing.at(5.1, "waiting")
    assert playing.status == "loading"
    await playing.at(60.0, "ended")
    assert playing.status == "ended"
    playing.player.pause()
    assert playing.status == "ended", "there is nothing to pause"


async def test_who_hears_more_than_the_header_says_learns_the_length(playing: FakeWorld) -> None:
    await playing.at(61.5)
    assert playing.state.length_s == 61.5
    assert playing.player.position_s == 61.5


async def test_between_two_reports_the_position_goes_on_for_a_second(playing: FakeWorld) -> None:
    """Longer without a report, and nobody may be hearing it: a speaker's machine sleeps."""
    playing.player.set_speed(3.0)
    await playing.at(10.0)
    playing.wait(0.5)
    assert playing.player.position_s == pytest.approx(11.5)
    playing.wait(60.0)
    assert playing.player.position_s == pytest.approx(13.0)
    assert playing.state.position_s == 10.0


async def test_positions_are_told_at_most_four_times_a_second(playing: FakeWorld) -> None:
    playing.wait(10.0)
    playing.states.clear()
    for number in range(20):
        await playing.at(10.0 + number / 10)
        playing.wait(0.1)
    told = [state.position_s for state in playing.states]
    assert told == pytest.approx([10.0, 10.3, 10.6, 10.9, 11.2, 11.5, 11.8])
    await playing.at(12.0, "ended")
    assert playing.states[-1].status == "ended", "what is new is told at once"


async def test_peaks_are_told_at_most_four_times_a_second(playing: FakeWorld) -> None:
    id_ = playing.engine.opened["id"]
    playing.wait(10.0)
    playing.states.clear()
    for number in range(8):
        await playing.engine.say("peaks", b"\1", id=id_, at=number, channels=1, done=number == 7)
        playing.wait(0.1)
    assert [state.peaks_revision for state in playing.states] == [1, 4, 7, 8]


@pytest.mark.parametrize(("length", "shown"), [(0, None), (None, None), (12, 12.0)])
async def test_a_length_of_nothing_is_none(
    length: float | None, shown: float | None, world: FakeWorld
) -> None:
    await world.player.play(MemorySource())
    id_ = world.engine.opened["id"]
    await world.engine.say("ready", id=id_, length=length, channels=0, exact=False)
    assert (world.state.length_s, world.state.channels) == (shown, None)


@pytest.mark.parametrize(
    ("length", "exact", "shown"),
    [(9.0, False, 10.0), (10.04, False, 10.04), (None, False, 10.0), (9.0, True, 9.0)],
)
async def test_what_was_measured_is_known_better_than_what_a_header_says(
    length: float | None, exact: bool, shown: float, world: FakeWorld
) -> None:
    peaks = Peaks((bytearray(200),), True)
    await world.player.play(MemorySource(), peaks=peaks)
    assert world.engine.opened["peaks"] is False
    id_ = world.engine.opened["id"]
    await world.engine.say("ready", id=id_, length=length, channels=1, exact=exact)
    assert world.state.length_s == pytest.approx(shown)


async def test_peaks_grow_and_are_shown(playing: FakeWorld) -> None:
    id_ = playing.engine.opened["id"]
    await playing.engine.say("peaks", b"\1\2\3\4", id=id_, at=0, channels=2, done=False)
    peaks = playing.player.peaks
    assert peaks is not None
    assert list(map(bytes, peaks.lanes)) == [b"\1\3", b"\2\4"]
    assert playing.state.peaks_revision == 1
    await playing.engine.say("peaks", b"\5\6", id=id_, at=2, channels=2, done=True)
    assert (peaks.complete, playing.state.peaks_revision) == (True, 2)
    await playing.engine.say("peaks", b"\7\7", id=id_, at=0, channels=2, done=True)
    assert peaks.lanes[0] == b"\1\3\5", "all of it was known"


async def test_incomplete_peaks_are_measured_anew_and_settled_ones_are_not(
    world: FakeWorld,
) -> None:
    begun = Peaks((bytearray(9),))
    await world.player.play(MemorySource(), peaks=begun)
    assert world.player.peaks is not begun
    failed = Peaks(trouble="crash", by="9.9")
    await world.player.play(MemorySource(), peaks=failed)
    assert world.player.peaks is failed
    assert world.engine.opened["unmeasured"] == "9.9"
    assert world.engine.opened["peaks"] is True, "another decoder may do better"


async def test_why_there_is_no_waveform_is_said_unless_there_is_worse(playing: FakeWorld) -> None:
    id_ = playing.engine.opened["id"]
    await playing.engine.say("unmeasured", id=id_, reason="time", by="9.9")
    peaks = playing.player.peaks
    assert peaks is not None
    assert peaks.known == (False, "time", "9.9")
    assert playing.state.message == notices.unmeasured("time")
    assert playing.state.peaks_revision == 1
    await playing.engine.say("unmeasured", id=id_, reason="crash", by="9.9")
    assert playing.state.message == notices.unmeasured("time")


async def test_silence_is_said_and_unsaid(playing: FakeWorld) -> None:
    await playing.engine.say("output", name="none", message="no \x1b[0m device")
    assert playing.state.output == "none"
    assert playing.state.message == notices.IN_SILENCE.format(
        notices.safe_line("no \x1b[0m device")
    )
    assert "\x1b" not in playing.state.message
    assert playing.shows(silent=True)
    await playing.player.play(MemorySource())
    assert playing.state.message.startswith("no "), "the next recording is as silent"
    await playing.engine.say("output", name="miniaudio (ALSA)", message="")
    assert playing.shows(message="", silent=False)
    assert playing.state.output == "miniaudio (ALSA)"


async def test_other_messages_are_not_taken_away_by_an_output(playing: FakeWorld) -> None:
    id_ = playing.engine.opened["id"]
    await playing.engine.say("damage", id=id_, early=False, ends=0.0, states=None)
    assert playing.state.message == notices.DAMAGED
    assert playing.shows(incomplete=False)
    await playing.engine.say("output", name="miniaudio", message="")
    assert playing.state.message == notices.DAMAGED


async def test_a_recording_that_ends_early_is_said_to(playing: FakeWorld) -> None:
    id_ = playing.engine.opened["id"]
    await playing.engine.say("damage", id=id_, early=True, ends=61.0, states=125.0)
    assert playing.state.message == notices.CUT_OFF.format("1:01", "2:05")
    assert playing.shows(incomplete=True)
    await playing.player.play(MemorySource())
    assert playing.shows(incomplete=False)
    assert playing.state.message == ""


@pytest.mark.parametrize(
    ("reason", "shown"),
    [("not_sound", "not_sound"), ("damaged", "damaged"), ("no_sound", "no_sound"), ("evil", "")],
)
async def test_a_failure_has_words_and_a_reason(
    reason: str, shown: str, playing: FakeWorld
) -> None:
    id_ = playing.engine.opened["id"]
    await playing.engine.say("failed", id=id_, reason=reason, detail="it is \x07 broken")
    assert (playing.status, playing.state.reason) == ("failed", shown)
    assert playing.state.message.startswith("this cannot be played: it is")
    assert "\x07" not in playing.state.message
    await playing.engine.say("at", id=id_, seq=1, s=9.0, state="flowing")
    assert playing.status == "failed"
    playing.player.toggle()
    await playing.engine_count(1)
    async with asyncio.timeout(5):
        while len(playing.engine.commands("open")) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0)
    assert playing.engine.opened["start"] == pytest.approx(5.0)
    assert playing.state.reason == ""


async def test_an_engine_of_another_version_is_not_used(playing: FakeWorld) -> None:
    await playing.engine.say("hello", version=protocol.VERSION, first=True)
    assert playing.status == "playing"
    await playing.engine.say("hello", version=protocol.VERSION + 1, first=True)
    assert (playing.status, playing.state.message) == ("failed", notices.OTHER_VERSION)


@pytest.mark.parametrize(
    "message",
    [
        {"is": "at", "seq": 1, "s": "x", "state": "flowing"},
        {"is": "at"},
        {"is": "get", "at": "x", "n": 1},
        {"is": "peaks", "at": 0, "channels": 9, "done": True},
        {"is": "ready", "length": "x", "channels": {}},
    ],
)
async def test_an_engine_that_talks_nonsense_is_ended(
    message: dict[str, object], playing: FakeWorld
) -> None:
    seq = playing.engine.opened["seq"]
    fields = {key: value for key, value in message.items() if key != "is"}
    fields = {**fields, "seq": seq} if "seq" in fields else fields
    await playing.engine.say(str(message["is"]), b"abc", **fields)
    async with asyncio.timeout(5):
        while not playing.engine.ended:  # noqa: ASYNC110
            await asyncio.sleep(0)
    assert (playing.status, playing.state.message) == ("failed", notices.CRASHED)


async def test_unknown_messages_are_passed_over(playing: FakeWorld) -> None:
    await playing.engine.say("held", parts={})
    await playing.at(7.0)
    assert playing.player.position_s >= 7.0


async def test_bytes_are_given_where_they_are_asked_for(world: FakeWorld) -> None:
    data = bytes(range(100))
    await world.player.play(MemorySource(data))
    id_ = world.engine.opened["id"]
    await world.engine.say("get", id=id_, at=10, n=30)
    await world.engine.say("get", id=id_, at=90, n=30)
    async with asyncio.timeout(5):
        while len(world.engine.commands("data")) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0)
    given = world.engine.commands("data")
    assert {"do": "data", "id": id_, "at": 10, "body": data[10:40]} in given
    assert {"do": "data", "id": id_, "at": 90, "body": data[90:]} in given
    assert {"do": "data", "id": id_, "at": 100} in given, "it ends there"


async def test_a_source_that_fails_ends_the_recording_with_its_reason(world: FakeWorld) -> None:
    class Failing(MemorySource):
        async def read(self, offset: int, n: int, *, idle: bool = False) -> bytes:
            raise RecordingError("gone")

    await world.player.play(Failing())
    await world.engine.say("get", id=world.engine.opened["id"], at=0, n=1)
    async with asyncio.timeout(5):
        while world.status != "failed":  # noqa: ASYNC110
            await asyncio.sleep(0)
    assert world.state.reason == "gone"
    assert world.engine.told[-1] == {"do": "stop"}


# what the listener does


async def test_a_pause_is_told_and_holds_the_position(playing: FakeWorld) -> None:
    playing.player.pause()
    assert playing.engine.told[-1] == {"do": "pause", "on": True}
    held_s = playing.state.position_s
    assert held_s == pytest.approx(5.0)
    await playing.at(5.01)
    assert playing.status == "paused"
    playing.player.resume(rewind_s=2.0)
    assert playing.engine.commands("seek")[-1]["to"] == pytest.approx(3.0, abs=0.02)
    assert playing.engine.told[-1] == {"do": "pause", "on": False}
    assert playing.status == "loading"
    playing.player.resume(rewind_s=2.0)
    assert len(playing.engine.commands("seek")) == 1, "it is not paused"


async def test_after_a_pause_it_goes_on_from_a_little_before(playing: FakeWorld) -> None:
    player = playing.player
    player.pause()
    playing.wait(0.5)
    player.toggle()
    assert playing.engine.commands("seek")[-1]["to"] == pytest.approx(5.0 - player.rewind_s)
    player.pause()
    playing.wait(0.4)  # nobody has lost the thread
    player.toggle()
    player.pause()
    playing.wait(9.0)
    player.seek_to(15.0)  # who has chosen a place means that place
    player.toggle()
    assert len(playing.engine.commands("seek")) == 2
    assert playing.state.position_s == 15.0


async def test_a_pause_holds_the_position_however_long(playing: FakeWorld) -> None:
    playing.wait(0.5)
    playing.player.pause()
    playing.wait(60.0)
    assert playing.player.position_s == pytest.approx(5.5)
    playing.player.resume(rewind_s=0.0)
    await playing.at(5.5)
    playing.wait(0.25)
    assert playing.player.position_s == pytest.approx(5.75)


@pytest.mark.parametrize("change", ["speed", "skip", "seek"])
async def test_the_position_goes_on_from_where_something_was_changed(
    change: str, playing: FakeWorld
) -> None:
    playing.wait(0.5)
    player = playing.player
    if change == "speed":
        player.set_speed(2.0)
    elif change == "skip":
        player.set_skip_silence(True)
    else:
        player.seek_by(10.0)
    at_s = 15.5 if change == "seek" else 5.5
    assert player.position_s == pytest.approx(at_s)
    await playing.at(at_s)
    playing.wait(0.25)
    assert player.position_s == pytest.approx(at_s + (0.5 if change == "speed" else 0.25))


async def test_after_its_end_a_recording_plays_from_its_start(playing: FakeWorld) -> None:
    await playing.at(60.0, "ended")
    playing.player.toggle()
    assert playing.engine.commands("seek")[-1]["to"] == 0.0
    playing.player.pause()
    playing.player.seek_to(60.0)
    await playing.at(60.0, "ended")
    playing.player.toggle()
    assert playing.engine.commands("seek")[-1]["to"] == 0.0
    assert playing.engine.told[-1] == {"do": "pause", "on": False}


async def test_a_seek_stays_inside(playing: FakeWorld) -> None:
    for to_s, told_s in ((-5.0, 0.0), (30.0, 30.0), (99.0, 60.0)):
        playing.player.seek_to(to_s)
        assert playing.engine.commands("seek")[-1]["to"] == told_s
        assert playing.state.position_s == told_s
    playing.player.seek_fraction(0.25)
    assert playing.state.position_s == 15.0
    seqs = [message["seq"] for message in playing.engine.commands("seek")]
    assert seqs == sorted(set(seqs))
    playing.player.stop()
    playing.player.seek_to(1.0)
    playing.player.seek_fraction(0.5)
    assert len(playing.engine.commands("seek")) == 4


async def test_speed_volume_side_and_skipping_are_bounded_and_told(playing: FakeWorld) -> None:
    player, engine = playing.player, playing.engine
    for given, told in ((0.1, 0.5), (9.0, 3.0), (1.256, 1.26)):
        player.set_speed(given)
        assert (engine.told[-1], playing.state.speed) == ({"do": "speed", "x": told}, told)
    for given, told in ((-1.0, 0.0), (9.0, 2.0), (1.256, 1.26)):
        player.set_volume(given)
        assert (engine.told[-1], playing.state.volume) == ({"do": "volume", "x": told}, told)
    player.set_side("right")
    assert engine.told[-1] == {"do": "side", "which": "right"}
    player.set_skip_silence(True)
    assert (engine.told[-1], playing.state.skip_silence) == ({"do": "skip", "on": True}, True)
    count = len(engine.told)
    await engine.say("ready", id=engine.opened["id"], length=60.0, channels=1, exact=True)
    player.set_side("left")
    assert (playing.state.side, playing.state.message) == ("right", notices.ONE_SIDE)
    assert len(engine.told) == count
    player.set_side("both")
    assert playing.state.side == "both"


async def test_a_loop_is_marked_told_and_left(playing: FakeWorld) -> None:
    player = playing.player
    player.pause()
    player.seek_to(10.0)
    player.mark_loop()
    assert playing.shows(loop=(10.0, None))
    assert playing.engine.commands("loop") == []
    player.mark_loop()
    assert playing.shows(loop=(10.0, None), message=notices.LOOP_TOO_SHORT)
    player.seek_to(20.0)
    player.mark_loop()
    assert playing.shows(loop=(10.0, 20.0))
    assert playing.engine.commands("loop") == [{"do": "loop", "a": 10.0, "b": 20.0}]
    assert playing.state.position_s == 10.0, "from its beginning"
    player.mark_loop()
    assert playing.shows(loop=None)
    assert playing.engine.told[-1] == {"do": "loop", "a": None, "b": None}
    assert playing.state.position_s == 10.0
    player.stop()
    player.mark_loop()
    assert playing.shows(loop=None)


async def test_turns_that_are_not_known_are_said_to_be(playing: FakeWorld) -> None:
    player = playing.player
    player.pause()
    player.next_turn(1)
    assert playing.state.message == notices.NOT_MEASURED
    id_ = playing.engine.opened["id"]
    await playing.engine.say("peaks", bytes(200), id=id_, at=0, channels=1, done=False)
    player.next_turn(1)
    assert playing.state.message == notices.NOT_MEASURED
    await playing.engine.say("peaks", bytes(2), id=id_, at=200, channels=1, done=True)
    player.next_turn(1)
    assert playing.state.message == notices.NO_TURN
    player.next_turn(-1)
    assert playing.state.position_s == 0.0


async def test_stop_forgets_all(playing: FakeWorld) -> None:
    playing.player.stop()
    assert playing.engine.told[-1] == {"do": "stop"}
    assert (playing.status, playing.state.position_s) == ("idle", 0.0)
    assert (playing.state.length_s, playing.state.channels) == (None, None)
    assert playing.player.peaks is None
    playing.player.toggle()
    assert playing.status == "idle"
