"""The process that decodes, without a process: every step that an engine asks of it."""

from __future__ import annotations

import io
from typing import Any

import pytest

from tests.audio import sounds
from tui.audio.engine.decoder_process import DecoderServer, EngineChannel
from tui.audio.engine.pcm import FRAME, RATE
from tui.audio.engine.seek_index import SeekIndex
from tui.audio.protocol import Message, read


class Over(Exception):
    """The engine has nothing more to say."""


class Engine(EngineChannel):
    """Says what it is given, and answers for the bytes of a recording in between."""

    def __init__(self, data: bytes, *steps: tuple[Message, bytes], cancels: int = -1) -> None:
        """`cancels`: which answer, counted from 0, is that there will be none."""
        self._data, self._steps, self._cancels = data, list(steps), cancels
        self._asked: Message | None = None
        self.reads = 0
        self.heard: list[tuple[Message, bytes]] = []
        super().__init__(io.BytesIO(), self._write)

    def _write(self, packed: bytes) -> None:
        message = read(io.BytesIO(packed))
        assert message is not None
        if message[0]["is"] == "read":
            self._asked = message[0]
        else:
            self.heard.append(message)

    def receive(self) -> tuple[Message, bytes]:
        asked, self._asked = self._asked, None
        if asked is not None:
            self.reads += 1
            if self.reads - 1 == self._cancels:
                return {"do": "cancel"}, b""
            piece = self._data[asked["at"] :][: asked["n"]]
            return {"do": "data", "size": len(self._data)}, piece
        if not self._steps:
            raise Over
        return self._steps.pop(0)

    def said(self, what: str) -> list[Message]:
        return [header for header, _ in self.heard if header["is"] == what]


def step(what: str, body: bytes = b"", **fields: Any) -> tuple[Message, bytes]:
    return {"do": what, **fields}, body


def opening(data: bytes, id_: int = 1) -> tuple[Message, bytes]:
    return step("open", id=id_, size=len(data), near=True)


def play(start_s: float = 0.0, speed: float = 1.0) -> tuple[Message, bytes]:
    return step("play", start=start_s, speed=speed, chained=False)


NEXT = step("next", chained=False)


def run(data: bytes, *steps: tuple[Message, bytes], cancels: int = -1) -> Engine:
    engine = Engine(data, *steps, cancels=cancels)
    with pytest.raises(Over):
        DecoderServer(engine).run()
    return engine


def test_a_recording_is_played_message_by_message() -> None:
    data = sounds.wav(sounds.ramp(1.5), RATE, 2)
    engine = run(data, opening(data), play(0.25), *[NEXT] * 20)
    assert engine.said("opened") == [
        {"is": "opened", "length": 1.5, "stated": 1.5, "channels": 2},
    ]
    assert b"".join(body for _, body in engine.heard) == data[44 + RATE :]
    heard = engine.said("sound")
    sizes = [sum(header["frames"]) / RATE for header in heard]
    assert sizes[0] < 0.1, "the first comes soon"
    assert max(sizes) <= 0.8
    for header in heard:
        assert len(header["at"]) == len(header["frames"])
        assert (header["speed"], header["off"], header["damaged"]) == (1.0, 0.0, False)
    at_s, frames = 0.25, 0
    for header in heard:
        for second, count in zip(header["at"], header["frames"], strict=True):
            assert second == pytest.approx(at_s + frames / RATE)
            frames += count
    assert engine.said("end") == [{"is": "end", "ends": 1.5, "damaged": False}]


def test_another_step_instead_of_more_is_obeyed() -> None:
    data = sounds.wav(sounds.ramp(1.5), RATE, 2)
    engine = run(data, opening(data), play(), play(1.4), *[NEXT] * 9)
    assert engine.said("sound")[1]["at"][0] == pytest.approx(1.4)
    assert len(engine.said("end")) == 1


def test_what_cannot_be_played_is_said_and_ends_nothing() -> None:
    data = b"<html>no</html>"
    engine = run(data, opening(data), step("look"), opening(data, 2))
    assert [header["reason"] for header in engine.said("unplayable")] == [
        "not_sound", "damaged", "not_sound",
    ]  # fmt: skip


def test_a_cancelled_read_gives_up_and_the_next_step_begins_anew() -> None:
    data = sounds.telephone(20.0)
    engine = run(data, opening(data), opening(data), step("look"), cancels=0)
    assert [header["is"] for header, _ in engine.heard] == ["cancelled", "opened", "looked"]
    assert engine.said("looked") == [{"is": "looked", "sound": True}]


def test_whoever_closes_a_recording_has_none() -> None:
    data = sounds.telephone(1.0)
    engine = run(data, opening(data), step("close"), step("look"))
    [closed] = engine.said("closed")
    assert closed["peak"] > 1
    assert len(engine.said("unplayable")) == 1


def test_measuring_tells_peaks_seek_points_and_the_whole() -> None:
    data = sounds.encode(sounds.tone(3.0, 8000), 8000, 1, "mp3", "libmp3lame", bit_rate=16_000)
    engine = run(data, step("measure", size=len(data)))
    [measured] = engine.said("measured")
    assert (measured["channels"], measured["damaged"], measured["stated_s"]) == (1, False, None)
    assert measured["length_s"] == pytest.approx(3.0, abs=0.1)
    peaks = engine.said("peaks")
    assert [header["done"] for header in peaks][-1:] == [True]
    assert not any(header["done"] for header in peaks[:-1])
    index = SeekIndex()
    for header, body in engine.heard:
        if header["is"] == "seek_points":
            assert header["chained"] is False
            index.merge(body)
    assert index.reach_s > 2.5
    assert engine.heard[-1][0] == {"is": "done"}


def test_files_one_behind_the_other_are_told_when_they_are_found() -> None:
    one = sounds.encode(sounds.tone(2.0, 16_000), 16_000, 1, "flac", "flac")
    engine = run(one * 3, step("measure", size=3 * len(one)))
    assert engine.said("seek_points")[-1]["chained"] is True
    assert engine.said("measured")[0]["length_s"] == pytest.approx(6.0, abs=0.1)


def test_what_was_measured_serves_whoever_plays() -> None:
    """A far place is jumped to where its byte is known, and read up to else."""
    data = sounds.encode(sounds.tone(60.0, 8000), 8000, 1, "mp3", "libmp3lame", bit_rate=16_000)
    measuring = run(data, step("measure", size=len(data)))
    points = b"".join(body for header, body in measuring.heard if header["is"] == "seek_points")
    told = step("play", points, start=50.0, speed=1.0, chained=False)
    engine = run(data, opening(data), told, NEXT)
    assert engine.said("sound")[0]["at"][0] == pytest.approx(50.0, abs=0.01)
    assert FRAME * sum(engine.said("sound")[0]["frames"]) == len(engine.heard[1][1])
    assert engine.reads < len(data) // 2048 // 2
