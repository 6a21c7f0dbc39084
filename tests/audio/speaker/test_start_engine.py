"""The engine at a listener's side, started before anybody plays anything."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.audio.processes import children_of
from tui.audio.speaker.listener_side import EnginePool, SpeakerError, start_engine


async def test_an_engine_is_ready_when_it_knows_its_output(tmp_path: Path) -> None:
    engine = await start_engine("none")
    assert (engine.output, engine.trouble) == ("none", "")
    await engine.process.end()
    silent = await start_engine(f"wav:{tmp_path}/missing/out.wav")
    assert "cannot be written" in silent.trouble
    await silent.process.end()


@pytest.mark.parametrize("code", ["exit 3", "exec 1>&-; sleep 60"], ids=["ends", "says nothing"])
async def test_an_engine_that_does_not_start_is_said_and_leaves_nothing(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{code}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    before = children_of(os.getpid())
    with pytest.raises(SpeakerError, match="does not start here"):
        await start_engine("none")
    assert children_of(os.getpid()) == before


async def test_without_a_python_there_is_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(SpeakerError, match="cannot be started"):
        await start_engine("none")


async def test_the_spare_engine_plays_next_and_none_is_left() -> None:
    before = children_of(os.getpid())
    engines = EnginePool("none")
    spare = await engines.ready()
    assert await engines.ready() is spare
    assert await engines.take() is spare
    assert engines.current is spare
    next_one = await engines.take()
    assert next_one is not spare
    await engines.ready()
    await engines.close()
    assert children_of(os.getpid()) == before
