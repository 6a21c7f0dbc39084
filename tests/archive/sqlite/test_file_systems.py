"""An archive on a network's file system is refused, with the cure, unless somebody insists."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tui.archive.sqlite import file_systems
from tui.cli import main

LINE = "36 25 0:{n} / {point} rw,relatime shared:1 - {kind} {source} rw\n"
KINDS = {
    **dict.fromkeys(("nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "lustre", "glusterfs"), True),
    **dict.fromkeys(("fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.gvfsd-fuse"), True),
    **dict.fromkeys(("ext4", "xfs", "btrfs", "tmpfs", "overlay", "zfs", "apfs", "fuseblk"), False),
    **dict.fromkeys(("fuse.gocryptfs", "fuse.mergerfs", "fuse", "nfsd", "virtiofs", ""), False),
}


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A table of mounts that the test writes."""
    file = tmp_path / "mountinfo"
    file.write_text(LINE.format(n=1, point="/", kind="ext4", source="/dev/vda"))
    monkeypatch.setattr(file_systems, "MOUNTS", file)
    file_systems.kind_of.cache_clear()
    yield file
    file_systems.kind_of.cache_clear()


def mount(mounts: Path, point: Path, kind: str) -> None:
    written = str(point).replace(" ", r"\040")
    with mounts.open("a") as file:
        file.write(LINE.format(n=2, point=written, kind=kind, source="host:/export"))


@pytest.mark.parametrize(("kind", "network"), KINDS.items())
def test_which_kinds_are_a_networks(kind: str, network: bool) -> None:
    assert file_systems.is_network(kind) is network


def test_the_nearest_mount_counts_and_of_two_at_one_place_the_later(
    mounts: Path, tmp_path: Path
) -> None:
    home = tmp_path / "the home"
    mount(mounts, home, "nfs4")
    mount(mounts, home / "local", "xfs")
    mount(mounts, home / "over", "xfs")
    mount(mounts, home / "over", "cifs")
    mounts.write_text(mounts.read_text() + "not a line of it\n")
    cases = {"a": "nfs4", "local": "xfs", "local/b": "xfs", "localised": "nfs4", "over": "cifs"}
    assert {name: file_systems.kind_of(home / name) for name in cases} == cases
    assert file_systems.kind_of(tmp_path) == "ext4"


def test_a_link_to_a_network_is_one(mounts: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "here").symlink_to(tmp_path / "there")
    mount(mounts, tmp_path / "there", "nfs")
    assert file_systems.kind_of(tmp_path / "here" / "data") == "nfs"


def test_no_command_opens_an_archive_there(
    mounts: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("RINGBACK_HOME", str(home))
    mount(mounts, home, "nfs4")
    assert main(["calls"]) == 1
    said = capsys.readouterr().err
    assert "(nfs4)" in said and "RINGBACK_HOME or XDG_DATA_HOME" in said
    assert main(["doctor"]) == 1
    assert "(nfs4)" in capsys.readouterr().out
    assert not (home / "data" / "archive.db").exists()
    monkeypatch.setenv(file_systems.INSIST, "1")
    assert main(["calls"]) == 0


def test_a_real_mount_is_known(tmp_path: Path) -> None:
    place, command = tmp_path / "a disk", shutil.which("mount")
    place.mkdir()
    made = command and subprocess.run([command, "-t", "tmpfs", "tmpfs", place], capture_output=True)
    if not made or made.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        assert file_systems.kind_of(place / "data") == "tmpfs"
        file_systems.kind_of.cache_clear()
    finally:
        subprocess.run(["umount", place], check=True)


def test_without_a_table_of_mounts_nothing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_systems, "MOUNTS", tmp_path / "none")
    file_systems.kind_of.cache_clear()
    file_systems.refuse_network(tmp_path / "data" / "archive.db", {})
    file_systems.kind_of.cache_clear()
