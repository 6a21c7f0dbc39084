"""`ringback doctor`: its lines and its exit code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from providers.model import Recording
from tests.archive.calls import call
from tests.recordings.host import Host
from tui.audio.peaks import Peaks
from tui.cli import doctor, main
from tui.cli.doctor import BAD, GOOD, WARN, Finding, examine
from tui.config.accounts import make_account
from tui.config.settings import put
from tui.recordings.cache import RecordingCache
from tui.services import Services

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What an engine would say; none is started."""
    says = SimpleNamespace(sound="plays through miniaudio", held={"locked": ""}, trouble="")

    async def probe(**_: object) -> str:
        return str(says.sound)

    async def probe_lockdown() -> tuple[dict[str, str], str]:
        return says.held, says.trouble

    monkeypatch.setattr("tui.audio.client.probe.probe", probe)
    monkeypatch.setattr("tui.audio.client.probe.probe_lockdown", probe_lockdown)
    return says


@pytest.fixture
def services() -> Services:
    services = Services.build(os.environ)
    with services.open_archive() as archive, archive.transaction():
        archive.save("desk", [call(1), call(2)])
    return services


def found(services: Services, about: str) -> list[tuple[str, str]]:
    findings = examine(services)
    return [(finding.state, finding.text) for finding in findings if finding.about == about]


def given(monkeypatch: pytest.MonkeyPatch, *findings: Finding) -> None:
    def examined(services: Services, *, deep: bool = False) -> Iterator[Finding]:
        return iter(findings)

    monkeypatch.setattr(doctor, "examine", examined)


@pytest.mark.parametrize(
    ("states", "code"),
    [([GOOD], 0), ([GOOD, WARN], 0), ([], 0), ([GOOD, BAD, WARN], 1), ([BAD], 1)],
)
def test_only_a_problem_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, states: list[str], code: int
) -> None:
    given(monkeypatch, *(Finding(state, "x", "y") for state in states))
    assert main(["doctor"]) == main(["doctor", "--json"]) == code


