"""`ringback accounts remove`: what goes is counted and asked about."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.archive.calls import call
from tui.archive.triage_events import state, tag
from tui.cli import main
from tui.config.accounts import make_account
from tui.config.paths import Paths
from tui.recordings.cache import PEAKS, RecordingCache
from tui.services import Services


@pytest.fixture(autouse=True)
def services(paths: Paths) -> Services:
    """Five calls, three of them decided about and one undone; two recordings."""
    services = Services.build()
    services.accounts.add(make_account("Desk", "nectar", "http://127.0.0.1:9", {"call_ids": "1-9"}))
    with services.open_archive() as archive:
        with archive.transaction():
            archive.save("Desk", [call(number) for number in range(1, 6)])
        archive.triage.append([("Desk", "1"), ("Desk", "2")], [state("done")], "ann")
        archive.triage.append([("Desk", "2")], [tag("x")], "ann")
        archive.triage.append([("Desk", "3")], [tag("x")], "ben")
        archive.triage.undo("ben")
    place = RecordingCache(services.paths.cached_recordings).place("Desk")
    place.mkdir(parents=True)
    for name in ("1-0.mp3", "2-0.mp3", f"1-0{PEAKS}"):
        (place / name).write_bytes(b"x")
    return services


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], list[str]]:
    """Somebody at the terminal, who types this or (None) ends it; what was asked."""

    def at(text: str | None) -> list[str]:
        asked: list[str] = []

        def typed(question: str) -> str:
            asked.append(question)
            if text is None:
                raise EOFError
            return text

        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        monkeypatch.setattr("builtins.input", typed)
        return asked

    return at


def left(services: Services) -> tuple[int, int]:
    with services.open_archive() as archive:
        return len(services.accounts.list()), archive.count()


WHAT = "5 calls and 2 recordings of Desk are removed from this machine, not at the vendor."


@pytest.mark.parametrize("text", ["", "n", "no", "nope", None])
def test_without_a_yes_all_stays(
    services: Services,
    answer: Callable[[str | None], list[str]],
    text: str | None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = answer(text)
    assert main(["accounts", "remove", "desk"]) == 1
    out, err = capsys.readouterr()
    assert WHAT in out and "What was decided about 2 calls no vendor can give back." in out
    assert asked == ["Remove the account? [y/N] "] and "nothing was removed" in err
    assert left(services) == (1, 5)


def test_a_yes_removes(
    services: Services,
    answer: Callable[[str | None], list[str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer("Y")
    assert main(["accounts", "remove", "desk"]) == 0
    assert "5 calls removed" in capsys.readouterr().out
    assert left(services) == (0, 0)
    assert RecordingCache(services.paths.cached_recordings).count("Desk") == 0


def test_a_script_says_yes_itself(services: Services, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["accounts", "remove", "desk"]) == 2
    err = capsys.readouterr().err
    assert WHAT in err and "add --yes" in err and left(services) == (1, 5)
    assert main(["accounts", "remove", "desk", "--keep-calls"]) == 2
    assert "its calls stay" in capsys.readouterr().err
    assert main(["accounts", "remove", "nobody"]) == 1
    assert "there is no account" in capsys.readouterr().err
    assert main(["accounts", "remove", "desk", "--keep-calls", "--yes"]) == 0
    assert left(services) == (0, 5)
