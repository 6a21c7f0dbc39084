"""Landlock: no file can be opened, no TCP port reached, no process outside signalled any more.

By ctypes: three system calls. What there is on PyPI is in its first versions (landlock,
landlockpy), and allows paths, of which nothing is needed here.
"""

from __future__ import annotations

import ctypes
import os
import struct

_CREATE, _RESTRICT = 444, 446  # the same on every machine
_ASK_VERSION = 1
_FILE_RIGHTS = ((1, 13), (2, 14), (3, 15), (5, 16))
"""From which version on the kernel knows so many rights to files."""
_NETWORK_SINCE, _NETWORK = 4, 0b11  # bind and connect, of TCP
_SCOPES_SINCE, _SCOPES = 6, 0b11  # abstract sockets and signals


def refuse_files_and_network() -> int:
    """For this thread and those it starts; the version the kernel has. Raises `OSError`.

    The process must have given up new privileges.
    """
    version = _call(_CREATE, None, 0, _ASK_VERSION)
    rules = everything(version)
    ruleset = _call(_CREATE, rules, len(rules), 0)
    try:
        _call(_RESTRICT, None, ruleset, 0)
    finally:
        os.close(ruleset)
    return version


def everything(version: int) -> bytes:
    """All that a kernel with this version of Landlock can refuse, as it reads it."""
    files = max(rights for since, rights in _FILE_RIGHTS if since <= version)
    rules = struct.pack("Q", (1 << files) - 1)
    if version >= _NETWORK_SINCE:
        rules += struct.pack("Q", _NETWORK)
    if version >= _SCOPES_SINCE:
        rules += struct.pack("Q", _SCOPES)
    return rules


def _call(call: int, rules: bytes | None, *numbers: int) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    arguments = [] if call == _RESTRICT else [ctypes.c_char_p(rules)]
    done: int = libc.syscall(ctypes.c_long(call), *arguments, *map(ctypes.c_long, numbers))
    if done < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return done
