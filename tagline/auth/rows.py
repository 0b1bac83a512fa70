"""The rows of the token store, and the one boundary to TinyDB."""

from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar, cast

import msgspec
from tinydb import TinyDB
from tinydb.table import Document, Table

from tagline.auth.principal import Scope
from tagline.errors import IndexDamaged, IndexUnavailable

STORE_NAME = "The token store"
LIVE = "live"
USED = "used"


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A session as stored. Times are Unix seconds."""

    started_at: float


class TokenRow(msgspec.Struct, frozen=True, kw_only=True):
    """A refresh token as stored: ``status`` is ``live``, or ``used`` once it was exchanged.

    Times are Unix seconds; ``used_at`` is that of the exchange, where it is known.
    """

    session: str
    status: str
    issued_at: float
    expires_at: float
    used_at: float | None = None


class ApiTokenRow(msgspec.Struct, frozen=True, kw_only=True):
    """An API token as stored, by its id: ``digest`` is ``hash_of`` the whole token.

    Times are Unix seconds; ``used_at`` is right to the hour.
    """

    name: str
    scope: Scope
    digest: str
    created_at: float
    expires_at: float | None
    used_at: float | None


class CredentialRow(msgspec.Struct, frozen=True, kw_only=True):
    """The keyed digest, in hexadecimal, of the password that the sessions belong to."""

    digest: str


Row = TypeVar("Row", bound=msgspec.Struct)


class Rows(Generic[Row]):
    """A TinyDB table whose documents are of one type and have string ids.

    Each call that changes something is one transaction of the database.
    """

    def __init__(self, database: TinyDB, name: str, row_type: type[Row]) -> None:
        self._table: Table = database.table(name)  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs
        self._row_type = row_type

    def __iter__(self) -> Iterator[tuple[str, Row]]:
        """Every row with its id.

        Raises:
            IndexDamaged: a row is not of the type.
        """
        for document in self._table:
            yield str(document.doc_id), self._row(document)

    def get(self, row_id: str) -> Row | None:
        """The row of this id.

        Raises:
            IndexDamaged: it is not of the type.
        """
        document = self._table.get(doc_id=_tinydb_id(row_id))  # pyright: ignore[reportUnknownMemberType] - bare list in its overloads
        return None if document is None else self._row(document)

    def put(self, row_id: str, row: Row) -> None:
        """Store a row, whether it is new or not.

        Raises:
            IndexUnavailable: it could not be stored.
        """
        document = Document(cast("dict[str, Any]", msgspec.to_builtins(row)), _tinydb_id(row_id))
        try:
            self._table.upsert(document)  # pyright: ignore[reportUnknownMemberType] - bare Mapping
        except OSError as error:
            raise _not_written(error) from error

    def discard(self, row_ids: Iterable[str]) -> None:
        """Remove those of the rows that are there.

        Raises:
            IndexUnavailable: it could not be stored.
        """
        present = [i for i in map(_tinydb_id, row_ids) if self._table.contains(doc_id=i)]
        if not present:
            return
        try:
            self._table.remove(doc_ids=present)
        except OSError as error:
            raise _not_written(error) from error

    def _row(self, document: object) -> Row:
        try:
            return msgspec.convert(document, self._row_type)
        except msgspec.ValidationError as error:
            reason = f"the table {self._table.name} holds a row that Tagline did not write"
            raise IndexDamaged(STORE_NAME, reason) from error


def _tinydb_id(row_id: str) -> int:
    # TinyDB's annotations know integers only; ``document_id_class`` allows any type.
    return cast("int", row_id)


def _not_written(error: OSError) -> IndexUnavailable:
    return IndexUnavailable(STORE_NAME, error.strerror or "input/output error")
