"""How loud a recording is, measured from real files beside the playing."""

from __future__ import annotations

import asyncio
import io
import math
from array import array
from pathlib import Path

import pytest

from tests.audio import sounds
from tests.audio.listener import Listen
from tests.slow_params import few
from tui.audio.client.player import FileSource
from tui.audio.engine.demuxer import Demuxer
from tui.audio.engine.peak_meter import PeakMeter
from tui.audio.peaks import Peaks


def steps(rate: int, channels: int) -> array[int]:
    """Half a second at each loudness, another on the second channel."""
    loud = [0, 1000, 8000, 30_000, 200]
    out = array("h")
    for i in range(round(2.5 * rate)):
        for channel in range(channels):
            high = loud[(i * 2 // rate + channel) % 5]
            out.append(high if i // 4 % 2 else -high)
    return out


def level(peak: int) -> int:
    return round(255 * math.sqrt(peak / 32_768))


@pytest.mark.parametrize(
    ("rate", "channels"), few(2, [(8000, 1), (44_100, 2), (11_025, 2), (48_000, 1)])
)
def test_a_window_is_as_loud_as_its_loudest_sample(rate: int, channels: int) -> None:
    data = sounds.wav(steps(rate, channels), rate, channels)
    media, meter = Demuxer(io.BytesIO(data), len(data)), PeakMeter()
    for at_s, frame in media.frames():
        meter.add(at_s, frame)
    body = meter.take(all_of_it=True)
    media.close()
    assert (meter.lanes, len(body)) == (channels, 50 * channels)
    for channel in range(channels):
        lane = body[channel::channels]
        for half, peak in enumerate([0, 1000, 8000, 30_000, 200]):
            half = (half - channel) % 5
            assert set(lane[half * 10 + 1 : half * 10 + 9]) == {level(peak)}


def test_no_sample_is_passed_over() -> None:
    samples = array("h", bytes(2 * 8000))
    places = range(7, 8000, 401)  # one in each window, each time elsewhere
    for place in places:
        samples[place] = 20_000 if place % 2 else -20_000
    data = sounds.wav(samples, 8000)
    media, meter = Demuxer(io.BytesIO(data), len(data)), PeakMeter()
    for at_s, frame in media.frames():
        meter.add(at_s, frame)
    media.close()
    assert set(meter.take(all_of_it=True)) == {level(20_000)}


@pytest.mark.parametrize("kind", few(3, sounds.all_kinds(0.1)))
async def test_every_kind_is_measured_to_its_end(
    kind: str, listen: Listen, longer: dict[str, bytes]
) -> None:
    listener = listen("none")
    await listener.play(longer[kind])
    await listener.until(lambda _: bool(listener.player.peaks and listener.player.peaks.complete))
    peaks, state = listener.player.peaks, listener.state
    assert peaks is not None
    stereo = not any(word in kind for word in ("mono", "ulaw", "moov", "adts"))
    assert len(peaks.lanes) == state.channels == (2 if stereo else 1)
    assert peaks.length_s == pytest.approx(2.5, abs=0.2)
    assert state.peaks_revision == peaks.revision
    first, last = peaks.lanes[0][2], peaks.lanes[0][46]
    assert first == pytest.approx(level(6240), abs=14)
    assert last == pytest.approx(level(11_600), abs=14)


class Counting(FileSource):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked: list[tuple[int, int, bool]] = []
        self.under_way = self.most = 0

    async def read(self, offset: int, n: int, *, idle: bool = False) -> bytes:
        self.asked.append((offset, n, idle))
        self.under_way += idle
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0.002)
        self.under_way -= idle
        return await super().read(offset, n)


def lanes(*texts: str, noise: int = 5) -> Peaks:
    """Made-up lanes: a character is 0.1 s, ``#`` is speech."""
    return Peaks(
        tuple(
            bytearray(b"".join(bytes([150 if c == "#" else noise] * 2) for c in t)) for t in texts
        ),
        True,
    )


async def test_no_byte_is_asked_twice_and_idle_ones_one_by_one(
    listen: Listen, tmp_path: Path
) -> None:
    data = sounds.encode(sounds.tone(120.0, 8000), 8000, 1, "mp3", "libmp3lame", bit_rate=32_000)
    source = Counting(sounds.write(tmp_path, "a.mp3", data))
    listener = listen("none")
    await listener.player.play(source)
    await listener.until(lambda _: bool(listener.player.peaks and listener.player.peaks.complete))
    bytes_asked = sum(min(n, max(0, len(data) - at)) for at, n, _ in source.asked)
    assert bytes_asked <= len(data) + 16_384
    assert any(idle for _, _, idle in source.asked)
    assert source.most == 1


async def test_known_peaks_are_not_measured_again(listen: Listen, tmp_path: Path) -> None:
    source = Counting(sounds.write(tmp_path, "a.wav", sounds.wav(sounds.tone(3.0, 8000), 8000)))
    known = lanes("#" * 30)
    listener = listen("none")
    await listener.player.play(source, peaks=known)
    await listener.until(lambda state: state.position_s > 0.5)
    assert listener.player.peaks is known
    assert known.revision == 0
    assert not any(idle for _, _, idle in source.asked)


async def test_measuring_ends_with_the_recording(listen: Listen, tmp_path: Path) -> None:
    data = sounds.ulaw(sounds.tone(20.0, 8000))
    at = data.index(b"data") + 8
    data = data[: at - 4] + (160_000 * 300).to_bytes(4, "little") + data[at:] * 300
    source = Counting(sounds.write(tmp_path, "a.wav", data))
    listener = listen("none")
    await listener.player.play(source)
    await listener.until(lambda state: state.peaks_revision > 0)
    listener.player.stop()
    assert listener.player.peaks is None
    await asyncio.sleep(0.3)
    asked = len(source.asked)
    await asyncio.sleep(0.5)
    assert len(source.asked) == asked


async def test_a_source_that_cannot_be_read_idly_costs_no_sound(
    listen: Listen, tmp_path: Path
) -> None:
    class Refusing(FileSource):
        async def read(self, offset: int, n: int, *, idle: bool = False) -> bytes:
            if idle:
                raise OSError(5, "Input/output error")
            return await super().read(offset, n)

    data = sounds.wav(sounds.tone(40.0, 8000), 8000)
    listener = listen("none")
    await listener.player.play(Refusing(sounds.write(tmp_path, "a.wav", data)), start_s=39.5)
    assert (await listener.over()).status == "ended"
