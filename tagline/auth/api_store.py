"""The API tokens in memory, and in the table ``api_tokens``: one row a token, by its id."""

from collections.abc import Iterable, Mapping

from tinydb import TinyDB

from tagline.auth.rows import ApiTokenRow, Rows


class ApiTokenStore:
    """The rows of API tokens, each written in a transaction of its own.

    The database must be as for ``TokenStore``. Not thread-safe, except that ``get`` and ``rows``
    may be called at any time.

    Raises:
        IndexDamaged: a row is not what this class writes.
    """

    def __init__(self, database: TinyDB) -> None:
        self._rows = Rows(database, "api_tokens", ApiTokenRow)
        self._live = dict(self._rows)
        self._ending: set[str] = set()

    def get(self, token_id: str) -> ApiTokenRow | None:
        """The row of a token that was not revoked. Memory only."""
        return self._live.get(token_id)

    def is_ending(self, token_id: str) -> bool:
        """Whether the token was revoked, and that could not be stored yet."""
        return token_id in self._ending

    def rows(self) -> Mapping[str, ApiTokenRow]:
        """Every row by id, as they are now. Memory only."""
        return self._live.copy()

    def put(self, token_id: str, row: ApiTokenRow) -> None:
        """Store a row, new or not; durable when this returns.

        Raises:
            IndexUnavailable: it could not be stored; nothing has changed.
        """
        self._rows.put(token_id, row)
        self._live[token_id] = row

    def end(self, token_ids: Iterable[str]) -> None:
        """Remove tokens: at once in memory, and durably when this returns.

        Raises:
            IndexUnavailable: it could not be stored; they have ended in this process all the same,
                ``is_ending`` says so, and the next ``end`` tries again.
        """
        for token_id in tuple(token_ids):
            self._live.pop(token_id, None)
            self._ending.add(token_id)
        self._rows.discard(self._ending)
        self._ending.clear()

    def end_all(self) -> None:
        """Remove every token; see ``end``."""
        self.end(self._live)
