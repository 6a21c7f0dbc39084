"""Several screens at one speaker that runs on: over a real sshd, in one process for all of them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.audio import ssh_host
from tests.audio.listener import Listen
from tests.audio.ssh_host import NearSpeaker, Sshd, playing, until
from tests.guards.readme_text import ROOT
from tui.audio import protocol
from tui.audio.client.connection import TAKEN
from tui.audio.client.probe import probe

pytestmark = [
    pytest.mark.skipif(bool(ssh_host.NO_SSHD), reason=ssh_host.NO_SSHD or ""),
    pytest.mark.skipif(os.name != "posix", reason="a relay needs unix sockets"),
]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sshd, NearSpeaker]]:
    home = str(tmp_path_factory.mktemp("listener"))
    with ssh_host.sshd_in(tmp_path_factory.mktemp("sshd")) as sshd:
        own = {"HOME": home, "RINGBACK_HOME": home, **ssh_host.SILENT}
        speaker = NearSpeaker(sshd, sshd.port, **own)
        yield sshd, speaker
        assert speaker.end() == 0, speaker.words


@pytest.fixture
async def speaker(
    started: tuple[Sshd, NearSpeaker], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[NearSpeaker]:
    sshd, speaker = started
    for name, value in {"RINGBACK_RUNTIME_DIR": str(sshd.runtime), **ssh_host.SESSION}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PULSE_SERVER")
    await ssh_host.connected(sshd, speaker)
    yield speaker
    assert speaker.process.poll() is None, speaker.words


@pytest.fixture
def path(speaker: NearSpeaker, started: tuple[Sshd, NearSpeaker]) -> Iterator[Path]:
    """The speaker's socket at this host."""
    [found] = started[0].speakers()
    yield found
    found.parent.chmod(0o700)
    found.chmod(0o600)


async def test_the_screen_that_opened_last_is_heard(speaker: NearSpeaker, listen: Listen) -> None:
    first = await playing(listen)
    second = await playing(listen, start_s=10.0)
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


async def test_a_screen_that_is_still_talking_hears_why_it_is_over(
    path: Path, listen: Listen
) -> None:
    """What it has said meanwhile must not cost it the last words."""
    reader, writer = await asyncio.open_unix_connection(str(path), limit=1 << 20)
    await reader.readline()
    opening = {
        "do": "open", "id": 1, "seq": 1, "size": None, "start": 0, "speed": 1, "volume": 1,
        "paused": True, "skip": False, "side": "both", "loop": None, "peaks": False,
    }  # fmt: skip
    writer.write(protocol.pack(opening))
    await reader.readline()

    async def talk() -> None:
        with contextlib.suppress(OSError):
            while True:
                writer.write(protocol.pack({"do": "data", "id": 0, "at": 0}, bytes(50_000)))
                await writer.drain()

    talking = asyncio.create_task(talk())
    await playing(listen)
    said = await asyncio.wait_for(reader.read(), 20)
    talking.cancel()
    writer.close()
    assert protocol.pack({"is": "over", "why": "taken"}) in said


async def test_nonsense_costs_only_whoever_talks_it(
    path: Path, started: tuple[Sshd, NearSpeaker], listen: Listen
) -> None:
    listener = await playing(listen)
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
    log = (started[0].folder / "far" / "state" / "ringback.log").read_text()
    assert log.count("a screen talks nonsense") == 4


async def test_unknown_commands_and_outputs_do_not_pass(path: Path, tmp_path: Path) -> None:
    reader, writer = await asyncio.open_unix_connection(str(path))
    assert (await reader.readline()).startswith(b'{"is":"hello"')
    target = tmp_path / "written"
    opening = {
        "do": "open", "id": 1, "seq": 1, "size": 3, "start": 0, "speed": 1, "volume": 1,
        "paused": False, "skip": False, "side": "both", "loop": None, "peaks": False,
        "output": f"wav:{target}",
    }  # fmt: skip
    for message in ({"do": "run", "what": f"touch {target}"}, {"do": "screen", "n": 7}, opening):
        writer.write(protocol.pack(message))
    async with asyncio.timeout(10):
        while b'"is":"get"' not in await reader.readline():
            pass
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
async def test_another_user_gets_nothing(path: Path, listen: Listen) -> None:
    listener = await playing(listen)

    def stranger() -> str:
        run = [sys.executable, "-S", "-c", _STRANGER, str(path)]
        # the interpreter may lie where nobody else can go: only the socket is in question
        return subprocess.run(run, capture_output=True, text=True, cwd="/").stdout

    assert (await asyncio.to_thread(stranger)).split() == ["PermissionError"]
    # and with the first lock open, the second holds
    os.chmod(path.parent, 0o755)
    os.chmod(path, 0o666)
    said = await asyncio.to_thread(stranger)
    assert said.split() in (["heard", "b''"], ["ConnectionResetError"])
    path.parent.chmod(0o700)
    at_s = listener.player.position_s
    await listener.until(lambda state: state.position_s > at_s + 0.3)


async def test_a_screen_asks_where_it_would_be_heard_without_taking_it(
    speaker: NearSpeaker, listen: Listen
) -> None:
    listener = await playing(listen)
    assert (await probe()).startswith("speaker ")
    at_s = listener.player.position_s
    state = await listener.until(lambda state: state.position_s > at_s + 0.3)
    assert state.status == "playing"


async def test_doctor_names_the_speaker(speaker: NearSpeaker) -> None:
    run = [sys.executable, "-P", "-m", "tui.cli", "doctor", "--json"]
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = await asyncio.to_thread(subprocess.run, run, capture_output=True, env=here, text=True)
    assert "is connected by `ringback speaker`" in done.stdout
    assert '"sound", "text": "speaker ' in done.stdout


async def test_a_screen_that_leaves_is_heard_no_longer_and_the_next_one_is(
    speaker: NearSpeaker, listen: Listen
) -> None:
    for _ in range(2):
        listener = await playing(listen)
        await until(lambda: len(speaker.engines) == 2, "a warm engine beside the one that plays")
        await listener.player.close()
        await until(lambda: len(speaker.engines) == 1, "the engine to end with its screen")
