"""``ringback play`` on a terminal and in a script."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.audio import faulty_headers, sounds
from tests.audio.conftest import kinds, longer, no_device_here
from tests.audio.processes import engines_of, worker_of
from tests.slow_params import few
from tui.audio import protocol
from tui.audio.client.player import PlayerState
from tui.audio.speaker_sockets import socket_path
from tui.cli.player_keys import help_line, sent
from tui.cli.terminal_player import clock, fit, follow_speakers, split_keys, status_line
from tui.services import Services

__all__ = ["kinds", "longer", "no_device_here"]

PROGRAM = """
import asyncio, sys
from tui.cli.terminal_player import FileSource, play_on_terminal
path, title, start = sys.argv[1:]
work = play_on_terminal(FileSource(path), title, start_s=float(start))
sys.exit(asyncio.run(work))
"""


def command(path: Path, title: str = "call", start_s: float = 0.0) -> list[str]:
    return [sys.executable, "-c", PROGRAM, str(path), title, str(start_s)]


def run(path: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **environ}
    return subprocess.run(command(path), capture_output=True, text=True, env=env, timeout=20)


@pytest.fixture
def call(tmp_path: Path) -> Path:
    tone = sounds.tone(60.0, 8000)
    return sounds.write(tmp_path, "call.wav", sounds.wav(tone, 8000))


def test_a_script_gets_its_file_and_no_output(tmp_path: Path, kinds: dict[str, bytes]) -> None:
    path = sounds.write(tmp_path, "a.m4a", kinds["m4a"])
    done = run(path, RINGBACK_AUDIO=f"wav:{tmp_path}/out.wav")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "out.wav").read_bytes()[44:] == sounds.reference(kinds["m4a"])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk_ends_it_in_words(call: Path) -> None:
    done = run(call, RINGBACK_AUDIO="wav:/dev/full")
    assert done.returncode == 1
    assert "cannot be written further (No space left on device)" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_silence_that_was_asked_for_takes_its_time(tmp_path: Path, kinds: dict[str, bytes]) -> None:
    path = sounds.write(tmp_path, "a.m4a", kinds["m4a"])
    begun = time.monotonic()
    done = run(path, RINGBACK_AUDIO="none")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert time.monotonic() - begun > 0.8


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"SSH_CONNECTION": "1 2 3 4", "PULSE_SERVER": ""}, "ringback speaker"),
        ({"RINGBACK_AUDIO": "loud"}, "must be miniaudio, simpleaudio, wav:PATH or none"),
        ({}, "no sound device found"),
    ],
    ids=["ssh", "typo", "no device"],
)
def test_a_script_that_nobody_can_hear_fails_at_once(
    environ: dict[str, str], words: str, call: Path
) -> None:
    begun = time.monotonic()
    done = run(call, **environ)
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert time.monotonic() - begun < 5


def test_what_cannot_be_decoded_fails_in_one_line(tmp_path: Path) -> None:
    path = sounds.write(tmp_path, "a.mp3", b"<html>no</html>")
    done = run(path, RINGBACK_AUDIO="none")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == ("ringback: this cannot be played: this is a web page, not a recording\n")


class Terminal:
    """The program on a pseudo-terminal."""

    def __init__(self, arguments: list[str]) -> None:
        self._master, slave = pty.openpty()
        self.before = termios.tcgetattr(slave)
        self._slave = slave
        self.program = subprocess.Popen(
            arguments,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "RINGBACK_AUDIO": "none", "COLUMNS": "70"},
            start_new_session=True,
        )
        self.shown = ""

    def until(self, pattern: str, timeout_s: float = 8.0) -> re.Match[str]:
        """Wait for something new to be shown."""
        deadline = time.monotonic() + timeout_s
        seen = len(self.shown)
        while not (found := re.search(pattern, self.shown[seen:])):
            assert time.monotonic() < deadline, (pattern, self.shown[seen:])
            if select.select([self._master], [], [], 0.1)[0]:
                self.shown += os.read(self._master, 4096).decode()
        return found

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def code(self) -> int:
        deadline = time.monotonic() + 5
        while self.program.poll() is None:
            assert time.monotonic() < deadline
            if select.select([self._master], [], [], 0.05)[0]:
                self.shown += os.read(self._master, 4096).decode()
        return self.program.returncode

    def is_restored(self) -> bool:
        return termios.tcgetattr(self._slave) == self.before

    def close(self) -> None:
        self.program.kill()
        self.program.wait()
        os.close(self._master)
        os.close(self._slave)


@pytest.fixture
def terminal(call: Path) -> Iterator[Terminal]:
    made = Terminal(command(call, "Ann \x1b]0;x\x07\u202eB", 10.0))
    yield made
    made.close()


def test_keys_steer_and_the_line_follows(terminal: Terminal) -> None:
    terminal.until(r"▶ 0:1\d / 1:00  Ann \ufffd\]0;x\ufffdB")
    assert not terminal.is_restored()
    terminal.type("\x1b[1;2C")
    terminal.until(r"▶ 0:4\d")
    terminal.type("\x1b[D")
    terminal.until(r"▶ 0:3\d")
    terminal.type(" ")
    terminal.until("⏸")
    terminal.type("]]")
    terminal.until(r"×1\.5")
    terminal.type("=i|+m")
    terminal.until(r"⏸ 0:3\d / 1:00 mute skip  Ann .* one side")
    terminal.type("mill")
    terminal.until(r"110% loop 0:3\d-\?  Ann .*a loop has")
    terminal.type("0 ")
    terminal.until(r"▶ 0:0\d / 1:00 110% loop 0:3\d-\?  Ann")
    terminal.type("s")
    assert terminal.code() == 0
    assert terminal.is_restored()
    assert "\n" not in terminal.shown.rstrip("\r\n")
    assert not re.search("[\x07\u202e]", terminal.shown)


@pytest.mark.parametrize("name", few(1, ["SIGHUP", "SIGINT", "SIGTERM"]))
def test_signals_leave_the_terminal_as_it_was(name: str, terminal: Terminal) -> None:
    terminal.until("▶")
    number = getattr(signal, name)
    terminal.program.send_signal(number)
    assert terminal.code() == 128 + number
    assert terminal.is_restored()


def test_the_line_is_drawn_at_most_four_times_a_second(terminal: Terminal) -> None:
    terminal.until("▶")
    terminal.type("[]" * 200)
    begun, before = time.monotonic(), terminal.shown.count("\x1b[K")
    while time.monotonic() - begun < 1.0:
        terminal.until("Ann")
    assert terminal.shown.count("\x1b[K") - before <= 6


def test_the_users_own_keys_hold_here_too(call: Path) -> None:
    program = PROGRAM.replace("play_on_terminal(", "play_on_terminal(options=OPTIONS, source=")
    options = "from tui.cli.terminal_player import PlayOptions\nOPTIONS = PlayOptions(2.0, 0.5, keymap={'loop': 'ctrl+l,Z', 'stop': ''})\n"
    arguments = command(call)
    arguments[2] = options + program.replace(
        "source=FileSource(path), title", "source=FileSource(path), title=title"
    )
    terminal = Terminal(arguments)
    try:
        terminal.until(r"▶ 0:0\d / 1:00 ×2 50%")
        terminal.type("lsZ")
        terminal.until(r"loop 0:0\d-\?")
        terminal.type("q")
        assert terminal.code() == 0
    finally:
        terminal.close()


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("l", ("l",)), ("space", (" ",)), ("left_square_bracket", ("[",)), ("|", ("|",)),
        ("vertical_line", ("|",)), ("left", ("\x1b[D", "\x1bOD")), ("shift+right", ("\x1b[1;2C",)),
        ("ctrl+q", ("\x11",)), ("f41", ()), ("", ()),
    ],
)  # fmt: skip
def test_what_a_terminal_sends_for_a_key(key: str, expected: tuple[str, ...]) -> None:
    assert sent(key) == expected


def test_help_names_the_keys_as_they_are() -> None:
    assert "space pause · ← → 5 s · ⇧← ⇧→ 30 s · [ ] speed" in help_line({})
    assert "| side · s quit" in help_line({})
    changed = help_line({"play": "P", "stop": "", "loop": "ctrl+l"})
    assert changed.startswith("P pause")
    assert "ctrl+l loop" in changed
    assert "quit" not in changed


def test_words_are_printed_and_nothing_is_played(tmp_path: Path) -> None:
    silence = array("h", bytes(2 * 8000 * 2))
    both = sounds.tone(3.0, 8000) + silence + sounds.tone(1.0, 8000)
    path = sounds.write(tmp_path, "a.wav", sounds.wav(both, 8000))
    program = (
        "import asyncio, sys\nfrom tui.cli.terminal_player import FileSource, print_words\n"
        "sys.exit(asyncio.run(print_words(FileSource(sys.argv[1]))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "speech 0:00 to 0:03\nsilence 2 s\nspeech 0:05 to 0:06\n"
    path.write_bytes(b"<html>no</html>")
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "web page" in done.stderr


WORDS = """
import asyncio, sys
from tui.cli.terminal_player import FileSource, print_words
sys.exit(asyncio.run(print_words(FileSource(sys.argv[1]))))
"""


async def test_words_say_why_there_are_none(tmp_path: Path) -> None:
    path = sounds.write(tmp_path, "hour.mp3", sounds.hour())
    program = (sys.executable, "-c", WORDS, str(path))
    done = await asyncio.create_subprocess_exec(
        *program, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    async with asyncio.timeout(20):
        while not (engines := engines_of(done.pid)):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        while not (pid := worker_of(engines[0], "measure")):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        os.kill(pid, signal.SIGXCPU)
        out, error = await done.communicate()
    assert (done.returncode, out) == (1, b"")
    assert error == b"ringback: no waveform: measuring it takes for ever\n"


def words_of(path: Path) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", WORDS, str(path)]
    return subprocess.run(program, capture_output=True, text=True, timeout=20)


def test_what_is_missing_at_the_end_is_told(tmp_path: Path, longer: dict[str, bytes]) -> None:
    data = longer["m4a"]
    path = sounds.write(tmp_path, "a.m4a", data[: len(data) // 2])
    played = run(path, RINGBACK_AUDIO=f"wav:{tmp_path}/out.wav")
    for done in (played, words_of(path)):
        assert done.returncode == 3
        assert "ends at 0:01, but states that it is 0:02 long" in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", few(1, ["wav", "au", "aiff", "amr"]))
def test_a_recording_without_sound_is_told(name: str, tmp_path: Path) -> None:
    path = sounds.write(tmp_path, f"a.{name}", faulty_headers.HEADERS[name])
    for done in (run(path, RINGBACK_AUDIO=f"wav:{tmp_path}/out.wav"), words_of(path)):
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "ringback: this cannot be played: there is no sound in it\n"


def test_a_beginning_behind_the_end_is_told(call: Path, tmp_path: Path) -> None:
    environ = {**os.environ, "RINGBACK_AUDIO": f"wav:{tmp_path}/out.wav"}
    late = command(call, start_s=90.0)
    done = subprocess.run(late, capture_output=True, text=True, env=environ, timeout=20)
    assert done.returncode == 1
    assert done.stderr == "ringback: there is no sound from 1:30 on: the recording ends at 1:00\n"


CUT = """
import asyncio, sys
from providers.errors import RecordingError
from tui.cli.terminal_player import FileSource, print_words

