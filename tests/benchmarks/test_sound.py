"""What playing and measuring cost, beside FFmpeg's bare decoder and beside mpv."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import sys
import time
from pathlib import Path

import av
import pytest

from tests.audio import sound_servers, sounds
from tests.audio.conftest import listen, no_device_here
from tests.audio.listener import Listen
from tests.audio.sound_servers import pulse_in
from tui.audio.client.player import FileSource
from tui.audio.peaks import Peaks

__all__ = ["listen", "no_device_here"]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]
HOUR_S = 3600.0
KNOWN = Peaks((bytearray(3),), True)


def work_s(*pids: int) -> float:
    """Seconds of the processor that processes have had."""
    out = 0.0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        out += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return out


def memory_mb(*pids: int | str, what: str = "VmRSS") -> float:
    return sum(_memory_mb(pid, what) for pid in pids)


def _memory_mb(pid: int | str, what: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(what)).split()[1]) / 1024


@pytest.fixture(scope="module")
def hour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An hour of telephone MP3: a minute's frames, sixty times."""
    minute = sounds.tone(60.0, 8000)
    data = sounds.encode(minute, 8000, 1, "mp3", "libmp3lame", bit_rate=16_000)
    with av.open(io.BytesIO(data), "r") as box:
        frames = data[next(box.demux(audio=0)).pos :]
    return sounds.write(tmp_path_factory.mktemp("hour"), "hour.mp3", frames * 60)


async def test_an_hour_is_measured_for_little_more_than_its_decoding(
    hour: Path, listen: Listen
) -> None:
    begun = time.process_time()
    with av.open(str(hour)) as box:
        assert sum(1 for _ in box.decode(audio=0)) > 49_000
    decoding_s = time.process_time() - begun

    listener = listen("none")

    def is_measured(_: object) -> bool:
        return bool(listener.player.peaks and listener.player.peaks.complete)

    await listener.play(sounds.wav(sounds.tone(60.0, 8000), 8000))
    await listener.until("playing")
    await listener.until(is_measured)  # all processes are there
    before_s, had_mb, app_mb = work_s(*listener.pids), memory_mb(*listener.pids), memory_mb("self")
    await listener.player.play(FileSource(hour))
    await listener.until(is_measured, 60.0)
    spent_s, grown_mb = work_s(*listener.pids) - before_s, memory_mb(*listener.pids) - had_mb
    app_grown_mb = memory_mb("self") - app_mb
    assert listener.player.peaks is not None
    assert listener.player.peaks.length_s == pytest.approx(HOUR_S, rel=0.01)
    print(f"decoding {decoding_s:.2f} s, engine for all peaks {spent_s:.2f} s of the processor;")
    print(f"engine grew by {grown_mb:.1f} MB, the program by {app_grown_mb:.1f} MB")
    assert spent_s < 8 * decoding_s
    assert grown_mb < 25
    assert app_grown_mb < 30

    for at_s in (3000.0, 500.0, 3500.0, 1.0):
        listener.player.seek_to(at_s)
        begun = time.monotonic()
        await listener.until("playing")
        print(f"to {at_s:.0f} s: {time.monotonic() - begun:.3f} s")
    assert memory_mb(*listener.pids) - had_mb < 30


@pytest.mark.skipif(
    not shutil.which("mpv") or bool(sound_servers.NO_PULSE), reason="needs mpv and pulseaudio"
)
@pytest.mark.parametrize("speed", [1.0, 1.5])
async def test_playing_costs_no_more_than_mpv(
    speed: float, hour: Path, listen: Listen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pulse_in(tmp_path, monkeypatch):
        quiet = ("--no-video", "--no-config", "--really-quiet", "--no-terminal")
        mpv = await asyncio.create_subprocess_exec("mpv", *quiet, f"--speed={speed}", str(hour))
        listener = listen("miniaudio")
        listener.player.set_speed(speed)
        await listener.player.play(FileSource(hour), peaks=KNOWN)
        await listener.until("playing")
        pids = {"mpv": [mpv.pid], "engine": listener.pids, "program": [os.getpid()]}
        await asyncio.sleep(3.0)
        before = {name: work_s(*some) for name, some in pids.items()}
        await asyncio.sleep(10.0)
        spent = {name: work_s(*some) - before[name] for name, some in pids.items()}
        assert listener.state.output.startswith("miniaudio")
        mpv.kill()
        await mpv.wait()
    ours = spent["engine"] + spent["program"]
    print(f"10 s at {speed}: {spent}, {ours / max(spent['mpv'], 0.01):.2f} times mpv's")
    assert ours < 3 * spent["mpv"] + 0.1
