"""FFmpeg's filters from one format of frames to ours: 48 kHz stereo s16, at a speed."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av.error
import av.filter
from av.audio.frame import AudioFrame

from tui.audio.engine.demuxer_choice import Unplayable
from tui.audio.engine.pcm import FRAME, RATE, Chunk

_RATES = range(4_000, 384_001)
_CHANNELS = range(1, 9)
_GAP_S = 0.05  # what a clock may jump by between two frames, unnoticed


class Chain:
    """FFmpeg's filters from one format of frames to ours; trims what lies before the start."""

    def __init__(self, frame: AudioFrame, at_s: float, start_s: float, speed: float) -> None:
        check(frame)
        self._key = format_of(frame)
        self._speed = speed
        self._fed = 0
        self._trim = max(0, round((start_s - at_s) / speed * RATE))
        self._at_s = max(at_s, start_s)
        self._made = 0
        self._rate = frame.sample_rate
        self._next_s = at_s
        self._graph = _graph(frame, speed)

    def fits(self, frame: AudioFrame) -> bool:
        return format_of(frame) == self._key

    def feed(self, at_s: float, frame: AudioFrame) -> Iterator[Chunk]:
        """`at_s`: the second at which it begins."""
        if abs(at_s - self._next_s) > _GAP_S:  # what is missing is not heard; the clock goes on
            self._at_s += at_s - self._next_s
        self._next_s = at_s + frame.samples / self._rate
        frame.pts, frame.time_base = self._fed, Fraction(1, self._rate)
        self._fed += frame.samples
        self._graph.push(frame)
        yield from self._pull()

    def drain(self) -> Iterator[Chunk]:
        self._graph.push(None)
        yield from self._pull()

    def _pull(self) -> Iterator[Chunk]:
        while True:
            try:
                out = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            assert isinstance(out, AudioFrame)
            cut = min(self._trim, out.samples)
            self._trim -= cut
            if pcm := bytes(memoryview(out.planes[0])[cut * FRAME : out.samples * FRAME]):
                yield Chunk(pcm, self._at_s + self._made / RATE * self._speed, self._speed)
                self._made += len(pcm) // FRAME


def end_of(at_s: float, frame: AudioFrame) -> float:
    return at_s + frame.samples / frame.sample_rate


def check(frame: AudioFrame) -> None:
    """Raises `Unplayable` where a header leads to sound that cannot be."""
    if frame.sample_rate not in _RATES or frame.layout.nb_channels not in _CHANNELS:
        raise Unplayable("damaged", "an impossible sample rate or number of channels")


def format_of(frame: AudioFrame) -> tuple[str, int, str]:
    """Samples, rate and channels: what one filter or queue cannot change."""
    return frame.format.name, frame.sample_rate, frame.layout.name


def _graph(frame: AudioFrame, speed: float) -> av.filter.Graph:
    graph = av.filter.Graph()
    graph.threads = 1  # whoever decodes may start none
    name, rate, layout = format_of(frame)
    nodes = [
        graph.add_abuffer(sample_rate=rate, format=name, layout=layout, time_base=Fraction(1, rate))
    ]
    if speed != 1.0:
        nodes.append(graph.add("atempo", f"{speed:.4f}"))
    if frame.layout.nb_channels == 1:  # swr would make mono 3 dB quieter
        nodes.append(graph.add("pan", "stereo|c0=c0|c1=c0"))
    nodes.append(graph.add("aresample", str(RATE)))
    nodes.append(graph.add("aformat", "sample_fmts=s16:channel_layouts=stereo"))
    nodes.append(graph.add("abuffersink"))
    graph.link_nodes(*nodes).configure()
    return graph
