from __future__ import annotations

import errno
import logging
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from providers.base import Secret
from tests.archive.calls import call
from tui import audit_log
from tui.archive.sqlite import Archive
from tui.archive.sqlite.damage import mark_of
from tui.archive.sqlite.decision_backup import earlier_of, place_of
from tui.archive.sqlite.integrity_check import check
from tui.archive.triage_events import state
from tui.config.paths import Paths, atomic_write, private_umask
from tui.config.settings import Settings, SettingsError, load_settings
from tui.config.token_origins import Origins
from tui.log import log_crash, redact, scrub, setup_log, try_log

posix = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_one_folder_holds_everything_when_it_is_named(tmp_path: Path) -> None:
    paths = Paths.default({"RINGBACK_HOME": str(tmp_path / "all"), "XDG_CONFIG_HOME": "/etc"})
    assert all(folder.is_relative_to(tmp_path / "all") for folder in paths.folders())
    assert paths.config_file == tmp_path / "all/config/config.toml"


def test_the_xdg_variables_hold_and_relative_ones_do_not(tmp_path: Path) -> None:
    names = ("CONFIG_HOME", "DATA_HOME", "CACHE_HOME", "STATE_HOME", "RUNTIME_DIR")
    paths = Paths.default({f"XDG_{name}": f"{tmp_path}/{name}" for name in names})
    assert paths == Paths(*(tmp_path / name / "ringback" for name in names))
    home = Path(os.environ["HOME"])
    relative = Paths.default(dict.fromkeys((f"XDG_{name}" for name in names), "relative"))
    assert all(folder.is_relative_to(home) for folder in relative.folders())


@posix
def test_folders_are_made_private_under_any_umask(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        paths = Paths.under(tmp_path / "new/home")
        paths.make()
        assert {mode(folder) for folder in paths.folders()} == {0o700}
        assert mode(tmp_path / "new") == 0o700
        private_umask()
        (tmp_path / "file").touch()
        assert mode(tmp_path / "file") == 0o600
    finally:
        os.umask(old)


@posix
def test_what_others_could_read_is_told_and_repaired(paths: Paths) -> None:
    paths.data.chmod(0o755)
    paths.archive_file.touch(0o644)
    paths.archive_file.chmod(0o644)
    assert len(paths.loose()) == 2
    assert f"{paths.data} has mode 0755; it should be 0700" in paths.loose()
    paths.make()
    assert paths.loose() == []
    assert (mode(paths.data), mode(paths.archive_file)) == (0o700, 0o600)


def test_a_file_where_a_folder_should_be_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "config").touch()
    with pytest.raises(OSError, match="config"):
        Paths.under(tmp_path).make()


@posix
def test_a_write_is_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "f"
    atomic_write(file, "old\r\n")
    assert file.read_bytes() == b"old\r\n"
    assert mode(file) == 0o600

    def no_space(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space"):
        atomic_write(file, "new")
    assert file.read_bytes() == b"old\r\n"
    assert list(tmp_path.iterdir()) == [file]


# ---------------------------------------------------------------- log


@pytest.fixture
def log_file(paths: Paths) -> Iterator[Path]:
    root, levels = logging.getLogger(), {}
    for name in ("", "httpx", "httpcore"):
        levels[name] = logging.getLogger(name).level
    handler = setup_log(paths, debug=True)
    yield paths.log_file
    root.removeHandler(handler)
    handler.close()
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def test_the_log_is_private_and_blanks_tokens_wherever_they_come_from(log_file: Path) -> None:
    redact(Secret("tok/SENTINEL+7"))
    log = logging.getLogger("ringback.test")
    log.info("sending %s", "tok/SENTINEL+7")
    log.info("as tok%2FSENTINEL%2B7")
    try:
        raise ValueError("refused tok/SENTINEL+7")
    except ValueError as error:
        log_crash(error)
    text = log_file.read_text()
    assert "SENTINEL" not in text
    assert text.count("***") >= 3
    assert "Traceback" in text
    assert mode(log_file) == 0o600


def test_httpx_does_not_print_addresses(log_file: Path) -> None:
    logging.getLogger("httpx").info("HTTP Request: GET https://api/x?sig=1")
    logging.getLogger("httpcore.http11").debug("headers")
    logging.getLogger("ringback").info("end")
    assert log_file.read_text().count("\n") == 1


def test_a_log_whose_rest_finds_no_room_is_replaced_all_the_same(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = setup_log(paths)

    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(first, "close", full)
        second = setup_log(paths)
    first.close()
    assert second in logging.getLogger().handlers and first not in logging.getLogger().handlers
    logging.getLogger().removeHandler(second)
    second.close()


def test_a_second_set_up_does_not_double_the_lines(log_file: Path, paths: Paths) -> None:
    second = setup_log(paths)
    logging.getLogger("ringback").warning("once")
    assert log_file.read_text().count("once") == 1
    logging.getLogger().removeHandler(second)
    second.close()


def test_a_planted_link_is_not_followed(paths: Paths, tmp_path: Path) -> None:
    paths.log_file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=r"symbolic|ringback\.log"):
        setup_log(paths)
    assert not (tmp_path / "elsewhere").exists()


def test_a_line_cannot_forge_another_nor_reach_the_terminal(log_file: Path) -> None:
    logging.getLogger("ringback").info("name: %s", "A\x1b]0;x\x07\n2030-01-01 CRITICAL fake\u202e")
    lines = log_file.read_text().splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("  2030")
    assert not set("\x1b\x07\u202e") & set(log_file.read_text())


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("call from +85223456789", "call from …6789"),
        ("call from +852 2345 6789.", "call from …6789."),
        ("to (415) 555-2671 now", "to …2671 now"),
        ("to 020 7946 0018,", "to …0018,"),
        ("number=4915112345678", "number=…5678"),
        ("GET https://a.example.com/v2/call/?from=%2B852&sig=x done", None),
        ("GET https://me:pw@a.example.com/x", "GET https://a.example.com/x"),
        ("{'X-Api-Key': 'abc123', 'b': 1}", "{'X-Api-Key': '***', 'b': 1}"),
        ("Authorization: Bearer abc.def-1", "Authorization: ***"),
        ("sent Bearer abc.def-1 there", "sent Bearer *** there"),
    ],
)
def test_numbers_queries_and_headers_are_masked(given: str, kept: str | None) -> None:
    assert scrub(given) == (kept or "GET https://a.example.com/v2/call/?… done")


