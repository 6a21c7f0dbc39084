"""Which kind of file system a file lies on: SQLite's locks do not hold on those of a network.

Two machines that write one archive over NFS damage it, and nobody notices at once.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tui.archive.errors import ArchiveUnavailable

INSIST = "RINGBACK_NETWORK_DISK"
"""This variable of the environment, set to 1, has the archive opened all the same."""
MOUNTS = Path("/proc/self/mountinfo")
"""Of Linux; elsewhere nothing says cheaply on what a file lies, and nothing is refused."""
NETWORKS = frozenset(
    {
        *("9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "gfs2", "glusterfs", "gpfs"),
        *("lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "panfs", "smb3", "smbfs"),
    }
)
NETWORKS_OF_FUSE = frozenset(
    {
        *("afp", "ceph", "curlftpfs", "davfs", "davfs2", "gcsfuse", "glusterfs", "gvfsd-fuse"),
        *("hdfs", "juicefs", "moosefs", "mfs", "nfs", "rclone", "s3fs", "seaweedfs", "smbnetfs"),
        *("sshfs", "webdavfs"),
    }
)
"""What stands behind ``fuse.`` in the kinds that are another machine's."""


def refuse_network(file: Path, environ: Mapping[str, str]) -> None:
    """Raises `ArchiveUnavailable` for a file on a network's file system, unless the user
    insists.
    """
    kind = kind_of(file.parent)
    if is_network(kind) and environ.get(INSIST) != "1":
        raise ArchiveUnavailable(
            f"the archive {file} lies on a network's file system ({kind}), whose locks cannot be"
            " relied on: it would be damaged",
            "Keep it on a disk of this machine: set RINGBACK_HOME or XDG_DATA_HOME to a folder"
            f" there.\n{INSIST}=1 opens it all the same, while only this machine does.",
        )


def is_network(kind: str) -> bool:
    """Whether files of this kind of file system are another machine's."""
    name, dot, behind = kind.lower().partition(".")
    return name in NETWORKS or (name == "fuse" and bool(dot) and behind in NETWORKS_OF_FUSE)


@cache
def kind_of(folder: Path) -> str:
    """The file system's kind (``ext4``, ``nfs4``) of a folder that may be there later; empty where
    the system does not say.
    """
    real = os.path.realpath(folder)  # first: to look there may mount it
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ""
    best, kind = -1, ""
    for line in lines:
        mounted, _, rest = line.partition(" - ")
        parts = mounted.split(" ")
        if len(parts) < 5 or not rest:
            continue
        point = _OCTAL.sub(lambda match: chr(int(match[1], 8)), parts[4])
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= best:  # of two at one place, the later lies on top
            best, kind = len(point), rest.split(" ", 1)[0]
    return kind


_OCTAL = re.compile(r"\\([0-7]{3})")
"""How a blank in a folder's name is written there."""
