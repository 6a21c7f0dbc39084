"""A recording that is read while it comes, from a real server: fast, slow, cutting off, changing."""

from __future__ import annotations

import asyncio
import errno
import os
import random
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from providers.errors import RecordingError
from providers.media import Remote
from tests.recordings.host import Host
from tui.recordings import progressive_download as module
from tui.recordings.progressive_download import FIRST, ProgressiveDownload

DATA = b"ID3\x03" + random.Random(1).randbytes(3_000_000)
Make = Callable[[], ProgressiveDownload]


@pytest.fixture
def host() -> Iterator[Host]:
    with Host(DATA) as running:
        yield running


@pytest.fixture
async def make(host: Host, tmp_path: Path) -> AsyncIterator[Make]:
    made: list[ProgressiveDownload] = []
    (tmp_path / "download").mkdir()

    def one() -> ProgressiveDownload:
        partial = tmp_path / "download" / f"{len(made)}.part"
        handle = os.open(partial, os.O_RDWR | os.O_CREAT, 0o600)

        def keep(kind: str) -> Path:
            return partial.replace(partial.with_suffix(f".{kind}"))

        remote = Remote(f"{host.url}/{len(made)}", allow_private=True)
        made.append(ProgressiveDownload(remote, handle, partial, keep))
        return made[-1]

    yield one
    for download in made:
        download.close()
    await nothing_open(host)


async def nothing_open(host: Host) -> None:
    async with asyncio.timeout(5):
        while host.open or len(asyncio.all_tasks()) > 1:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def read_all(download: ProgressiveDownload, offset: int, n: int) -> bytes:
    data = b""
    while len(data) < n and (more := await download.read(offset + len(data), n - len(data))):
        data += more
    return data


async def test_it_becomes_the_whole_file_and_nothing_is_sent_twice(host: Host, make: Make) -> None:
    download = make()
    await download.begun()
    assert (download.kind, download.size) == ("mp3", len(DATA))
    path = await download.finished()
    assert path.read_bytes() == DATA and path.suffix == ".mp3"
    assert host.sent == len(DATA) and host.twice() == 0
    assert len({one.connection for one in host.asked}) == 1, "the connection is kept"
    assert await read_all(download, 2_999_000, 9_999) == DATA[2_999_000:]
    assert await download.read(len(DATA), 10) == b""


async def test_the_first_bytes_are_read_long_before_the_last(host: Host, make: Make) -> None:
    host.rate = 100_000
    download = make()
    await download.begun()
    assert await read_all(download, 0, 5000) == DATA[:5000]
    assert host.sent < 100_000 and download.path is None


async def test_a_far_place_is_asked_for_and_all_is_fetched_once(host: Host, make: Make) -> None:
    host.rate = 1_000_000
    download = make()
    await download.begun()
    for place in (2_900_000, 1_500_000, 800_000):
        sent = host.sent
        assert await read_all(download, place, 2000) == DATA[place : place + 2000]
        assert host.sent - sent < 400_000, "it did not wait for all that lies before"
    host.rate = None
    path = await download.finished()
    assert path.read_bytes() == DATA
    assert host.twice() == 0 and host.sent == len(DATA)


async def test_a_jump_right_after_the_beginning_has_the_line_for_itself(
    host: Host, make: Make
) -> None:
    """As an MP4's opening does it whose index is at the end."""
    host.rate = 100_000
    download = make()
    await read_all(download, 0, FIRST)
    await asyncio.sleep(0.01)
    assert await read_all(download, 2_990_000, 100) == DATA[2_990_000:2_990_100]
    assert [one.start for one in host.asked] == [0, 2_990_000]


async def test_little_is_lost_when_somebody_jumps_out_of_what_is_just_coming(
    host: Host, make: Make
) -> None:
    host.rate = 1_000_000
    download = make()
    await read_all(download, 0, 130_000)  # the request under way is of 128 KB or more
    await read_all(download, 250_000, 100)
    host.rate = None
    assert (await download.finished()).read_bytes() == DATA
    assert host.twice() < 200_000


async def test_random_reads_get_the_right_bytes(host: Host, make: Make) -> None:
    dice = random.Random(7)
    download = make()

    async def one() -> None:
        for _ in range(30):
            at = dice.randrange(len(DATA))
            n = dice.randrange(1, 40_000)
            assert await read_all(download, at, n) == DATA[at : at + n]

    await asyncio.gather(*(one() for _ in range(5)))
    assert (await download.finished()).read_bytes() == DATA


async def test_who_asked_last_is_served_first(host: Host, make: Make) -> None:
    host.rate = 400_000
    download = make()
    await download.begun()
    order: list[int] = []

    async def read(at: int) -> None:
        await download.read(at, 100)
        order.append(at)

    old = asyncio.create_task(read(1_000_000))
    await asyncio.sleep(0)
    new = asyncio.create_task(read(2_500_000))
    await asyncio.gather(old, new)
    assert order[0] == 2_500_000


async def test_idle_reads_never_jump(host: Host, make: Make) -> None:
    host.rate = 1_000_000
    download = make()
    await download.begun()
    idle = asyncio.create_task(download.read(1_000_000, 100, idle=True))
    assert await idle == DATA[1_000_000:1_000_100]
    places = [one.start for one in host.asked]
    assert places == sorted(places)
    assert [(b.start - a.start) for a, b in pairwise(host.asked)] == [
        one.sent for one in host.asked[:-1]
    ], "each request begins where the one before ended"


