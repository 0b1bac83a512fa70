"""Sessions: a login and its chain of refreshes.

A refresh token is good for one exchange. Only this service signs them, so whoever presents one
of a live session that is not waiting to be exchanged presents one that was exchanged before: it
has been copied, and the whole session ends (RFC 9700, 4.14.2).
"""

import hashlib
import hmac
import math
import threading

import msgspec

from tagline.auth.clock import Clock
from tagline.auth.passwords import password_bytes
from tagline.auth.rows import LIVE, TokenRow
from tagline.auth.signing import Claims, TokenSigner, hash_of, new_id
from tagline.auth.store import TokenStore
from tagline.errors import ExchangedMeanwhile, InvalidRefreshToken, InvalidToken

SESSION_MAX_SECONDS = 365 * 86400
MAX_SESSIONS = 1000
MAX_REMEMBERED = 1024
SHARED_SECONDS = 10.0


class TokenPair(msgspec.Struct, frozen=True, kw_only=True):
    """A new access token and refresh token, and for how many seconds each is good."""

    access_token: str
    refresh_token: str
    access_seconds: int
    refresh_seconds: int


class TokenService:
    """Issues, exchanges, checks and revokes tokens.

    Thread-safe. All but ``verify`` may wait for the disk; ``verify`` is memory only and takes no
    lock. At most ``MAX_SESSIONS`` sessions live at a time: a login beyond that ends first the
    oldest that was never refreshed (a script that logs in for each run), else the one whose
    refresh is longest ago. No chain of refreshes outlives ``SESSION_MAX_SECONDS``.

    Raises:
        ConfigurationError: the secret is shorter than 32 bytes.
    """

    def __init__(
        self,
        store: TokenStore,
        secret: str,
        clock: Clock,
        access_seconds: int,
        refresh_seconds: int,
    ) -> None:
        self._store = store
        self._signer = TokenSigner(secret)
        self._password_key = secret.encode("utf-8", "surrogatepass")
        self._clock = clock
        self._access_seconds = access_seconds
        self._refresh_seconds = refresh_seconds
        self._lock = threading.Lock()
        self._remembered: dict[str, Claims] = {}

    def issue(self) -> TokenPair:
        """Begin a session.

        Raises:
            IndexUnavailable: it could not be stored.
        """
        with self._lock:
            now = self._clock()
            self._store.purge(now)
            self._make_room()
            pair, token_hash, row = self._new_pair(new_id(), now, now)
            self._store.start(token_hash, row)
            return pair

    def refresh(self, token: str, *, shared: bool = False) -> TokenPair:
        """Exchange a refresh token for a new pair; the token is dead from then on.

        Of two calls at the same time with one token, the second counts as a reuse. Where several
        pages of one browser share the token in a cookie, the second is one of these as a rule: for
        ``SHARED_SECONDS`` it is refused alone, which helps no thief.

        Raises:
            ExchangedMeanwhile: it is shared, and was exchanged a moment ago.
            InvalidToken: it is none, or expired, or its session has ended, or it was exchanged
                before, which ends its session.
            IndexUnavailable: the new pair could not be stored; the token is as good as before.
        """
        with self._lock:
            now = self._clock()
            claims = self._read_refresh(token, now)
            old_hash = hash_of(claims.token_id)
            old = self._store.token(old_hash)
            if old is None or old.status != LIVE or old.session != claims.session_id:
                if shared and old is not None and _was_just_used(old, now):
                    raise ExchangedMeanwhile
                self._store.end([claims.session_id])
                raise InvalidRefreshToken
            self._store.purge(now)
            started_at = self._store.sessions[claims.session_id].started_at
            pair, new_hash, row = self._new_pair(claims.session_id, started_at, now)
            self._store.rotate(old_hash, old, new_hash, row)
            return pair

    def verify(self, access_token: str) -> Claims:
        """The claims of a good access token. Fast, and safe on the event loop.

        Raises:
            InvalidToken: it is none, or expired, or its session has ended.
        """
        now = self._clock()
        claims = self._remembered.get(access_token)
        if claims is None:
            claims = self._signer.read(access_token, "access", now)
            self._remember(access_token, claims)
        if claims.expires_at <= now or not self._store.is_live(claims.session_id):
            raise InvalidToken
        return claims

    def revoke(self, session_id: str) -> None:
        """End a session: its access tokens stop working at once. An ended one stays ended.

        Raises:
            IndexUnavailable: it could not be stored; the session has ended in this process, and
                calling again tries again.
        """
        with self._lock:
            self._store.end([session_id])

    def session_of_refresh(self, token: str) -> str:
        """The id of the live session that this refresh token, exchanged or not, belongs to.

        Raises:
            InvalidToken: it is none, or expired, or its session has ended.
        """
        return self._read_refresh(token, self._clock()).session_id

    def purge(self) -> None:
        """Remove what has expired; ``issue`` and ``refresh`` do so too.

        Raises:
            IndexUnavailable: it could not be stored.
        """
        with self._lock:
            self._store.purge(self._clock())

    def bind_password(self, password: str) -> bool:
        """Make sessions and API tokens those of this password: end all that belong to another.

        Whoever stole a password may have made API tokens with it, so a new one ends them too. To
        be called before anybody is served. Takes some 50 ms on purpose. Returns whether the
        password is another than last time.

        Raises:
            IndexUnavailable: it could not be stored; call again before serving anybody.
        """
        digest = self._password_digest(password)
        with self._lock:
            known = self._store.password_digest()
            if known is not None and hmac.compare_digest(known.encode(), digest.encode()):
                return False
            # The digest last: after a failure between the two, the sessions end on the next start.
            self._store.end(self._store.sessions)
            self._store.api_tokens.end_all()
            self._store.set_password_digest(digest)
            return known is not None

    def _read_refresh(self, token: str, now: float) -> Claims:
        claims = self._signer.read(token, "refresh", now)
        if not self._store.is_live(claims.session_id):
            raise InvalidRefreshToken
        return claims

    def _new_pair(
        self, session_id: str, started_at: float, now: float
    ) -> tuple[TokenPair, str, TokenRow]:
        issued_at = math.ceil(now)
        session_end = int(started_at) + SESSION_MAX_SECONDS
        refresh_end = min(issued_at + self._refresh_seconds, session_end)
        access_end = min(issued_at + self._access_seconds, refresh_end)
        access, _ = self._signer.sign("access", session_id, int(now), access_end)
        refresh, token_id = self._signer.sign("refresh", session_id, int(now), refresh_end)
        pair = TokenPair(
            access_token=access,
            refresh_token=refresh,
            access_seconds=access_end - issued_at,
            refresh_seconds=refresh_end - issued_at,
        )
        row = TokenRow(session=session_id, status=LIVE, issued_at=now, expires_at=refresh_end)
        return pair, hash_of(token_id), row

    def _make_room(self) -> None:
        sessions = self._store.sessions
        if len(sessions) >= MAX_SESSIONS:
            order = {key: (s.used_at > s.started_at, s.used_at) for key, s in sessions.items()}
            self._store.end([min(order, key=order.__getitem__)])

    def _remember(self, token: str, claims: Claims) -> None:
        # Checking a signature takes 40 us, which a page of photos should not cost each time.
        if len(self._remembered) >= MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered[token] = claims

    def _password_digest(self, password: str) -> str:
        salt = hmac.digest(self._password_key, b"tagline: digest of the password", "sha256")
        return hashlib.scrypt(password_bytes(password), salt=salt, n=2**14, r=8, p=1).hex()


def _was_just_used(row: TokenRow, now: float) -> bool:
    return row.used_at is not None and 0 <= now - row.used_at < SHARED_SECONDS
