"""What `ringback play` remembers of a recording, and which one it goes on with."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from providers.model import Recording
from tests.archive.calls import call
from tui.archive.interface import CallArchive
from tui.audio.client.state import PlayerState
from tui.cli import main
from tui.cli.play import PlaybackSession, seconds
from tui.exit_codes import CommandError
from tui.services import Services

CALL = call(1, recordings=(Recording("a"), Recording("b"), Recording("c")))


@pytest.fixture
def services() -> Services:
    return Services.build(os.environ)


@pytest.fixture
def archive(services: Services) -> Iterator[CallArchive]:
    with services.open_archive() as archive:
        with archive.transaction():
            archive.save("desk", [CALL])
        yield archive


def left(archive: CallArchive, recording: str = "a") -> float | None:
    known = archive.listening.of_call("desk", "1").get(recording)
    return known.left_s if known else None


def test_it_goes_on_where_it_was_left(services: Services, archive: CallArchive) -> None:
    first = PlaybackSession(services, archive, "desk", CALL, 0)
    assert first.left_s == 0.0
    first.begin(0.0)
    first.watch(PlayerState("playing", 12.0, 60.0))
    first.watch(PlayerState("playing", 14.0, 60.0))
    assert left(archive) == 12.0, "it is noted now and then"
    first.leave()
    assert left(archive) == 14.0
    assert PlaybackSession(services, archive, "desk", CALL, 0).left_s == 14.0
    assert PlaybackSession(services, archive, "desk", CALL, 1).left_s == 0.0


def test_what_nobody_heard_is_not_noted(services: Services, archive: CallArchive) -> None:
    session = PlaybackSession(services, archive, "desk", CALL, 0)
    session.begin(5.0)
    session.watch(PlayerState("playing", 12.0, 60.0, silent=True))
    session.watch(PlayerState("loading", 12.0, 60.0))
    session.leave()
    assert left(archive) is None


def test_what_was_heard_once_stays_heard(services: Services, archive: CallArchive) -> None:
    session = PlaybackSession(services, archive, "desk", CALL, 0)
    session.begin(0.0)
    session.watch(PlayerState("ended", 60.0, 60.0))
    heard = archive.listening.of_call("desk", "1")["a"].heard_at
    assert heard
    again = PlaybackSession(services, archive, "desk", CALL, 0)
    again.begin(0.0)
    again.watch(PlayerState("playing", 3.0, 60.0))
    again.leave()
    assert archive.listening.of_call("desk", "1")["a"].heard_at
    assert archive.listening.of_call("desk", "1")["a"].left_s == 3.0


def test_an_end_that_is_the_beginning_is_not_heard(
    services: Services, archive: CallArchive
) -> None:
    session = PlaybackSession(services, archive, "desk", CALL, 0)
    session.begin(60.0)
    session.watch(PlayerState("ended", 60.0, 60.0))
    assert left(archive) is None


@pytest.mark.parametrize(
    ("index", "step", "there"),
    [(0, 1, True), (0, 2, True), (0, 3, False), (0, -1, False), (2, -2, True), (2, 1, False)],
)
def test_there_is_a_recording_so_many_further_or_not(
    services: Services, archive: CallArchive, index: int, step: int, there: bool
) -> None:
    session = PlaybackSession(services, archive, "desk", CALL, index)
    assert session.step == 0
    assert session.go(step) is there and session.step == (step if there else 0)


def test_a_note_that_cannot_be_written_now_ends_nothing(
    services: Services, archive: CallArchive
) -> None:
    session = PlaybackSession(services, archive, "desk", CALL, 0)
    session.begin(0.0)
    archive.listening.wait_at_most(0.0)
    with services.open_archive() as other, other.transaction():
        session.watch(PlayerState("playing", 12.0, 60.0))
    assert left(archive) is None
    session.leave()
    assert left(archive) == 12.0


@pytest.mark.parametrize(
    ("text", "found"),
    [("7", 7.0), ("0:07", 7.0), ("3:12", 192.0), ("1:02:03", 3723.0), (" 1.5 ", 1.5), ("90:00", 5400.0)],
)  # fmt: skip
def test_a_time_in_a_recording(text: str, found: float) -> None:
    assert seconds(text) == found


@pytest.mark.parametrize("text", ["", ":", "1:", "a", "-1", "1:2:3:4", "nan", "1,5"])
def test_what_is_no_time_in_a_recording(text: str) -> None:
    with pytest.raises(CommandError) as caught:
        seconds(text)
    assert caught.value.code == 2 and "for example 3:12" in caught.value.message


def test_recordings_are_played_one_after_the_other(
    services: Services, archive: CallArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As keys ask for them; a terminal goes on where each was left, and an error ends it."""
    from tui.recordings.cache import RecordingCache

    cache = RecordingCache(services.paths.cached_recordings)
    for index in range(3):
        handle, partial = cache.partial()
        os.close(handle)
        cache.keep(partial, "desk", CALL, index, "mp3")
    archive.listening.note("desk", "1", "b", 20.0, 60.0, None)
    archive.close()
    keys = iter([(1, 0), (-1, 0), (2, 0), (-1, 5)])
    played: list[tuple[str, float]] = []

    async def play(
        source: object, title: str, options: object, begin_s: float, watch: object, go: object
    ) -> int:
        played.append((title, begin_s))
        step, code = next(keys)
        assert callable(go) and go(step)
        return code

    monkeypatch.setattr("tui.cli.terminal_player.play_on_terminal", play)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    from tui.config.accounts import make_account

    services.accounts.add(make_account("desk", "nectar", "http://127.0.0.1:9", {"call_ids": "1"}))
    assert main(["play", "ringback://desk/1?t=4s"]) == 5
    who = "Contact 1"
    assert played == [
        (f"{who} (1 of 3)", 4.0),
        (f"{who} (2 of 3)", 20.0),
        (f"{who} (1 of 3)", 0.0),
        (f"{who} (3 of 3)", 0.0),
    ]
