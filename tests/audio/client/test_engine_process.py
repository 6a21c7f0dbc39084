"""The engine's process as the player keeps it: ended for certain, without secrets, and never missed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.audio import sounds
from tests.audio.listener import Listen
from tests.audio.processes import engines_of, exited, is_alive
from tui.audio.client.notices import CRASHED


def environment_of(pid: int) -> list[bytes]:
    return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")


async def test_a_killed_engine_costs_one_message(listen: Listen) -> None:
    listener = listen("none")
    await listener.play(sounds.telephone())
    await listener.until(lambda state: state.position_s > 0.5)
    os.kill(listener.pid, signal.SIGKILL)
    state = await listener.over()
    assert (state.status, state.message) == ("failed", CRASHED)
    listener.player.toggle()  # plays on where it stopped
    state = await listener.until(lambda state: state.status == "playing")
    assert 0.5 <= state.position_s < 2.0
    assert sum(state.message == CRASHED for _, state in listener.states) == 1


async def test_an_engine_killed_while_idle_is_not_missed(
    listen: Listen, kinds: dict[str, bytes]
) -> None:
    listener = listen("none")
    await listener.play(kinds["wav-ulaw"])
    await listener.over()
    pid = listener.pid
    os.kill(pid, signal.SIGKILL)
    await exited(pid)
    await asyncio.sleep(0.05)
    await listener.play(kinds["m4a"])
    await listener.until("playing")


async def test_close_while_playing_leaves_nothing(listen: Listen) -> None:
    listener = listen("none")
    threads, tasks = set(threading.enumerate()), asyncio.all_tasks()

    def left() -> set[str]:
        """Threads that are new, but for the loop's own pool."""
        return {thread.name for thread in set(threading.enumerate()) - threads}

    await listener.play(sounds.telephone())
    await listener.until("playing")
    pid = listener.pid
    async with asyncio.timeout(5):
        await listener.player.close()
    assert not is_alive(pid)
    assert asyncio.all_tasks() == tasks
    async with asyncio.timeout(5):  # asyncio's own that waited for the engine is just ending
        while any(not name.startswith("asyncio_") for name in left()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await listener.play(sounds.telephone())
    assert not engines_of(os.getpid())


async def test_close_ends_an_engine_that_hangs(listen: Listen) -> None:
    listener = listen("none")
    await listener.play(sounds.telephone())
    await listener.until("playing")
    pid = listener.pid
    os.kill(pid, signal.SIGSTOP)
    async with asyncio.timeout(5):
        await listener.player.close()
    assert not is_alive(pid)


async def test_cancelling_a_play_at_any_moment_leaves_no_process(listen: Listen) -> None:
    for delay in (0.0, 0.001, 0.003, 0.01):
        listener = listen("none")
        task = asyncio.create_task(listener.play(sounds.telephone(1.0)))
        await asyncio.sleep(delay)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await listener.player.close()
        assert not engines_of(os.getpid())


def test_a_killed_program_leaves_no_engine(tmp_path: Path) -> None:
    path = sounds.write(tmp_path, "a.wav", sounds.telephone())
    script = (
        "import asyncio\n"
        "from tui.audio.client.player import FileSource, Player\n"
        "async def main():\n"
        "    p = Player(lambda s: None, 'none')\n"
        f"    await p.play(FileSource({str(path)!r}))\n"
        "    print(flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    program = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert program.stdout is not None
    program.stdout.readline()
    [pid] = engines_of(program.pid)
    program.kill()
    program.wait()
    program.stdout.close()
    asyncio.run(exited(pid))


async def test_the_engine_sees_no_secret(listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = ("RINGBACK_TOKEN_MAIN", "AWS_SECRET_ACCESS_KEY", "PULSE_PASSWORD", "LC_API_KEY")
    for name in secrets:
        monkeypatch.setenv(name, "hush")
    monkeypatch.setenv("PULSE_SINK", "kitchen")
    listener = listen("none")
    await listener.play(sounds.telephone(1.0))
    await listener.until("playing")
    environ = environment_of(listener.pid)
    assert b"PULSE_SINK=kitchen" in environ
    assert not [entry for entry in environ if b"hush" in entry]


@pytest.mark.parametrize(
    ("part", "strange"),
    [
        (
            "tui.cli.terminal_player, tui.audio.client.player",
            ("av", "miniaudio", "textual", "rich"),
        ),
        # what the first sound would wait for
        ("tui.audio.engine.engine", ("av", "miniaudio", "ctypes", "importlib.metadata")),
    ],
)
def test_a_process_loads_what_it_needs_and_no_more(part: str, strange: tuple[str, ...]) -> None:
    script = f"import sys, {part}\nprint([m for m in {strange} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert out.stdout.strip() == "[]"


async def test_code_in_the_users_folder_is_not_run(
    listen: Listen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("wave.py", "json.py", "av.py"):
        (tmp_path / name).write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    listener = listen("none")
    await listener.play(sounds.telephone(1.0))
    await listener.until("playing")


async def test_the_engine_that_talks_nonsense_is_ended(
    listen: Listen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    liar = tmp_path / "liar"
    liar.write_text('#!/bin/sh\necho \'{"is":"get","id":1,"at":"x","n":{}}\'\nsleep 60\n')
    liar.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(liar))
    listener = listen("none")
    await listener.play(sounds.telephone(1.0))
    assert (await listener.over(5.0)).message == CRASHED
