"""Where made pictures are kept: a few in memory, many on disk.

Both may lose anything at any time: a picture is made again then.
"""

import os
import re
import secrets
import stat
import threading
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from tagline.pictures.ledger import Ledger

_MARK = b"TPC1"
_DIGEST_BYTES = 16
_HEAD_BYTES = len(_MARK) + _DIGEST_BYTES
_NAME = re.compile(r"[0-9a-f]{32}")
_TEMPORARY = re.compile(r"\.[0-9a-f]{32}\.[0-9a-f]{8}\.tmp")
_SHELF_LETTERS = 2
_PRIVATE = 0o600
_PRIVATE_DIRECTORY = 0o700
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


class MemoryCache:
    """Pictures in memory; use it on one thread.

    Args:
        limit_bytes: what they may take together.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._ledger = Ledger(limit_bytes)
        self._kept: dict[str, bytes] = {}

    def get(self, name: str) -> bytes | None:
        """A picture that is kept, else None."""
        self._ledger.touch(name)
        return self._kept.get(name)

    def put(self, name: str, data: bytes) -> None:
        """Keep a picture, and let go of those not used for longest."""
        self._kept[name] = data
        for gone in self._ledger.add(name, len(data)):
            del self._kept[gone]


class DiskCache:
    """Pictures in a directory of their own: one file each, checked by a digest. Thread-safe.

    The directory is listed at first use; order of use survives a restart as modification times.

    Args:
        directory: made at first use, readable by the owner only.
        limit_bytes: what all files may take together; with 0 nothing is kept.
    """

    def __init__(self, directory: Path, limit_bytes: int) -> None:
        self._directory = directory
        self._ledger = Ledger(limit_bytes)
        self._lock = threading.Lock()
        self._listed = False

    def get(self, name: str) -> bytes | None:
        """A picture that is kept and whole, else None; blocks."""
        with self._lock:
            self._list()
            if name not in self._ledger:
                return None
            self._ledger.touch(name)
        path = self._path(name)
        try:
            data = _content(path)
        except OSError:
            data = None
        if data is None:
            with self._lock:
                self._ledger.drop(name)
            self._unlink(name)
        return data

    def put(self, name: str, data: bytes) -> None:
        """Keep a picture, and remove the files of those not used for longest; blocks.

        Raises:
            OSError: it cannot be written; nothing of it stays.
        """
        raw = _MARK + blake2b(data, digest_size=_DIGEST_BYTES).digest() + data
        with self._lock:
            self._list()
            if len(raw) > self._ledger.limit_bytes:
                return
        _write(self._path(name), raw)
        with self._lock:
            gone = self._ledger.add(name, len(raw))
        for each in gone:
            self._unlink(each)

    def _list(self) -> None:
        """Learn what is in the directory; the order of modification is the order of use."""
        if self._listed:
            return
        found: list[tuple[int, str, int]] = []
        with suppress(OSError), os.scandir(self._directory) as shelves:
            for shelf in shelves:
                if shelf.is_dir(follow_symlinks=False):
                    found += _listing(shelf.path)
        for _, name, size in sorted(found):
            for gone in self._ledger.add(name, size):
                self._unlink(gone)
        self._listed = True

    def _path(self, name: str) -> Path:
        return self._directory / name[:_SHELF_LETTERS] / name

    def _unlink(self, name: str) -> None:
        with suppress(OSError):
            self._path(name).unlink()


def _listing(shelf: str) -> list[tuple[int, str, int]]:
    """Modification time, name and size of each picture; what a killed writer left is removed."""
    found: list[tuple[int, str, int]] = []
    with suppress(OSError), os.scandir(shelf) as entries:
        for entry in entries:
            if _NAME.fullmatch(entry.name):
                status = entry.stat(follow_symlinks=False)
                found.append((status.st_mtime_ns, entry.name, status.st_size))
            elif _TEMPORARY.fullmatch(entry.name):
                Path(entry.path).unlink()
    return found


def _content(path: Path) -> bytes | None:
    """A file's picture; None where it is not what was written. Its modification time is renewed.

    Raises:
        OSError: it cannot be read.
    """
    file = os.open(path, _READ)
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            return None
        raw = os.read(file, status.st_size)
        with suppress(OSError):
            os.utime(file)
    finally:
        os.close(file)
    data = raw[_HEAD_BYTES:]
    head = _MARK + blake2b(data, digest_size=_DIGEST_BYTES).digest()
    return data if raw.startswith(head) else None


def _write(path: Path, raw: bytes) -> None:
    """Write a file that is whole or absent. It need not survive a power cut: its digest tells.

    Raises:
        OSError: nothing was written.
    """
    path.parent.parent.mkdir(mode=_PRIVATE_DIRECTORY, exist_ok=True)
    path.parent.mkdir(mode=_PRIVATE_DIRECTORY, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    file = os.open(temporary, _NEW, _PRIVATE)
    try:
        try:
            rest = memoryview(raw)
            while rest:
                rest = rest[os.write(file, rest) :]
        finally:
            os.close(file)
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise
