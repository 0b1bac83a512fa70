"""The history of changes over TinyDB: bounded, and never in the way of an edit."""

import threading
from contextlib import suppress
from hashlib import blake2b

import msgspec

from tagline.errors import IndexUnavailable
from tagline.index.encoded import encode_document
from tagline.index.ledger import HistoryLimits, Ledger
from tagline.index.table import JournalDatabase
from tagline.model import HistoryPage, PastChange

CONTENT = "history 1"
"""The schema of the documents: ``PastChange`` by its number."""
_TABLE = "changes"

_decode = msgspec.json.Decoder(PastChange).decode


class _Owner(msgspec.Struct):
    """Whose a change is."""

    photo_id: str


_decode_owner = msgspec.json.Decoder(_Owner).decode


class TinyHistory:
    """Changes of photos, numbered through, in the table ``changes`` of a TinyDB.

    The documents are in memory as well. ``add`` may wait for the disk, and may be called by any
    thread; the rest is memory only and takes no lock. ``recovered`` says what was lost on opening,
    ``problem`` why changes are not kept on disk.
    """

    def __init__(
        self,
        database: JournalDatabase,
        limits: HistoryLimits = HistoryLimits(),  # noqa: B008 - frozen
        problem: str | None = None,
    ) -> None:
        self._database = database
        self._limits = limits
        self._ledger = Ledger(limits, self._size_of)
        self._adding = threading.Lock()
        self._elsewhere = problem
        self._last_failure: str | None = None
        storage = database.encoded
        if _TABLE not in storage.tables:
            with suppress(IndexUnavailable):  # the first change tries again, and says so
                storage.commit({_TABLE: {}})
        self._last = 0
        self._load()

    def _load(self) -> None:
        rows = self._database.encoded.rows(_TABLE)
        for n in sorted(map(int, rows)):
            raw = rows[str(n)]
            self._ledger.add(n, _decode_owner(raw).photo_id, len(raw))
            self._last = n

    def _size_of(self, n: int) -> int:
        return len(self._database.encoded.rows(_TABLE)[str(n)])

    def __len__(self) -> int:
        return len(self._ledger)

    @property
    def recovered(self) -> str | None:
        """What was wrong with the file on disk, when the history had to begin empty."""
        return self._database.encoded.recovered

    @property
    def problem(self) -> str | None:
        """Why the newest change was not kept, or none is kept beyond this run."""
        return self._last_failure or self._elsewhere

    def add(self, change: PastChange) -> int:
        """Keep a change durably, under the next number, which is returned; the oldest may go.

        Raises:
            IndexUnavailable: it is too large, or could not be written and the history is as before;
                or it is not known whether it would survive a power cut.
        """
        with self._adding:
            try:
                return self._add(change)
            except IndexUnavailable as error:
                self._last_failure = str(error)
                raise

    def _add(self, change: PastChange) -> int:
        storage, n = self._database.encoded, self._last + 1
        document = encode_document(msgspec.structs.replace(change, n=n))
        if len(document) > self._limits.change_bytes:
            raise IndexUnavailable("The history", "a change is too large to be kept")
        gone = self._ledger.overdue(change.photo_id, len(document))
        rows: dict[str, bytes | None] = {str(old): None for old in gone}
        storage.commit({_TABLE: {**rows, str(n): document}})
        for old, size in gone.items():
            self._ledger.drop(old, size)
        self._ledger.add(n, change.photo_id, len(document))
        self._last = n
        storage.sync()
        self._last_failure = None
        with suppress(IndexUnavailable):  # the change is kept; the next one tries again
            storage.compact_if_needed()
        return n

    def page(self, photo_id: str, limit: int, offset: int) -> HistoryPage:
        """A part of a photo's history, newest first."""
        numbers = self._ledger.of(photo_id)
        rows = self._database.encoded.rows(_TABLE)
        wanted = (rows.get(str(n)) for n in numbers[::-1][offset : offset + limit])
        # Changes come at one end and go at the other; none is ever another one than it was.
        newest = rows.get(str(numbers[-1]), b"") if numbers else b""
        return HistoryPage(
            total=len(numbers),
            version=f"{blake2b(newest, digest_size=8).hexdigest()}.{len(numbers):x}",
            items=tuple(raw for raw in wanted if raw),
        )

    def get(self, photo_id: str, n: int) -> PastChange | None:
        """One change of a photo."""
        if n not in self._ledger.of(photo_id):
            return None
        raw = self._database.encoded.rows(_TABLE).get(str(n))
        return None if raw is None else _decode(raw)

    def close(self) -> None:
        """Sync, and release the file."""
        with self._adding:
            self._database.close()
