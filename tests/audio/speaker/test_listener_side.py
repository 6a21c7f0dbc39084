"""Sound at the listener's side of SSH: over a real sshd that forbids forwarding, 25 ms away."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.audio import sound_servers, sounds, ssh_host
from tests.audio.heard import Heard, ramp
from tests.audio.listener import Listen
from tests.audio.processes import children_of, is_alive
from tests.audio.sound_servers import needs_pulse
from tests.audio.ssh_host import Line, NearSpeaker, Sshd, connected, playing, until
from tests.guards.readme_text import ROOT
from tests.slow_params import few
from tui.audio import protocol
from tui.audio.client.connection import GONE
from tui.audio.speaker_sockets import speakers

pytestmark = [
    pytest.mark.skipif(bool(ssh_host.NO_SSHD), reason=ssh_host.NO_SSHD or ""),
    pytest.mark.skipif(os.name != "posix", reason="a relay needs unix sockets"),
]

Speak = Callable[..., NearSpeaker]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with ssh_host.sshd_in(tmp_path_factory.mktemp("sshd")) as made:
        yield made


@pytest.fixture
def sshd(host: Sshd, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    """This process is the far end: a session over SSH, with its own folder for relays."""
    for name, value in {"RINGBACK_RUNTIME_DIR": str(host.runtime), **ssh_host.SESSION}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PULSE_SERVER")
    yield host
    assert not host.speakers(), "a relay has left its socket"


@pytest.fixture
async def line(sshd: Sshd) -> AsyncIterator[Line]:
    made = Line(sshd.port)
    await made.start()
    yield made
    await made.close()


@pytest.fixture
async def speak(sshd: Sshd, line: Line) -> AsyncIterator[Speak]:
    made: list[NearSpeaker] = []

    def start(*more: str, remote: str = ssh_host.PYTHON, **environ: str) -> NearSpeaker:
        made.append(
            NearSpeaker(sshd, line.port, *more, remote=remote, **(environ or ssh_host.SILENT))
        )
        return made[-1]

    yield start
    for speaker in made:
        await asyncio.to_thread(speaker.end)
    await until(lambda: not sshd.speakers(), "the relay's socket to go")


def relay_pid(path: Path) -> int:
    return int(path.name.split("-")[1])


@pytest.mark.slow
async def test_it_plays_pauses_seeks_and_leaves_nothing(
    sshd: Sshd, speak: Speak, listen: Listen
) -> None:
    speaker = speak(remote=f"printf '\\033]0;x\\007mind the step\\n' >&2; {ssh_host.PYTHON}")
    await connected(sshd, speaker)
    assert "recordings play here, through none" in speaker.words
    assert "mind the step" in speaker.words and "\x1b" not in speaker.words
    [path] = sshd.speakers()
    assert path.stat().st_mode & 0o777 == 0o600
    assert sshd.runtime.stat().st_mode & 0o777 == 0o700
    listener = await playing(listen)
    assert listener.state.message == ""
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
    assert not any(is_alive(pid) for pid in started)
    await until(lambda: not sshd.speakers(), "the socket to go")
    assert (await listener.until("paused")).message == GONE


@needs_pulse
async def test_what_is_heard_there_is_the_recording(
    sshd: Sshd, speak: Speak, listen: Listen, tmp_path: Path
) -> None:
    """From its first sample to its last."""
    (tmp_path / "p").mkdir()
    server = sound_servers.Pulse(tmp_path / "p")
    try:
        await connected(sshd, speak(**server.environment))
        server.record()
        listener = listen(None)
        await listener.play(ramp(1.0))
        await listener.over()
        over_s = server.recorded_s()
        await until(lambda: server.recorded_s() > over_s + 0.5, "what is still on its way")
        assert Heard(server.stop()).frames() == [(0, sounds.RATE - 1)]
    finally:
        server.close()


@pytest.mark.slow
async def test_a_pulled_connection_comes_back_and_goes_on(
    sshd: Sshd, speak: Speak, line: Line, listen: Listen
) -> None:
    speaker = speak()
    await connected(sshd, speaker)
    listener = await playing(listen)
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


@pytest.mark.slow
async def test_what_was_paused_stays_paused_when_the_speaker_comes_back(
    sshd: Sshd, speak: Speak, listen: Listen
) -> None:
    speaker = speak()
    await connected(sshd, speaker)
    listener = await playing(listen, start_s=5.0)
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


@pytest.mark.slow
async def test_a_killed_relay_leaves_a_socket_that_is_taken_away(
    sshd: Sshd, speak: Speak, listen: Listen
) -> None:
    speaker = speak()
    await connected(sshd, speaker)
    listener = await playing(listen)
    [path] = sshd.speakers()
    os.kill(relay_pid(path), signal.SIGKILL)
    assert (await listener.until("paused")).message == GONE
    await until(lambda: speakers(os.environ) != [path], "the dead socket to be passed over")
    await until(lambda: len(speakers(os.environ)) == 1, "the speaker to come back")
    assert path not in sshd.speakers()
    listener.player.toggle()
    await listener.until("playing")


@pytest.mark.slow
@pytest.mark.parametrize("who", ["engine", "speaker"])
async def test_a_crash_at_the_listeners_side_pauses(
    who: str, sshd: Sshd, speak: Speak, listen: Listen
) -> None:
    speaker = speak()
    await connected(sshd, speaker)
    listener = await playing(listen)
    await listener.until(lambda state: state.position_s > 0.5)
    if who == "speaker":
        started = children_of(speaker.process.pid)
        speaker.process.kill()
        speaker.process.wait()
        await until(lambda: not any(map(is_alive, started)), "ssh and the engine to end")
        await connected(sshd, speak())
    else:
        for pid in speaker.engines:
            os.kill(pid, signal.SIGKILL)
    state = await listener.until("paused")
    assert state.position_s >= 0.5
    listener.player.toggle()
    await listener.until("playing")


@pytest.mark.slow
async def test_the_newest_speaker_serves(sshd: Sshd, speak: Speak, listen: Listen) -> None:
    await connected(sshd, speak())
    listener = await playing(listen)
    [old] = sshd.speakers()
    newer = speak()
    await connected(sshd, newer, count=2)
    listener.player.reroute()
    assert speakers(os.environ)[0] != old
    await listener.until("playing")
    await until(lambda: len(newer.engines) == 2, "an engine of the newer one for this screen")
    await listener.until(lambda state: state.position_s > 0.5)


@pytest.mark.slow
async def test_what_a_login_prints_is_skipped(sshd: Sshd, speak: Speak) -> None:
    noise = "echo welcome; seq 3000; printf no-end-of-line; echo '{\"is\":1}'; printf '{' ;"
    await connected(sshd, speak(remote=f"{noise} {ssh_host.PYTHON}"))
    endless = speak(remote="yes noise #")
    assert await asyncio.to_thread(endless.process.wait, 20) == 1
    assert "prints too much" in endless.words


@pytest.mark.parametrize(
    ("remote", "words"),
    few(
        1,
        [
            ("no-such-ringback", "Install Ringback on"),
            ("sh -c 'exit 2' #", "has no speaker"),
            (
                'echo \'{"is":"relay","version":99,"host":"x"}\'; cat >/dev/null #',
                "speaks 2, there 99",
            ),
            ("exit 3 #", "ended at once (exit code 3)"),
        ],
    ),
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


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full device here")
async def test_a_relay_that_cannot_write_says_so(sshd: Sshd) -> None:
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = f"{sys.executable} -P -m tui.cli speaker --relay </dev/null >/dev/full"
    done = await asyncio.to_thread(
        subprocess.run, run, shell=True, stderr=subprocess.PIPE, env=here, timeout=20
    )
    assert done.returncode == 1
    assert done.stderr.startswith(b"ringback speaker --relay: ")


async def test_the_far_end_needs_no_sound_library(sshd: Sshd) -> None:
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    code = (
        "import sys; sys.modules['av'] = sys.modules['miniaudio'] = None\n"
        "from tui.cli import main; sys.exit(main(['speaker', '--relay']))"
    )
    run = [sys.executable, "-P", "-c", code]
    hello = protocol.pack(
        {"do": "speaker", "version": protocol.VERSION, "name": "near", "output": "x"}
    )
    done = await asyncio.to_thread(
        subprocess.run, run, input=hello, capture_output=True, env=here, timeout=20
    )
    assert (done.returncode, done.stderr) == (0, b"")


async def test_ctrl_c_ends_it_at_once(sshd: Sshd, speak: Speak) -> None:
    speaker = speak()
    await connected(sshd, speaker)
    started = children_of(speaker.process.pid)
    os.killpg(speaker.process.pid, signal.SIGINT)  # as a terminal does: ssh gets it too
    assert await asyncio.to_thread(speaker.process.wait, 10) == 0
    assert not any(map(is_alive, started))
    assert "Traceback" not in speaker.words


@pytest.mark.slow
async def test_a_cable_that_nobody_has_noticed(
    sshd: Sshd, speak: Speak, line: Line, listen: Listen
) -> None:
    speaker = speak(*ssh_host.HASTY_SSH, remote=ssh_host.HASTY)
    await connected(sshd, speaker)
    [before] = sshd.speakers()
    listener = await playing(listen)
    await listener.until(lambda state: state.position_s > 1.0)
    line.held = True
    await until(lambda: listener.state.message == GONE, "the relay to notice", 20)
    assert not sshd.speakers()
    line.held = False
    await until(lambda: sshd.speakers() not in ([], [before]), "ssh to notice", 40)
    listener.player.reroute()
    await listener.until("playing")


@pytest.mark.slow
async def test_a_screen_is_told_at_once_that_its_speaker_is_silent(
    sshd: Sshd, speak: Speak
) -> None:
    speaker = speak(RINGBACK_AUDIO="miniaudio", PULSE_SERVER="unix:/nobody")
    await connected(sshd, speaker)
    assert "recordings play here, in silence: " in speaker.words
    [path] = sshd.speakers()
    reader, writer = await asyncio.open_unix_connection(str(path))
    header, _ = protocol.unpack(await reader.readline())
    writer.close()
    assert header["message"] and str(header["message"]) in speaker.words


@pytest.mark.slow
async def test_a_listeners_machine_that_sleeps_skips_nothing(
    sshd: Sshd, speak: Speak, listen: Listen
) -> None:
    speaker = speak(*ssh_host.HASTY_SSH, remote=ssh_host.HASTY)
    await connected(sshd, speaker)
    [before] = sshd.speakers()
    listener = await playing(listen)
    await listener.until(lambda state: state.position_s > 1.0)
    asleep = [speaker.process.pid, *children_of(speaker.process.pid)]
    for pid in asleep:
        os.kill(pid, signal.SIGSTOP)
    await asyncio.sleep(0.2)
    heard_s = listener.player.state.position_s
    try:
        await until(lambda: listener.state.message == GONE, "the relay to notice", 20)
    finally:
        for pid in asleep:
            os.kill(pid, signal.SIGCONT)
    assert listener.player.position_s == pytest.approx(heard_s, abs=0.3)
    await until(lambda: sshd.speakers() not in ([], [before]), "the speaker to come back", 40)
    listener.player.reroute()
    state = await listener.until("playing")
    assert state.position_s == pytest.approx(heard_s, abs=0.5)


@pytest.mark.slow
async def test_a_file_at_the_listeners_side_keeps_its_beginning(
    sshd: Sshd, speak: Speak, listen: Listen, tmp_path: Path
) -> None:
    """The engine that waits for the next screen must not begin it anew."""
    speaker = speak(RINGBACK_AUDIO=f"wav:{tmp_path}/out.wav")
    await connected(sshd, speaker)
    listener = listen(None)
    await listener.play(sounds.telephone())
    await listener.over()
    await until(lambda: len(speaker.engines) == 2, "the spare engine")
    await asyncio.sleep(0.5)
    assert (tmp_path / "out.wav").read_bytes()[44:] == sounds.reference(sounds.telephone())
