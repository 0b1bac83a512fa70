"""Sending requests with a token that is good, and turning refusals into exceptions."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tagline.client.errors import ApiError, Unreachable

_UNAUTHORIZED = 401
_NOT_MODIFIED = 304
_LOGOUT_SECONDS = 5.0
"""A server that hangs does not keep whoever leaves."""
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
                async with asyncio.timeout(_LOGOUT_SECONDS), self._post("/logout", body):
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
            Unreachable: no answer of Tagline's came, or it broke off while it was read.
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
        return await self._http.request(
            method, f"{self._url}{path}", headers=sent, allow_redirects=False, **more
        )

    def _post(self, path: str, body: Mapping[str, str | None]) -> Any:  # noqa: ANN401 - aiohttp's
        """A request about tokens, which no redirect is to send elsewhere."""
        return self._http.post(f"{self._url}{path}", json=body, allow_redirects=False)

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
        async with self._post(path, body) as answer:
            await _demand_success(answer)
            pair = await read_json(answer)
        try:
            access, self._refresh = pair["access_token"], pair["refresh_token"]
        except (KeyError, TypeError) as error:
            raise not_tagline(answer) from error
        return access


async def read_json(answer: aiohttp.ClientResponse) -> Any:  # noqa: ANN401 - JSON
    """The JSON of an answer; None where it has no body.

    Raises:
        Unreachable: it is no JSON.
    """
    body = await answer.read()
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError) as error:
        raise not_tagline(answer) from error


def not_tagline(answer: aiohttp.ClientResponse) -> Unreachable:
    """The error that another server answered, or a page between, or one without JSON."""
    return Unreachable(
        f"{answer.url}: this is not Tagline, or no operation with JSON: {answer.status} "
        f"with {answer.content_type}"
    )


async def _demand_success(answer: aiohttp.ClientResponse) -> None:
    """Raise ``ApiError`` for a refusal, or a redirect."""
    if answer.status >= 300 and answer.status != _NOT_MODIFIED:
        raise ApiError(answer.status, await answer.read(), answer.headers)
