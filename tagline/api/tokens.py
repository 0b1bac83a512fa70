"""Operations on API tokens: make, list, revoke."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from aiohttp import web
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from tagline.api.answers import json_answer
from tagline.api.inputs import BodyInput, Call, PathInput
from tagline.api.operations import Access, Answer, Declaration, operation
from tagline.api.payloads import Moment
from tagline.api.text import whole_number
from tagline.auth import EXPIRY_MAX_SECONDS, ID_PATTERN, NAME_MAX_CHARACTERS, NAME_PATTERN
from tagline.errors import (
    ApiTokenNameTaken,
    ApiTokenNotFound,
    IndexFailure,
    TooManyApiTokens,
)
from tagline.library import ApiToken
from tagline.library.reporting import moment

_TAG = "API tokens"
_ID_EXAMPLE = "9f86d081884c"

_NAME_EXAMPLE = "backup script"

_Lifetime = Annotated[
    int,
    BeforeValidator(whole_number),
    Field(json_schema_extra={"minimum": 1, "maximum": EXPIRY_MAX_SECONDS}),
]
_Scope = Annotated[
    Literal["read", "write"],
    Field(description="`read`: whatever is a `GET`. `write`: everything else as well."),
]


class CreateTokenRequest(BodyInput):
    """A new API token: its name, what it may do, and for how long."""

    name: str = Field(
        description="What it is for; no two have one name, in any case. 1 to 100 characters that "
        "can be seen, without outer white space.",
        examples=[_NAME_EXAMPLE],
        json_schema_extra={
            "minLength": 1,
            "maxLength": NAME_MAX_CHARACTERS,
            "pattern": NAME_PATTERN,
        },
    )
    scope: _Scope
    expires_in: _Lifetime | None = Field(
        default=None,
        description="Seconds that it lives, at most ten years; left out, until it is revoked.",
        examples=[31536000],
    )


class TokenInfo(BaseModel):
    """What is known of an API token; its text is not."""

    id: str = Field(description="Names it; no secret.", examples=[_ID_EXAMPLE])
    name: str = Field(
        description="What it is for, in Unicode normalisation form C.", examples=[_NAME_EXAMPLE]
    )
    scope: _Scope
    created_at: Moment
    expires_at: Moment | None = Field(description="Null when it does not expire.")
    last_used_at: Moment | None = Field(
        description="When it was last used, right to the hour; null when it never was."
    )


class TokenCreatedResponse(TokenInfo):
    """A new API token. This is the only time that its text is shown."""

    token: str = Field(
        description="Sent as `Authorization: Bearer …`. Keep it like a password.",
        examples=["tagline_9f86d081884c_" + "7d65" * 16],
    )


class TokenListResponse(BaseModel):
    """Every API token, oldest first."""

    total: int = Field(examples=[1])
    items: list[TokenInfo]


def _token_id(text: str) -> str:
    """The id as it is, if a token can have it."""
    if re.fullmatch(ID_PATTERN, text) is None:
        says = "Give the token's id as GET /tokens lists it: 12 digits and letters from a to f"
        raise PydanticCustomError("token_id", says)
    return text


class TokenPath(PathInput):
    """Which API token."""

    token_id: Annotated[
        str,
        AfterValidator(_token_id),
        Field(
            description="The token's id.",
            examples=[_ID_EXAMPLE],
            json_schema_extra={"pattern": f"^{ID_PATTERN}$"},
        ),
    ]


@operation(
    "POST",
    "/tokens",
    Declaration(
        tag=_TAG,
        access=Access.SESSION,
        answers=(Answer(status=201, says="The token.", body=(TokenCreatedResponse,)),),
        refusals=(ApiTokenNameTaken, TooManyApiTokens, IndexFailure),
    ),
)
async def create_token(call: Call, body: CreateTokenRequest) -> web.Response:
    """Make an API token for a script.

    Its text is in this answer and nowhere else. Only who logged in by password may make, list and
    revoke tokens: an API token gets 403. A changed password ends all of them.
    """
    made = await call.library.sessions.create_api_token(body.name, body.scope, body.expires_in)
    return json_answer({**as_json(made.shown), "token": made.token}, status=201)


@operation(
    "GET",
    "/tokens",
    Declaration(
        tag=_TAG,
        access=Access.SESSION,
        answers=(Answer(status=200, says="The tokens.", body=(TokenListResponse,)),),
    ),
)
async def list_tokens(call: Call) -> web.Response:
    """Every API token that was not revoked, without its text."""
    tokens = call.library.sessions.api_tokens()
    return json_answer({"total": len(tokens), "items": [as_json(token) for token in tokens]})


@operation(
    "DELETE",
    "/tokens/{token_id}",
    Declaration(
        tag=_TAG,
        access=Access.SESSION,
        answers=(Answer(status=204, says="It works no more."),),
        refusals=(ApiTokenNotFound, IndexFailure),
    ),
)
async def revoke_token(call: Call, path: TokenPath) -> web.Response:
    """End an API token at once."""
    await call.library.sessions.revoke_api_token(path.token_id)
    return web.Response(status=204)


def as_json(token: ApiToken) -> Mapping[str, object]:
    """What is shown of a token, with times as RFC 3339."""
    return {
        "id": token.id,
        "name": token.name,
        "scope": token.scope,
        "created_at": moment(token.created_at),
        "expires_at": moment(token.expires_at),
        "last_used_at": moment(token.used_at),
    }


OPERATIONS = (create_token, list_tokens, revoke_token)
