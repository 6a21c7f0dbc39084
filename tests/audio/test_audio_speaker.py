"""Sound at the listener's side of SSH: over a real sshd that forbids forwarding, 25 ms away."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.audio import far, rigs, sounds
from tests.audio.conftest import Listener, alive
from tests.audio.far import Line, NearSpeaker, Sshd
from tests.guards.readme_text import ROOT
from tui.audio import wire
from tui.audio.link import GONE, TAKEN
from tui.audio.probe import probe
from tui.audio.speaker_folder import speakers

pytestmark = [
    pytest.mark.skipif(bool(far.NO_SSHD), reason=far.NO_SSHD or ""),
    pytest.mark.skipif(os.name != "posix", reason="a relay needs unix sockets"),
]
needs_pulse = pytest.mark.skipif(bool(rigs.NO_PULSE), reason=rigs.NO_PULSE or "")

Listen = Callable[..., Listener]
Speak = Callable[..., NearSpeaker]
SILENT = {"RINGBACK_AUDIO": "none"}
"""For the listener's machine: an engine that plays in silence, at its own pace."""


@pytest.fixture
def sshd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    with far.sshd_in(tmp_path) as made:
        # this process is the far end: a session over SSH, with its own folder for relays
        monkeypatch.setenv("RINGBACK_RUNTIME_DIR", str(made.runtime))
        monkeypatch.setenv("SSH_CONNECTION", "10.0.0.9 50000 10.0.0.1 22")
        monkeypatch.delenv("PULSE_SERVER")
        yield made
        assert not made.speakers(), "a relay has left its socket"


@pytest.fixture
async def line(sshd: Sshd) -> AsyncIterator[Line]:
    made = Line(sshd.port)
    await made.start()
    yield made
    await made.close()


@pytest.fixture
async def speak(sshd: Sshd, line: Line) -> AsyncIterator[Speak]:
    made: list[NearSpeaker] = []

    def start(*more: str, remote: str = far.PYTHON, **environ: str) -> NearSpeaker:
        made.append(NearSpeaker(sshd, line.port, *more, remote=remote, **(environ or SILENT)))
        return made[-1]

    yield start
    for speaker in made:
        await asyncio.to_thread(speaker.end)
    await until(lambda: not sshd.speakers(), "the relay's socket to go")


