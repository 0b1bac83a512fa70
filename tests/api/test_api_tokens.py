"""API tokens over HTTP: making, using, revoking, and what each may do."""

import re

import pytest

from tagline.api import ALL_OPERATIONS
from tagline.api.operations import Access
from tagline.api.tokens import TokenCreatedResponse, TokenListResponse
from tests.api.real_library import picture

DEMANDING = [o for o in ALL_OPERATIONS if o.access in {Access.TOKEN, Access.SESSION}]
NEEDING_A_BODY = {"update_many", "create_token"}
NO_SCOPE = 'error="insufficient_scope"'


def status_without_body(operation):
    """What an operation answers that gets in, with ``x`` for every id and no body."""
    return 422 if "{" in operation.path or operation.name in NEEDING_A_BODY else 200


async def make(client, **wanted):
    """A new token's JSON."""
    response = await client.post("/tokens", json={"name": "script", "scope": "read"} | wanted)
    assert response.status == 201, await response.text()
    return TokenCreatedResponse.model_validate_json(await response.read(), extra="forbid")


def bearing(token):
    """Headers that bear a token."""
    return {"Authorization": f"Bearer {token}"}


async def test_a_token_from_its_first_to_its_last_request(client, anonymous):
    """Made, listed without its text, used, and dead as soon as it is revoked."""
    made = await make(client, name="backup", scope="read", expires_in=60)
    assert re.fullmatch(rf"tagline_{made.id}_[0-9a-f]{{64}}", made.token)
    response = await client.get("/tokens")
    text = await response.text()
    assert made.token not in text
    listed = TokenListResponse.model_validate_json(text, extra="forbid")
    assert (listed.total, listed.items[0].last_used_at) == (1, None)
    assert (listed.items[0].expires_at - listed.items[0].created_at).total_seconds() == 60

    headers = bearing(made.token)
    assert (await anonymous.get("/photos", headers=headers)).status == 200
    listed = TokenListResponse.model_validate_json(await (await client.get("/tokens")).read())
    assert listed.items[0].last_used_at is not None

    response = await client.delete(f"/tokens/{made.id}")
    assert (response.status, await response.read()) == (204, b"")
    response = await anonymous.get("/photos", headers=headers)
    assert response.status == 401
    assert await response.json() == {
        "type": "invalid_token",
        "detail": "Invalid, expired or revoked API token: make another one.",
    }
    gone = await client.delete(f"/tokens/{made.id}")
    assert (gone.status, (await gone.json())["type"]) == (404, "api_token_not_found")


@pytest.mark.parametrize("scope", ["read", "write"])
@pytest.mark.parametrize("operation", DEMANDING, ids=lambda o: o.name)
async def test_every_operation_demands_its_scope(make_world, operation, scope):
    """By the method of its declaration; what is for sessions alone takes no token at all."""
    client = (await make_world({"a.jpg": picture(1)})).client
    token = (await make(client, scope=scope)).token
    path = re.sub(r"\{\w+\}", "x", operation.path)
    methods = ["GET", "HEAD"] if operation.method == "GET" else [operation.method]
    allowed = operation.access is Access.TOKEN and (scope == "write" or operation.method == "GET")
    for method in methods:
        response = await client.request(method, path, headers=bearing(token))
        if allowed:
            assert response.status == status_without_body(operation)
            continue
        assert response.status == 403
        challenge = response.headers["WWW-Authenticate"]
        assert NO_SCOPE in challenge
        assert ('scope="write"' in challenge) == (operation.access is Access.TOKEN)
        if method != "HEAD":
            session = operation.access is Access.SESSION
            told = "session_required" if session else "insufficient_scope"
            assert (await response.json())["type"] == told


async def test_an_expired_token(client, anonymous, library):
    """It is dead at the very second."""
    made = await make(client, expires_in=60)
    library.now += 59.9
    assert (await anonymous.get("/photos", headers=bearing(made.token))).status == 200
    library.now += 0.1
    assert (await anonymous.get("/photos", headers=bearing(made.token))).status == 401


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"scope": "read"}, "name"),
        ({"name": "x"}, "scope"),
        ({"name": "x", "scope": "admin"}, "scope"),
        ({"name": "", "scope": "read"}, "name"),
        ({"name": " x", "scope": "read"}, "name"),
        ({"name": "a\nb", "scope": "read"}, "name"),
        ({"name": "a\u202eb", "scope": "read"}, "name"),
        ({"name": "x" * 101, "scope": "read"}, "name"),
        ({"name": "x", "scope": "read", "expires_in": 0}, "expires_in"),
        ({"name": "x", "scope": "read", "expires_in": 10**10}, "expires_in"),
        ({"name": "x", "scope": "read", "expires_in": "60"}, "expires_in"),
        ({"name": "x", "scope": "read", "expires_in": 1.5}, "expires_in"),
        ({"name": "x", "scope": "read", "more": 1}, "more"),
    ],
)
async def test_what_no_token_can_be(client, body, loc):
    """422 names the member at fault, and nothing is made."""
    response = await client.post("/tokens", json=body)
    assert response.status == 422
    assert (await response.json())["detail"][0]["loc"] == ["body", loc]
    assert (await (await client.get("/tokens")).json())["total"] == 0


async def test_one_name_one_token(client):
    """A name that is taken, in any case, is 409; so is a hundred and first token."""
    await make(client, name="Backup")
    response = await client.post("/tokens", json={"name": "backup", "scope": "read"})
    assert response.status == 409
    assert (await response.json())["type"] == "api_token_name_taken"
    for number in range(99):
        await make(client, name=f"n{number}")
    response = await client.post("/tokens", json={"name": "one more", "scope": "read"})
    assert response.status == 409
    assert (await response.json())["type"] == "too_many_api_tokens"


async def test_a_token_cannot_log_out(client, anonymous):
    """There is no session to end; the sentence says what to do."""
    token = (await make(client, scope="write")).token
    response = await anonymous.post("/logout", headers=bearing(token))
    assert response.status == 403
    assert (await anonymous.get("/photos", headers=bearing(token))).status == 200


async def test_no_token_is_logged(client, anonymous, caplog):
    """Neither in the request line nor with an error."""
    caplog.set_level("DEBUG")
    token = (await make(client)).token
    await anonymous.get("/photos", headers=bearing(token))
    await anonymous.get("/photos", headers=bearing(token[:-1] + "g"))
    assert token[:40] not in caplog.text
