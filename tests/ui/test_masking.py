"""A screen that others see: no number and no name leaves the program while calls are masked."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace

import pytest

from providers.model import Agent, CompanyNumber, Contact
from tests.benchmarks.fill import fill
from tests.ui.terminal import Program
from tests.widgets.terminal import SEQUENCE
from tests.widgets.test_masking import MAIL, NAME, NUMBER, SENTINEL, TRACES, whole
from tui import audit
from tui.archive import triage
from tui.cli import main
from tui.services import Services

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
COLUMNS = """[table]
columns = ["time", "contact", "number", "agents", "group", "disposition", "note", "tags", "line",
    "campaign", "status", "recording", "state", "account", "id", "closed"]
"""


@pytest.fixture
def desk() -> Services:
    """An archive in which one call holds the sentinel wherever a text may stand, and another is
    of the same number."""
    services = fill(os.environ, 2)
    config = services.paths.config_file
    config.write_text(config.read_text() + COLUMNS)
    call = replace(
        whole(),
        id="desk-1",
        provider="nectar",
        outcome="missed",
        agents=(Agent("a1", NAME, SENTINEL, SENTINEL), Agent(MAIL)),
        started_at=services.now(),
        ended_at=services.now(),
        company_number=CompanyNumber("+441632960000", "Main"),
    )
    other = replace(call, id="desk-2", contact=Contact(name=NAME, number=NUMBER, email=MAIL))
    with services.open_archive() as archive:
        with archive.transaction():
            archive.save("desk", [call, other])
        changes = [triage.note(SENTINEL), triage.tag(f"call {NUMBER}"), triage.comment(SENTINEL, 3)]
        archive.triage.act([("desk", "desk-1"), ("desk", "desk-2")], changes, NAME)
    return services


WALK = (
    *("g", "\r", "G", "g", "\x1b", "j", "p", "p", "J", "\x1b", "gx", "x"),  # detail, JSON, related
    *(
        "/agent:",
        "\x15contact:",
        "\x15agent:nobody",
        "\x15contact:nobody",
        "\x15quackenbsh",
        "\x15",
    ),
    *("\x1b", "t", "\x1b", "c", "\x1b", "f", "u", "D", "\x1b", "yn", "ys", "yl", "yi", "o"),
    *("E", "\x1b", "?", "\x1b", ":", "\x1b", "a", "\x1b", "C", "\x1b", " ", "w", "U", "W", "s"),
    *("b", "b", "<", ">", "K", "K", "dd", "uu"),
)


def walk(program: Program) -> list[str]:
    """The screen after each of the steps, and all that was ever sent."""
    program.wait_for("desk-1")
    pages = [program.text]
    for keys in WALK:
        program.press(keys, quiet_s=0.15, wait_s=1.0)
        pages.append(program.text)
    return [*pages, SEQUENCE.sub(b"", program.output).decode(errors="replace")]


def seen(pages: list[str]) -> set[str]:
    return {trace for trace in TRACES if any(trace.lower() in page.lower() for page in pages)}


def test_no_screen_tells_who_it_was(desk: Services) -> None:
    with Program("tui.cli", "--masked", rows=50, columns=200, RINGBACK_AUDIO="none") as program:
        masked = walk(program)
    steps = [("start", masked[0]), *zip([*WALK, "all"], masked[1:], strict=True)]
    assert not {keys: page for keys, page in steps if seen([page])}
    assert any("Z****** Q**********" in page for page in masked)
    with Program("tui.cli", rows=50, columns=200, RINGBACK_AUDIO="none") as program:
        plain = walk(program)
    assert seen(plain) == set(TRACES)  # it would have been seen


def test_one_call_is_shown_until_the_cursor_leaves_it(desk: Services) -> None:
    config = desk.paths.config_file
    config.write_text(config.read_text() + "[app]\nmasked = true\n")
    with Program("tui.cli", rows=50, columns=200, RINGBACK_AUDIO="none") as program:
        program.wait_for("desk-1")
        assert "masked" in program.text and not seen([program.text])
        program.press("gv")
        assert program.text.count("Quackenbush") >= 1
        shown = [line for line in program.text.splitlines() if "desk-2" in line]
        program.press("j")
        assert not seen([program.text]), program.text
        program.press("k")
        assert not seen([program.text]), program.text
        program.press("M")
        assert "Quackenbush" in program.text and shown
        program.press("M")
        assert not seen([program.text])
        program.press("yn")
        program.wait_for("the number is masked")
        program.leave()
    said = [entry for entry in audit.entries(desk.paths) if entry["act"] == audit.REVEAL]
    assert [entry.get("call") or entry.get("what") for entry in said][1:] == ["screen"]
    assert said[0]["call"].startswith("desk:desk-")


@pytest.mark.parametrize(
    "words",
    [
        *(["calls"], ["calls", "--json"], ["calls", "--csv"], ["show", "desk:desk-1"]),
        *(["show", "desk:desk-1", "--json", "--with-urls"], ["show", "desk:desk-1", "--raw"]),
        ["calls", "--columns", "contact,number,agents,note,tags,group,status,line,campaign"],
    ],
)
def test_commands_mask_too(
    desk: Services, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    assert seen([capsys.readouterr().out])
    assert main([*words, "--masked"]) == 0
    out = capsys.readouterr().out
    assert not seen([out]) and "***" in out
    if "--json" in words:
        body = json.loads(out.splitlines()[0])
        assert body["contact"]["name"] == "Z****** Q**********"
        assert body["triage"]["note"] == "(hidden)" and body["recordings"][0]["url"] is None
