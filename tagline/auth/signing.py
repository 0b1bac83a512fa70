"""JSON Web Tokens (RFC 7519), signed with HS256: made from claims, and read back.

The claims: ``iss`` "tagline", ``sub`` "owner", ``sid`` the session, ``jti`` the token, ``iat``,
``exp``, and ``kind`` "access" or "refresh". Issuer and verifier are one process with one clock,
so expiry has no leeway: a token is dead at the very second of its ``exp`` (4.1.4). A token "from
the future" is let through: it means that the clock was set back, and its session can still be
ended.
"""

import hashlib
import secrets
from typing import Literal

import jwt
import msgspec

from tagline.errors import ConfigurationError, InvalidRefreshToken, InvalidToken

ALGORITHM = "HS256"
ISSUER = "tagline"
SUBJECT = "owner"
SECRET_MIN_BYTES = 32
TOKEN_MAX_CHARACTERS = 1024

Kind = Literal["access", "refresh"]
_CLAIMS = ("iss", "sub", "sid", "jti", "iat", "exp", "kind")


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What a valid token says. ``expires_at`` is in Unix seconds."""

    session_id: str
    token_id: str
    expires_at: int


class _Payload(msgspec.Struct, frozen=True):
    sid: str
    jti: str
    iat: int
    exp: int
    kind: Kind


class TokenSigner:
    """Makes and reads tokens with one secret.

    Raises:
        ConfigurationError: the secret is shorter than 32 bytes (RFC 7518, 3.2).
    """

    def __init__(self, secret: str) -> None:
        self._key = secret.encode("utf-8", "surrogatepass")
        if len(self._key) < SECRET_MIN_BYTES:
            raise ConfigurationError("JWT_SECRET", f"is shorter than {SECRET_MIN_BYTES} bytes")

    def sign(self, kind: Kind, session_id: str, issued_at: int, expires_at: int) -> tuple[str, str]:
        """A new token, and its ``jti``. Times are Unix seconds."""
        token_id = new_id()
        payload = {
            "iss": ISSUER,
            "sub": SUBJECT,
            "sid": session_id,
            "jti": token_id,
            "iat": issued_at,
            "exp": expires_at,
            "kind": kind,
        }
        token = jwt.encode(payload, self._key, algorithm=ALGORITHM)  # pyright: ignore[reportUnknownMemberType] - key types of cryptography, which is not installed
        return token, token_id

    def read(self, token: str, kind: Kind, now: float) -> Claims:
        """The claims of a token of this kind that is ours and unexpired at ``now``.

        Raises:
            InvalidToken: it is anything else.
        """
        payload = self._payload(token)
        if payload is None or payload.kind != kind or payload.exp <= now:
            raise InvalidRefreshToken if kind == "refresh" else InvalidToken
        return Claims(session_id=payload.sid, token_id=payload.jti, expires_at=payload.exp)

    def _payload(self, token: str) -> _Payload | None:
        if len(token) > TOKEN_MAX_CHARACTERS or not token.isascii():
            return None
        try:
            claims = jwt.decode(  # pyright: ignore[reportUnknownMemberType] - likewise
                token,
                self._key,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                subject=SUBJECT,
                # Times are judged by the caller's clock.
                options={
                    "require": list(_CLAIMS),
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
            return msgspec.convert(claims, _Payload)
        except (jwt.PyJWTError, msgspec.ValidationError):
            return None


def new_id() -> str:
    """A random identifier of 128 bits for a session or a token."""
    return secrets.token_urlsafe(16)


def hash_of(secret: str) -> str:
    """What stands in the store for a random secret: a refresh token's ``jti``, an API token."""
    return hashlib.blake2b(secret.encode(), digest_size=32).hexdigest()