def test_lines_stand_below_one_another(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    given(monkeypatch, Finding(GOOD, "files", "well"), Finding(BAD, "archive", "not\nwell"))
    assert main(["doctor"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "ok       files      well",
        "PROBLEM  archive    not",
        "                    well",
    ]
    assert main(["doctor", "--json"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert json.loads(lines[1]) == {"state": "PROBLEM", "about": "archive", "text": "not\nwell"}


@pytest.mark.parametrize(
    ("keyring", "account", "told"),
    [(WARN, BAD, True), (WARN, GOOD, False), (WARN, None, False), (GOOD, BAD, False)],
)
def test_how_to_unlock_a_keyring_is_told_where_an_account_needs_it(
    monkeypatch: pytest.MonkeyPatch,
    capsys: Captured,
    keyring: str,
    account: str | None,
    told: bool,
) -> None:
    accounts = [Finding(account, "account", "y")] if account else []
    given(monkeypatch, Finding(keyring, "keyring", "x"), *accounts)
    assert main(["doctor"]) == (account == BAD)
    assert ("gnome-keyring" in capsys.readouterr().out) is told
    assert main(["doctor", "--json"]) == (account == BAD)
    assert "gnome-keyring" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("variables", "state", "text"),
    [
        ({"TERM": "xterm"}, GOOD, "xterm, 100x30, 256 or fewer colours"),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, GOOD, "xterm, 100x30, truecolor"),
        ({"TERM": "dumb"}, BAD, "TERM=dumb: the screen cannot be drawn"),
        ({"TERM": ""}, BAD, "TERM=(not set): the screen cannot be drawn"),
    ],
)
def test_the_terminal(
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    state: str,
    text: str,
) -> None:
    assert found(services, "terminal") == [(WARN, "standard output is not a terminal")]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(os, "get_terminal_size", lambda *_: os.terminal_size((100, 30)))
    monkeypatch.delenv("COLORTERM", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert found(Services.build(os.environ), "terminal") == [(state, text)]
    monkeypatch.setenv("SSH_CONNECTION", "a 1 b 2")
    assert found(Services.build(os.environ), "terminal")[1][0] == WARN


def test_an_archive_that_is_well(services: Services) -> None:
    assert found(services, "archive") == [
        (GOOD, "its pages are as written"),
        (GOOD, f"2 calls in {services.paths.archive_file}"),
    ]
    deep = [finding.text for finding in examine(services, deep=True) if finding.about == "archive"]
    assert deep[0] == "every row is as written"
    assert (
        found(services, "retention") == found(services, "hold") == found(services, "deleted") == []
    )


def test_how_long_calls_stay(services: Services) -> None:
    put(services.paths, "retention", "calls_days", 1)
    assert main(["hold", "desk:1"]) == 0
    [(state, text)] = found(services, "retention")
    assert state == GOOD and text.startswith("calls are kept for 1 day")
    assert found(services, "hold") == [
        (GOOD, "1 call is on hold and stays; see: ringback hold --list")
    ]


def test_files_that_others_may_read_are_a_problem(services: Services) -> None:
    assert found(services, "files") == [(GOOD, "readable by you alone")]
    services.paths.archive_file.chmod(0o644)
    [(state, text)] = found(services, "files")
    assert state == BAD and str(services.paths.archive_file) in text


def test_a_log_that_cannot_be_kept_is_a_problem(services: Services) -> None:
    services.paths.log_file.mkdir(parents=True)
    [(state, text)] = found(services, "log")
    assert state == BAD and text.startswith(f"none can be kept: {services.paths.log_file}: ")


def test_accounts_and_their_tokens(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(services, "accounts") == [(WARN, "none yet; add one with: ringback accounts add")]
    services.accounts.add(make_account("desk", "nectar", "http://127.0.0.1:9", {"call_ids": "1"}))
    assert found(services, "accounts") == []
    [(state, text)] = found(services, "account")
    assert state == BAD and text.startswith("desk: token missing")
    monkeypatch.setenv("RINGBACK_TOKEN_DESK", "t")
    [(state, text)] = found(Services.build(os.environ), "account")
    assert state == GOOD and text.startswith("desk: token found (RINGBACK_TOKEN_DESK")


@pytest.mark.parametrize(
    ("variables", "lines"),
    [
        ({}, [(GOOD, "none is named; connections are direct")]),
        ({"HTTPS_PROXY": "http://ann:secret@proxy.test:3128"},
         [(GOOD, "https through http://proxy.test:3128 (HTTPS_PROXY); its user and password are not shown")]),
        ({"HTTPS_PROXY": "http://proxy.test:3128"}, [(GOOD, "https through http://proxy.test:3128 (HTTPS_PROXY)")]),
    ],
)  # fmt: skip
def test_the_way_to_the_vendors(
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    lines: list[tuple[str, str]],
) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert found(Services.build(os.environ), "proxy") == lines


def test_a_proxy_that_cannot_be_obeyed_is_a_problem(
    services: Services, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "nonsense://x")
    [(state, text), *rest] = found(Services.build(os.environ), "proxy")
    assert state == BAD and text.startswith("HTTPS_PROXY: ") and not rest
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    [(state, text)] = found(Services.build(os.environ), "trust")
    assert state == BAD and "SSL_CERT_FILE" in text


@pytest.mark.parametrize(
    ("sound", "state"), [("plays through miniaudio", GOOD), ("no sound: no device", WARN)]
)
def test_the_sound(services: Services, engine: SimpleNamespace, sound: str, state: str) -> None:
    engine.sound = sound
    assert found(services, "sound") == [(state, sound)]


@pytest.mark.parametrize(
    ("held", "trouble", "state", "text"),
    [
        ({"no files": "", "no network": ""}, "", GOOD, "in a process of its own; no files; no network"),
        ({"no files": "", "no network": "old"}, "", WARN, "in a process of its own; no files\nno network: old"),
        ({"no files": "old"}, "", WARN, "in a process of its own; nothing else\nno files: old"),
        ({}, "it ended", BAD, "recordings cannot be decoded: it ended"),
    ],
)  # fmt: skip
def test_how_recordings_are_decoded(
    services: Services,
    engine: SimpleNamespace,
    held: dict[str, str],
    trouble: str,
    state: str,
    text: str,
) -> None:
    engine.held, engine.trouble = held, trouble
    assert found(services, "decoding") == [(state, text)]


def test_recordings_that_cannot_be_measured_are_counted(services: Services) -> None:
    cache = RecordingCache(services.paths.cached_recordings)
    one = call(1, recordings=(Recording("a"), Recording("b")))
    for index in range(2):
        cache.keep_peaks("desk", one, index, Peaks(trouble="crash").to_bytes())
    [(state, text)] = found(services, "waveforms")
    assert state == WARN and text.startswith("2 in the cache: no waveform: ")


@pytest.mark.parametrize(
    ("status", "state", "says"),
    [
        (None, GOOD, "its recordings can be fetched"),
        (403, WARN, "it answers, the recording's host refuses access"),
        (404, WARN, "it answers, the recording was deleted at the vendor"),
        (500, BAD, "the recording's host cannot be reached"),
    ],
)
def test_the_first_bytes_of_a_recording_are_asked_for(
    services: Services, status: int | None, state: str, says: str
) -> None:
    """Of the newest call whose recording has an address; without a token."""
    with Host(b"ID3\x03" + bytes(5000)) as host:
        host.answer = lambda asked: status
        services.accounts.add(make_account("desk", "nectar", host.url, {"call_ids": "1"}))
        calls = [
            call(3, recordings=(Recording("a", f"{host.url}/old"),), has_recording=True),
            call(5, recordings=(Recording("a"), Recording("b", f"{host.url}/b"))),
            call(7, recordings=(Recording("a"),), has_recording=True),
        ]
        with services.open_archive() as archive, archive.transaction():
            archive.save("desk", [replace(one, has_recording=True) for one in calls])
        [(found_state, text)] = found(services, "recordings")
        assert found_state == state and text.startswith(f"desk: 127.0.0.1: {says}")
        assert {one.path for one in host.asked} == {"/b"} and host.asked[0].range == "bytes=0-0"
        assert not {"access-token", "authorization"} & {*host.asked[0].headers}


def test_no_recording_is_asked_for_where_none_is_known(services: Services) -> None:
    services.accounts.add(make_account("desk", "nectar", "http://127.0.0.1:9", {"call_ids": "1"}))
    assert found(services, "recordings") == []
