"""The password check; ``attempts`` has the limits that make guessing hopeless."""

import hashlib
import hmac
import secrets
import threading
import unicodedata
from datetime import timedelta

from tagline.auth.attempts import AttemptLimiter, address_group
from tagline.auth.clock import Clock
from tagline.errors import InvalidPassword, TooManyAttempts

PASSWORD_MAX_CHARACTERS = 1024


class PasswordVerifier:
    """Compares passwords with the one that is right, within limits. Thread-safe; never blocks.

    Attempts and the password are compared as keyed digests in constant time, after Unicode
    normalisation to NFC (RFC 8265, 4.2.2), so that it does not matter how a keyboard composes
    an accent. Memory is bounded whatever arrives.
    """

    def __init__(self, password: str, clock: Clock) -> None:
        self._key = secrets.token_bytes(32)
        self._digest = self._digest_of(password)
        self._limiter = AttemptLimiter(clock)
        self._lock = threading.Lock()

    def verify(self, password: str, address: str) -> None:
        """Return when the password is right; ``address`` is the client's IP address.

        Raises:
            InvalidPassword: it is wrong, and the failure was counted.
            TooManyAttempts: it was not looked at; try again after ``retry_after``.
        """
        right = self._is_right(password)
        group = address_group(address)
        with self._lock:
            wait_seconds = self._limiter.wait_seconds(group)
            if wait_seconds > 0:
                raise TooManyAttempts(timedelta(seconds=wait_seconds))
            if right:
                self._limiter.succeeded(group)
                return
            self._limiter.failed(group)
        raise InvalidPassword

    def _is_right(self, password: str) -> bool:
        if len(password) > PASSWORD_MAX_CHARACTERS:
            return False
        return hmac.compare_digest(self._digest_of(password), self._digest)

    def _digest_of(self, password: str) -> bytes:
        return hashlib.blake2b(password_bytes(password), key=self._key).digest()


def password_bytes(password: str) -> bytes:
    """The bytes that stand for a password: NFC, UTF-8; lone surrogates are let through."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
