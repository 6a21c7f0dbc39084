from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import tui.config.settings
from tui.config.paths import Paths
from tui.config.settings import (
    AppSettings,
    AudioSettings,
    Settings,
    SettingsError,
    View,
    edit_settings,
    load_settings,
    put,
)


def written(paths: Paths, text: str) -> tui.config.settings.Settings:
    paths.config_file.write_text(text)
    return load_settings(paths)


def test_without_a_file_there_are_the_defaults(paths: Paths) -> None:
    settings = load_settings(paths)
    assert settings == tui.config.settings.Settings()
    assert not paths.config_file.exists()


def test_every_section_is_read(paths: Paths) -> None:
    settings = written(
        paths,
        '[app]\ntheme = "nord"\nrefresh_s = 60\n[table]\ncolumns = ["started_at", "contact"]\n'
        '[audio]\nspeed = 2\n[keys]\n"call.done" = "ctrl+d"\nplay = ["space", "k"]\n'
        '[views.missed]\nquery = "outcome:missed"\nkey = 3\n'
        '[views.long]\nquery = "a"\ntitle = "L"\n',
    )
    assert settings.problems == ()
    assert (settings.app.theme, settings.app.refresh_s) == ("nord", 60)
    assert settings.table.columns == ("started_at", "contact")
    assert settings.audio.speed == 2.0
    assert settings.keys == {"call.done": "ctrl+d", "play": "space,k"}
    assert settings.views == (
        View("missed", "outcome:missed", "missed", "3"),
        View("long", "a", "L", None),
    )


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("[app]\ntheme = 5\n", "app.theme: is text in quotes"),
        ('[app]\ntime_zone = "Mars/Base"\n', "app.time_zone: is a name such as Europe/Berlin"),
        ("[app]\nrefresh_s = true\n", "app.refresh_s: is a whole number"),
        ("[app]\nrefresh_s = -1\n", "app.refresh_s: is between 0 and 86400"),
        ("[audio]\nspeed = nan\n", "audio.speed: is between 0.5 and 3"),
        ('[audio]\nvolume = "loud"\n', "audio.volume: is"),
        ("[table]\ncolumns = [1]\n", "table.columns: is a list of names"),
        ("app = 1\n", "app: is a section: write [app]"),
        ("[keys]\nx = 1\n", "keys.x: is a key in quotes"),
        ("[views]\nx = 1\n", "views.x: is a section: write [views.NAME]"),
        ("[views.x]\ntitle = 'a'\n", "views.x.query: is missing"),
        ("[views.x]\nquery = 'a'\nkey = 'a'\n", "views.x.key: is one of"),
        ("[accounts]\nx = 'tok-SENTINEL'\n", "accounts.x: is a section"),
        ("[audio]\nrewind_s = 1" + "0" * 400, "audio.rewind_s: is between 0 and 10"),
        ("[audio]\nspeed = true\n", "audio.speed: is a number"),
    ],
)
def test_what_is_wrong_is_named_and_the_default_holds(paths: Paths, text: str, names: str) -> None:
    settings = written(paths, text)
    assert len(settings.problems) == 1
    assert names in settings.problems[0]
    assert settings.problems[0].startswith(str(paths.config_file))
    assert "tok-SENTINEL" not in repr(settings)
    assert (settings.app, settings.audio) == (AppSettings(), AudioSettings())


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("\n[app\n", ", line 2: Expected"),
        ("a = 1\na = 2\n", "line 2"),
        ("a = " + "[" * 5000, "config.toml"),
        ("[app]\nrefresh_s = " + "9" * 5000, "config.toml: a number in it is too long"),
    ],
)
def test_where_nothing_can_be_read_defaults_hold_and_names_are_masked(
    paths: Paths, text: str, names: str
) -> None:
    settings = written(paths, text)
    [problem] = settings.problems
    assert names in problem and problem.startswith(str(paths.config_file))
    assert settings == Settings(
        app=AppSettings(masked=True), problems=settings.problems, broken=settings.broken
    )
    assert settings.broken is not None


