"""API tokens: the long-lived credentials of scripts, each with a name and a scope.

A token is ``tagline_<id>_<secret>``: a word by which secret scanners and our own log know it, an
id of 48 random bits, which is no secret, and 256 random bits. The row is found by the id; stored
is a plain BLAKE2b of the whole token. Slow, salted hashes protect passwords, because people choose
them from few; nobody tries 2**256 secrets, so here they would only cost 50 ms a request. Digests
are compared in constant time: how long it takes tells at most which ids there are.
"""

import hmac
import re
import secrets
import threading
import unicodedata

import msgspec

from tagline.auth.api_store import ApiTokenStore
from tagline.auth.clock import Clock
from tagline.auth.principal import SCOPES, Principal, Scope
from tagline.auth.rows import ApiTokenRow
from tagline.auth.signing import hash_of
from tagline.errors import (
    ApiTokenNameTaken,
    ApiTokenNotFound,
    InvalidToken,
    InvalidValue,
    TooManyApiTokens,
)
from tagline.model.text import WHITE_SPACE

TOKEN_PREFIX = "tagline_"  # noqa: S105 - what every token begins with
MAX_API_TOKENS = 100
NAME_MAX_CHARACTERS = 100
EXPIRY_MAX_SECONDS = 10 * 365 * 86400
USE_NOTED_SECONDS = 3600.0
_ID_BYTES = 6
_SECRET_BYTES = 32
ID_PATTERN = "[0-9a-f]{12}"
_FORM = re.compile(rf"tagline_({ID_PATTERN})_[0-9a-f]{{64}}")
# Controls, invisible formats, separators of lines, private use and what is no character. They are
# listed, since their categories differ from one version of Unicode to the next; those beyond U+FFFF
# are not, since programs differ in how a class names them.
_UNFIT = (
    r"\u0000-\u001f\u007f-\u009f\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e"
    r"\u200b-\u200f\u2028-\u202e\u2060-\u206f\ue000-\uf8ff\ufdd0-\ufdef\ufeff\ufff0-\ufffb"
    r"\ufffe\uffff"
)
_OUTER = f"[^{_UNFIT}{WHITE_SPACE}]"
NAME_PATTERN = f"^{_OUTER}([^{_UNFIT}]*{_OUTER})?$"
"""What a name may hold, beside its length: nothing that cannot be seen, and no outer white space.

So of Python's, JSON Schema's and other regular expressions.
"""
_NAME = re.compile(NAME_PATTERN)


class ApiToken(msgspec.Struct, frozen=True, kw_only=True):
    """What may be shown of an API token. Times are Unix seconds; ``used_at`` to the hour."""

    id: str
    name: str
    scope: Scope
    created_at: float
    expires_at: float | None
    used_at: float | None


class NewApiToken(msgspec.Struct, frozen=True, kw_only=True):
    """A new API token, and its text, which nothing can show again."""

    token: str
    shown: ApiToken


