"""Recordings: served as files are, damaged as they sometimes are, and heard as conversations."""

from __future__ import annotations

import io
import math
from array import array
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise

import av
import httpx
import pytest

from providers.sandbox import Sandbox, media, speech
from providers.sandbox.media import TRAITS, Files, Sound
from providers.sandbox.speech import RATE, STYLES
from tests.slow_params import few

Get = Callable[..., httpx.Response]

make = cache(media.make)  # a minute of sound takes a second to make
SOUND = Sound("/x", 12345, 20, "mp3-phone", (0, 1))


@pytest.fixture(scope="module")
def get(world: Sandbox, client: httpx.Client) -> Get:
    def get(sound: Sound, **headers: str) -> httpx.Response:
        return client.get(world.media_url + sound.path, headers=headers)

    return get


def pick(world: Sandbox, trait: str = "", style: str = "") -> Sound:
    """The shortest public recording of a kind."""
    return min(
        (
            sound
            for sound in world.data.sounds.values()
            if sound.trait == trait and style in ("", sound.style)
            if not sound.private
        ),
        key=lambda sound: sound.seconds,
    )


# -- HTTP


def test_a_recording_is_served_whole_with_type_length_and_etag(world: Sandbox, get: Get) -> None:
    sound = pick(world, style="mp3-phone")
    answer = get(sound)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "audio/mpeg"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert answer.content == make(sound)
    assert get(sound).headers["ETag"] == answer.headers["ETag"]


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [("0-99", 0, 100), ("100-", 100, None), ("-50", -50, None), ("10-99999999", 10, None)],
)
def test_a_range_is_served_as_206(
    world: Sandbox, get: Get, wanted: str, start: int, stop: int | None
) -> None:
    sound = pick(world, style="mp3-phone")
    whole = get(sound).content
    answer = get(sound, Range=f"bytes={wanted}")
    assert answer.status_code == 206
    assert answer.content == whole[start:stop]
    first = start % len(whole) if start < 0 else start
    last = first + len(answer.content) - 1
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(whole)}"


def test_a_range_outside_is_416_and_one_of_another_version_is_the_whole(
    world: Sandbox, get: Get
) -> None:
    sound = pick(world, style="mp3-phone")
    whole = get(sound)
    outside = get(sound, Range="bytes=99999999-")
    assert outside.status_code == 416
    assert outside.headers["Content-Range"] == f"bytes */{len(whole.content)}"
    assert get(sound, **{"Range": "bytes=5-", "If-Range": '"old"'}).content == whole.content
    same = get(sound, **{"Range": "bytes=5-", "If-Range": whole.headers["ETag"]})
    assert (same.status_code, same.content) == (206, whole.content[5:])
    assert get(sound, Range="bytes=-").status_code == 200


def test_head_says_the_length_without_the_body(world: Sandbox, client: httpx.Client) -> None:
    sound = pick(world, style="mp3-phone")
    url = world.media_url + sound.path
    answer = client.head(url)
    assert answer.content == b""
    assert int(answer.headers["Content-Length"]) == len(client.get(url).content)


def test_what_is_wrong_is_rare_and_all_of_it_occurs(world: Sandbox) -> None:
    sounds = list(world.data.sounds.values())
    damaged = [sound for sound in sounds if sound.trait]
    assert {sound.trait for sound in damaged} == set(TRAITS)
    assert len(damaged) < 0.03 * len(sounds)


@pytest.mark.parametrize(("trait", "status"), [("refused", 403), ("missing", 404), ("gone", 410)])
def test_some_recordings_cannot_be_had(world: Sandbox, get: Get, trait: str, status: int) -> None:
    assert get(pick(world, trait)).status_code == status


def test_one_trait_is_a_page_instead_of_sound(world: Sandbox, get: Get) -> None:
    answer = get(pick(world, "page"))
    assert (answer.status_code, answer.headers["Content-Type"][:9]) == (200, "text/html")
    assert b"expired" in answer.content