def test_two_views_do_not_share_a_key(paths: Paths) -> None:
    settings = written(paths, "[views.a]\nquery=''\nkey='1'\n[views.b]\nquery=''\nkey='1'\n")
    assert [view.key for view in settings.views] == ["1", None]
    assert "taken" in settings.problems[0]


def test_a_file_that_is_not_text_is_a_problem(paths: Paths) -> None:
    paths.config_file.write_bytes(b"[app]\ntheme = '\xff'\n")
    assert "not UTF-8" in load_settings(paths).problems[0]
    paths.config_file.unlink()
    paths.config_file.mkdir()
    assert "directory" in load_settings(paths).problems[0]


def test_writing_keeps_comments_order_line_ends_and_unknown_keys(paths: Paths) -> None:
    before = (
        b"# my settings\r\n[table] # wide\r\nsort = 'x' # old\r\nmystery = 1979-05-27\r\n\r\n"
        b"[future]\r\nq = 0x1F\r\n"
    )
    paths.config_file.write_bytes(before)
    put(paths, "table", "sort", "-duration_s")
    assert paths.config_file.read_bytes() == before.replace(b"'x'", b'"-duration_s"')
    put(paths, "app", "theme", "nord")
    put(paths, "table", "columns", ["a", "b"])
    settings = load_settings(paths)
    assert (settings.app.theme, settings.table.columns) == ("nord", ("a", "b"))
    assert b"mystery = 1979-05-27" in paths.config_file.read_bytes()


def test_nothing_is_written_when_the_change_fails_or_changes_nothing(paths: Paths) -> None:
    put(paths, "app", "theme", "nord")
    stamp = paths.config_file.stat()

    def fails(document: object) -> None:
        document["x"] = 1  # type: ignore[index]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        edit_settings(paths, fails)
    put(paths, "app", "theme", "nord")
    after = paths.config_file.stat()
    assert (after.st_ino, after.st_mtime_ns) == (stamp.st_ino, stamp.st_mtime_ns)
    with pytest.raises(SettingsError, match=r"app\.theme is not a section"):
        edit_settings(
            paths, lambda document: tui.config.settings.subtable(document, "app", "theme")
        )


def test_writers_at_the_same_time_lose_nothing(paths: Paths) -> None:
    code = (
        "import sys; from tui.config.paths import Paths; from tui.config.settings import put\n"
        "for n in range(8): put(Paths.default(), 'keys', f'p{sys.argv[1]}-{n}', 'x')"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    children = [
        subprocess.Popen([sys.executable, "-c", code, str(number)], env=env) for number in range(3)
    ]
    threads = [
        threading.Thread(target=put, args=(paths, "keys", f"t{number}", "x")) for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [child.wait(20) for child in children] == [0, 0, 0]
    assert len(load_settings(paths).keys) == 3 * 8 + 4
    assert sorted(file.name for file in paths.config.iterdir()) == [
        "config.toml",
        "config.toml.lock",
    ]


def test_a_lock_that_is_held_too_long_is_told(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tui.config.settings, "_LOCK_S", 0.1)

    def inside(document: object) -> None:
        put(paths, "app", "theme", "x")

    with pytest.raises(SettingsError, match="another ringback"):
        edit_settings(paths, inside)


def test_a_linked_file_stays_a_link(paths: Paths, tmp_path: Path) -> None:
    mine = tmp_path / "dotfiles.toml"
    mine.write_text("# mine\n")
    paths.config_file.symlink_to(mine)
    put(paths, "app", "theme", "nord")
    assert paths.config_file.is_symlink()
    assert mine.read_text().startswith("# mine\n")
    assert 'theme = "nord"' in mine.read_text()


def test_what_only_the_reader_understands_is_left_to_hands(paths: Paths) -> None:
    text = "a" + ".a" * 200 + " = 1\n"
    paths.config_file.write_text(text)
    with pytest.raises(SettingsError, match="edit it by hand"):
        put(paths, "app", "theme", "nord")
    assert paths.config_file.read_text() == text
