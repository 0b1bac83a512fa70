"""A TinyDB storage in a file that grows by one JSON line a transaction.

A snapshot is the same file without history, so that there is one format and one load loop. The
format is specified in ``docs/formats.md``.
"""

import os
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count, islice
from pathlib import Path

from tagline.errors import IndexDamaged, IndexUnavailable
from tagline.index.appendfile import AppendFile, sync_directory
from tagline.index.encoded import EncodedStorage
from tagline.index.lines import Changes, checksum_of, encode_body, encode_header, encode_line
from tagline.index.loading import Loaded, load
from tagline.index.lockfile import LockFile
from tagline.index.snapshot import snapshot

COMPACT_ABOVE_BYTES = 4 << 20
COMPACT_ABOVE_RATIO = 3
SET_ASIDE_AT_MOST = 9


class JournalStorage(EncodedStorage):
    """Encoded tables whose transactions are kept in a file; any thread may use it.

    ``content`` names the schema of the documents; a file of another schema is not read.

    Durable: a commit returns when it is on disk; a file that is damaged, or of another schema or
    format version, is refused; the file is compacted by the commit that makes it too long.
    Otherwise: ``sync`` puts commits on disk; a damaged file is set aside as
    ``<name>.damaged-<n>`` and an outdated one dropped (or set aside as well where it is
    ``precious``), and the storage starts empty, which ``recovered`` says; ``compact_if_needed`` is
    for the owner to call.

    Raises:
        IndexLocked: another process has it open.
        IndexDamaged: it is durable, and the file cannot be trusted.
        IndexUnavailable: the file cannot be opened, read or made.
    """

    def __init__(self, path: Path, *, content: str, durable: bool, precious: bool = False) -> None:
        super().__init__()
        self._precious = precious
        self._path, self._name, self._durable = path, path.name, durable
        self._header = encode_header(content)
        self._compacting = threading.Lock()
        self._compact_above_bytes = COMPACT_ABOVE_BYTES
        self._bodies_behind: list[bytes] | None = None
        self._closed = False
        with self._translated(), ExitStack() as undo:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock_file = LockFile(path.with_name(path.name + ".lock"), path.name)
            undo.callback(self._lock_file.release)
            loaded = self._load(content)
            self._file = AppendFile(path)
            undo.callback(self._file.close)
            self._checksum = self._settle(loaded)
            undo.pop_all()
        self._compact_behind()

    @contextmanager
    def _translated(self) -> Generator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise IndexUnavailable(self._name, reason) from error

    # Opening

    @property
    def size_bytes(self) -> int:
        """Size of the file."""
        return self._file.size_bytes

    def _load(self, content: str) -> Loaded:
        self._path_of_new.unlink(missing_ok=True)
        try:
            with self._path.open("rb", buffering=1 << 20) as source:
                loaded = load(source, content, self._replay)
        except FileNotFoundError:
            return Loaded()
        if loaded.fault is None:
            self._count()
            return loaded
        self._recover(loaded)
        return Loaded()

    def _settle(self, loaded: Loaded) -> int:
        """Cut off a torn tail, write the header of a new file; the checksum of the last line."""
        if self._file.size_bytes > loaded.size_bytes:
            self._file.truncate(loaded.size_bytes)
        if loaded.size_bytes:
            return loaded.checksum
        self._file.append(self._header, sync=self._durable)
        sync_directory(self._path.parent)
        return checksum_of(self._header)

    def _recover(self, loaded: Loaded) -> None:
        """Get a file that cannot be used out of the way, or refuse to.

        Raises:
            IndexDamaged: the storage is durable.
        """
        fault = loaded.fault or ""
        if self._durable:
            raise IndexDamaged(self._name, fault)
        self.tables.clear()
        self.live_bytes = 0
        what = "of another version" if loaded.outdated else "damaged"
        if loaded.outdated and not self._precious:
            self._path.unlink()
            self.recovered = f"{self._name} is {what} ({fault}); starting empty."
        else:
            aside = self._path_aside()
            self._path.replace(aside)
            self.recovered = f"{self._name} is {what} ({fault}); kept as {aside.name}."

    def _path_aside(self) -> Path:
        """The first free name for a damaged file; the last one is used again.

        What is precious is never written over: each such file gets a name of its own.
        """
        names = (self._path.with_name(f"{self._name}.damaged-{n}") for n in count(1))
        wanted = names if self._precious else islice(names, SET_ASIDE_AT_MOST)
        path = next(wanted)
        while os.path.lexists(path) and (another := next(wanted, None)):
            path = another
        return path

    @property
    def _path_of_new(self) -> Path:
        return self._path.with_name(self._name + ".new")

    # Committing

    def commit(self, changes: Changes, before_apply: Callable[[], object] | None = None) -> None:
        """Make all of the changes, or none of them; see ``EncodedStorage``."""
        super().commit(changes, before_apply)
        self._compact_behind()

    def _compact_behind(self) -> None:
        """Compact a durable file where that is due; what it holds stands without that, too."""
        if self._durable:
            with suppress(IndexUnavailable):  # the next commit tries again
                self.compact_if_needed()

    def _record(self, changes: Changes) -> None:
        if self._closed:
            raise IndexUnavailable(self._name, "it is closed")
        body = encode_body(changes)
        line, checksum = encode_line(body, self._checksum)
        with self._translated():
            self._file.append(line, sync=self._durable)
        self._checksum = checksum
        if self._bodies_behind is not None:
            self._bodies_behind.append(body)

    def sync(self) -> None:
        """Make every commit so far survive a power cut: one wait for however many commits.

        Raises:
            IndexUnavailable: it is not known what is on disk.
        """
        with self._translated():
            with self.lock:
                if self._closed:
                    return
                fd = self._file.duplicate()
            try:
                os.fdatasync(fd)
                sync_directory(self._path.parent)
            finally:
                os.close(fd)

    # Compacting

    def compact_if_needed(self) -> None:
        """Compact when the file is over 4 MiB and over three times what is live."""
        live_bytes = max(self.live_bytes * COMPACT_ABOVE_RATIO, self._compact_above_bytes)
        if self._file.size_bytes > live_bytes:
            self.compact()

    def compact(self) -> None:
        """Write the file anew without its history; meant for a thread other than the loop's.

        Commits go on meanwhile: the lock is held at the ends only. Documents are copied while they
        change, so the copy may mix old and new ones; the transactions committed meanwhile are
        appended behind it, and as they hold whole documents, replaying them settles it. Returns at
        once when another thread is at it.

        Raises:
            IndexUnavailable: the old file stays as it is.
        """
        if not self._compacting.acquire(blocking=False):
            return
        try:
            with self._translated():
                self._rewrite()
            self._compact_above_bytes = COMPACT_ABOVE_BYTES
        except IndexUnavailable:
            self._compact_above_bytes = 2 * self._file.size_bytes
            raise
        finally:
            with self.lock:  # a commit that is under way looks at it twice
                self._bodies_behind = None
            self._compacting.release()

    def _rewrite(self) -> None:
        with self.lock:
            if self._closed:
                return
            tables = dict(self.tables)
            self._bodies_behind = []
        new = AppendFile(self._path_of_new, new=True)
        try:
            checksum = self._write_snapshot(new, snapshot(tables))
            checksum = self._catch_up(new, checksum)
            new.sync()
            with self.lock:
                self._replace(new, self._catch_up(new, checksum))
            sync_directory(self._path.parent)
        finally:
            if self._file is not new:
                new.close()
                self._path_of_new.unlink(missing_ok=True)

    def _write_snapshot(self, new: AppendFile, transactions: Iterator[Changes]) -> int:
        new.append(self._header)
        checksum = checksum_of(self._header)
        for changes in transactions:
            line, checksum = encode_line(encode_body(changes), checksum)
            new.append(line)
            time.sleep(0)  # gives the interpreter lock to the event loop's thread
        return checksum

    def _catch_up(self, new: AppendFile, checksum: int) -> int:
        """Append what was committed since the last time."""
        with self.lock:
            bodies, self._bodies_behind = self._bodies_behind or [], []
        for body in bodies:
            line, checksum = encode_line(body, checksum)
            new.append(line)
        return checksum

    def _replace(self, new: AppendFile, checksum: int) -> None:
        """Put the new file in the place of the old one; the lock is held."""
        if self._durable:
            new.sync()
        self._path_of_new.replace(self._path)
        old, self._file, self._checksum = self._file, new, checksum
        old.close()
        if self._durable:
            sync_directory(self._path.parent)

    def close(self) -> None:
        """Sync, and let go of the file and its lock. Closing twice does no harm."""
        with self._compacting, self.lock:
            if self._closed:
                return
            self._closed = True
            try:
                with self._translated():
                    self._file.sync()
            finally:
                self._file.close()
                self._lock_file.release()
