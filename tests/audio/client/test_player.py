"""The player with a real engine: what it reports, what it obeys, and what it leaves behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from providers.errors import RecordingError
from tests.audio import sounds
from tests.audio.conftest import Listener, alive
from tests.few import few
from tui.audio import protocol
from tui.audio.client.notices import CRASHED, CUT_OFF, DAMAGED
from tui.audio.client.player import FileSource, Player
from tui.audio.client.probe import probe
from tui.audio.client.route import NO_SPEAKER
from tui.audio.engine_environment import engine_environment

Listen = Callable[..., Listener]


def long_wav(seconds: float = 20.0) -> bytes:
    return sounds.wav(sounds.tone(seconds, 8000), 8000)


async def gone(pid: int) -> None:
    async with asyncio.timeout(3):
        while alive(pid):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def children() -> str:
    ps = ["ps", "--ppid", str(os.getpid()), "-o", "args="]
    return subprocess.run(ps, capture_output=True, text=True).stdout


def environment_of(pid: int) -> list[bytes]:
    return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")


async def test_it_plays_in_real_time_and_says_so(listen: Listen, kinds: dict[str, bytes]) -> None:
    listener = listen("none")
    await listener.play(kinds["mp3-44k-stereo"])
    state = await listener.over()
    said = [state.status for _, state in listener.states]
    assert [now for before, now in pairwise(["", *said]) if before != now] == [
        "loading", "playing", "ended",
    ]  # fmt: skip
    assert state.position_s == pytest.approx(0.8, abs=0.05)
    assert state.length_s == pytest.approx(0.8, abs=0.05)
    began = next(at for at, state in listener.states if state.status == "playing")
    assert listener.states[-1][0] - began == pytest.approx(0.8, abs=0.2)


async def test_positions_come_at_most_four_times_a_second_and_grow(listen: Listen) -> None:
    listener = listen("none")
    await listener.play(long_wav())
    await listener.until(lambda state: state.position_s > 1.4)
    playing = [(at, s) for at, s in listener.states if s.status == "playing"]
    pairs = pairwise([playing[0], *playing])
    moments = [(b[0], b[1].position_s) for a, b in pairs if a[1].position_s != b[1].position_s]
    assert all(after[1] > before[1] for before, after in pairwise(moments))
    assert all(after[0] - before[0] >= 0.24 for before, after in pairwise(moments[1:]))
    assert len(moments) >= 4


@pytest.mark.parametrize("kind", few(2, ["mp3-8k-mono", "mp4-moov-last", "wav-48k-stereo", "opus"]))
async def test_a_wav_output_holds_exactly_the_sound(
    kind: str, listen: Listen, tmp_path: Path, kinds: dict[str, bytes]
) -> None:
    out = tmp_path / "out.wav"
    listener = listen(f"wav:{out}")
    for _ in range(2):  # the second recording begins the file anew
        await listener.play(kinds[kind])
        assert (await listener.over()).status == "ended"
        assert out.read_bytes()[44:] == sounds.reference(kinds[kind])


async def test_a_recording_shorter_than_the_queue_is_whole(listen: Listen, tmp_path: Path) -> None:
    data = sounds.wav(sounds.ramp(0.004), 48_000, 2)
    listener = listen(f"wav:{tmp_path}/out.wav")
    await listener.play(data)
    assert (await listener.over()).status == "ended"
    assert (tmp_path / "out.wav").read_bytes()[44:] == data[44:]


async def test_start_and_seek_are_exact(listen: Listen, tmp_path: Path) -> None:
    data = sounds.wav(sounds.ramp(2.0), 48_000, 2)
    listener = listen(f"wav:{tmp_path}/out.wav")
    await listener.play(data, start_s=1.5)
    await listener.over()
    assert (tmp_path / "out.wav").read_bytes()[44:] == data[44 + 72_000 * 4 :]


async def test_pause_stops_the_position_and_resume_goes_on(listen: Listen) -> None:
    listener = listen("none")
    await listener.play(long_wav())
    await listener.until(lambda state: state.position_s > 0.3)
    listener.player.pause()
    assert listener.state.status == "paused"
    await asyncio.sleep(0.15)
    held = listener.player.position_s
    await asyncio.sleep(0.4)
    assert listener.player.position_s == held
    listener.player.toggle()
    await listener.until("playing")
    await listener.until(lambda state: state.position_s > held + 0.2)
    assert listener.state.position_s < held + 1.0


async def test_resume_can_rewind(listen: Listen) -> None:
    listener = listen("none")
    await listener.play(long_wav(), start_s=10.0)
    await listener.until(lambda state: state.position_s > 10.2)
    listener.player.pause()
    listener.player.resume(rewind_s=5.0)
    await listener.until("playing")
    assert 5.0 <= listener.state.position_s < 6.0


async def test_seeks_add_up_and_stay_inside(listen: Listen) -> None:
    listener = listen("none")
    await listener.play(long_wav())
    await listener.until("playing")
    for _ in range(3):
        listener.player.seek_by(5.0)
    assert listener.state.position_s == pytest.approx(15.0, abs=0.5)
    listener.player.seek_by(-100.0)
    assert listener.state.position_s == 0.0
    await listener.until("playing")
    listener.player.pause()
    listener.player.seek_to(12.0)
    assert (listener.state.status, listener.state.position_s) == ("paused", 12.0)
    listener.player.resume()
    await listener.until(lambda state: state.position_s > 12.2)
    listener.player.seek_to(1000.0)
    state = await listener.over()
    assert (state.status, state.position_s) == ("ended", pytest.approx(20.0, abs=0.01))


async def test_after_the_end_it_can_go_back(listen: Listen, kinds: dict[str, bytes]) -> None:
    listener = listen("none")
    await listener.play(kinds["m4a"])
    await listener.over()
    listener.player.toggle()
    assert (await listener.until(lambda state: state.status == "playing")).position_s < 0.3
    assert (await listener.over()).status == "ended"


async def test_speed_is_kept_for_the_next_recording(
    listen: Listen, kinds: dict[str, bytes]
) -> None:
    listener = listen("none")
    listener.player.set_speed(9.0)
    assert listener.state.speed == 3.0
    listener.player.set_speed(2.0)
    for _ in range(2):
        begun = time.monotonic()
        await listener.play(sounds.wav(sounds.tone(1.6, 8000), 8000))
        await listener.until("playing")
        begun = time.monotonic()
        state = await listener.over()
        assert time.monotonic() - begun == pytest.approx(0.8, abs=0.25)
        assert (state.speed, state.position_s) == (2.0, pytest.approx(1.6, abs=0.1))


async def test_volume_scales_the_samples_and_rounds_the_loudest_off(
    listen: Listen, tmp_path: Path
) -> None:
    data = sounds.wav(sounds.tone(0.3, 48_000, 2), 48_000, 2)
    source = memoryview(data[44:]).cast("h")
    loud = sounds.wav(sounds.array("h", [30_000, -30_000] * 4800), 48_000, 2)
    listener = listen(f"wav:{tmp_path}/out.wav")
    listener.player.set_volume(0.5)
    await listener.play(data)
    await listener.over()
    half = memoryview((tmp_path / "out.wav").read_bytes()[44:]).cast("h")
    assert len(half) == len(source)
    assert all(abs(a * 0.5 - b) <= 0.5 for a, b in zip(source, half, strict=True))
    listener.player.set_volume(5.0)
    await listener.play(loud)
    await listener.over()
    out = memoryview((tmp_path / "out.wav").read_bytes()[44:]).cast("h")
    assert {abs(sample) for sample in out} == {32_764}


async def test_the_next_recording_replaces_this_one_in_the_same_engine(listen: Listen) -> None:
    listener = listen("none")
    await listener.play(long_wav())
    await listener.until("playing")
    first = listener.pid
    await listener.play(long_wav(5.0))
    state = await listener.until(lambda state: state.status == "playing")
    assert state.length_s == pytest.approx(5.0)
    assert listener.pid == first


async def test_many_recordings_at_once_end_with_the_last(
    listen: Listen, kinds: dict[str, bytes]
) -> None:
    listener = listen("none")
    await asyncio.gather(
        *(listener.play(kinds[k]) for k in ("m4a", "opus", "flac")),
        listener.play(long_wav(7.0)),
    )
    state = await listener.until("playing")
    assert state.length_s == pytest.approx(7.0)


async def test_stop_forgets(listen: Listen) -> None:
    listener = listen("none")
    await listener.play(long_wav())
    await listener.until("playing")
    listener.player.stop()
    assert (listener.state.status, listener.state.length_s) == ("idle", None)
    seen = len(listener.states)
    await asyncio.sleep(0.5)
    assert len(listener.states) == seen


@pytest.mark.parametrize(
    ("data", "words"),
    few(
        2,
        [
            (b"", "empty"),
            (b"<html>Please log in</html>", "web page"),
            (b"#EXTM3U\nhttps://example.org/a.mp3\n", "playlist"),
            (b"\x07garbage" * 1000, "no known kind"),
            (b"OggS" + b"\0" * 500, ""),
        ],
    ),
    ids=["empty", "page", "playlist", "garbage", "ogg"],
)
async def test_what_cannot_be_played_fails_in_words(
    data: bytes, words: str, listen: Listen, kinds: dict[str, bytes]
) -> None:
    listener = listen("none")
    await listener.play(data)
    state = await listener.over()
    assert state.status == "failed"
    assert state.message.startswith("this cannot be played: ")
    assert words in state.message
    await listener.play(kinds["m4a"])
    assert (await listener.until(lambda state: state.status == "playing")).message == ""


async def test_damage_is_reported_once_and_the_rest_is_played(
    listen: Listen, tmp_path: Path
) -> None:
    tone = sounds.tone(3.0, 44_100, 2)
    data = sounds.encode(tone, 44_100, 2, "mp3", "libmp3lame", bit_rate=128_000)
    middle = len(data) // 2
    listener = listen(f"wav:{tmp_path}/out.wav")
    await listener.play(data[:middle] + b"\xff\x00" * 2000 + data[middle + 4000 :], start_s=1.0)
    await listener.until(lambda state: state.message == DAMAGED)
    assert (await listener.over()).status == "ended"
    messages = [state.message for _, state in listener.states]
    assert sum(a != DAMAGED == b for a, b in pairwise(messages)) == 1


@pytest.mark.parametrize("kind", few(1, ["mp3-8k-mono", "m4a", "webm", "flac"]))
async def test_a_cut_file_is_played_and_said_to_be_cut(
    kind: str, listen: Listen, longer: dict[str, bytes], tmp_path: Path
) -> None:
    listener = listen(f"wav:{tmp_path}/out.wav")
    await listener.play(longer[kind][: len(longer[kind]) * 3 // 5], start_s=0.8)
    state = await listener.over()
    assert state.status == "ended"
    assert state.incomplete
    assert state.message.startswith(CUT_OFF[:22])
    await listener.play(longer[kind], start_s=1.5)
    assert (await listener.over()).message == ""


class Broken:
    """A source that fails in the middle, and one that never answers."""

    size: int | None = None

    def __init__(self, error: Exception | None) -> None:
        self._error = error

    async def read(self, offset: int, n: int, *, idle: bool = False) -> bytes:
        if self._error is not None:
            raise self._error
        await asyncio.Event().wait()
        return b""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RecordingError("gone"), "deleted at the vendor"),
        (OSError(5, "Input/output error"), "Input/output error"),
        (RuntimeError("https://host/secret?sig=abc"), "(RuntimeError)"),
    ],
    ids=["recording", "disk", "other"],
)
async def test_a_source_that_fails_says_why_and_no_secret(
    error: Exception, words: str, listen: Listen
) -> None:
    listener = listen("none")
    await listener.player.play(Broken(error))
    state = await listener.over()
    assert words in state.message
    assert "secret" not in state.message


async def test_a_source_that_hangs_can_be_left(listen: Listen, kinds: dict[str, bytes]) -> None:
    listener = listen("none")
    await listener.player.play(Broken(None))
    await asyncio.sleep(0.3)
    assert listener.state.status == "loading"
    await listener.play(kinds["wav-ulaw"])
    await listener.until("playing")


class Slow:
    """A download: bytes come in small pieces, and their number is not known before the end."""

    size: int | None = None

    def __init__(self, data: bytes, hold_at: int) -> None:
        self._data, self._hold_at = data, hold_at
        self.held, self.go_on = asyncio.Event(), asyncio.Event()

    async def read(self, offset: int, n: int, *, idle: bool = False) -> bytes:
        if offset >= self._hold_at:
            self.held.set()
            await self.go_on.wait()
        return self._data[offset : offset + min(n, 3000)]


async def test_a_download_that_stalls_is_waited_for_and_nothing_is_lost(
    listen: Listen, tmp_path: Path
) -> None:
    tone = sounds.tone(3.0, 44_100, 2)
    data = sounds.encode(tone, 44_100, 2, "mp3", "libmp3lame", bit_rate=128_000)
    source = Slow(data, hold_at=20_000)
    listener = listen(f"wav:{tmp_path}/out.wav")
    await listener.player.play(source)
    await source.held.wait()
    await asyncio.sleep(0.3)
    assert listener.state.status == "loading"
    source.go_on.set()
    assert (await listener.over()).status == "ended"
    heard, whole = (tmp_path / "out.wav").read_bytes()[44:], sounds.reference(data)
    same = len(whole) - 4000  # the padding at the very end is known by the file's size alone
    assert heard[:same] == whole[:same]
    assert abs(len(heard) - len(whole)) < 10_000


async def test_a_seek_back_does_not_wait_for_a_stalled_download(listen: Listen) -> None:
    tone = sounds.tone(10.0, 8000)
    data = sounds.encode(tone, 8000, 1, "mp3", "libmp3lame", bit_rate=16_000)
    listener = listen("none")
    await listener.player.play(Slow(data, hold_at=12_000))
    await listener.until("playing")
    listener.player.seek_to(9.0)
    await asyncio.sleep(0.3)
    assert listener.state.status == "loading"
    listener.player.seek_to(1.0)
    state = await listener.until("playing", timeout_s=2.0)
    assert 1.0 <= state.position_s < 1.5


async def test_a_killed_engine_costs_one_message(listen: Listen) -> None:
    listener = listen("none")
    await listener.play(long_wav())
    await listener.until(lambda state: state.position_s > 0.5)
    os.kill(listener.pid, signal.SIGKILL)
    state = await listener.over()
    assert (state.status, state.message) == ("failed", CRASHED)
    listener.player.toggle()  # plays on where it stopped
    state = await listener.until(lambda state: state.status == "playing")
    assert 0.5 <= state.position_s < 2.0
    assert sum(state.message == CRASHED for _, state in listener.states) == 1


async def test_an_engine_killed_while_idle_is_not_missed(
    listen: Listen, kinds: dict[str, bytes]
) -> None:
    listener = listen("none")
    await listener.play(kinds["wav-ulaw"])
    await listener.over()
    pid = listener.pid
    os.kill(pid, signal.SIGKILL)
    await gone(pid)
    await asyncio.sleep(0.05)
    await listener.play(kinds["m4a"])
    await listener.until("playing")


async def test_close_while_playing_leaves_nothing(listen: Listen) -> None:
    listener = listen("none")
    threads, tasks = set(threading.enumerate()), asyncio.all_tasks()
    await listener.play(long_wav())
    await listener.until("playing")
    pid = listener.pid
    begun = time.monotonic()
    await listener.player.close()
    assert time.monotonic() - begun < 0.5
    assert not alive(pid)
    assert asyncio.all_tasks() == tasks
    while time.monotonic() - begun < 5.0:  # asyncio's own that waited for the engine is just ending
        left = {thread.name for thread in set(threading.enumerate()) - threads}
        if all(name.startswith("asyncio_") for name in left):  # the loop's own pool
            break
        await asyncio.sleep(0.01)
    else:
        pytest.fail(f"left: {left}")
    await listener.play(long_wav())
    assert listener.player._child is None


async def test_close_ends_an_engine_that_hangs(listen: Listen) -> None:
    listener = listen("none")
    await listener.play(long_wav())
    await listener.until("playing")
    pid = listener.pid
    os.kill(pid, signal.SIGSTOP)
    begun = time.monotonic()
    await listener.player.close()
    assert time.monotonic() - begun < 0.5
    assert not alive(pid)


async def test_cancelling_a_play_at_any_moment_leaves_no_process(listen: Listen) -> None:
    for delay in (0.0, 0.001, 0.003, 0.01):
        listener = listen("none")
        task = asyncio.create_task(listener.play(long_wav(1.0)))
        await asyncio.sleep(delay)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await listener.player.close()
        assert listener.player._child is None
    assert "tui.audio" not in children()


def test_a_killed_program_leaves_no_engine(tmp_path: Path) -> None:
    path = sounds.write(tmp_path, "a.wav", long_wav())
    script = (
        "import asyncio\n"
        "from tui.audio.client.player import FileSource, Player\n"
        "async def main():\n"
        "    p = Player(lambda s: None, 'none')\n"
        f"    await p.play(FileSource({str(path)!r}))\n"
        "    print(p._child.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    program = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert program.stdout is not None
    pid = int(program.stdout.readline())
    program.kill()
    program.wait()
    program.stdout.close()
    deadline = time.monotonic() + 3
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(pid)


async def test_the_engine_sees_no_secret(listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = ("RINGBACK_TOKEN_MAIN", "AWS_SECRET_ACCESS_KEY", "PULSE_PASSWORD", "LC_API_KEY")
    for name in secrets:
        monkeypatch.setenv(name, "hush")
    monkeypatch.setenv("PULSE_SINK", "kitchen")
    listener = listen("none")
    await listener.play(long_wav(1.0))
    await listener.until("playing")
    environ = environment_of(listener.pid)
    assert b"PULSE_SINK=kitchen" in environ
    assert not [entry for entry in environ if b"hush" in entry]


def test_only_what_sound_needs_is_passed_on() -> None:
    given = {
        "HOME": "/h", "PATH": "/p", "LANG": "C", "ALSA_CARD": "1", "PIPEWIRE_REMOTE": "r",
        "XDG_RUNTIME_DIR": "/r", "DBUS_SESSION_BUS_ADDRESS": "d", "EDITOR": "vi",
        "RINGBACK_TOKEN_A": "t", "PULSE_COOKIE": "/c", "XDG_SESSION_TOKEN": "t", "PYTHONPATH": "x",
    }  # fmt: skip
    kept = engine_environment(given, "/code")
    gone = {"EDITOR", "RINGBACK_TOKEN_A", "XDG_SESSION_TOKEN"}
    assert kept == {**{k: v for k, v in given.items() if k not in gone}, "PYTHONPATH": "/code"}


async def test_over_ssh_it_is_silent_and_says_why(
    listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.9 50000 10.0.0.1 22")
    monkeypatch.setenv("USER", "anna")
    monkeypatch.delenv("PULSE_SERVER")
    why = NO_SPEAKER.format("ringback speaker anna@10.0.0.1")
    listener = listen(None)
    await listener.play(long_wav(1.0))
    state = await listener.until("playing")
    assert (state.output, state.message) == ("none", why)
    assert await probe() == why


async def test_without_a_device_it_goes_on_in_silence(
    listen: Listen, kinds: dict[str, bytes], capfd: pytest.CaptureFixture[str]
) -> None:
    listener = listen("miniaudio")
    await listener.play(kinds["wav-ulaw"])
    state = await listener.over()
    assert (state.status, state.output) == ("ended", "none")
    assert state.message.startswith("no sound device found")
    assert await probe() == "no sound: no sound device found"
    assert capfd.readouterr() == ("", "")  # libasound's complaints stay off the screen


async def test_probe_names_the_output(tmp_path: Path) -> None:
    assert await probe("none") == "none"
    assert await probe(f"wav:{tmp_path}/x.wav") == f"wav:{tmp_path}/x.wav"
    assert "cannot be written" in await probe(f"wav:{tmp_path}/no/x.wav")


@pytest.mark.parametrize(
    ("part", "strange"),
    [
        (
            "tui.cli.terminal_player, tui.audio.client.player",
            ("av", "miniaudio", "textual", "rich"),
        ),
        # what the first sound would wait for
        ("tui.audio.engine.engine", ("av", "miniaudio", "ctypes", "importlib.metadata")),
    ],
)
def test_a_process_loads_what_it_needs_and_no_more(part: str, strange: tuple[str, ...]) -> None:
    script = f"import sys, {part}\nprint([m for m in {strange} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert out.stdout.strip() == "[]"


async def test_code_in_the_users_folder_is_not_run(
    listen: Listen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("wave.py", "json.py", "av.py"):
        (tmp_path / name).write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    listener = listen("none")
    await listener.play(long_wav(1.0))
    await listener.until("playing")


async def test_a_file_source_reads_what_was_there_when_it_was_opened(tmp_path: Path) -> None:
    path = sounds.write(tmp_path, "a.bin", bytes(range(200)))
    source = FileSource(path)
    path.unlink()
    assert source.size == 200
    assert await source.read(190, 100) == bytes(range(190, 200))
    assert await source.read(200, 100) == b""
    with pytest.raises(OSError, match="plain"):
        FileSource(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="plain"):
        FileSource(tmp_path / "pipe")


async def test_the_engine_that_talks_nonsense_is_ended(
    listen: Listen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    liar = tmp_path / "liar"
    liar.write_text('#!/bin/sh\necho \'{"is":"get","id":1,"at":"x","n":{}}\'\nsleep 60\n')
    liar.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(liar))
    listener = listen("none")
    await listener.play(long_wav(1.0))
    assert (await listener.over(5.0)).message == CRASHED
    assert isinstance(listener.player, Player)


async def test_after_an_end_that_was_reached_in_a_pause_it_plays_from_the_start(
    listen: Listen,
) -> None:
    listener = listen("none")
    await listener.play(long_wav(5.0))
    await listener.until("playing")
    listener.player.pause()
    listener.player.seek_to(5.0)
    await listener.until("ended")
    listener.player.toggle()
    assert (await listener.until("playing")).position_s < 1.0


@pytest.mark.parametrize(
    "line",
    [b'{"is":"at","s":1e999}', b'{"is":"at","s":NaN}', b"[" * 16_000],
    ids=["endless", "no-number", "deep"],
)
def test_a_line_that_no_end_would_say_is_refused(line: bytes) -> None:
    with pytest.raises(protocol.Malformed):
        protocol.unpack(line)


async def test_the_clock_does_not_run_on_where_nothing_is_reported(listen: Listen) -> None:
    listener = listen("none")
    await listener.play(sounds.wav(sounds.tone(20.0, 8000), 8000))
    await listener.until(lambda state: state.position_s > 0.3)
    os.kill(listener.pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(0.1)
        before_s = listener.state.position_s
        await asyncio.sleep(2.5)
        assert listener.player.position_s <= before_s + 1.05
    finally:
        os.kill(listener.pid, signal.SIGCONT)
    await listener.until(lambda state: state.position_s > before_s + 0.5)
