"""Logging in and out: passwords and tokens, off the event loop where the disk is touched."""

import asyncio

from tagline.auth import Claims, PasswordVerifier, TokenPair, TokenService
from tagline.errors import InvalidToken


class Sessions:
    """The sessions of one library; every method may be called by many tasks at once."""

    def __init__(self, passwords: PasswordVerifier, tokens: TokenService) -> None:
        self._passwords = passwords
        self._tokens = tokens

    async def login(self, password: str, address: str) -> TokenPair:
        """A new session.

        Raises:
            InvalidPassword: the password is wrong.
            TooManyAttempts: this address, or all together, failed too often.
        """
        self._passwords.verify(password, address)
        return await asyncio.to_thread(self._tokens.issue)

    async def refresh(self, refresh_token: str) -> TokenPair:
        """A new pair of tokens of the same session; the old refresh token is dead from here on.

        Raises:
            InvalidToken: unknown, expired or used before (which ends the whole session).
        """
        return await asyncio.to_thread(self._tokens.refresh, refresh_token)

    async def logout(self, access_token: str | None, refresh_token: str | None) -> None:
        """End the session of either token; its access tokens stop working at once.

        Raises:
            InvalidToken: neither token names a live session.
        """
        if access_token is not None:
            session_id = self._tokens.verify(access_token).session_id
        elif refresh_token is not None:
            session_id = self._tokens.session_of_refresh(refresh_token)
        else:
            raise InvalidToken
        await asyncio.to_thread(self._tokens.revoke, session_id)

    def authenticate(self, access_token: str) -> Claims:
        """What a valid access token says; in memory only.

        Raises:
            InvalidToken: missing, expired, forged, or its session has ended.
        """
        return self._tokens.verify(access_token)