def test_one_trait_is_a_file_cut_short(world: Sandbox, get: Get) -> None:
    sound = pick(world, "cut")
    assert make(sound).startswith(get(sound).content)
    assert len(get(sound).content) == len(make(sound)) * 55 // 100


def test_one_trait_is_a_connection_lost_on_the_way_that_can_be_resumed(
    world: Sandbox, get: Get
) -> None:
    sound = pick(world, "dropped")
    with pytest.raises(httpx.RemoteProtocolError):
        get(sound)
    rest = get(sound, Range="bytes=1000-")
    assert rest.content == make(sound)[1000:]


def test_one_trait_is_a_redirect_and_one_an_unnamed_type_and_one_nothing(
    world: Sandbox, get: Get, client: httpx.Client
) -> None:
    moved = pick(world, "moved")
    answer = get(moved)
    assert answer.status_code == 302
    assert client.get(world.media_url + answer.headers["Location"]).status_code == 200
    untyped = get(pick(world, "untyped"))
    assert untyped.headers["Content-Type"] == "application/octet-stream"
    assert get(pick(world, "empty")).content == b""


def test_the_media_origin_needs_no_token_and_writes_down_what_it_gets(fresh: Sandbox) -> None:
    url = fresh.media_url + next(iter(fresh.data.sounds)) + "x"
    with httpx.Client() as client:
        assert client.get(url, headers={"X-Api-Key": "leaked"}).status_code == 404
        assert client.post(url).status_code == 405
    assert fresh.requests[0].headers["x-api-key"] == "leaked"


def test_only_the_latest_files_stay_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def make(sound: Sound) -> bytes:
        made.append(sound.number)
        return b"x" * 100

    monkeypatch.setattr("providers.sandbox.media.CACHE_BYTES", 250)
    monkeypatch.setattr("providers.sandbox.media.make", make)
    files = Files()
    sounds = [Sound("/x", number, 1, "mp4", (0, 1)) for number in range(3)]
    for number in (0, 1, 0, 2, 0, 1):
        assert len(files.read(sounds[number])) == 100
    assert made == [0, 1, 2, 1]


# -- sound


def decoded(data: bytes) -> tuple[array[int], array[int]]:
    """Left and right at 8 kHz."""
    left, right = array("h"), array("h")
    resampler = av.AudioResampler(format="s16", layout="stereo", rate=RATE)
    with av.open(io.BytesIO(data), "r") as container:
        coded = [*container.decode(audio=0), None]
        for frame in (made for piece in coded for made in resampler.resample(piece)):
            both = array("h", bytes(frame.planes[0])[: frame.samples * 4])
            left.extend(both[0::2])
            right.extend(both[1::2])
    return left, right


def loudness(samples: Sequence[int], frame: int = 400) -> list[float]:
    """Root mean square of every 50 ms."""
    return [
        math.sqrt(sum(s * s for s in samples[n : n + frame]) / frame)
        for n in range(0, len(samples) - frame, frame)
    ]


SILENT, SPEAKING = 150, 700


@pytest.mark.parametrize("style", few(3, STYLES))
def test_every_format_decodes_to_the_stated_length_rate_and_sides(style: str) -> None:
    data = make(Sound("/x", 5, 20, style, (0, 1)))
    with av.open(io.BytesIO(data)) as container:
        audio = container.streams.audio[0]
        assert audio.rate == STYLES[style].rate
        assert audio.layout.name == STYLES[style].layout
        assert len(container.streams.video) == STYLES[style].picture
    left, _ = decoded(data)
    assert abs(len(left) / RATE - 20) < 0.2
    assert abs(len(data) / Sound("/x", 5, 20, style, (0, 1)).size - 1) < 0.4


def test_the_index_of_an_mp4_comes_first_or_last() -> None:
    first, last = (make(Sound("/x", 5, 5, style, (0, 1))) for style in ("mp4", "mp4-index-last"))
    assert first.index(b"moov") < first.index(b"mdat")
    assert last.index(b"moov") > last.index(b"mdat")


