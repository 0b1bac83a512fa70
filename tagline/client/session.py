"""Sending requests with a token that is good, and turning refusals into exceptions."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tagline.client.errors import ApiError, Unreachable

_UNAUTHORIZED = 401
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=120)


class Session:
    """A connection to one server. It logs in when first needed, and again when it must.

    An access token that the server no longer takes is renewed once for all tasks that wait for
    it. A refused refresh token leads back to the password; an API token is never renewed.
    """

    def __init__(self, url: str, *, password: str | None, token: str | None) -> None:
        if (password is None) == (token is None):
            raise ValueError("give a password or an API token")
        self._url = url.rstrip("/")
        self._password = password
        self._access = token
        self._refresh: str | None = None
        self._renewal = asyncio.Lock()
        self._http = aiohttp.ClientSession(timeout=_TIMEOUT)

    async def close(self) -> None:
        """End the session at the server as well, where there is one."""
        try:
            if self._refresh is not None:
                body = {"refresh_token": self._refresh}
                async with self._http.post(f"{self._url}/logout", json=body):
                    self._refresh = None
        except (aiohttp.ClientError, TimeoutError):
            pass  # it ends by itself when its time is over
        finally:
            await self._http.close()

    @asynccontextmanager
    async def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        **more: Any,  # noqa: ANN401 - as aiohttp takes them
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        """An answer that is no error; its body is not read yet.

        Raises:
            ApiError: the server refused.
            Unreachable: no answer came, or it broke off while it was read.
        """
        try:
            token = await self._token()
            answer = await self._ask(method, path, token, headers, more)
            if answer.status == _UNAUTHORIZED and self._password is not None:
                answer.release()
                token = await self._token(refused=token)
                answer = await self._ask(method, path, token, headers, more)
            async with answer:
                await _demand_success(answer)
                yield answer
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unreachable(f"{self._url}: {error or type(error).__name__}") from error

    async def _ask(
        self,
        method: str,
        path: str,
        token: str,
        headers: Mapping[str, str] | None,
        more: Mapping[str, Any],
    ) -> aiohttp.ClientResponse:
        """One request."""
        sent = {**(headers or {}), "Authorization": f"Bearer {token}"}
        return await self._http.request(method, f"{self._url}{path}", headers=sent, **more)

    async def _token(self, refused: str | None = None) -> str:
        """An access token other than the refused one; many who ask at once wait for the same."""
        if self._access is not None and self._access != refused:
            return self._access
        async with self._renewal:
            if self._access is None or self._access == refused:
                self._access = await self._renewed()
            return self._access

    async def _renewed(self) -> str:
        """A new access token, by the refresh token or else by the password."""
        if self._refresh is not None:
            body, self._refresh = {"refresh_token": self._refresh}, None
            try:
                return await self._tokens("/refresh", body)
            except ApiError as error:
                if error.status != _UNAUTHORIZED:
                    self._refresh = body["refresh_token"]
                    raise
        return await self._tokens("/login", {"password": self._password})

    async def _tokens(self, path: str, body: Mapping[str, str | None]) -> str:
        """Ask for a pair of tokens; keep the one, give the other."""
        async with self._http.post(f"{self._url}{path}", json=body) as answer:
            await _demand_success(answer)
            pair = await answer.json()
        self._refresh = pair["refresh_token"]
        return pair["access_token"]


async def _demand_success(answer: aiohttp.ClientResponse) -> None:
    """Raise ``ApiError`` for a refusal."""
    if not answer.ok:
        raise ApiError(answer.status, await answer.read(), answer.headers.get("Retry-After"))