class Cut(FileSource):
    async def read(self, offset, n, *, idle=False):
        if offset > 200_000:
            raise RecordingError("unreachable", "the connection failed")
        return await super().read(offset, n)

sys.exit(asyncio.run(print_words(Cut(sys.argv[1]))))
"""


@pytest.mark.parametrize(
    ("seconds", "code", "says"),
    few(1, [(60.0, 1, "the connection failed"), (0.0, 1, "there is no sound in it")]),
)
def test_words_that_cannot_be_had_are_not_waited_for(
    seconds: float, code: int, says: str, tmp_path: Path
) -> None:
    path = sounds.write(tmp_path, "a.wav", sounds.wav(sounds.tone(seconds, 8000), 8000))
    done = subprocess.run(
        [sys.executable, "-c", CUT, str(path)], capture_output=True, text=True, timeout=8
    )
    assert done.returncode == code and says in done.stderr, done.stderr


@pytest.fixture
def relays(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="rb"))  # a socket's path must be short
    monkeypatch.setenv("RINGBACK_RUNTIME_DIR", str(folder))
    yield folder
    shutil.rmtree(folder)


async def test_a_script_does_not_wait_for_a_speaker_that_has_gone(call: Path, relays: Path) -> None:
    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello = {"is": "hello", "version": protocol.VERSION, "speaker": "laptop", "output": "x"}
        writer.write(protocol.pack(hello))
        await reader.readline()
        writer.close()

    async with await asyncio.start_unix_server(leave, socket_path(relays, "laptop")):
        done = await asyncio.to_thread(run, call)
    assert (done.returncode, done.stdout) == (1, "") and "the speaker has gone" in done.stderr


async def test_a_speaker_that_comes_is_taken(relays: Path) -> None:
    rerouted = asyncio.Event()
    following = asyncio.create_task(follow_speakers(rerouted.set, 0.01))
    await asyncio.sleep(0)
    assert not rerouted.is_set()
    async with await asyncio.start_unix_server(lambda *_: None, socket_path(relays, "laptop")):
        await asyncio.wait_for(rerouted.wait(), 10)
    following.cancel()


def test_no_message_steers_the_terminal() -> None:
    state = PlayerState("failed", message="no\x1b]0;x\x07 \u202eanswer")
    assert status_line(state, "Ann").endswith("Ann  no\ufffd]0;x\ufffd answer")


def test_the_line_says_what_matters() -> None:
    state = PlayerState("playing", 75.4, 3600.0, 1.5, "none", "no sound")
    assert status_line(state, "Ann") == "▶ 1:15 / 1:00:00 ×1.5  Ann  no sound"
    assert clock(3599.9) == "59:59"
    state = PlayerState(
        "playing", 1.0, 9.0, volume=0.0, side="left", skip_silence=True, loop=(2.0, 5.0)
    )
    assert (
        status_line(state, "Ann", "keys")
        == "▶ 0:01 / 0:09 mute left skip loop 0:02-0:05  Ann  keys"
    )


def test_a_message_cannot_steer_the_terminal() -> None:
    state = PlayerState("failed", message="a\x1b[2Jb\r\n\u202ec\u200b")
    assert status_line(state, "Ann").endswith("Ann  a\ufffd[2Jb c")


def test_a_line_fits_its_columns() -> None:
    assert fit("日本語", 5) == "日本"
    assert fit("abc", 5) == "abc"
    assert fit("e\u0301x", 1) == "e\u0301"


def test_keys_that_come_together_are_told_apart() -> None:
    assert list(split_keys(" \x1b[D\x1b[1;2Cq\x1bOC\x1b")) == [
        " ", "\x1b[D", "\x1b[1;2C", "q", "\x1bOC", "\x1b",
    ]  # fmt: skip


def test_nothing_is_left_on_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tui.cli.terminal_player import FileSource, play_on_terminal

    monkeypatch.setenv("RINGBACK_AUDIO", "none")
    path = sounds.write(tmp_path, "a.wav", sounds.wav(sounds.tone(0.2, 8000), 8000))

    async def main() -> tuple[int, int]:
        code = await play_on_terminal(FileSource(path), "x")
        return code, len(asyncio.all_tasks())

    assert asyncio.run(main()) == (0, 1)


def test_a_cache_that_cannot_be_written_is_no_traceback() -> None:
    from tui.cli.errors import recording_errors
    from tui.exit_codes import CommandError

    services = Services.build(os.environ)
    words = "desk:1: it cannot be read or written here: No space"
    with pytest.raises(CommandError, match=words), recording_errors(services, "desk:1"):
        raise OSError(28, "No space left on device")
    with pytest.raises(BrokenPipeError), recording_errors(services, "desk:1"):
        raise BrokenPipeError
