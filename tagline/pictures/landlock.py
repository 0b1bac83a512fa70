"""Landlock (landlock(7), Linux 5.13 and later): a process gives up files and connections for good.

What is open already stays open, so a process can go on with what it is sent. Only the worker
process loads this.
"""

import ctypes
import os
import struct
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
"""Numbers of system calls, the same on x86-64 and ARM64."""
_TELL_VERSION = 1
_PATH_BENEATH = 1
_NO_NEW_PRIVILEGES = 38
_READ_FILE, _READ_DIRECTORY = 1 << 2, 1 << 3
_TO_READ = _READ_FILE | _READ_DIRECTORY
_EVERY_FILE_RIGHT = ((1, (1 << 13) - 1), (2, 1 << 13), (3, 1 << 14), (5, 1 << 15))
_TCP = ((4, 0b11),)
_SIGNALS_AND_SOCKETS = ((6, 0b11),)
"""Each with the version of Landlock that brought it."""


def give_up_all_but(readable: Iterable[Path]) -> bool:
    """Open nothing from here on but to read below some directories; no TCP, no signal to others.

    False where the system knows no Landlock, or forbids it: nothing was given up then.
    """
    try:
        library = ctypes.CDLL(None, use_errno=True)
        version = _call(library, _CREATE_RULESET, None, 0, _TELL_VERSION)
        handled = [
            _known(each, version) for each in (_EVERY_FILE_RIGHT, _TCP, _SIGNALS_AND_SOCKETS)
        ]
        size = 8 if version < 4 else 16 if version < 6 else 24
        rules = _call(library, _CREATE_RULESET, struct.pack("=3Q", *handled), size, 0)
        try:
            for directory in readable:
                _allow(library, rules, directory)
            if library.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
                return False
            _call(library, _RESTRICT_SELF, rules, 0)
        finally:
            os.close(rules)
    except OSError:
        return False
    return True


def _known(rights: Iterable[tuple[int, int]], version: int) -> int:
    """Those of the rights that this version of Landlock can take away."""
    return sum(right for since, right in rights if since <= version)


def _allow(library: ctypes.CDLL, rules: int, directory: Path) -> None:
    """Let files below a directory be read; one that is not there needs no leave."""
    with suppress(FileNotFoundError):
        opened = os.open(directory, os.O_PATH | os.O_DIRECTORY)
        try:
            rule = struct.pack("=Qi", _TO_READ, opened)
            _call(library, _ADD_RULE, rules, _PATH_BENEATH, rule, 0)
        finally:
            os.close(opened)


def _call(library: ctypes.CDLL, number: int, *arguments: bytes | int | None) -> int:
    """A system call.

    Raises:
        OSError: it failed.
    """
    result = int(library.syscall(ctypes.c_long(number), *map(_passed, arguments)))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def _passed(argument: bytes | int | None) -> bytes | ctypes.c_long | None:
    return ctypes.c_long(argument) if isinstance(argument, int) else argument
