"""Sound systems without sound cards: what would be heard, caught and compared.

`alsa` proves content: ALSA's file plugin over its null device writes down what was played.
`Pulse` proves time: a private PulseAudio daemon with a null sink that runs in real time.
"""

from __future__ import annotations

import contextlib
import ctypes.util
import os
import shutil
import signal
import subprocess
import time
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

FRAME = 4
RATE = 48_000

NO_ALSA = None if ctypes.util.find_library("asound") else "libasound is not installed"
NO_PULSE = (
    None
    if shutil.which("pulseaudio") and shutil.which("parec")
    else "pulseaudio and parec are not installed"
)

needs_alsa = pytest.mark.skipif(bool(NO_ALSA), reason=NO_ALSA or "")
needs_pulse = pytest.mark.skipif(bool(NO_PULSE), reason=NO_PULSE or "")

_SINK = "sink_name=t rate=48000 channels=2 format=s16le norewinds=1"
_ALSA = """
pcm.!default {{
    type file
    slave.pcm null
    file "{capture}"
    format raw
}}
ctl.!default {{ type null }}
pcm.null {{ type null }}
"""


def alsa(folder: Path) -> tuple[dict[str, str], Path]:
    """Environment for an engine whose default device writes raw s16 stereo to a file."""
    capture, config = folder / "capture.raw", folder / "asound.conf"
    config.write_text(_ALSA.format(capture=capture))
    nowhere = f"unix:{folder}/no-pulse-here"
    return {"ALSA_CONFIG_PATH": str(config), "PULSE_SERVER": nowhere}, capture


class Pulse:
    """A private daemon with one null sink, and a recorder of what it plays.

    Without ``norewinds`` the null sink drops sound after a stop; with shared memory a killed
    client takes the daemon along.
    """

    def __init__(self, folder: Path, *, nearby: bool = False) -> None:
        """`nearby`: found as the machine's own server, else named by PULSE_SERVER."""
        socket = folder / "pulse" / "native"
        socket.parent.mkdir(mode=0o700, parents=True)
        self.environment = {"XDG_RUNTIME_DIR": str(folder), "HOME": str(folder)}
        if not nearby:
            self.environment["PULSE_SERVER"] = f"unix:{socket}"
        inherited = {k: v for k, v in os.environ.items() if k != "PULSE_SERVER"}
        self._environ = {**inherited, **self.environment}
        self._daemon = subprocess.Popen(
            [
                *("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--disable-shm=1"),
                *("-L", f"module-native-protocol-unix socket={socket} auth-anonymous=1"),
                *("-L", f"module-null-sink {_SINK}"),
            ],
            env={**os.environ, "XDG_RUNTIME_DIR": str(folder), "HOME": str(folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while not socket.exists():
            assert self._daemon.poll() is None, "pulseaudio did not start"
            time.sleep(0.01)
        self._recorder: subprocess.Popen[bytes] | None = None
        self.capture = folder / "capture.raw"

    def record(self) -> None:
        """Begin to write down what is played; returns when the first silence has come."""
        with self.capture.open("wb") as out:
            self._recorder = subprocess.Popen(
                [
                    *("parec", "-d", "t.monitor", "--raw", "--latency-msec=10"),
                    *("--rate=48000", "--channels=2", "--format=s16le"),
                ],
                env=self._environ,
                stdout=out,
            )
        while self.capture.stat().st_size == 0:
            assert self._recorder.poll() is None, "parec did not start"
            time.sleep(0.005)

    def recorded_s(self) -> float:
        """Seconds written down so far: what a listener hears now."""
        return self.capture.stat().st_size / FRAME / RATE

    def stop(self) -> bytes:
        """End the recording: s16 stereo."""
        assert self._recorder is not None
        self._recorder.terminate()
        self._recorder.wait()
        return self.capture.read_bytes()

    def clients(self) -> int:
        """How many programs are connected, not counting the one that asks."""
        out = subprocess.run(
            ["pactl", "list", "short", "clients"], env=self._environ, capture_output=True
        ).stdout
        return len([line for line in out.splitlines() if b"pactl" not in line])

    def kill(self) -> None:
        self._daemon.send_signal(signal.SIGKILL)
        self._daemon.wait()

    def close(self) -> None:
        if self._recorder is not None and self._recorder.poll() is None:
            self.stop()
        self._daemon.terminate()
        self._daemon.wait()


@contextlib.contextmanager
def pulse_in(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, nearby: bool = False
) -> Iterator[Pulse]:
    server = Pulse(folder, nearby=nearby)
    monkeypatch.delenv("PULSE_SERVER", raising=False)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    try:
        yield server
    finally:
        server.close()


def samples(raw: bytes) -> array[int]:
    return array("h", raw[: len(raw) // FRAME * FRAME])


def left(raw: bytes) -> array[int]:
    return samples(raw)[::2]


def sounding(raw: bytes) -> bytes:
    """Only the frames that are not silence."""
    frames = array("i", raw[: len(raw) // FRAME * FRAME])
    return array("i", (f for f in frames if f)).tobytes()
