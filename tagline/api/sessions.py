"""Operations on sessions: log in, refresh, log out."""

from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from tagline.api.answers import json_answer
from tagline.api.authentication import (
    demand_trusted_page,
    is_over_tls,
    presented,
)
from tagline.api.clients import base_of, client, headers_of
from tagline.api.cookies import REFRESH_COOKIE, no_cookies, read_cookie, session_cookies
from tagline.api.inputs import Call, HeaderInput
from tagline.api.operations import Access, Answer, Declaration, operation
from tagline.api.payloads import (
    CookieSessionResponse,
    LoginRequest,
    LoginResponse,
    LogoutRequest,
    RefreshRequest,
    RefreshResponse,
)
from tagline.api.refusals import (
    ForeignPage,
    InvalidRequest,
    MissingToken,
    Problem,
    SessionNeeded,
)
from tagline.auth import is_api_token
from tagline.errors import (
    ExchangedMeanwhile,
    IndexFailure,
    InvalidPassword,
    InvalidRefreshToken,
    InvalidToken,
    TooManyAttempts,
)
from tagline.library import TokenPair

_TAG = "Sessions"
_NO_BODY = "Send a JSON object, or Accept-Session: cookie where the refresh token is in its cookie"


class SessionHeaders(HeaderInput):
    """How the tokens of the session are to come."""

    accept_session: Annotated[
        Literal["token", "cookie"],
        Field(
            alias="Accept-Session",
            description="`cookie`: in cookies that no script can read, for web pages; the body "
            "then holds no token. `token`: in the body.",
            examples=["cookie"],
        ),
    ] = "token"

    @property
    def wants_cookies(self) -> bool:
        """Whether the tokens are to come in cookies."""
        return self.accept_session == "cookie"


@operation(
    "POST",
    "/login",
    Declaration(
        tag=_TAG,
        access=Access.OPEN,
        answers=(
            Answer(
                status=200,
                says="A new session.",
                body=(LoginResponse, CookieSessionResponse),
                headers=("Set-Cookie",),
            ),
        ),
        refusals=(InvalidPassword, TooManyAttempts, IndexFailure),
    ),
)
async def login(call: Call, headers: SessionHeaders, body: LoginRequest) -> web.Response:
    """Exchange the password for a pair of tokens.

    Wrong passwords are limited per address: after too many the answer is 429, and `Retry-After`
    says how long to wait.

    Web pages send `Accept-Session: cookie`: the tokens then come in cookies (`HttpOnly`,
    `SameSite=Strict`), and `<img src="/photos/…/thumbnail">` works as it stands.
    """
    pair = await call.library.login(body.password, client(call.request).address)
    return _tokens(call, pair, in_cookies=headers.wants_cookies)


@operation(
    "POST",
    "/refresh",
    Declaration(
        tag=_TAG,
        access=Access.OPEN,
        answers=(
            Answer(
                status=200,
                says="The session's new tokens.",
                body=(RefreshResponse, CookieSessionResponse),
                headers=("Set-Cookie",),
            ),
        ),
        refusals=(
            InvalidToken,
            InvalidRefreshToken,
            ForeignPage,
            ExchangedMeanwhile,
            TooManyAttempts,
            IndexFailure,
        ),
    ),
)
async def refresh(call: Call, headers: SessionHeaders, body: RefreshRequest | None) -> web.Response:
    """Exchange a refresh token for a new pair of tokens.

    Each refresh token works once. Sending one a second time looks like theft, so it ends the whole
    session: log in again.

    With `Accept-Session: cookie` no body is needed: the token comes from its cookie, and the new
    ones go into cookies. Of two pages that do so at the same time the second gets 409: the new
    cookies are there already.
    """
    token = _refresh_token(call, headers, body)
    address = client(call.request).address
    pair = await call.library.refresh(token, address, shared=body is None)
    return _tokens(call, pair, in_cookies=headers.wants_cookies)


def _refresh_token(call: Call, headers: SessionHeaders, body: RefreshRequest | None) -> str:
    """The refresh token of the body, or of the cookie where cookies are wanted.

    A token that came in a cookie is never answered in a body, where a script could read it.
    """
    if body is not None:
        return body.refresh_token
    if not headers.wants_cookies:
        raise InvalidRequest([Problem(loc=["body"], msg=_NO_BODY, type="object_type")])
    token = read_cookie(call.request.headers, REFRESH_COOKIE, base_of(call.request))
    if token is None:
        raise InvalidRefreshToken
    demand_trusted_page(headers_of(call.request), call.options.cors_allowed_origins)
    return token


@operation(
    "POST",
    "/logout",
    Declaration(
        tag=_TAG,
        access=Access.OWN_CHECK,
        answers=(Answer(status=204, says="The session is over.", headers=("Set-Cookie",)),),
        refusals=(
            MissingToken,
            InvalidToken,
            InvalidRefreshToken,
            SessionNeeded,
            ForeignPage,
            IndexFailure,
        ),
    ),
)
async def logout(call: Call, body: LogoutRequest | None) -> web.Response:
    """End the session of the bearer, of the cookie, or of the refresh token in the body.

    The session's access tokens stop working at once, and its cookies are deleted. Either token is
    enough, so a client whose access token has expired can still log out; where several come, the
    body's counts, then the header's. A page whose access token has expired refreshes first.
    """
    if body is not None and body.refresh_token is not None:
        await call.library.logout(None, body.refresh_token)
        return web.Response(status=204)
    request = call.request
    origins, base = call.options.cors_allowed_origins, base_of(request)
    given = presented(headers_of(request), request.method, origins, base)
    if given is None:
        raise MissingToken
    if is_api_token(given.credential) and not given.by_cookie:
        raise SessionNeeded
    await call.library.logout(given.credential, None)
    response = web.Response(status=204)
    if given.by_cookie:
        response.headers.extend(("Set-Cookie", line) for line in no_cookies(base))
    return response


def _tokens(call: Call, pair: TokenPair, *, in_cookies: bool) -> web.Response:
    """The answer with a pair of tokens: in the JSON, or in cookies and not in the JSON."""
    said = {"expires_in": pair.access_seconds, "refresh_expires_in": pair.refresh_seconds}
    if in_cookies:
        response = json_answer({"token_type": "cookie", **said})
        secure = client(call.request).secure or is_over_tls(call.request.headers)
        lines = session_cookies(pair, base_of(call.request), secure=secure)
        response.headers.extend(("Set-Cookie", line) for line in lines)
        return response
    return json_answer(
        {
            "access_token": pair.access_token,
            "refresh_token": pair.refresh_token,
            "token_type": "bearer",
            **said,
        }
    )


OPERATIONS = (login, refresh, logout)