async def until(true: Callable[[], object], what: str, timeout_s: float = 15.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, f"waited for {what}"
        await asyncio.sleep(0.01)


async def connected(sshd: Sshd, speaker: NearSpeaker, count: int = 1) -> None:
    def there() -> bool:
        assert speaker.process.poll() is None, speaker.words
        return len(sshd.speakers()) == count and "connected to" in speaker.words

    await until(there, "the speaker")


def ramp(seconds: float = 20.0) -> bytes:
    return sounds.wav(sounds.tone(seconds, 8000), 8000)


def children_of(pid: int) -> list[int]:
    out = subprocess.run(["ps", "--ppid", str(pid), "-o", "pid="], capture_output=True, text=True)
    return [int(word) for word in out.stdout.split()]


def command_of(pid: int) -> str:
    ps = ["ps", "-p", str(pid), "-o", "args="]
    return subprocess.run(ps, capture_output=True, text=True).stdout


def relay_pid(path: Path) -> int:
    return int(path.name.split("-")[1])


async def test_it_plays_pauses_seeks_and_leaves_nothing(
    sshd: Sshd, speak: Speak, listen: Listen
) -> None:
    speaker = speak()
    await connected(sshd, speaker)
    assert "recordings play here, through none" in speaker.words
    [path] = sshd.speakers()
    assert path.stat().st_mode & 0o777 == 0o600
    assert sshd.runtime.stat().st_mode & 0o777 == 0o700
    listener = listen(None)
    await listener.play(ramp())
    assert (await listener.until("playing")).message == ""
    assert listener.state.output.startswith(f"speaker {path.stem.split('-', 2)[2]}")
    assert listener.player.peaks is not None
    listener.player.pause()
    await asyncio.sleep(0.3)
    held = listener.player.position_s
    await asyncio.sleep(0.3)
    assert listener.player.position_s == held
    listener.player.seek_to(12.0)
    listener.player.resume(rewind_s=0)
    state = await listener.until(lambda state: state.position_s > 12.1)
    assert state.position_s < 14.0
    started = children_of(speaker.process.pid)
    assert len(started) >= 2, "ssh and an engine"
    assert speaker.end() == 0
    assert not any(alive(pid) for pid in started)
    await until(lambda: not sshd.speakers(), "the socket to go")
    assert (await listener.until("paused")).message == GONE


@needs_pulse
async def test_what_is_heard_there_is_the_recording(
    sshd: Sshd, speak: Speak, listen: Listen, tmp_path: Path, kinds: dict[str, bytes]
) -> None:
    (tmp_path / "p").mkdir()
    rig = rigs.Pulse(tmp_path / "p")
    try:
        speaker = speak(**rig.environment)
        await connected(sshd, speaker)
        rig.record()
        listener = listen(None)
        await listener.play(kinds["mp3-8k-mono"])
        await listener.over()
        await asyncio.sleep(0.5)
        heard = rigs.sounding(rig.stop())
        wanted = rigs.sounding(sounds.reference(kinds["mp3-8k-mono"]))
        assert len(heard) >= 0.97 * len(wanted)
        assert heard in wanted or heard == wanted or wanted in heard
    finally:
        rig.close()


async def test_a_pulled_connection_comes_back_and_goes_on(
    sshd: Sshd, speak: Speak, line: Line, listen: Listen
) -> None:
    speaker = speak()
    await connected(sshd, speaker)
    listener = listen(None)
    await listener.play(ramp())
    await listener.until(lambda state: state.position_s > 1.0)
    before = sshd.speakers()
    line.cut()
    state = await listener.until("paused")
    assert state.message == GONE
    at_s = state.position_s
    assert 1.0 < at_s < 10.0
    await until(lambda: sshd.speakers() not in ([], before), "the speaker to come back")
    listener.player.reroute()  # as the screen does once a second
    state = await listener.until("playing")
    assert (state.message, at_s - 0.1 <= state.position_s) == ("", True)
    await listener.until(lambda state: state.position_s > at_s + 0.5)
    assert "trying" in speaker.words


async def test_what_was_paused_stays_paused_when_the_speaker_comes_back(
    sshd: Sshd, speak: Speak, listen: Listen
) -> None:
    speaker = speak()
    await connected(sshd, speaker)
    listener = listen(None)
    await listener.play(ramp(), start_s=5.0)
    await listener.until(lambda state: state.position_s > 5.2)
    listener.player.pause()
    speaker.end()
    await until(lambda: not sshd.speakers(), "the socket to go")
    await until(lambda: listener.state.message, "the player to notice")
    await connected(sshd, speak())
    listener.player.reroute()
    await asyncio.sleep(0.3)
    assert listener.state.status == "paused"
    listener.player.resume(rewind_s=0)
    await listener.until(lambda state: state.status == "playing" and state.position_s > 5.3)


async def test_a_killed_relay_leaves_a_socket_that_is_taken_away(
    sshd: Sshd, speak: Speak, listen: Listen
) -> None:
    speaker = speak()
    await connected(sshd, speaker)
    listener = listen(None)
    await listener.play(ramp())
    await listener.until("playing")
    [path] = sshd.speakers()
    os.kill(relay_pid(path), signal.SIGKILL)
    assert (await listener.until("paused")).message == GONE
    await until(lambda: speakers(os.environ) != [path], "the dead socket to be passed over")
    await until(lambda: len(speakers(os.environ)) == 1, "the speaker to come back")
    assert path not in sshd.speakers()
    listener.player.toggle()
    await listener.until("playing")


@pytest.mark.parametrize("who", ["engine", "speaker"])
async def test_a_crash_at_the_listeners_side_pauses(
    who: str, sshd: Sshd, speak: Speak, listen: Listen
) -> None:
    speaker = speak()
    await connected(sshd, speaker)
    listener = listen(None)
    await listener.play(ramp())
    await listener.until(lambda state: state.position_s > 0.5)
    if who == "speaker":
        started = children_of(speaker.process.pid)
        speaker.process.kill()
        speaker.process.wait()
        await until(lambda: not any(map(alive, started)), "ssh and the engine to end")
        await connected(sshd, speak())
    else:
        for pid in children_of(speaker.process.pid):
            if "tui.audio" in command_of(pid):
                os.kill(pid, signal.SIGKILL)
    state = await listener.until("paused")
    assert state.position_s >= 0.5
    listener.player.toggle()
    await listener.until("playing")


async def test_the_screen_that_opened_last_is_heard(
    sshd: Sshd, speak: Speak, listen: Listen
) -> None:
    await connected(sshd, speak())
    first, second = listen(None), listen(None)
    await first.play(ramp())
    await first.until("playing")
    await second.play(ramp(), start_s=10.0)
    await second.until("playing")
    state = await first.until("paused")
    assert state.message == TAKEN
    first.player.reroute()
    await asyncio.sleep(0.3)
    assert first.state.status == "paused", "it must not fight for the speaker"
    at_s = first.state.position_s
    first.player.toggle()
    state = await first.until("playing")
    assert state.position_s < at_s + 5.0
    assert (await second.until("paused")).message == TAKEN


async def test_the_newest_speaker_serves(sshd: Sshd, speak: Speak, listen: Listen) -> None:
    await connected(sshd, speak())
    listener = listen(None)
    await listener.play(ramp())
    await listener.until("playing")
    [old] = sshd.speakers()
    await connected(sshd, speak(), count=2)
    listener.player.reroute()
    newest = speakers(os.environ)[0]
    assert newest != old
    await listener.until("playing")
    assert listener.player._way.route.output == str(newest)
    await listener.until(lambda state: state.position_s > 0.5)


async def test_nonsense_costs_only_whoever_talks_it(
    sshd: Sshd, speak: Speak, listen: Listen
) -> None:
    await connected(sshd, speak())
    listener = listen(None)
    await listener.play(ramp())
    await listener.until("playing")
    [path] = sshd.speakers()
    for rubbish in (b"\xff\x00 rubbish\n", b"x" * 200_000, b'{"bytes": 99999999999}\n', b"[]\n"):
        with socket.socket(socket.AF_UNIX) as stranger:
            stranger.settimeout(10)
            stranger.connect(str(path))
            try:
                stranger.sendall(rubbish)
                while stranger.recv(4096):
                    pass
            except ConnectionError:
                pass
    at_s = listener.player.position_s
    await listener.until(lambda state: state.position_s > at_s + 0.3)
    log = (sshd.folder / "far" / "state" / "ringback.log").read_text()
    assert log.count("a screen talks nonsense") == 4


async def test_unknown_commands_and_outputs_do_not_pass(
    sshd: Sshd, speak: Speak, tmp_path: Path
) -> None:
    await connected(sshd, speak())
    [path] = sshd.speakers()
    reader, writer = await asyncio.open_unix_connection(str(path))
    assert (await reader.readline()).startswith(b'{"is":"hello"')
    target = tmp_path / "written"
    opening = {
        "do": "open", "id": 1, "seq": 1, "size": 3, "start": 0, "speed": 1, "volume": 1,
        "paused": False, "skip": False, "side": "both", "loop": None, "peaks": False,
        "output": f"wav:{target}",
    }  # fmt: skip
    for message in ({"do": "run", "what": f"touch {target}"}, {"do": "screen", "n": 7}, opening):
        writer.write(wire.pack(message))
    answer = await asyncio.wait_for(reader.readline(), 10)
    assert b'"is":"get"' in answer or b'"is":"output"' in answer
    writer.close()
    assert not target.exists()


_STRANGER = """
import os, socket, sys
os.setgid(65534); os.setuid(65534)
for path in sys.argv[1:]:
    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.settimeout(3)
            s.connect(path)
            print("heard", s.recv(100))
        except OSError as error:
            print(type(error).__name__)
"""


@pytest.mark.skipif(os.name == "posix" and os.getuid() != 0, reason="only root can be another user")
async def test_another_user_gets_nothing(sshd: Sshd, speak: Speak, listen: Listen) -> None:
    await connected(sshd, speak())
    listener = listen(None)
    await listener.play(ramp())
    await listener.until("playing")
    [path] = sshd.speakers()

    def stranger() -> str:
        run = [sys.executable, "-S", "-c", _STRANGER, str(path)]
        # the interpreter may lie where nobody else can go: only the socket is in question
        return subprocess.run(run, capture_output=True, text=True, cwd="/").stdout

    assert (await asyncio.to_thread(stranger)).split() == ["PermissionError"]
    # and with the first lock open, the second holds
    sshd.runtime.chmod(0o755)
    path.chmod(0o666)
    said = await asyncio.to_thread(stranger)
    assert said.split() in (["heard", "b''"], ["ConnectionResetError"])
    sshd.runtime.chmod(0o700)
    at_s = listener.player.position_s
    await listener.until(lambda state: state.position_s > at_s + 0.3)


async def test_what_a_login_prints_is_skipped(sshd: Sshd, speak: Speak) -> None:
    noise = "echo welcome; seq 3000; printf no-end-of-line; echo '{\"is\":1}'; printf '{' ;"
    await connected(sshd, speak(remote=f"{noise} {far.PYTHON}"))
    endless = speak(remote="yes noise #")
    assert await asyncio.to_thread(endless.process.wait, 20) == 1
    assert "prints too much" in endless.words


@pytest.mark.parametrize(
    ("remote", "words"),
    [
        ("no-such-ringback", "Install Ringback on"),
        ("sh -c 'exit 2' #", "has no speaker"),
        ('echo \'{"is":"relay","version":99,"host":"x"}\'; cat >/dev/null #', "speaks 2, there 99"),
        ("exit 3 #", "ended at once (exit code 3)"),
    ],
)
async def test_a_host_that_cannot_is_explained_and_not_asked_again(
    remote: str, words: str, speak: Speak
) -> None:
    speaker = speak(remote=remote)
    assert await asyncio.to_thread(speaker.process.wait, 20) == 1
    assert words in speaker.words
    assert "Traceback" not in speaker.words


async def test_a_host_that_does_not_answer_is_given_up_at_once(line: Line, speak: Speak) -> None:
    line.down = True
    speaker = speak()
    assert await asyncio.to_thread(speaker.process.wait, 20) == 1
    assert "ssh cannot reach" in speaker.words


async def test_the_relay_refuses_another_version(sshd: Sshd) -> None:
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = [sys.executable, "-P", "-m", "tui.cli", "speaker", "--relay"]
    done = await asyncio.to_thread(
        subprocess.run,
        run,
        input=b'{"do":"speaker","version":1,"name":"old"}\n',
        capture_output=True,
        env=here,
        timeout=20,
    )
    assert done.returncode == 1
    assert b"there 1: update the one on your machine" in done.stderr
    assert b'"is":"relay"' in done.stdout


async def test_the_far_end_needs_no_sound_library(sshd: Sshd) -> None:
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    code = (
        "import sys; sys.modules['av'] = sys.modules['miniaudio'] = None\n"
        "from tui.cli import main; sys.exit(main(['speaker', '--relay']))"
    )
    run = [sys.executable, "-P", "-c", code]
    hello = wire.pack({"do": "speaker", "version": wire.VERSION, "name": "near", "output": "x"})
    done = await asyncio.to_thread(
        subprocess.run, run, input=hello, capture_output=True, env=here, timeout=20
    )
    assert (done.returncode, done.stderr) == (0, b"")


async def test_a_screen_asks_where_it_would_be_heard_without_taking_it(
    sshd: Sshd, speak: Speak, listen: Listen
) -> None:
    await connected(sshd, speak())
    listener = listen(None)
    await listener.play(ramp())
    await listener.until("playing")
    assert (await probe()).startswith("speaker ")
    at_s = listener.player.position_s
    state = await listener.until(lambda state: state.position_s > at_s + 0.3)
    assert state.status == "playing"


async def test_doctor_names_the_speaker(sshd: Sshd, speak: Speak) -> None:
    await connected(sshd, speak())
    run = [sys.executable, "-P", "-m", "tui.cli", "doctor", "--json"]
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = await asyncio.to_thread(subprocess.run, run, capture_output=True, env=here, text=True)
    assert "is connected by `ringback speaker`" in done.stdout
    assert '"sound", "text": "speaker ' in done.stdout


async def test_a_screen_that_leaves_is_heard_no_longer_and_the_next_one_is(
    sshd: Sshd, speak: Speak, listen: Listen
) -> None:
    speaker = speak()
    await connected(sshd, speaker)

    def engines() -> list[int]:
        return [pid for pid in children_of(speaker.process.pid) if "tui.audio" in command_of(pid)]

    for _ in range(2):
        listener = listen(None)
        await listener.play(ramp())
        await listener.until("playing")
        await until(lambda: len(engines()) == 2, "a warm engine beside the one that plays")
        await listener.player.close()
        await until(lambda: len(engines()) == 1, "the engine to end with its screen")


async def test_ctrl_c_ends_it_at_once(sshd: Sshd, speak: Speak) -> None:
    speaker = speak()
    await connected(sshd, speaker)
    started = children_of(speaker.process.pid)
    begun = time.monotonic()
    os.killpg(speaker.process.pid, signal.SIGINT)  # as a terminal does: ssh gets it too
    assert await asyncio.to_thread(speaker.process.wait, 10) == 0
    assert time.monotonic() - begun < 3.0
    assert not any(map(alive, started))
    assert "Traceback" not in speaker.words


@pytest.mark.slow
async def test_a_cable_that_nobody_has_noticed(
    sshd: Sshd, speak: Speak, line: Line, listen: Listen
) -> None:
    speaker = speak()
    await connected(sshd, speaker)
    [before] = sshd.speakers()
    listener = listen(None)
    await listener.play(ramp(60.0))
    await listener.until(lambda state: state.position_s > 1.0)
    line.held = True
    await until(lambda: listener.state.message == GONE, "the relay to notice", 20)
    assert not sshd.speakers()
    line.held = False
    await until(lambda: sshd.speakers() not in ([], [before]), "ssh to notice", 40)
    listener.player.reroute()
    await listener.until("playing")


async def test_a_screen_is_told_at_once_that_its_speaker_is_silent(
    sshd: Sshd, speak: Speak
) -> None:
    speaker = speak(RINGBACK_AUDIO="miniaudio", PULSE_SERVER="unix:/nobody")
    await connected(sshd, speaker)
    assert "recordings play here, in silence: " in speaker.words
    [path] = sshd.speakers()
    reader, writer = await asyncio.open_unix_connection(str(path))
    header, _ = wire.unpack(await reader.readline())
    writer.close()
    assert header["message"] and str(header["message"]) in speaker.words
