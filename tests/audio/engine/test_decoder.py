"""What a crash in FFmpeg costs: one recording, or its waveform. Real processes, really killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.audio import sounds
from tests.audio.engine.harness import TrackHarness
from tests.audio.heard import ramp
from tests.audio.listener import Listen, Listener
from tests.audio.processes import children_of, command_of, exited, is_alive, worker_of
from tests.slow_params import few
from tui.audio.client.notices import unmeasured
from tui.audio.client.player import FileSource
from tui.audio.engine import track
from tui.audio.engine.decoder import WorkerDied, Workers, WorkerSlot
from tui.audio.engine.demuxer_choice import Unplayable
from tui.audio.peaks import Peaks

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


async def started(listener: Listener, role: str, but: int = 0) -> int:
    async with asyncio.timeout(10):
        while (pid := worker_of(listener.pid, role)) in (None, but):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    assert pid is not None
    return pid


HOW = {
    "SIGSEGV": "crash",
    "SIGABRT": "crash",
    "SIGFPE": "crash",
    "SIGXCPU": "time",
    "SIGKILL": "memory",
}


@pytest.mark.parametrize(("how", "why"), few(1, HOW.items()))
async def test_a_crash_in_measuring_costs_the_waveform_alone(
    how: str, why: str, listen: Listen
) -> None:
    listener = listen("none")
    await listener.play(sounds.hour())
    os.kill(await started(listener, "measure"), signal.Signals[how])
    state = await listener.until(lambda _: bool(listener.peaks.trouble))
    assert listener.peaks.trouble == why
    assert state.message == unmeasured(why)
    at_s = listener.player.position_s
    await listener.until(lambda state: state.status == "playing" and state.position_s > at_s + 0.5)
    listener.player.seek_to(1800.0)
    await listener.until(lambda state: state.status == "playing" and state.position_s > 1800.0)

    await listener.play(sounds.telephone(2.0))  # the next one is measured
    await listener.measured()


@pytest.mark.slow
async def test_a_crash_in_the_midst_of_measuring_leaves_what_was_measured(listen: Listen) -> None:
    listener = listen("none")
    await listener.play(sounds.hour())
    await listener.until(lambda state: state.peaks_revision > 0)
    os.kill(await started(listener, "measure"), signal.SIGSEGV)
    await listener.until(lambda _: listener.peaks.settled)
    if not listener.peaks.complete:  # it was not too quick
        assert listener.peaks.trouble == "crash"
        assert listener.peaks.length_s > 1
    await listener.until("playing")


async def test_what_has_crashed_is_not_measured_again_but_by_another_decoder(
    listen: Listen, tmp_path: Path
) -> None:
    path = sounds.write(tmp_path, "call.wav", sounds.telephone(1.0))
    listener = listen("none")
    await listener.player.play(FileSource(path))
    os.kill(await started(listener, "measure"), signal.SIGSEGV)
    await listener.until(lambda _: listener.peaks.settled)
    await listener.over()
    kept = Peaks.from_bytes(listener.peaks.to_bytes())
    assert kept.known == (False, "crash", track.av_version())

    await listener.player.play(FileSource(path), peaks=kept)
    assert (await listener.over()).status == "ended"
    assert kept.known == listener.peaks.known
    assert not kept.lanes

    kept.give_up("crash", "0.1")
    await listener.player.play(FileSource(path), peaks=kept)
    await listener.measured()
    assert listener.peaks.known == (True, "", "0.1")


@pytest.mark.parametrize(
    ("how", "reason", "words"),
    few(
        1,
        [
            ("SIGSEGV", "damaged", "decoding it has crashed"),
            ("SIGXCPU", "damaged", "decoding it takes for ever"),
            ("SIGKILL", "", "the system has ended its decoder, perhaps for want of memory"),
        ],
    ),
)
async def test_a_crash_in_decoding_costs_the_recording_and_no_other(
    how: str, reason: str, words: str, listen: Listen, kinds: dict[str, bytes]
) -> None:
    listener = listen("none")
    await listener.play(sounds.telephone(60.0))
    await listener.until(lambda state: state.position_s > 0.5)
    engine, decoder = listener.pid, await started(listener, "play")
    os.kill(decoder, signal.Signals[how])
    state = await listener.until("failed")
    assert (state.reason, state.message) == (reason, f"this cannot be played: {words}")
    await started(listener, "play", but=decoder)  # at once, not when it is wanted
    await listener.play(kinds["m4a"])
    await listener.until("playing")
    await listener.measured()
    assert listener.pid == engine


@pytest.mark.slow
async def test_a_decoder_killed_while_idle_is_not_missed(
    listen: Listen, kinds: dict[str, bytes]
) -> None:
    listener = listen("none")
    for _ in range(2):
        await listener.play(kinds["wav-ulaw"])
        assert (await listener.over()).status == "ended"
        await listener.measured()
        for pid in children_of(listener.pid):
            os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.05)


async def test_who_hangs_keeps_nobody_waiting(listen: Listen, kinds: dict[str, bytes]) -> None:
    listener = listen("none")
    await listener.play(sounds.hour())
    await listener.until("playing")
    hung = [await started(listener, "play"), await started(listener, "measure")]
    for pid in hung:
        os.kill(pid, signal.SIGSTOP)
    await listener.play(kinds["m4a"])
    await listener.until("playing")
    await listener.measured()
    for pid in hung:
        await exited(pid)


@pytest.mark.parametrize("how", few(1, ["SIGKILL", "close"]))
async def test_nobody_outlives_the_engine(how: str, listen: Listen) -> None:
    listener = listen("none")
    await listener.play(sounds.hour())
    await listener.until("playing")
    workers = [await started(listener, "play"), await started(listener, "measure")]
    os.kill(workers[0], signal.SIGSTOP)  # the other sees the end of its input
    if how == "close":
        await listener.player.close()
    else:
        os.kill(listener.pid, signal.SIGKILL)
        await listener.until("failed")
    for pid in workers:
        await exited(pid)
        assert not is_alive(pid)


# one who has been taken over says whatever it likes

_FALSE = """
import json, sys
def say(header, body=b""):
    sys.stdout.buffer.write(json.dumps(header).encode() + b"\\n" + body)
    sys.stdout.buffer.flush()
