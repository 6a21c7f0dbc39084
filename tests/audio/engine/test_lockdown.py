"""A process that is locked down can compute and answer, and do nothing else."""

from __future__ import annotations

import json
import os
import re
import resource
import struct
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.audio.listener import Listen
from tests.audio.processes import children_of
from tests.guards.readme_text import ROOT
from tui.audio.engine import landlock, seccomp
from tui.audio.engine.resource_limits import MEMORY
from tui.audio.engine_environment import decoder_environment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have limits alone")

_PROBE = """
import ctypes, encodings.idna, json, mmap, os, resource, signal, socket, subprocess, sys, threading
from tui.audio.engine import landlock, lockdown, seccomp
libc = ctypes.CDLL(None, use_errno=True)
machine = os.uname().machine
{before}
held = {lock}
def tried(what):
    try:
        return repr(what())
    except BaseException as error:
        return type(error).__name__
def call(*numbers):
    ctypes.set_errno(0)
    done = libc.syscall(*map(ctypes.c_long, numbers))
    if done < 0:
        raise PermissionError(ctypes.get_errno())
    return done
out = {{name: tried(lambda: eval(what)) for name, what in {attempts}.items()}}
os.write(1, json.dumps([held, out]).encode())
os._exit(0)
"""
LOCK = "lockdown.lock_down()"
ONLY_LANDLOCK = "[lockdown.give_up_privileges(), landlock.refuse_files_and_network()]"


@cache
def probe(lock: str = LOCK, before: str = "", **more: str) -> tuple[dict[str, str], dict[str, str]]:
    """What the lock said of itself, and what became of each attempt."""
    code = _PROBE.format(attempts=more or {**FILES, **NETWORK, **MORE}, lock=lock, before=before)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**decoder_environment(os.environ), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
    held, out = json.loads(done.stdout)
    return held, out


FILES = {
    "read a file": "open('/etc/passwd').read()",
    "read its own memory": "open('/proc/self/mem', 'rb')",
    "list a folder": "os.listdir('/')",
    "write a file": "open('/tmp/decoded-here', 'w')",
    "make a folder": "os.mkdir('/tmp/decoded-here')",
    "remove a file": "os.unlink('/tmp/nothing-here')",
    "run a program": "os.execv('/bin/true', ['true'])",
}
NETWORK = {
    "connect to loopback": "socket.create_connection(('127.0.0.1', 9), 1)",
    "listen": "socket.create_server(('127.0.0.1', 0))",
}
MORE = {
    "a unix socket": "socket.socket(socket.AF_UNIX).connect('/run/user/0/bus')",
    "a datagram": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))",
    "two sockets": "socket.socketpair()",
    "a pipe": "os.pipe()",
    "a process": "os.fork()",
    "a program": "subprocess.run(['/bin/true'])",
    "a thread": "threading.Thread(target=print).start()",
    "a signal to another": "os.kill(os.getppid(), signal.SIGUSR1)",
    "a signal to all": "os.kill(-1, 0)",
    "memory that is code": "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)",
    "code out of memory": "call(10 if machine == 'x86_64' else 226, 0, 4096, 4)",
    "look into another": "call(101 if machine == 'x86_64' else 117, 16, os.getppid(), 0, 0)",
    "read another's memory": "call(310 if machine == 'x86_64' else 270, os.getppid(), 0, 0, 0, 0, 0)",
    "a kernel's ring": "call(425, 8, 0)",
    "another's file": "call(434, os.getppid(), 0)",
    "another limit": "call(302 if machine == 'x86_64' else 261, 0, 2, 0, 0)",
    "other privileges": "os.setuid(12345)",
    "another root": "os.chroot('/')",
    "another filter": "seccomp.filter_calls()",
}


@pytest.mark.parametrize("what", [*FILES, *NETWORK, *MORE])
def test_a_locked_process_cannot(what: str) -> None:
    held, out = probe()
    assert set(held.values()) == {""}, held  # all of it holds here
    assert out[what] in ("PermissionError", "RuntimeError")  # a thread is the latter


@pytest.mark.parametrize("what", [*FILES, *NETWORK])
def test_without_the_filter_landlock_holds_by_itself(what: str) -> None:
    out = probe(ONLY_LANDLOCK, **FILES, **NETWORK)[1][what]
    assert out == "PermissionError" or (what == "remove a file" and out == "FileNotFoundError")


def test_memory_is_bounded_and_what_is_given_back_is_there_again() -> None:
    large = f"len(bytearray({MEMORY}))"
    again = "sum(len(bytearray(16 << 20)) for _ in range(40)) >> 20"
    assert probe(large=large, again=again)[1] == {"large": "MemoryError", "again": "640"}


@pytest.mark.slow
def test_time_is_bounded() -> None:
    code = "from tui.audio.engine import lockdown, resource_limits\nresource_limits.STEP_S, resource_limits.STEP_S_A_MB = 1.0, 0.0\n"
    done = subprocess.run(
        [sys.executable, "-c", code + "lockdown.lock_down()\nwhile True: pass"],
        env={**decoder_environment(os.environ), "PYTHONPATH": str(ROOT)},
        timeout=60,
    )
    assert -done.returncode == 24  # SIGXCPU


