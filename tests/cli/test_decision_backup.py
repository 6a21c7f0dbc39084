"""A backup of the decisions that cannot be written is told, once, and ends nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.archive.calls import call
from tui.archive.sqlite.decision_backup import place_of
from tui.archive.triage_events import note
from tui.cli import main
from tui.config.accounts import make_account
from tui.services import Services


@pytest.fixture
def backup() -> Path:
    """A folder where the backup should be, beside an archive of two calls."""
    services = Services.build(os.environ)
    services.accounts.add(make_account("desk", "nectar", "http://127.0.0.1:9", {"call_ids": "1"}))
    with services.open_archive() as archive:
        with archive.transaction():
            archive.save("desk", [call(1), call(2)])
        archive.triage.append([("desk", "2")], [note("before")], "ann")
    place = place_of(services.paths.archive_file)
    place.unlink()
    place.mkdir()
    return place


@pytest.mark.parametrize(
    "words",
    [
        ["triage", "desk:1", "desk:2", "--state", "done", "--tag", "x"],
        ["hold", "desk:1", "--reason", "case"],
    ],
    ids=["triage", "hold"],
)
def test_it_is_told_with_the_cure(
    backup: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert main(words) == 0
    told, cure = capsys.readouterr().err.splitlines()
    assert told == f"ringback: the decisions are not backed up: {backup}: Is a directory"
    assert cure == (
        "They are in the archive. See whether the disk has room, and whether its folder may be"
        " written. The next decision tries again."
    )
    backup.rmdir()
    assert main(["triage", "desk:1", "--note", "now"]) == 0
    assert capsys.readouterr().err == ""
    assert backup.read_text().count("\n") >= 3


def test_a_sync_tells_it(
    backup: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["triage", "desk:1", "--state", "done"]) == 0
    capsys.readouterr()
    monkeypatch.setenv("RINGBACK_TOKEN_DESK", "t")
    assert main(["sync", "desk"]) == 0
    assert capsys.readouterr().err.count(f"not backed up: {backup}: ") == 1
