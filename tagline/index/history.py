"""The history of changes over TinyDB: bounded, and never in the way of an edit."""

import threading
from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b

import msgspec

from tagline.errors import IndexUnavailable
from tagline.index.encoded import encode_document
from tagline.index.ledger import HistoryLimits, Ledger
from tagline.index.lines import Changes
from tagline.index.table import JournalDatabase
from tagline.index.waiting import PENDING, Waiting
from tagline.model import HistoryPage, PastChange, PendingChange

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

    An edit announces its change (``begin``) before it writes any file, and says afterwards what
    became of it: ``confirm``, ``cancel``, or ``leave`` where that is not known. Announced changes
    are in the table ``pending`` and get their number when they are confirmed. Of one that the disk
    still has there on opening, it is not known either.

    The documents are in memory as well. What changes the history may wait for the disk, may be
    called by any thread and never raises; the rest is memory only and takes no lock.
    ``recovered`` says what was lost on opening, ``problem`` why changes are not kept on disk.
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
        self.failure: str | None = None
        """Why the newest change was not kept."""
        storage = database.encoded
        if _TABLE not in storage.tables:
            with suppress(IndexUnavailable):  # the first change tries again, and says so
                storage.commit({_TABLE: {}})
        self._last = 0
        self._load()
        self._waiting = Waiting(storage.rows(PENDING))

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
        return self.failure or self._elsewhere

    def begin(self, pending: PendingChange) -> str | None:
        """Keep durably what an edit is about to do; return the name by which it is called.

        None where it could not be kept; ``failure`` says why then, and also where it is not known
        whether it would survive a power cut. Of the changes that were left, the oldest may go.
        """
        name = None
        with self._adding:
            try:
                self._settle_owed()
                name = self._begin(pending)
                self._database.encoded.sync()
            except IndexUnavailable as error:
                self.failure = str(error)
            else:
                self.failure = None
        return name

    def _begin(self, pending: PendingChange) -> str:
        document = encode_document(pending)
        if len(document) > self._limits.change_bytes:
            raise IndexUnavailable("The history", "a change is too large to be kept")
        name, gone = self._waiting.next_name(), self._waiting.overdue(self._limits.left)
        rows: dict[str, bytes | None] = dict.fromkeys(gone)
        self._database.encoded.commit({PENDING: {**rows, name: document}})
        for old in gone:
            self._waiting.drop(old)
        self._waiting.add(name, pending)
        return name

    def confirm(self, name: str) -> None:
        """Give a change that was made the next number; the oldest changes may go.

        That needs no wait for the disk: after a power cut the change is judged once more.
        """
        with self._adding:
            self._waiting.owe(name, made=True)
            self._try_to_settle_owed()

    def cancel(self, name: str) -> None:
        """Forget a change that was not made."""
        with self._adding:
            self._waiting.owe(name, made=False)
            self._try_to_settle_owed()

    def leave(self, name: str) -> None:
        """Keep a change to be judged later, by what the disk says then."""
        with self._adding:
            self._waiting.leave(name)

    def left(self, photo_id: str | None = None) -> Mapping[str, PendingChange]:
        """The changes, of one photo or of all, that wait to be judged, by name; oldest first."""
        return self._waiting.left(photo_id)

    def _try_to_settle_owed(self) -> None:
        try:
            self._settle_owed()
        except IndexUnavailable as error:  # tried again with the next change, and on closing
            self.failure = str(error)
            return
        with suppress(IndexUnavailable):  # the change is kept; the next one tries again
            self._database.encoded.compact_if_needed()

    def _settle_owed(self) -> None:
        """Write down what became of changes."""
        for name, pending in self._waiting.owed():
            if pending is None:
                self._database.encoded.commit({PENDING: {name: None}})
            else:
                self._add(pending.change, {PENDING: {name: None}})
            self._waiting.drop(name)

    def _add(self, change: PastChange, more: Changes) -> None:
        n = self._last + 1
        document = encode_document(msgspec.structs.replace(change, n=n))
        gone = self._ledger.overdue(change.photo_id, len(document))
        rows: dict[str, bytes | None] = {str(old): None for old in gone}
        self._database.encoded.commit({_TABLE: {**rows, str(n): document}, **more})
        for old, size in gone.items():
            self._ledger.drop(old, size)
        self._ledger.add(n, change.photo_id, len(document))
        self._last = n

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
            self._try_to_settle_owed()
            self._database.close()
