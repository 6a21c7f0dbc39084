"""When listening is noted, and what counts as heard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tui.archive.records import Heard
from tui.archive.sqlite import Archive
from tui.config.settings import load_settings
from tui.playback.history import NOTE_S, ListeningHistory, ListeningSession
from tui.services import Services


def sitting(now: list[float]) -> ListeningSession:
    return ListeningSession("main", "1", "a", lambda: now[0])


def test_it_is_noted_now_and_then_while_it_plays_and_at_a_pause() -> None:
    now = [1000.0]
    one = sitting(now)
    assert not one.listen("loading", 0.0, 60.0), "nothing sounded yet"
    assert one.listen("playing", 0.1, 60.0)
    assert not one.listen("playing", 5.0, 60.0)
    now[0] += NOTE_S
    assert one.listen("playing", 10.0, 60.0)
    assert one.listen("paused", 10.5, 60.0)
    assert not one.heard


def test_the_end_counts_as_heard() -> None:
    one = sitting([1000.0])
    one.listen("playing", 58.0, 60.0)
    assert one.listen("ended", 60.0, 60.0) and one.heard


@pytest.mark.parametrize(("seconds", "heard"), [(53, False), (54, True)])
def test_nine_tenths_count_as_heard(seconds: int, heard: bool) -> None:
    one = sitting([1000.0])
    for second in range(seconds):
        one.listen("playing", second + 0.2, 60.0)
        one.listen("playing", second + 0.7, 60.0)
    assert one.heard is heard


def test_going_near_the_end_does_not() -> None:
    one = sitting([1000.0])
    one.listen("playing", 1.0, 60.0)
    one.listen("playing", 57.0, 60.0)
    assert not one.heard


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    from tests.archive.calls import call

    services = Services.build()
    with services.open_archive() as archive, archive.transaction():
        archive.save("main", [call(1)])
    yield services


async def test_the_latest_of_several_notes_is_written_and_all_at_the_end(
    services: Services,
) -> None:
    memory, one = ListeningHistory(services), sitting([1000.0])
    for at_s in (1.0, 2.0, 30.0):
        one.listen("playing", at_s, 60.0)
        memory.note(one)
    memory.keep_setting("speed", 1.5)
    memory.keep_setting("volume", 80)
    memory.keep_setting("speed", 2.0)
    await memory.close()
    assert await memory.find("main", "1") == {"a": Heard(30.0, 60.0)}
    audio = load_settings(services.paths).audio
    assert (audio.speed, audio.volume, audio.rewind_s) == (2.0, 80, 1.5)


async def test_what_cannot_be_written_now_is_written_later(services: Services) -> None:
    memory, one = ListeningHistory(services), sitting([1000.0])
    one.listen("playing", 30.0, 60.0)
    with Archive(services.paths.archive_file) as other:
        with other.transaction():
            memory.note(one)
            await memory.write()
            await memory.write()
        assert other.listening.of_call("main", "1") == {}
        await memory.write()
        assert other.listening.of_call("main", "1") == {"a": Heard(30.0, 60.0)}
    await memory.close()


@pytest.mark.parametrize("length_s", [None, 60.0])
def test_what_ended_begins_anew_although_its_length_was_not_known(
    services: Services, length_s: float | None
) -> None:
    one = sitting([1000.0])
    one.listen("playing", 20.0, length_s)
    one.listen("ended", 30.0, length_s)
    with services.open_archive() as archive:
        one.note(archive)
        assert archive.listening.of_call("main", "1")["a"].left_s == 0.0


def test_an_end_without_sound_is_not_heard() -> None:
    """Whoever begins behind a recording's end hears nothing of it."""
    sitting = ListeningSession("main", "1", "a", lambda: 0.0, began_s=12.0)
    assert not sitting.listen("ended", 6.0, 12.0)
    assert not sitting.heard
    assert not sitting.played
    assert sitting.length_s == 12.0
    sitting = ListeningSession("main", "1", "a", lambda: 0.0)
    assert not sitting.listen("ended", 0.0, 12.0)
    assert not sitting.heard
    assert sitting.listen("ended", 12.0, 12.0)
    assert sitting.heard
