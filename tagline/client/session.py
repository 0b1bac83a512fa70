"""Sending requests with a token that is good, and turning refusals into exceptions."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from tagline.client.errors import ApiError, Unreachable
from tagline.client.patience import Patience

_UNAUTHORIZED = 401
_NOT_MODIFIED = 304
_LOGOUT_SECONDS = 5.0
"""A server that hangs does not keep whoever leaves."""
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=120)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A request but for its token; ``more`` is as aiohttp takes it."""

    method: str
    url: str
    headers: Mapping[str, str]
    more: Mapping[str, Any]


class Session:
    """A connection to one server. It logs in when first needed, and again when it must.

    An access token that the server no longer takes is renewed once for all tasks that wait for
    it. A refused refresh token leads back to the password; an API token is never renewed.
    """

    def __init__(
        self,
        url: str,
        *,
        password: str | None,
        token: str | None,
        patience: Callable[[], Patience],
    ) -> None:
        if (password is None) == (token is None):
            raise ValueError("give a password or an API token")
        self._url = url.rstrip("/")
        self._password = password
        self._patience = patience
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
        patience: Patience | None = None,
        **more: Any,  # noqa: ANN401 - as aiohttp takes them
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        """An answer that is no error; its body is not read yet.

        Where the server asks for it, the request is sent again as long as ``patience`` lasts.

        Raises:
            ApiError: the server refused.
            Unreachable: no answer of Tagline's came, or it broke off while it was read.
        """
        patience = patience or self._patience()
        sent = _Sent(method, f"{self._url}{path}", headers or {}, more)
        try:
            while True:
                async with await self._admitted(sent, patience) as answer:
                    refusal = await _refusal(answer)
                    if refusal is None:
                        yield answer
                        return
                if not await patience.outlasts(method, refusal):
                    raise refusal
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unreachable(f"{self._url}: {error or type(error).__name__}") from error

    async def _admitted(self, sent: "_Sent", patience: Patience) -> aiohttp.ClientResponse:
        """The answer to a request, with a new token where the server takes no old one."""
        token = await self._token(patience)
        answer = await self._ask(sent, token)
        if answer.status == _UNAUTHORIZED and self._password is not None:
            answer.release()
            answer = await self._ask(sent, await self._token(patience, refused=token))
        return answer

    async def _ask(self, sent: "_Sent", token: str) -> aiohttp.ClientResponse:
        """One request."""
        headers = {**sent.headers, "Authorization": f"Bearer {token}"}
        return await self._http.request(
            sent.method, sent.url, headers=headers, allow_redirects=False, **sent.more
        )

    def _post(self, path: str, body: Mapping[str, str | None]) -> Any:  # noqa: ANN401 - aiohttp's
        """A request about tokens, which no redirect is to send elsewhere."""
        return self._http.post(f"{self._url}{path}", json=body, allow_redirects=False)

    async def _token(self, patience: Patience, refused: str | None = None) -> str:
        """An access token other than the refused one; many who ask at once wait for the same."""
        if self._access is not None and self._access != refused:
            return self._access
        async with self._renewal:
            if self._access is None or self._access == refused:
                self._access = await self._renewed(patience)
            return self._access

    async def _renewed(self, patience: Patience) -> str:
        """A new access token, by the refresh token or else by the password."""
        if self._refresh is not None:
            body, self._refresh = {"refresh_token": self._refresh}, None
            try:
                return await self._tokens("/refresh", body, patience)
            except ApiError as error:
                if error.status != _UNAUTHORIZED:
                    self._refresh = body["refresh_token"]
                    raise
        return await self._tokens("/login", {"password": self._password}, patience)

    async def _tokens(self, path: str, body: Mapping[str, str | None], patience: Patience) -> str:
        """Ask for a pair of tokens; keep the one, give the other."""
        while True:
            async with self._post(path, body) as answer:
                refusal = await _refusal(answer)
                if refusal is None:
                    return self._keep(answer, await read_json(answer))
            if not await patience.outlasts("POST", refusal):
                raise refusal

    def _keep(self, answer: aiohttp.ClientResponse, pair: Any) -> str:  # noqa: ANN401 - JSON
        """Keep the refresh token of a pair; the access token."""
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


async def _refusal(answer: aiohttp.ClientResponse) -> ApiError | None:
    """The error that the answer is, or the redirect."""
    if answer.status < 300 or answer.status == _NOT_MODIFIED:
        return None
    return ApiError(answer.status, await answer.read(), answer.headers)
