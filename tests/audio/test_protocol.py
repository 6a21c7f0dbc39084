"""The messages between a player and an engine, and those that a relay lets through."""

from __future__ import annotations

import asyncio
import io

import pytest

from tui.audio import protocol
from tui.audio.protocol_stream import read_message
from tui.audio.speaker import relay_protocol

OPEN = {
    "do": "open", "id": 1, "seq": 1, "size": 3, "start": 0, "speed": 1, "volume": 1, "paused": False,
    "skip": False, "side": "both", "loop": None, "peaks": False, "unmeasured": None,
}  # fmt: skip


@pytest.mark.parametrize("body", [b"", b"\n", bytes(protocol.BODY_LIMIT)])
async def test_what_is_packed_is_read_again(body: bytes) -> None:
    packed = protocol.pack({"do": "data", "at": 1.5}, body) + protocol.pack({"do": "stop"})
    header = {"do": "data", "at": 1.5} | ({"bytes": len(body)} if body else {})
    stream = io.BytesIO(packed)
    assert protocol.read(stream) == (header, body)
    assert protocol.read(stream) == ({"do": "stop"}, b"")
    assert protocol.read(stream) is None
    reader = asyncio.StreamReader(limit=protocol.LINE_LIMIT)
    reader.feed_data(packed)
    reader.feed_eof()
    assert await read_message(reader) == (header, body)
    assert await read_message(reader) == ({"do": "stop"}, b"")
    assert await read_message(reader) is None


@pytest.mark.parametrize(
    "line",
    [
        b'{"is":"at","s":1e999}',
        b'{"is":"at","s":NaN}',
        b'{"is":"at","s":-Infinity}',
        b"[" * 16_000,
        b"[]",
        b"hello",
        b"\xff",
        b'{"bytes":-1}',
        b'{"bytes":1048577}',
        b'{"bytes":"1"}',
        b'{"bytes":1.5}',
    ],
)
def test_a_line_that_no_end_would_say_is_refused(line: bytes) -> None:
    with pytest.raises(protocol.Malformed):
        protocol.unpack(line)


def test_a_header_tells_how_many_bytes_follow() -> None:
    assert protocol.unpack(b'{"bytes":1048576}') == ({"bytes": 1 << 20}, 1 << 20)
    assert protocol.unpack(b"{}") == ({}, 0)


async def test_a_message_that_is_cut_off_is_none() -> None:
    packed = protocol.pack({"do": "data"}, b"abc")
    for cut in (packed[:-1], packed[:5]):
        reader = asyncio.StreamReader()
        reader.feed_data(cut)
        reader.feed_eof()
        assert await read_message(reader) is None
    assert protocol.read(io.BytesIO(packed[:-1])) is None


async def test_a_line_without_an_end_is_refused() -> None:
    reader = asyncio.StreamReader(limit=protocol.LINE_LIMIT)
    reader.feed_data(b"x" * (2 * protocol.LINE_LIMIT + 1))
    with pytest.raises(protocol.Malformed):
        await read_message(reader)


def test_a_relay_passes_on_what_a_player_may_say_and_no_field_more() -> None:
    assert relay_protocol.command({**OPEN, "output": "wav:/x", "near": True}) == OPEN
    for name, fields in relay_protocol.COMMANDS.items():
        message = {"do": name, **dict.fromkeys(fields, 1)}
        assert relay_protocol.command({**message, "more": 1}) == message


@pytest.mark.parametrize(
    "message", [{}, {"do": "run"}, {"do": ["open"]}, {"do": "probe"}, {"do": None}]
)
def test_a_relay_passes_on_no_other_command(message: dict[str, object]) -> None:
    assert relay_protocol.command(message) is None


@pytest.mark.parametrize(
    "what", ["get", "ready", "at", "peaks", "unmeasured", "output", "damage", "failed"]
)
def test_a_relay_passes_on_what_an_engine_may_answer(what: str) -> None:
    message = {"is": what, "x": 1}
    assert relay_protocol.answer(message) == message


@pytest.mark.parametrize(
    "message", [{}, {"is": "held"}, {"is": "hello"}, {"is": {}}, {"is": "over"}]
)
def test_a_relay_passes_on_no_other_answer(message: dict[str, object]) -> None:
    assert relay_protocol.answer(message) is None


def test_the_older_end_is_the_one_to_update() -> None:
    assert relay_protocol.other_version(2, 3, "far") == (
        "Ringback here speaks 2, there 3: update the one here"
    )
    for there in (1, None, "x"):
        assert relay_protocol.other_version(2, there, "far").endswith("update the one on far")