def test_the_picture_moves_for_as_long_as_the_sound() -> None:
    data = make(Sound("/x", 5, 9, "mp4-video", (0, 1)))
    with av.open(io.BytesIO(data), "r") as container:
        pictures = [bytes(frame.planes[0]) for frame in container.decode(video=0)]
    assert len(pictures) == 18
    assert len(set(pictures)) > 9


def test_a_recording_is_speech_with_pauses() -> None:
    levels = loudness(decoded(make(SOUND))[0])
    spoken = sum(level > SPEAKING for level in levels) / len(levels)
    silent = sum(level < SILENT for level in levels) / len(levels)
    assert 0.4 < spoken < 0.9
    assert 0.08 < silent < 0.5
    assert 3000 < max(levels) < 20000
    turns = sum(a < SILENT <= b for a, b in pairwise(levels))
    assert turns > 4


@pytest.mark.parametrize("style", ["mp3-sides", "mp3-sides-long", "mp4-sides"])
def test_each_side_has_a_voice_and_they_take_turns(style: str) -> None:
    left, right = map(loudness, decoded(make(Sound("/x", 9, 40, style, (0, 1)))))
    alone_left = sum(a > SPEAKING and b < SILENT for a, b in zip(left, right, strict=True))
    alone_right = sum(b > SPEAKING and a < SILENT for a, b in zip(left, right, strict=True))
    both = sum(a > SPEAKING and b > SPEAKING for a, b in zip(left, right, strict=True))
    assert alone_left > 0.15 * len(left)
    assert alone_right > 0.15 * len(right)
    assert both < 0.1 * len(left)


def pitch(samples: Sequence[int]) -> float:
    """Hertz of the strongest period between 70 and 330 Hz, by autocorrelation."""
    spans = range(RATE // 330, RATE // 70)

    def likeness(lag: int) -> int:
        return sum(a * b for a, b in zip(samples, samples[lag:], strict=False))

    return RATE / max(spans, key=likeness)


def test_low_and_high_voices_differ_in_pitch() -> None:
    low, high = (
        sorted(pitch(speech.syllables(n)["middle"][k][-1200:-300]) for k in range(7))[3]
        for n in (0, 1)
    )
    assert 75 < low < 130
    assert 160 < high < 240


def test_a_voicemail_is_a_beep_and_one_voice() -> None:
    agent, customer = speech.conversation(3, 15, (0, 1), voicemail=True)
    assert max(loudness(agent)) < SILENT
    assert max(loudness(customer[4000:])) > SPEAKING
    assert abs(pitch(customer[800:2400]) - 1000 / 4) < 85  # a divisor of 1000 Hz


@pytest.mark.parametrize("seconds", [1, 2, 3, 7])
def test_short_recordings_are_heard_too(seconds: int) -> None:
    sides = speech.conversation(4, seconds, (2, 3))
    assert [len(side) for side in sides] == [seconds * RATE] * 2
    assert max(map(max, map(loudness, sides))) > SPEAKING


def test_the_same_recording_is_the_same_bytes_whatever_came_before() -> None:
    first = make(SOUND)
    make(Sound("/y", 99, 3, "mp4", (5, 2)))
    assert make(SOUND) == first
    assert make(Sound("/x", 12346, 20, "mp3-phone", (0, 1))) != first


def test_syllables_are_made_once_however_long_the_talk(monkeypatch: pytest.MonkeyPatch) -> None:
    speech.conversation(1, 5, (4, 7))
    monkeypatch.setattr(speech, "_syllable", None)
    left, _ = speech.conversation(2, 600, (4, 7))
    assert len(left) == 600 * RATE


def test_all_recordings_of_the_week_state_a_length_that_a_recorder_allows(world: Sandbox) -> None:
    sounds = world.data.sounds.values()
    assert all(1 <= sound.seconds <= 600 for sound in sounds)
    assert {sound.style for sound in sounds} == set(STYLES)
    assert all(sound.speakers[0] != sound.speakers[1] for sound in sounds)
    assert len({sound.path for sound in sounds}) == len(sounds)
