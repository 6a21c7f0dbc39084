"""What stands where SQLite keeps files of its own beside the archive, and is none of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.archive.calls import call
from tui.cli import main
from tui.services import Services


@pytest.fixture
def archive_file() -> Path:
    services = Services.build(os.environ)
    with services.open_archive() as archive, archive.transaction():
        archive.save("desk", [call(1)])
    return services.paths.archive_file


def put(place: Path, kind: str) -> None:
    if kind == "a folder":
        place.mkdir()
    elif kind == "not a file":
        os.mkfifo(place)
    else:
        target = place.with_name("elsewhere")
        target.touch()
        place.symlink_to(target)


def take_away(place: Path) -> None:
    if place.is_dir():
        place.rmdir()
    else:
        place.unlink()


MOVE_AWAY = "Move it away; the archive itself stays where it is.\n"


@pytest.mark.parametrize("ending", ["-wal", "-shm", "-journal"])
@pytest.mark.parametrize("kind", ["a folder", "not a file", "a symbolic link"])
def test_a_repair_names_it_and_touches_nothing(
    archive_file: Path, capsys: pytest.CaptureFixture[str], kind: str, ending: str
) -> None:
    place = archive_file.with_name(f"archive.db{ending}")
    if place.exists():
        take_away(place)
    put(place, kind)
    before = archive_file.read_bytes(), sorted(os.listdir(archive_file.parent))
    assert main(["doctor", "--repair"]) == 1
    assert capsys.readouterr().err == (
        f"ringback: the archive {archive_file} cannot be repaired: {place} is {kind}\n{MOVE_AWAY}"
    )
    assert before == (archive_file.read_bytes(), sorted(os.listdir(archive_file.parent)))
    take_away(place)
    assert main(["doctor", "--repair"]) == 0
    assert "there is nothing to repair" in capsys.readouterr().out


def test_a_link_is_named_where_something_is_to_be_written(
    archive_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = archive_file.with_name("archive.db-wal")
    put(log, "a symbolic link")
    assert main(["hold", "desk:1"]) == 1
    assert capsys.readouterr().err == (
        f"ringback: the archive can only be read: {log} is a symbolic link\n{MOVE_AWAY}"
    )
    assert main(["calls"]) == 0
    assert "desk:1" in capsys.readouterr().out


def test_a_folder_that_hides_the_archive_is_named(
    archive_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = archive_file.with_name("archive.db-wal")
    put(log, "a folder")
    assert main(["calls"]) == 1
    assert capsys.readouterr().err == (
        f"ringback: the archive {archive_file} cannot be opened: {log} is a folder\n{MOVE_AWAY}"
    )