class ApiTokenService:
    """Makes, checks, lists and revokes API tokens.

    Thread-safe. ``verify`` and ``tokens`` are memory only and take no lock; the rest may wait for
    the disk. At most ``MAX_API_TOKENS`` live at a time; expired ones stay listed until another is
    made.
    """

    def __init__(self, store: ApiTokenStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._noted: dict[str, float] = {}
        self.has_unsaved_uses = False
        """Whether ``save_uses`` has something to do."""

    def create(self, name: str, scope: Scope, expires_in: int | None) -> NewApiToken:
        """Make a token that is good for ``expires_in`` seconds, or until it is revoked.

        Raises:
            InvalidValue: the name or the time is not allowed.
            ApiTokenNameTaken: another token has this name, in any case.
            TooManyApiTokens: there are as many as there may be.
            IndexUnavailable: it could not be stored; there is no such token.
        """
        name = fit_name(name)
        if expires_in is not None and not 1 <= expires_in <= EXPIRY_MAX_SECONDS:
            raise InvalidValue("expires_in", f"must be from 1 to {EXPIRY_MAX_SECONDS} seconds")
        with self._lock:
            now = self._clock()
            self._make_room(name, now)
            token_id = self._new_id()
            token = f"{TOKEN_PREFIX}{token_id}_{secrets.token_hex(_SECRET_BYTES)}"
            row = ApiTokenRow(
                name=name,
                scope=scope,
                digest=hash_of(token),
                created_at=now,
                expires_at=None if expires_in is None else now + expires_in,
                used_at=None,
            )
            self._store.put(token_id, row)
        return NewApiToken(token=token, shown=self._shown(token_id, row))

    def tokens(self) -> tuple[ApiToken, ...]:
        """Every token that was not revoked, oldest first."""
        rows = sorted(self._store.rows().items(), key=lambda item: (item[1].created_at, item[0]))
        return tuple(self._shown(token_id, row) for token_id, row in rows)

    def revoke(self, token_id: str) -> None:
        """End a token: it stops working at once.

        Raises:
            ApiTokenNotFound: there is none with this id.
            IndexUnavailable: it could not be stored; the token has ended in this process, and
                calling again tries again.
        """
        with self._lock:
            if self._store.get(token_id) is None and not self._store.is_ending(token_id):
                raise ApiTokenNotFound(token_id)
            self._noted.pop(token_id, None)
            self._store.end([token_id])

    def verify(self, token: str) -> Principal:
        """Who bears this token. Fast, and safe on the event loop.

        Raises:
            InvalidToken: it is none, or expired, or revoked.
        """
        match = _FORM.fullmatch(token)
        row = self._store.get(match[1]) if match else None
        now = self._clock()
        if match is None or row is None or not _is_of(token, row) or _is_over(row, now):
            raise InvalidToken("Invalid, expired or revoked API token: make another one.")
        self._note_use(match[1], row, now)
        return Principal(
            kind="token",
            id=match[1],
            name=row.name,
            scopes=SCOPES[row.scope],
        )

    def save_uses(self) -> None:
        """Store when tokens were last used: for each at most once an hour.

        Raises:
            IndexUnavailable: it could not be stored; it is tried again with the next that is due.
        """
        with self._lock:
            self.has_unsaved_uses = False
            for token_id, used_at in tuple(self._noted.items()):
                row = self._store.get(token_id)
                if row is not None and row.used_at != used_at:
                    self._store.put(token_id, msgspec.structs.replace(row, used_at=used_at))

    def _note_use(self, token_id: str, row: ApiTokenRow, now: float) -> None:
        last = self._noted.get(token_id, row.used_at)
        # A clock that was set back must not keep a time in the future for ever.
        if last is None or abs(now - last) >= USE_NOTED_SECONDS:
            self._noted[token_id] = now
            self.has_unsaved_uses = True

    def _shown(self, token_id: str, row: ApiTokenRow) -> ApiToken:
        return ApiToken(
            id=token_id,
            name=row.name,
            scope=row.scope,
            created_at=row.created_at,
            expires_at=row.expires_at,
            used_at=self._noted.get(token_id, row.used_at),
        )

    def _make_room(self, name: str, now: float) -> None:
        expired = [key for key, row in self._store.rows().items() if _is_over(row, now)]
        if expired:
            self._store.end(expired)
            for key in expired:
                self._noted.pop(key, None)
        live = self._store.rows()
        if any(row.name.casefold() == name.casefold() for row in live.values()):
            raise ApiTokenNameTaken(name)
        if len(live) >= MAX_API_TOKENS:
            raise TooManyApiTokens(MAX_API_TOKENS)

    def _new_id(self) -> str:
        while self._store.get(token_id := secrets.token_hex(_ID_BYTES)) is not None:
            pass
        return token_id


def is_api_token(credential: str) -> bool:
    """Whether this is an API token, good or not, and no JSON Web Token."""
    return credential.startswith(TOKEN_PREFIX)


def fit_name(name: str) -> str:
    """The name of a token as it is kept: in Unicode normalisation form C.

    Raises:
        InvalidValue: it is empty, too long, or holds what cannot be seen.
    """
    if not name or name != name.strip():
        raise InvalidValue("name", "must not be empty, or begin or end with white space")
    if len(name) > NAME_MAX_CHARACTERS:
        raise InvalidValue("name", f"must have at most {NAME_MAX_CHARACTERS} characters")
    if not _NAME.fullmatch(name) or any("\ud800" <= each <= "\udfff" for each in name):
        raise InvalidValue("name", "must not hold control or invisible characters")
    return unicodedata.normalize("NFC", name)


def _is_of(token: str, row: ApiTokenRow) -> bool:
    return hmac.compare_digest(hash_of(token).encode(), row.digest.encode())


def _is_over(row: ApiTokenRow, now: float) -> bool:
    return row.expires_at is not None and row.expires_at <= now