def test_what_is_absent_leaves_the_rest() -> None:
    """An older kernel has no Landlock; a container may forbid the filter."""
    before = (
        "def missing(): raise OSError(38, 'Function not implemented')\n"
        "lockdown.refuse_files_and_network = missing"
    )
    held, out = probe(before=before)
    assert held == {
        "no new privileges": "",
        "no files, no network (Landlock)": "Function not implemented",
        "memory and time limited": "",
        "few system calls (seccomp)": "",
    }
    assert set(out.values()) <= {"PermissionError", "RuntimeError"}


async def test_whoever_decodes_is_locked_down(listen: Listen, kinds: dict[str, bytes]) -> None:
    """The processes of a real player, while it plays."""
    listener = listen("none")
    await listener.play(kinds["wav-ulaw"])
    await listener.until(lambda _: bool(listener.player.peaks and listener.player.peaks.complete))
    workers = children_of(listener.pid)
    assert len(workers) == 2
    for pid in workers:
        look_at(pid)


def look_at(pid: int) -> None:
    status = Path(f"/proc/{pid}/status").read_text()
    for name, value in (("NoNewPrivs", 1), ("Seccomp", 2), ("Threads", 1)):
        assert re.search(rf"^{name}:\s+{value}$", status, re.M)
    assert resource.prlimit(pid, resource.RLIMIT_DATA) == (MEMORY, MEMORY)
    assert resource.prlimit(pid, resource.RLIMIT_NOFILE) == (0, 0)
    assert resource.prlimit(pid, resource.RLIMIT_CPU)[0] < 200
    files = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    assert {name.partition(":")[0] for name in files} <= {"pipe", "/dev/null"}
    environ = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    names = {entry.partition(b"=")[0].decode() for entry in environ if entry}
    assert names <= {"HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PYTHONPATH"}


# the filter itself, for machines that are not this one


def judge(machine: str, arch: int, call: int, *arguments: int) -> int:
    """What a kernel makes of a system call, by the filter."""
    words = [call, arch, 0, 0, *(w for a in arguments for w in (a & 0xFFFF_FFFF, a >> 32))]
    words += [0] * (16 - len(words))
    program = seccomp.program(machine, pid=77)
    steps: list[tuple[int, int, int, int]] = list(struct.iter_unpack("HBBI", program))
    at = value = 0
    while True:
        code, yes, no, k = steps[at]
        at += 1
        if code == 0x20:
            value = words[k // 4]
        elif code == 0x15:
            at += yes if value == k else no
        elif code == 0x45:
            at += yes if value & k else no
        else:
            assert code == 0x06
            return k


ALLOWED, REFUSED, KILLED = 0x7FFF_0000, 0x0005_0001, 0x8000_0000


@pytest.mark.parametrize("machine", seccomp.CALLS)
def test_the_filter_keeps_what_is_in_its_table_and_nothing_else(machine: str) -> None:
    arch, _, kept = seccomp.CALLS[machine]
    for call in range(1000):
        wanted = ALLOWED if call in kept.values() and call != kept["tgkill"] else REFUSED
        assert judge(machine, arch, call) == wanted, call
        assert judge(machine, arch, call | 0x4000_0000) == REFUSED  # x32's numbers
        assert judge(machine, 0x4000_0003, call) == KILLED  # another machine's
    for name in ("mmap", "mprotect"):
        assert judge(machine, arch, kept[name], 0, 4096, 3) == ALLOWED
        assert judge(machine, arch, kept[name], 0, 4096, 5) == REFUSED
    assert judge(machine, arch, kept["tgkill"], 77, 77, 6) == ALLOWED
    assert judge(machine, arch, kept["tgkill"], 78, 77, 6) == REFUSED


@pytest.mark.parametrize(
    ("version", "files", "more"),
    [
        (1, 0x1FFF, ()),
        (2, 0x3FFF, ()),
        (3, 0x7FFF, ()),
        (4, 0x7FFF, (3,)),
        (5, 0xFFFF, (3,)),
        (6, 0xFFFF, (3, 3)),
        (9, 0xFFFF, (3, 3)),
    ],
)
def test_landlock_refuses_all_that_its_version_knows(
    version: int, files: int, more: tuple[int, ...]
) -> None:
    """By the kernel's linux/landlock.h."""
    assert landlock.everything(version) == struct.pack(f"{1 + len(more)}Q", files, *more)


HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}


@pytest.mark.parametrize("machine", HEADERS)
def test_the_numbers_are_those_of_the_kernel(machine: str) -> None:
    if not HEADERS[machine].exists():
        pytest.skip("the kernel's headers are not installed")
    found = re.findall(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)$", HEADERS[machine].read_text(), re.M)
    numbers = {name: int(number) for name, number in found}
    _, own, kept = seccomp.CALLS[machine]
    assert kept == {name: numbers[name] for name in kept}
    assert own == numbers["seccomp"]
