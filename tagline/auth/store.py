"""Sessions and refresh tokens, kept in TinyDB so that they outlive the process.

Three tables, beside the one of ``api_store``. ``sessions``: one row a session, by session id.
``refresh_tokens``: one row a refresh token, by the BLAKE2b hash of its ``jti``, so that who reads
the file cannot make a token of it. ``credentials``: one row, the keyed digest of the password
that all of them belong to.

Each row is written in a transaction of its own, in an order that makes every point of failure
safe. A session is live while its row is there: removing that one row ends it.
"""

import math
from collections.abc import Iterable, Mapping

import msgspec
from tinydb import TinyDB

from tagline.auth.api_store import ApiTokenStore
from tagline.auth.rows import USED, CredentialRow, Rows, SessionRow, TokenRow
from tagline.errors import IndexUnavailable

MAX_TOKENS_PER_SESSION = 32
KEPT_TOKENS_PER_SESSION = 16
_CREDENTIAL_ID = "password"


class Session:
    """A live session in memory: its times in Unix seconds, and its tokens' hashes, oldest first."""

    __slots__ = ("expires_at", "started_at", "tokens", "used_at")

    def __init__(self, started_at: float) -> None:
        self.started_at = started_at
        self.used_at = started_at
        self.expires_at = 0.0
        self.tokens: dict[str, float] = {}

    def add(self, token_hash: str, row: TokenRow) -> None:
        """Take note of a token of this session."""
        self.tokens[token_hash] = row.expires_at
        self.used_at = max(self.used_at, row.issued_at)
        self.expires_at = max(self.expires_at, row.expires_at)

    def take_overdue(self, now: float) -> list[str]:
        """Forget the tokens that need not be kept, and return their hashes.

        Those are the expired ones, and the oldest when there are many. A reuse of one of them is
        noticed all the same: see ``TokenService.refresh``.
        """
        kept = len(self.tokens)
        many = kept - KEPT_TOKENS_PER_SESSION if kept > MAX_TOKENS_PER_SESSION else 0
        oldest_expiry = next(iter(self.tokens.values()), math.inf)
        if not many and oldest_expiry > now:
            return []
        places = enumerate(self.tokens.items())
        overdue = [key for place, (key, expires_at) in places if place < many or expires_at <= now]
        for token_hash in overdue:
            del self.tokens[token_hash]
        return overdue


class TokenStore:
    """The live sessions in memory, and everything about them in ``database``.

    The database's tables must have string document ids, and each write must be durable when it
    returns. Not thread-safe, except that ``is_live`` may be called at any time.

    Raises:
        IndexDamaged: a row is not what this class writes.
    """

    def __init__(self, database: TinyDB) -> None:
        self._session_rows = Rows(database, "sessions", SessionRow)
        self._token_rows = Rows(database, "refresh_tokens", TokenRow)
        self._credential_rows = Rows(database, "credentials", CredentialRow)
        self.api_tokens = ApiTokenStore(database)
        self._sessions = {key: Session(row.started_at) for key, row in self._session_rows}
        self._ending: dict[str, Session] = {}
        self._overdue: list[str] = []
        self._load_tokens()

    def _load_tokens(self) -> None:
        # Live ones last, whatever the clock did: ``take_overdue`` takes from the front.
        rows = sorted(
            self._token_rows, key=lambda item: (item[1].status != USED, item[1].issued_at)
        )
        for token_hash, row in rows:
            session = self._sessions.get(row.session)
            if session is None:
                self._overdue.append(token_hash)
            else:
                session.add(token_hash, row)

    @property
    def sessions(self) -> Mapping[str, Session]:
        """The live sessions by their ids."""
        return self._sessions

    def is_live(self, session_id: str) -> bool:
        """Whether the session is live. Memory only; safe beside any other call."""
        return session_id in self._sessions

    def start(self, token_hash: str, row: TokenRow) -> None:
        """Begin the session of this token, its first.

        Raises:
            IndexUnavailable: it could not be stored; there is no such session.
        """
        session = Session(row.issued_at)
        session.add(token_hash, row)
        self._session_rows.put(row.session, SessionRow(started_at=row.issued_at))
        try:
            self._token_rows.put(token_hash, row)
        except IndexUnavailable:
            self._ending[row.session] = session
            raise
        self._sessions[row.session] = session

    def rotate(self, old_hash: str, old: TokenRow, new_hash: str, new: TokenRow) -> None:
        """Add the new token to its live session, and mark the old one as used.

        The new one first: after a failure between the two writes the old token, which is all
        that the client has then, still works.

        Raises:
            IndexUnavailable: it could not be stored.
        """
        self._token_rows.put(new_hash, new)
        self._sessions[new.session].add(new_hash, new)
        used = msgspec.structs.replace(old, status=USED, used_at=new.issued_at)
        self._token_rows.put(old_hash, used)

    def token(self, token_hash: str) -> TokenRow | None:
        """The stored row of a token."""
        return self._token_rows.get(token_hash)

    def end(self, session_ids: Iterable[str]) -> None:
        """End sessions: at once in memory, and durably when this returns.

        Raises:
            IndexUnavailable: it could not be stored; the sessions have ended all the same, and the
                next ``end`` or ``purge`` tries again.
        """
        for session_id in tuple(session_ids):
            session = self._sessions.pop(session_id, None)
            if session is not None:
                self._ending[session_id] = session
        self._settle()

    def purge(self, now: float) -> None:
        """Remove what has expired: sessions without an unexpired token, and expired tokens.

        Raises:
            IndexUnavailable: it could not be stored.
        """
        expired = [key for key, session in self._sessions.items() if session.expires_at <= now]
        for session in self._sessions.values():
            self._overdue += session.take_overdue(now)
        self.end(expired)

    def password_digest(self) -> str | None:
        """The digest of the password that the sessions belong to."""
        row = self._credential_rows.get(_CREDENTIAL_ID)
        return row.digest if row else None

    def set_password_digest(self, digest: str) -> None:
        """Keep the digest of the password that the sessions belong to.

        Raises:
            IndexUnavailable: it could not be stored.
        """
        self._credential_rows.put(_CREDENTIAL_ID, CredentialRow(digest=digest))

    def _settle(self) -> None:
        # The sessions first: they decide, and tokens without a session are removed on loading.
        self._session_rows.discard(self._ending)
        hashes = [key for session in self._ending.values() for key in session.tokens]
        self._token_rows.discard(hashes + self._overdue)
        self._ending.clear()
        self._overdue.clear()
