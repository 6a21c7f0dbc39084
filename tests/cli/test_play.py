"""`ringback play ACCOUNT:ID` in a terminal, over the sandbox's real HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from providers.sandbox import Sandbox
from tests.ui.terminal import Program
from tui.cli import main
from tui.query.parser import Query
from tui.services import Services


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(seed=3, now=datetime(2026, 11, 6, 17, 0, tzinfo=UTC), calls=300) as box:
        yield box


@pytest.fixture
def call(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a call that has several recordings."""
    monkeypatch.setenv("RINGBACK_TOKEN_DESK", box.tokens["nectar"])
    where = ["--base-url", box.base_url("nectar"), "--ids", box.settings["nectar"]["call_ids"]]
    assert main(["accounts", "add", "desk", "--provider", "nectar", *where]) == 0
    assert main(["sync", "desk"]) == 0
    with Services.build().open_archive() as archive:
        found = [entry[1] for key in archive.keys(Query()) if (entry := archive.call(key))]
    # long enough to be left in the middle, and made by the sandbox in a moment
    fit = [one for one in found if len(one.recordings) > 1 and (one.duration_s or 0) > 40]
    return f"desk:{min(fit, key=lambda one: one.duration_s or 0).id}"


def test_its_recordings_follow_one_another_and_go_on_where_they_were_left(call: str) -> None:
    with Program("tui.cli", "play", call, columns=100, rows=8, RINGBACK_AUDIO="none") as program:
        program.wait_for("(1 of ")
        program.press(".")
        program.wait_for("(2 of ")
        program.press(",")
        # the line of the first time stands above
        while program.text.count("(1 of ") < 2 or "▶" not in program.text.rpartition("(1 of ")[0]:
            assert program.read(wait_s=5.0), program.text
        program.press(",")
        program.wait_for("no further recording")
        program.press("\x1b[C\x1b[C")
        program.wait_for("▶ 0:1")
        time.sleep(0.5)
        assert program.leave("q")[0] == 0
    with Program("tui.cli", "play", call, columns=100, rows=8, RINGBACK_AUDIO="none") as program:
        program.wait_for("▶ 0:1")
        assert "▶ 0:00" not in program.text
        assert program.leave("q")[0] == 0
