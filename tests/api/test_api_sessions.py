"""Sessions over HTTP, and who may call what."""

import logging
import re

import pytest
from tests_api_memory_library import PASSWORD

from tagline.api import ALL_OPERATIONS, create_app, payloads
from tagline.api.operations import Access

PROTECTED = [o for o in ALL_OPERATIONS if o.access in {Access.TOKEN, Access.SESSION}]
OPEN = {
    "/login", "/refresh", "/health", "/health/live", "/health/ready", "/openapi.json", "/docs",
    "/docs/{name}",
}  # fmt: skip


def test_what_is_open_is_known():
    """Nothing is open but what the design says."""
    assert {o.path for o in ALL_OPERATIONS if o.access is Access.OPEN} == OPEN
    assert {o.path for o in ALL_OPERATIONS if o.access is Access.OWN_CHECK} == {"/logout"}
    assert len(PROTECTED) >= 6


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Bearer wrong",
    "Basic YTpi", "Bearer a b", "bearer access0.a-b_c, x", "Bearer \u00e9"])  # fmt: skip
@pytest.mark.parametrize("operation", PROTECTED, ids=lambda o: o.name)
async def test_every_protected_operation_demands_a_token(
    anonymous, library, operation, authorization
):
    """401 comes first, before any judgement of path, query or body, and asks for a bearer token."""
    await library.login(PASSWORD, "")
    headers = {} if authorization is None else {"Authorization": authorization}
    path = re.sub(r"\{\w+\}", "x", operation.path) + "?limit=0"
    methods = ["GET", "HEAD"] if operation.method == "GET" else [operation.method]
    for method in methods:
        response = await anonymous.request(method, path, data=b"{", headers=headers)
        assert response.status == 401
        challenge = response.headers["WWW-Authenticate"]
        assert challenge.startswith('Bearer realm="tagline"')
        assert ("invalid_token" in challenge) == (authorization is not None)
        if method != "HEAD":
            told = "missing_token" if authorization is None else "invalid_token"
            assert (await response.json())["type"] == told


async def test_a_handler_without_an_operation_is_not_served(aiohttp_client, library, options):
    """A route that is added without a declaration demands a token like any other."""

    async def handler(_request):
        raise AssertionError

    app = create_app(library, options)
    app.router.add_get("/secret", handler)
    client = await aiohttp_client(app)
    assert (await client.get("/secret")).status == 401


async def test_the_scheme_is_known_in_any_case(anonymous, library):
    """The scheme's name has no case (RFC 9110, 11.1)."""
    pair = await library.login(PASSWORD, "")
    for scheme in ("Bearer", "bearer", "BEARER "):
        headers = {"Authorization": f"{scheme} {pair.access_token}"}
        assert (await anonymous.get("/photos", headers=headers)).status == 200


async def test_two_authorizations_are_none(anonymous, library):
    """Two headers are refused, whichever is good."""
    pair = await library.login(PASSWORD, "")
    value = f"Bearer {pair.access_token}"
    headers = [("Authorization", value), ("Authorization", value)]
    assert (await anonymous.get("/photos", headers=headers)).status == 401


async def test_login_refresh_logout(anonymous, library):
    """A session from its first to its last request."""
    response = await anonymous.post("/login", json={"password": PASSWORD})
    assert response.status == 200
    assert response.headers["Cache-Control"] == "no-store"
    first = await response.json()
    payloads.LoginResponse.model_validate(first, extra="forbid")
    assert first["token_type"] == "bearer"
    assert (first["expires_in"], first["refresh_expires_in"]) == (900, 2592000)
    assert library.addresses == ["127.0.0.1"]

    response = await anonymous.post("/refresh", json={"refresh_token": first["refresh_token"]})
    second = await response.json()
    payloads.RefreshResponse.model_validate(second, extra="forbid")
    response = await anonymous.post("/refresh", json={"refresh_token": first["refresh_token"]})
    assert response.status == 401
    assert await response.json() == {
        "type": "invalid_refresh_token",
        "detail": "Invalid or expired refresh token",
    }
    assert library.addresses == ["127.0.0.1"] * 3

    headers = {"Authorization": f"Bearer {second['access_token']}"}
    assert (await anonymous.get("/photos", headers=headers)).status == 200
    response = await anonymous.post("/logout", headers=headers)
    assert (response.status, await response.read()) == (204, b"")
    assert (await anonymous.get("/photos", headers=headers)).status == 401


async def test_logout_by_refresh_token(anonymous, library):
    """A refresh token is enough, even beside an access token that has expired."""
    pair = await library.login(PASSWORD, "")
    response = await anonymous.post(
        "/logout",
        json={"refresh_token": pair.refresh_token},
        headers={"Authorization": "Bearer expired"},
    )
    assert response.status == 204
    assert library.pairs == {}


@pytest.mark.parametrize("body", [None, {}, {"refresh_token": None}, {"refresh_token": "x"}])
async def test_logout_of_nobody(anonymous, body):
    """Without a token that names a session there is nothing to end."""
    response = (
        await anonymous.post("/logout", json=body)
        if body is not None
        else (await anonymous.post("/logout"))
    )
    assert response.status == 401
    assert "WWW-Authenticate" in response.headers


@pytest.mark.parametrize("body", [b"null", b"[]", b"{"])
async def test_logout_with_a_body_that_is_no_object(anonymous, body):
    """No body is allowed; a wrong one is not."""
    headers = {"Content-Type": "application/json"}
    assert (await anonymous.post("/logout", data=body, headers=headers)).status == 422


async def test_a_wrong_password(anonymous):
    """The sentence of the design."""
    response = await anonymous.post("/login", json={"password": "wrong"})
    assert response.status == 401
    assert await response.json() == {
        "type": "invalid_password",
        "detail": "Invalid password",
    }
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="tagline"'


async def test_too_many_passwords(anonymous):
    """429 says how many whole seconds to wait."""
    response = await anonymous.post("/login", json={"password": "too often"})
    assert response.status == 429
    assert response.headers["Retry-After"] == "8"


@pytest.mark.parametrize(
    "body", [{"password": 5}, {}, {"password": "x" * 5000}, {"password": "\ud800"},
             {"pasword": "hunter2", "hunter3": 1}]
)  # fmt: skip
async def test_no_secret_comes_back_or_is_logged(anonymous, caplog, body):
    """A refused login answers and logs none of the values sent."""
    caplog.set_level(logging.DEBUG)
    response = await anonymous.post("/login", json=body)
    assert response.status == 422
    text = await response.text() + caplog.text
    assert "hunter2" not in text
    assert "xxxxxxxxxx" not in text
