"""What a crash in FFmpeg costs: one recording, or its waveform. Real processes, really killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import textwrap
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from functools import cache
from pathlib import Path

import pytest

from tests.audio import sounds
from tests.audio.client.test_player import gone, long_wav
from tests.audio.conftest import Listener, alive, children_of, worker_of
from tests.audio.engine.test_track import OPENING, Desk, ramp
from tests.cli.test_terminal_player import WORDS
from tests.few import few
from tui.audio.client.notices import unmeasured
from tui.audio.client.player import FileSource
from tui.audio.engine import track
from tui.audio.engine.decoder import Hands
from tui.audio.peaks import Peaks

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
Listen = Callable[..., Listener]


@cache
def hour() -> bytes:
    """An hour of telephone MP3, which takes a while to measure."""
    how = {"bit_rate": 16_000, "options": {"write_xing": "0", "id3v2_version": "0"}}
    return sounds.encode(sounds.tone(60.0, 8000), 8000, 1, "mp3", "libmp3lame", **how) * 60


async def started(listener: Listener, role: str, but: int = 0) -> int:
    async with asyncio.timeout(10):
        while (pid := worker_of(listener.pid, role)) in (None, but):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    assert pid is not None
    return pid


def peaks_of(listener: Listener) -> Peaks:
    assert listener.player.peaks is not None
    return listener.player.peaks


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
    await listener.play(hour())
    os.kill(await started(listener, "measure"), signal.Signals[how])
    state = await listener.until(lambda _: bool(peaks_of(listener).trouble))
    assert peaks_of(listener).trouble == why
    assert state.message == unmeasured(why)
    at_s = listener.player.position_s
    await listener.until(lambda state: state.status == "playing" and state.position_s > at_s + 0.5)
    listener.player.seek_to(1800.0)
    await listener.until(lambda state: state.status == "playing" and state.position_s > 1800.0)

    await listener.play(long_wav(2.0))  # the next one is measured
    await listener.until(lambda _: peaks_of(listener).complete)


@pytest.mark.slow
async def test_a_crash_in_the_midst_of_measuring_leaves_what_was_measured(listen: Listen) -> None:
    listener = listen("none")
    await listener.play(hour())
    await listener.until(lambda state: state.peaks_revision > 0)
    os.kill(await started(listener, "measure"), signal.SIGSEGV)
    await listener.until(lambda _: peaks_of(listener).settled)
    if not peaks_of(listener).complete:  # it was not too quick
        assert peaks_of(listener).trouble == "crash"
        assert peaks_of(listener).length_s > 1
    await listener.until("playing")


async def test_what_has_crashed_is_not_measured_again_but_by_another_decoder(
    listen: Listen, tmp_path: Path
) -> None:
    path = sounds.write(tmp_path, "call.wav", long_wav(1.0))
    listener = listen("none")
    await listener.player.play(FileSource(path))
    os.kill(await started(listener, "measure"), signal.SIGSEGV)
    await listener.until(lambda _: peaks_of(listener).settled)
    await listener.over()
    kept = Peaks.from_bytes(peaks_of(listener).to_bytes())
    assert kept.known == (False, "crash", track.av_version())

    await listener.player.play(FileSource(path), peaks=kept)
    assert (await listener.over()).status == "ended"
    assert kept.known == peaks_of(listener).known
    assert not kept.lanes

    kept.give_up("crash", "0.1")
    await listener.player.play(FileSource(path), peaks=kept)
    await listener.until(lambda _: peaks_of(listener).complete)
    assert peaks_of(listener).known == (True, "", "0.1")


async def test_words_say_why_there_are_none(tmp_path: Path) -> None:
    path = sounds.write(tmp_path, "hour.mp3", hour())
    program = (sys.executable, "-c", WORDS, str(path))
    done = await asyncio.create_subprocess_exec(*program, stdout=PIPE, stderr=PIPE)
    async with asyncio.timeout(20):
        while not (engines := children_of(done.pid)):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        while not (pid := worker_of(engines[0], "measure")):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        os.kill(pid, signal.SIGXCPU)
        out, error = await done.communicate()
    assert (done.returncode, out) == (1, b"")
    assert error == b"ringback: no waveform: measuring it takes for ever\n"


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
    await listener.play(long_wav(60.0))
    await listener.until(lambda state: state.position_s > 0.5)
    engine, decoder = listener.pid, await started(listener, "play")
    os.kill(decoder, signal.Signals[how])
    state = await listener.until("failed")
    assert (state.reason, state.message) == (reason, f"this cannot be played: {words}")
    await started(listener, "play", but=decoder)  # at once, not when it is wanted
    await listener.play(kinds["m4a"])
    await listener.until("playing")
    await listener.until(lambda _: peaks_of(listener).complete)
    assert listener.pid == engine


async def test_a_decoder_killed_while_idle_is_not_missed(
    listen: Listen, kinds: dict[str, bytes]
) -> None:
    listener = listen("none")
    for _ in range(2):
        await listener.play(kinds["wav-ulaw"])
        assert (await listener.over()).status == "ended"
        await listener.until(lambda _: peaks_of(listener).complete)
        for pid in children_of(listener.pid):
            os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.05)


async def test_who_hangs_keeps_nobody_waiting(listen: Listen, kinds: dict[str, bytes]) -> None:
    listener = listen("none")
    await listener.play(hour())
    await listener.until("playing")
    hung = [await started(listener, "play"), await started(listener, "measure")]
    for pid in hung:
        os.kill(pid, signal.SIGSTOP)
    await listener.play(kinds["m4a"])
    await listener.until("playing")
    await listener.until(lambda _: peaks_of(listener).complete)
    for pid in hung:
        await gone(pid)


@pytest.mark.parametrize("how", few(1, ["SIGKILL", "close"]))
async def test_nobody_outlives_the_engine(how: str, listen: Listen) -> None:
    listener = listen("none")
    await listener.play(hour())
    await listener.until("playing")
    workers = [await started(listener, "play"), await started(listener, "measure")]
    os.kill(workers[0], signal.SIGSTOP)  # the other sees the end of its input
    if how == "close":
        await listener.player.close()
    else:
        os.kill(listener.pid, signal.SIGKILL)
        await listener.until("failed")
    for pid in workers:
        await gone(pid)
        assert not alive(pid)


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


@pytest.fixture
async def false_desk(
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Callable[[str, bool], Desk]]:
    made: list[tuple[Desk, Hands]] = []

    def make(says: str, peaks: bool = False) -> Desk:
        code = textwrap.dedent(_FALSE).replace("SAY", says)
        monkeypatch.setattr("tui.audio.engine.decoder._COMMAND", (sys.executable, "-c", code))
        hands = Hands()
        desk = Desk(ramp(1.0), hands, **{**OPENING, "peaks": peaks})
        made.append((desk, hands))
        return desk

    yield make
    for desk, hands in made:
        desk.track.close()
        hands.close()


@pytest.mark.parametrize("what", few(2, NONSENSE))
async def test_nonsense_is_taken_for_a_crash(
    what: str, false_desk: Callable[[str, bool], Desk]
) -> None:
    desk = false_desk(NONSENSE[what], False)
    async with asyncio.timeout(10):
        while not (failed := [said for said in desk.said if said["is"] == "failed"]):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert (failed[0]["reason"], failed[0]["detail"]) == ("damaged", "decoding it has crashed")


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
async def test_false_peaks_go_no_further(
    what: str, false_desk: Callable[[str, bool], Desk]
) -> None:
    says = _OPENED + _PLAYED + f"say({FALSE_PEAKS[what]})"
    desk = false_desk(says, True)
    async with asyncio.timeout(10):
        while not (told := [said for said in desk.said if said["is"] == "unmeasured"]):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert told[0]["reason"] == "crash"
    assert not [said for said in desk.said if said["is"] == "peaks"]


def test_an_engine_that_has_ended_starts_no_process() -> None:
    hands = Hands()
    hands.play.warm()
    hands.close()
    for hand in (hands.play, hands.measure):
        with pytest.raises(OSError, match="has ended"), hand.lend():
            pass
    assert not [pid for pid in children_of(os.getpid()) if "decoder_process" in command_of(pid)]


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:  # it has ended
        return ""
