"""A screen that others see: no number and no name leaves the program while calls are masked."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from providers.model import Agent, CompanyNumber, Contact
from tests.benchmarks.fill import fill
from tests.ui.calls_page import open_page
from tests.ui.terminal import Program
from tests.widgets.terminal import SEQUENCE
from tests.widgets.test_masking import MAIL, NAME, NUMBER, SENTINEL, TRACES, whole
from tui import audit_log
from tui.archive import triage_events
from tui.cli import main
from tui.services import Services
from widgets.masking import masked_name

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
        changes = [
            triage_events.note(SENTINEL),
            triage_events.tag(f"call {NAME} {NUMBER}"),
            triage_events.comment(SENTINEL, 3),
        ]
        archive.triage.append([("desk", "desk-1"), ("desk", "desk-2")], changes, NAME)
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


FEW = ("g", "\r", "G", "\x1b", "/agent:", "\x15", "\x1b", "yn", " ", "d")
"""Of them, those that show most."""


def walk(program: Program, steps: Sequence[str]) -> list[str]:
    """The screen after each of the steps, and all that was ever sent."""
    program.wait_for("desk-1")
    pages = [program.text]
    for keys in steps:
        program.press(keys, quiet_s=0.15, wait_s=1.0)
        pages.append(program.text)
    return [*pages, SEQUENCE.sub(b"", program.output).decode(errors="replace")]


def seen(pages: list[str]) -> set[str]:
    return {trace for trace in TRACES if any(trace.lower() in page.lower() for page in pages)}


@pytest.mark.parametrize("steps", [FEW, pytest.param(WALK, marks=pytest.mark.slow)])
def test_no_screen_tells_who_it_was(desk: Services, steps: Sequence[str]) -> None:
    with Program("tui.cli", "--masked", rows=50, columns=200, RINGBACK_AUDIO="none") as program:
        masked = walk(program, steps)
    after = zip(["start", *steps, "all"], masked, strict=True)
    assert not {keys: page for keys, page in after if seen([page])}
    assert any("Z****** Q**********" in page for page in masked)
    if steps is FEW:
        return
    with Program("tui.cli", rows=50, columns=200, RINGBACK_AUDIO="none") as program:
        plain = walk(program, FEW)
    assert seen(plain) == set(TRACES)  # it would have been seen


def until(program: Program, shown: bool) -> None:
    """Wait until it is seen on the screen, or no more."""
    deadline = time.monotonic() + 20
    program.read(wait_s=1.0)
    while bool(seen([program.text])) != shown:
        assert time.monotonic() < deadline, program.text
        program.read(wait_s=0.5)


def test_one_call_is_shown_until_the_cursor_leaves_it(desk: Services) -> None:
    config = desk.paths.config_file
    config.write_text(config.read_text() + "[app]\nmasked = true\n")
    with Program("tui.cli", rows=50, columns=200, RINGBACK_AUDIO="none") as program:
        program.wait_for("desk-1")
        assert "masked" in program.text and not seen([program.text])
        program.write("gv")
        program.wait_for("Quackenbush")
        for keys, shown in (("j", False), ("k", False), ("M", True), ("M", False)):
            program.write(keys)
            until(program, shown)
        program.press("yn")
        program.wait_for("the number is masked")
        program.leave()
    said = [entry for entry in audit_log.entries(desk.paths) if entry["act"] == audit_log.REVEAL]
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


async def test_a_tag_that_is_a_name_is_masked_where_it_is_given_and_undone(desk: Services) -> None:
    with desk.open_archive() as archive:
        archive.triage.append([("desk", "desk-1")], [triage_events.tag(NAME)], desk.person)
    async with open_page(desk, masked=True, size=(140, 30)) as page:
        await page.idle()
        await page.press("u")
        await page.until(lambda: "undone: tag" in page.status)
        assert f"undone: tag {masked_name(NAME)} (1 call)" in page.status
        await page.idle()
        await page.press("g", "t", *NAME.replace(" ", "-"), "enter")
        await page.until(lambda: "takes it back" in page.status)
        assert not seen([page.status])