@pytest.mark.parametrize(
    "harmless",
    [
        "2025-11-20T19:08:33Z 200 in 0.123456789 s",
        "from 2025-11-20 to 2025-11-21",
        "http://127.0.0.1:8080/v2 port 45678",
        "page 12 of 345, 100 calls, 1234567 rows",
        "id 550e8400-e29b-41d4-a716-446655440000",
        "10:20:30 12.5 kB",
    ],
)
def test_what_is_no_number_of_a_person_is_kept(harmless: str) -> None:
    assert scrub(harmless) == harmless


@posix
@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", ["config.toml", "origins.json", "audit.jsonl", "ringback.log"])
def test_a_pipe_in_the_place_of_a_file_is_told_and_not_waited_for(paths: Paths, name: str) -> None:
    files = (paths.config_file, paths.origins_file, paths.audit_file, paths.log_file)
    os.mkfifo(next(file for file in files if file.name == name))
    if name == "config.toml":
        assert "It is not a file" in load_settings(paths).problems[0]
    elif name == "origins.json":
        with pytest.raises(SettingsError, match="It is not a file"):
            Origins(paths.origins_file).read()
    elif name == "audit.jsonl":
        assert not audit_log.record(paths, audit_log.PLAY, call="desk:1")
        with pytest.raises(OSError, match="It is not a file"):
            next(audit_log.entries(paths))
    else:
        assert name in try_log(paths)


@posix
@pytest.mark.timeout(20)
@pytest.mark.parametrize("place", [place_of, mark_of, earlier_of])
def test_a_pipe_beside_the_archive_costs_no_decision(
    paths: Paths, place: Callable[[Path], Path]
) -> None:
    with Archive(paths.archive_file) as archive:
        archive.save("desk", [call(1)])
        archive.triage.append([("desk", "1")], [state("follow-up")], "ann")
    place(paths.archive_file).unlink(missing_ok=True)
    os.mkfifo(place(paths.archive_file))
    with Archive(paths.archive_file) as archive:
        archive.triage.append([("desk", "1")], [state("done")], "ann")
        assert archive.triage.of("desk", "1").state == "done"
        check(archive)


@posix
def test_a_pipe_or_device_behind_a_link_is_never_replaced(paths: Paths) -> None:
    """As root, it would be the null device of the whole machine."""
    pipe = paths.data / "pipe"
    os.mkfifo(pipe)
    paths.config_file.symlink_to(pipe)
    with pytest.raises(OSError, match="It is not a file"):
        atomic_write(paths.config_file, "text")
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_the_null_device_is_an_empty_file(paths: Paths) -> None:
    paths.config_file.symlink_to(os.devnull)
    assert load_settings(paths) == Settings()


def test_a_home_of_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OSError, match="No such home"):
        Paths.default({"RINGBACK_HOME": "~nobody-of-that-name/x"})
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("os.getuid", lambda: 54321)  # as a container's user without an entry
    with pytest.raises(OSError, match="set HOME"):
        Paths.default({})
