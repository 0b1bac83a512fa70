"""Logging in and out, and API tokens: off the event loop where the disk is touched."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence

from tagline.auth import (
    SCOPES,
    ApiToken,
    ApiTokenService,
    FailureLimit,
    NewApiToken,
    PasswordVerifier,
    Principal,
    Scope,
    TokenPair,
    TokenService,
    is_api_token,
)
from tagline.errors import IndexUnavailable, InvalidToken
from tagline.library.outcomes import counted_login

_logger = logging.getLogger(__name__)


class Sessions:
    """The sessions and API tokens of one library; many tasks may call every method at once.

    ``logins`` counts what came of them.
    """

    def __init__(
        self,
        passwords: PasswordVerifier,
        tokens: TokenService,
        api_tokens: ApiTokenService,
        refreshes: FailureLimit,
    ) -> None:
        self._passwords = passwords
        self._tokens = tokens
        self._api_tokens = api_tokens
        self._refreshes = refreshes
        self._saving: asyncio.Task[None] | None = None
        self.logins: Counter[str] = Counter()

    async def login(self, password: str, address: str) -> TokenPair:
        """A new session.

        Raises:
            InvalidPassword: the password is wrong.
            TooManyAttempts: this address, or all together, failed too often.
        """
        with counted_login(self.logins):
            self._passwords.verify(password, address)
            return await asyncio.to_thread(self._tokens.issue)

    async def refresh(self, refresh_token: str, address: str, *, shared: bool = False) -> TokenPair:
        """A new pair of tokens of the same session; the old refresh token is dead from here on.

        ``shared`` says that several pages of a browser have the token in one cookie.

        Raises:
            ExchangedMeanwhile: another of these pages was faster.
            InvalidToken: unknown, expired or used before (which ends the whole session).
            TooManyAttempts: the same, and this address failed too often.
        """
        try:
            pair = await asyncio.to_thread(self._tokens.refresh, refresh_token, shared=shared)
        except InvalidToken:
            self._refreshes.failed(address)
            raise
        self._refreshes.succeeded(address)
        return pair

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

    def authenticate(self, credential: str) -> Principal:
        """Who bears this access token or API token; in memory only, on the event loop.

        A wrong one counts towards no limit: nobody guesses 256 bits, and a script that was
        forgotten with a dead token must not lock out whoever shares its address.

        Raises:
            InvalidToken: expired, forged, revoked, or its session has ended.
        """
        if is_api_token(credential):
            principal = self._api_tokens.verify(credential)
            if self._api_tokens.has_unsaved_uses:
                self._save_uses()
            return principal
        claims = self._tokens.verify(credential)
        return Principal(
            kind="session",
            id=claims.session_id,
            name=None,
            scopes=SCOPES["write"],
        )

    async def create_api_token(
        self, name: str, scope: Scope, expires_in: int | None
    ) -> NewApiToken:
        """Make an API token; see ``ApiTokenService.create``."""
        return await asyncio.to_thread(self._api_tokens.create, name, scope, expires_in)

    def api_tokens(self) -> Sequence[ApiToken]:
        """Every API token that was not revoked, oldest first; in memory only."""
        return self._api_tokens.tokens()

    async def revoke_api_token(self, token_id: str) -> None:
        """End an API token; see ``ApiTokenService.revoke``."""
        await asyncio.to_thread(self._api_tokens.revoke, token_id)

    async def close(self) -> None:
        """Wait for what is being written in the background."""
        if self._saving is not None:
            await asyncio.wait([self._saving])

    def _save_uses(self) -> None:
        # Behind the request, which need not wait for the disk.
        if self._saving is None or self._saving.done():
            self._saving = asyncio.create_task(self._saved())

    async def _saved(self) -> None:
        try:
            await asyncio.to_thread(self._api_tokens.save_uses)
        except IndexUnavailable as error:
            _logger.warning("the last use of API tokens is not kept: %s", error)
