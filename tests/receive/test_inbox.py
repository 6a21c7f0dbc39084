"""What was received stays until it is in the archive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tui.receive import inbox as inbox_module
from tui.receive.inbox import Full, Inbox


def bodies(inbox: Inbox) -> list[tuple[str, bytes]]:
    return [(one.account, inbox.read(one)) for one in inbox.pending()]


def test_bodies_come_out_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path / "in")
    given = [(("desk", "care.eu")[n % 2], b"%d" % n) for n in range(20)]
    for account, body in given:
        inbox.put(account, body)
    assert bodies(inbox) == given == bodies(Inbox(tmp_path / "in"))
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "in").iterdir()} == {0o600}


def test_no_more_than_there_is_room_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "MOST_BODIES", 3)
    monkeypatch.setattr(inbox_module, "MOST_BYTES", 100)
    inbox = Inbox(tmp_path)
    for _ in range(3):
        inbox.put("desk", b"x" * 30)
    for again in (inbox, Inbox(tmp_path)):
        with pytest.raises(Full):
            again.put("desk", b"x")
    [first, second, _] = inbox.pending()
    inbox.remove(first)
    with pytest.raises(Full):
        inbox.put("desk", b"x" * 41)
    inbox.put("desk", b"x" * 40)
    inbox.set_aside(second)
    inbox.put("desk", b"y" * 30)
    assert len(bodies(inbox)) == 3


def test_what_is_set_aside_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "MOST_UNREADABLE", 2)
    inbox = Inbox(tmp_path)
    for n in range(5):
        inbox.put("desk", b"%d" % n)
    for one in [*inbox.pending()]:
        inbox.set_aside(one)
    assert not bodies(inbox)
    assert sorted(path.read_bytes() for path in (tmp_path / "unreadable").iterdir()) == [b"3", b"4"]


def test_a_disk_that_takes_nothing_leaves_no_half_body(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = Inbox(tmp_path)

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        inbox.put("desk", b"{}")
    assert [*tmp_path.iterdir()] == []


def test_what_was_put_survives_a_kill(tmp_path: Path) -> None:
    """Whatever is acknowledged (printed) is there; what is there is whole."""
    code = (
        "import sys; from pathlib import Path; from tui.receive.inbox import Inbox\n"
        f"inbox = Inbox(Path({str(tmp_path)!r}))\n"
        "for n in range(10_000):\n"
        "    inbox.put('desk', b'%06d' % n * 1000); print(n, flush=True)\n"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        told = [child.stdout.readline() for _ in range(30)]
        child.send_signal(signal.SIGKILL)
        told += child.stdout.read().splitlines()
    numbers = [int(body[:6]) for _, body in bodies(Inbox(tmp_path))]
    assert numbers[: len(told)] == [*range(len(told))]
    assert all(len(body) == 6000 for _, body in bodies(Inbox(tmp_path)))
