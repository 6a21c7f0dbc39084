"""The folder of recordings that were played, and copies of them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from providers.model import Call, Recording
from tui.audio.peaks import Peaks
from tui.recordings.cache import PEAKS, RecordingCache, RecordingFile
from tui.recordings.download import copy_to, file_name

DAY = 86_400
NOW = 1_793_600_000.0


def keep(cache: RecordingCache, call: Call, index: int, data: bytes) -> Path:
    handle, partial = cache.partial()
    with os.fdopen(handle, "wb") as out:
        out.write(data)
    return cache.keep(partial, "desk", call, index, "mp3").path


def call(id_: str, *recordings: str) -> Call:
    return Call(id=id_, provider="nectar", recordings=tuple(map(Recording, recordings)))


@pytest.fixture
def cache(tmp_path: Path) -> RecordingCache:
    return RecordingCache(tmp_path / "recordings")


def test_a_kept_recording_is_found_by_account_call_and_recording(cache: RecordingCache) -> None:
    one = call("../../etc", "a/b", "c")
    path = keep(cache, one, 0, b"sound")
    found = cache.find("desk", one, 0)
    assert found is not None and found.path == path and found.kind == "mp3"
    assert cache.find("desk", one, 1) is None
    assert cache.find("other", one, 0) is None
    assert cache.find("desk", call("1", "a/b"), 0) is None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_sweep_takes_what_is_old_and_the_oldest_beyond_the_limit(cache: RecordingCache) -> None:
    paths = [keep(cache, call(str(n), "r"), 0, b"x" * 100) for n in range(4)]
    for age, path in zip((40, 3, 2, 1), paths, strict=True):
        os.utime(path, (NOW - age * DAY, NOW - age * DAY))
    assert cache.sweep(NOW, days=30, limit_bytes=250) == 2
    assert [path.exists() for path in paths] == [False, False, True, True]


def test_the_sweep_takes_what_a_killed_program_left_unfinished(cache: RecordingCache) -> None:
    (handle, old), (other, young) = cache.partial(), cache.partial()
    os.close(handle)
    os.close(other)
    os.utime(old, (NOW - 2 * DAY, NOW - 2 * DAY))
    os.utime(young, (NOW - DAY / 2, NOW - DAY / 2))
    assert cache.sweep(NOW, days=30) == 1
    assert not old.exists() and young.exists()


def test_a_waveform_lies_beside_its_recording_and_is_swept_with_it(
    cache: RecordingCache, tmp_path: Path
) -> None:
    heard, old = call("1", "a"), call("2", "a")
    for one in (heard, old):
        cache.keep_peaks("desk", one, 0, one.id.encode())
        assert cache.find("desk", one, 0) is None, "a waveform is no recording"
        path = keep(cache, one, 0, b"sound")
        assert cache.find("desk", one, 0) == RecordingFile(path, "mp3")
        assert cache.find_peaks("desk", one, 0) == one.id.encode()
    now = path.stat().st_mtime
    os.utime(path, (now - 40 * 86400, now - 40 * 86400))
    for file in tmp_path.rglob("*.peaks"):  # its own age does not count
        assert file.stat().st_mode & 0o777 == 0o600
        os.utime(file, (now - 40 * 86400, now - 40 * 86400))
    assert cache.sweep(now, days=30) == 1
    assert cache.find_peaks("desk", old, 0) is None
    assert cache.find_peaks("desk", heard, 0) == b"1" and cache.find("desk", heard, 0)


def test_what_cannot_be_measured_is_counted_by_its_reason(cache: RecordingCache) -> None:
    assert not cache.unmeasured()
    files = {"1": b"RBPXcrash\n18.1.0", "2": b"RBPXcrash\n", "3": b"RBPXtime\n18.1.0"}
    others = {"4": Peaks((bytearray(9000),), True).to_bytes(), "5": b"RBPX\xff", "6": b""}
    for id_, data in {**files, **others}.items():
        cache.keep_peaks("desk", call(id_, "a"), 0, data)
    assert cache.unmeasured() == {"crash": 2, "time": 1}


def test_forgetting_an_account_leaves_the_others(cache: RecordingCache) -> None:
    one = call("1", "r")
    path = keep(cache, one, 0, b"x")
    cache.forget("other")
    assert path.exists()
    cache.forget("desk")
    assert not path.exists()


def test_a_copy_never_writes_over_another_file(cache: RecordingCache, tmp_path: Path) -> None:
    one = call("1", "r")
    keep(cache, one, 0, b"sound")
    fetched = cache.find("desk", one, 0)
    assert fetched is not None
    folder = tmp_path / "out"
    first = copy_to(fetched, folder, "call.mp3")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert copy_to(fetched, folder, "call.mp3") == first
    first.write_bytes(b"the user's own")
    second = copy_to(fetched, folder, "call.mp3")
    assert second.name == "call-2.mp3" and second.read_bytes() == b"sound"
    assert first.read_bytes() == b"the user's own"


def test_a_link_in_the_way_is_not_followed(cache: RecordingCache, tmp_path: Path) -> None:
    one = call("1", "r")
    keep(cache, one, 0, b"sound")
    fetched = cache.find("desk", one, 0)
    assert fetched is not None
    folder, target = tmp_path / "out", tmp_path / "target"
    folder.mkdir()
    (folder / "call.mp3").symlink_to(target)
    assert copy_to(fetched, folder, "call.mp3").name == "call-2.mp3"
    assert not target.exists()


def test_names_come_from_ids_that_are_made_safe() -> None:
    assert file_name("nectar", call("../x y\x1b", "a"), 0, "mp3") == "undated_nectar_x-y.mp3"
    assert file_name("nectar", call("7", "a", "b"), 1, "mp4") == "undated_nectar_7_2.mp4"
    long = file_name("nectar", call("x" * 300, "a"), 0, "mp3")
    assert long == f"undated_nectar_{'x' * 80}.mp3"
    assert file_name("nectar", call("///", "a"), 0, "mp3") == "undated_nectar_call.mp3"


def test_a_waveform_that_cannot_be_kept_leaves_nothing(
    cache: RecordingCache, tmp_path: Path
) -> None:
    one = call("1", "a")
    keep(cache, one, 0, b"sound").with_suffix(PEAKS).mkdir()
    with pytest.raises(OSError):
        cache.keep_peaks("desk", one, 0, b"x")
    assert not list(tmp_path.rglob("*.part"))


def test_of_one_name_there_are_so_many_copies_at_most(
    cache: RecordingCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.recordings.download.MOST_COPIES", 3)
    keep(cache, call("1", "r"), 0, b"sound")
    fetched = cache.find("desk", call("1", "r"), 0)
    assert fetched is not None
    for name in ("call.mp3", "call-2.mp3", "call-3.mp3"):
        (tmp_path / name).write_bytes(b"other")
    with pytest.raises(FileExistsError, match="3 files of that name"):
        copy_to(fetched, tmp_path, "call.mp3")
    (tmp_path / "call-3.mp3").unlink()
    assert copy_to(fetched, tmp_path, "call.mp3").name == "call-3.mp3"


def test_a_copy_that_fails_leaves_nothing(cache: RecordingCache, tmp_path: Path) -> None:
    missing = RecordingFile(tmp_path / "gone.mp3", "mp3")
    with pytest.raises(FileNotFoundError):
        copy_to(missing, tmp_path / "out", "call.mp3")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_file_of_the_same_length_is_not_the_same(cache: RecordingCache, tmp_path: Path) -> None:
    keep(cache, call("1", "r"), 0, b"sound")
    fetched = cache.find("desk", call("1", "r"), 0)
    assert fetched is not None
    (tmp_path / "call.mp3").write_bytes(b"sounD")
    assert copy_to(fetched, tmp_path, "call.mp3").name == "call-2.mp3"
