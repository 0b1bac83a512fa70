"""Operations on sessions: log in, refresh, log out."""

from aiohttp import web

from tagline.api.answers import json_answer
from tagline.api.inputs import Call
from tagline.api.middlewares import bearer_token
from tagline.api.operations import Access, Answer, Declaration, operation
from tagline.api.payloads import (
    LoginRequest,
    LoginResponse,
    LogoutRequest,
    RefreshRequest,
    RefreshResponse,
)
from tagline.api.refusals import MissingToken
from tagline.library import TokenPair

_TAG = "Sessions"


@operation(
    "POST",
    "/login",
    Declaration(
        tag=_TAG,
        access=Access.OPEN,
        answers=(Answer(status=200, says="A new session.", body=(LoginResponse,)),),
        refusals=(401, 429),
    ),
)
async def login(call: Call, body: LoginRequest) -> web.Response:
    """Exchange the password for a pair of tokens.

    Wrong passwords are limited per address: after too many the answer is 429, and `Retry-After`
    says how long to wait.
    """
    return _tokens(await call.library.login(body.password, call.request.remote or ""))


@operation(
    "POST",
    "/refresh",
    Declaration(
        tag=_TAG,
        access=Access.OPEN,
        answers=(Answer(status=200, says="The session's new tokens.", body=(RefreshResponse,)),),
        refusals=(401,),
    ),
)
async def refresh(call: Call, body: RefreshRequest) -> web.Response:
    """Exchange a refresh token for a new pair of tokens.

    Each refresh token works once. Sending one a second time looks like theft, so it ends the whole
    session: log in again.
    """
    return _tokens(await call.library.refresh(body.refresh_token))


@operation(
    "POST",
    "/logout",
    Declaration(
        tag=_TAG,
        access=Access.OWN_CHECK,
        answers=(Answer(status=204, says="The session is over."),),
        refusals=(401,),
    ),
)
async def logout(call: Call, body: LogoutRequest | None) -> web.Response:
    """End the session of the bearer, or of the refresh token in the body.

    The session's access tokens stop working at once. Either token is enough, so a client whose
    access token has expired can still log out; where both come, the body's counts.
    """
    if body is not None and body.refresh_token is not None:
        await call.library.logout(None, body.refresh_token)
    elif (access_token := bearer_token(call.request)) is not None:
        await call.library.logout(access_token, None)
    else:
        raise MissingToken
    return web.Response(status=204)


def _tokens(pair: TokenPair) -> web.Response:
    """The JSON of a pair of tokens."""
    return json_answer(
        {
            "access_token": pair.access_token,
            "refresh_token": pair.refresh_token,
            "token_type": "bearer",
            "expires_in": pair.access_seconds,
            "refresh_expires_in": pair.refresh_seconds,
        }
    )


OPERATIONS = (login, refresh, logout)
