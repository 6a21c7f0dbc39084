"""The three standard streams of a process that was started without some of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.guards.readme_text import ROOT
from tui.cli import standard_streams

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell's redirections")

_LOOK = """
import json, os, sys
from tui.cli import standard_streams
number, taken, told = int(sys.argv[1]), sys.argv[2] == "taken", sys.argv[3]
if taken:
    assert os.open(told, os.O_RDWR | os.O_CREAT) == number
standard_streams.open_closed()
stream = (sys.stdin, sys.stdout, sys.stderr)[number]
if number:
    print("for nobody", file=stream, flush=True)
found = {"number": stream.fileno(), "inherited": os.get_inheritable(stream.fileno()),
         "read": None if number else stream.read()}
open(told + ".json", "w").write(json.dumps(found))
"""
CLOSED = {0: "<&-", 1: ">&-", 2: "2>&-"}


def look(tmp_path: Path, number: int, how: str) -> dict[str, object]:
    """What a process has that was started with this stream closed."""
    told = tmp_path / "told"
    line = f'exec "$@" {CLOSED[number]}'
    command = ["sh", "-c", line, "sh", sys.executable, "-c", _LOOK, str(number), how, str(told)]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)
    found: dict[str, object] = json.loads(told.with_name("told.json").read_text())
    assert not told.exists() or told.read_bytes() == b"", "nothing goes into a file of ours"
    return found


@pytest.mark.parametrize("number", CLOSED)
def test_a_closed_stream_is_the_null_device_for_children_too(tmp_path: Path, number: int) -> None:
    assert look(tmp_path, number, "free") == {
        "number": number,
        "inherited": True,
        "read": None if number else "",
    }


@pytest.mark.parametrize("number", CLOSED)
def test_a_number_that_a_file_has_already_stays_its_own(tmp_path: Path, number: int) -> None:
    found = look(tmp_path, number, "taken")
    assert isinstance(found["number"], int) and found["number"] > 2
    assert found["inherited"] is False


def test_what_cannot_be_printed_is_dropped(tmp_path: Path) -> None:
    """So that Python does not complain of it when it ends."""
    reader, writer = os.pipe()
    os.close(reader)
    stream = os.fdopen(writer, "w")
    stream.write("to nobody")
    assert standard_streams.end(stream) is False
    stream.close()  # without an error
    with (tmp_path / "file").open("w") as file:
        file.write("kept")
        assert standard_streams.end(file) is True
        assert (tmp_path / "file").read_text() == "kept"