@pytest.mark.parametrize("length", [True, False])
async def test_a_host_without_ranges_is_waited_for(host: Host, make: Make, length: bool) -> None:
    host.ranges, host.length, host.rate = False, length, 8_000_000
    download = make()
    await download.begun()
    assert download.size == (len(DATA) if length else None)
    assert await read_all(download, 2_500_000, 1000) == DATA[2_500_000:2_501_000]
    assert (await download.finished()).read_bytes() == DATA
    assert download.size == len(DATA)
    assert len(host.asked) == 1 and host.twice() == 0


async def test_a_cut_connection_is_gone_on_from_where_it_broke(host: Host, make: Make) -> None:
    host.cut_after = 1 << 18
    download = make()
    assert (await download.finished()).read_bytes() == DATA
    assert host.twice() == 0


async def test_without_ranges_a_cut_is_an_error(host: Host, make: Make) -> None:
    host.ranges, host.cut_after = False, 1 << 18
    download = make()
    await download.begun()
    with pytest.raises(RecordingError) as caught:
        await download.finished()
    assert caught.value.reason == "unreachable"
    assert await read_all(download, 0, 1000) == DATA[:1000], "what came can still be heard"


async def test_a_host_that_stays_away_is_an_error_and_the_next_read_tries_again(
    host: Host, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TRIES_S", (0.0, 0.01))
    download = make()
    await read_all(download, 0, 20_000)
    host.answer = lambda asked: 503
    with pytest.raises(RecordingError) as caught:
        await download.read(2_000_000, 100)
    assert caught.value.reason == "unreachable"
    host.answer = lambda asked: None
    assert await download.read(2_000_000, 100) == DATA[2_000_000:2_000_100]


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (b"<!doctype html><title>Log in</title>", "not_sound"),
        (b'{"error": "expired"}', "not_sound"),
        (b"#EXTM3U\nhttp://127.0.0.1/x\n", "not_sound"),
        (b"", "not_sound"),
        (403, "refused"),
        (404, "gone"),
        (503, "unreachable"),
    ],
)
async def test_what_is_no_sound_never_begins(
    host: Host, make: Make, tmp_path: Path, page: int | bytes, reason: str
) -> None:
    host.answer = lambda asked: page
    download = make()
    with pytest.raises(RecordingError) as caught:
        await download.begun()
    assert caught.value.reason == reason
    download.close()
    assert list((tmp_path / "download").iterdir()) == []


@pytest.mark.parametrize("change", ["size", "tag"])
async def test_a_recording_that_is_replaced_meanwhile_is_not_mixed(
    host: Host, make: Make, change: str
) -> None:
    host.rate = 1_000_000
    download = make()
    await download.begun()
    if change == "size":
        host.data = DATA[:-1]
    else:
        host.tag = '"two"'
    with pytest.raises(RecordingError) as caught:
        await download.read(2_000_000, 100)
    assert caught.value.reason == "changed"


async def test_closing_leaves_nothing(host: Host, make: Make, tmp_path: Path) -> None:
    host.rate = 100_000
    download = make()
    await download.begun()
    host.delay_s = 3
    waiting = asyncio.create_task(download.read(2_000_000, 10))
    await asyncio.sleep(0.05)
    download.close()
    assert list((tmp_path / "download").iterdir()) == []
    with pytest.raises(OSError):
        await waiting
    with pytest.raises(OSError):
        await download.read(0, 10)
    await nothing_open(host)


async def test_it_is_read_in_another_loop_than_it_comes_in(host: Host, make: Make) -> None:
    host.rate = 2_000_000
    download = make()
    await download.begun()

    async def elsewhere() -> bytes:
        return await read_all(download, 1_000_000, 1000)

    assert await asyncio.to_thread(asyncio.run, elsewhere()) == DATA[1_000_000:1_001_000]


async def test_a_full_disk_is_said_and_what_came_can_be_heard(
    host: Host, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, room = os.pwrite, 200_000

    def pwrite(fd: int, data: bytes, at: int) -> int:
        if at + len(data) > room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(fd, data, at)

    monkeypatch.setattr(os, "pwrite", pwrite)
    download = make()
    await download.begun()
    with pytest.raises(RecordingError) as caught:
        await download.finished()
    assert str(caught.value) == "there is no room left on the disk for the recording"
    assert await read_all(download, 0, 50_000) == DATA[:50_000]
    room = len(DATA)
    assert (await download.finished()).read_bytes() == DATA, "somebody made room"


async def test_requests_grow_so_that_a_long_recording_needs_few(host: Host, make: Make) -> None:
    await make().finished()
    assert len(host.asked) < 12
    assert host.asked[0].range == f"bytes=0-{module.FIRST - 1}"


async def test_padding_before_the_sound_is_looked_through(host: Host, make: Make) -> None:
    host.data = bytes(1000) + b"\xff\xfb\x90\x64" + bytes(5000)
    download = make()
    await download.begun()
    assert download.kind == "mp3"


async def test_a_host_that_gives_no_more_ranges_is_waited_for(host: Host, make: Make) -> None:
    host.rate = 2_000_000
    download = make()
    await read_all(download, 0, 20_000)
    host.ranges = False
    async with asyncio.timeout(10):
        assert await read_all(download, 2_000_000, 2000) == DATA[2_000_000:2_002_000]
        assert (await download.finished()).read_bytes() == DATA
    assert sum(not one.range or one.start == 0 for one in host.asked) <= 4


async def test_who_wants_the_middle_first_gets_it_and_the_file_is_whole(
    host: Host, make: Make
) -> None:
    download = make()
    at = 2_000_000
    assert await read_all(download, at, 1000) == DATA[at : at + 1000]
    assert host.asked[0].start == at, "the beginning is not asked for before"
    path = await download.finished()
    assert path.read_bytes() == DATA and path.suffix == ".mp3"
    assert host.twice() == 0