say({"is": "hello", "held": {}})
while line := sys.stdin.buffer.readline():
    header = json.loads(line)
    sys.stdin.buffer.read(header.get("bytes", 0))
    if header["do"] == "close":
        say({"is": "closed", "peak": 1})
    else:
        SAY
"""
_OPENED = """say({"is": "opened", "length": 9.0, "stated": None, "channels": 1}) if header["do"] == "open" else """
_SOUND = {"is": "sound", "at": [0.0], "frames": [1], "speed": 1.0, "off": 0.0, "damaged": False}
NONSENSE: dict[str, str] = {
    "no message": "print('hello', flush=True)",
    "no words": "say([])",
    "an answer to nothing": "say({'is': 'told'})",
    "nothing said": "say({})",
    "no numbers": "say({'is': 'opened', 'length': 'long', 'stated': [], 'channels': {}})",
    "not finite": "print('{\"is\":\"opened\",\"length\":NaN,\"stated\":1e999,\"channels\":1}', flush=True)",
    "reads nowhere": "say({'is': 'read', 'at': -5, 'n': 10})",
    "reads no place": "say({'is': 'read', 'at': 'x', 'n': None})",
    "a body without an end": "say({'is': 'opened', 'bytes': 1 << 40})",
    "a line without an end": "sys.stdout.write('x' * 100_000); sys.stdout.flush()",
    "ends": "sys.exit(0)",
    "sound of no length": _OPENED + f"say({ {**_SOUND, 'frames': ['x']} })",
    "sound at no second": _OPENED + f"say({ {**_SOUND, 'at': [None]} })",
    "sounds of two counts": _OPENED + f"say({ {**_SOUND, 'at': [0.0, 1.0]} })",
    "another end": _OPENED + "say({'is': 'end'})",
    "peaks of nobody": _OPENED + "say({'is': 'peaks', 'at': 0, 'channels': 1, 'done': True})",
}  # fmt: skip


FalseTrack = Callable[..., TrackHarness]


@pytest.fixture
def false_track() -> Iterator[FalseTrack]:
    """A track whose decoder is a program that says whatever it likes."""
    made: list[tuple[TrackHarness, Workers]] = []

    def make(says: str, *, peaks: bool = False) -> TrackHarness:
        code = textwrap.dedent(_FALSE).replace("SAY", says)
        workers = Workers((sys.executable, "-c", code))
        made.append((TrackHarness(ramp(1.0), workers, peaks=peaks), workers))
        return made[-1][0]

    yield make
    for harness, workers in made:
        harness.track.close()
        workers.close()


@pytest.mark.parametrize("what", few(2, NONSENSE))
def test_nonsense_is_taken_for_a_crash(what: str, false_track: FalseTrack) -> None:
    failed = false_track(NONSENSE[what]).wait_for("failed")
    assert (failed["reason"], failed["detail"]) == ("damaged", "decoding it has crashed")


_PLAYED = (
    f"say({ {**_SOUND, 'bytes': 4} }, b'wave') if header['do'] == 'play' else "
    "say({'is': 'end', 'ends': 1.0, 'damaged': False}) if header['do'] == 'next' else "
)
FALSE_PEAKS: dict[str, str] = {
    "before the beginning": "{'is': 'peaks', 'at': -9, 'channels': 1, 'done': True, 'bytes': 1}, b'x'",
    "beyond any recording": "{'is': 'peaks', 'at': 1 << 60, 'channels': 1, 'done': True, 'bytes': 1}, b'x'",
    "of many channels": "{'is': 'peaks', 'at': 0, 'channels': 9, 'done': True, 'bytes': 1}, b'x'",
    "of half a window": "{'is': 'peaks', 'at': 0, 'channels': 2, 'done': True, 'bytes': 1}, b'x'",
    "no length": "{'is': 'measured', 'length_s': None, 'channels': 1, 'damaged': False, 'stated_s': 0}",
    "of nothing": "{'is': 'peaks'}",
}


@pytest.mark.parametrize("what", few(1, FALSE_PEAKS))
def test_false_peaks_go_no_further(what: str, false_track: FalseTrack) -> None:
    track = false_track(_OPENED + _PLAYED + f"say({FALSE_PEAKS[what]})", peaks=True)
    assert track.wait_for("unmeasured")["reason"] == "crash"
    assert not track.said("peaks")


def test_an_engine_that_has_ended_starts_no_process() -> None:
    workers = Workers()
    workers.play.start()
    workers.close()
    for slot in (workers.play, workers.measure):
        with pytest.raises(OSError, match="has ended"), slot.acquire():
            pass
    assert not [pid for pid in children_of(os.getpid()) if "decoder_process" in command_of(pid)]


def idle_slot(patience_s: float) -> WorkerSlot:
    code = textwrap.dedent(_FALSE).replace("SAY", "pass")
    return WorkerSlot((sys.executable, "-c", code), patience_s)


def test_the_next_recording_gets_a_process_as_soon_as_it_is_free() -> None:
    slot, got = idle_slot(3600.0), threading.Event()

    def take() -> None:
        with slot.acquire():
            got.set()

    with slot.acquire() as first:
        waiting = threading.Thread(target=take, daemon=True)
        waiting.start()
        assert not got.wait(0.1)
    assert got.wait(10)
    waiting.join(10)
    assert slot.start() is first, "it was fit for another"
    slot.close()
    assert first.has_exited


def test_a_process_that_is_not_given_back_is_ended() -> None:
    slot = idle_slot(0.05)
    with pytest.raises(WorkerDied), slot.acquire() as first:
        with slot.acquire() as second:
            assert first.has_exited
            assert second is not first
        first.send("look")
    slot.close()


def test_a_process_that_fails_its_recording_is_replaced() -> None:
    slot = idle_slot(1.0)
    with pytest.raises(KeyError), slot.acquire() as first:
        raise KeyError
    assert first.has_exited
    assert not slot.start().has_exited
    with pytest.raises(Unplayable), slot.acquire() as second:
        raise Unplayable("damaged", "")
    assert slot.start() is second, "the recording was at fault"
    slot.close()
