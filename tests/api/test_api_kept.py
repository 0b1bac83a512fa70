"""What is remembered from one request to the next, and judged by the state of now all the same."""

import pytest
from multidict import CIMultiDict

from tagline.api.authentication import bearer_token
from tagline.errors import InvalidToken

OVER_LONG = "&fields=" + ",".join(["id"] * 400)
"""With it a query string is too long to be remembered."""


async def test_a_token_that_was_good_is_refused_from_its_end_on(make_world):
    """A token that was used a moment ago is dead when its time is over."""
    world = await make_world()
    for _ in range(3):
        await world.ask("GET", "/photos")
    world.later_seconds = 800
    await world.ask("GET", "/photos")
    world.later_seconds = 901
    await world.ask("GET", "/photos", 401)


async def test_a_token_that_was_good_is_refused_after_logout(make_world):
    """Logging out ends a token at once, for operations that it was used for as well."""
    world = await make_world()
    paths = ("/photos", "/folders", "/tokens")
    for path in paths * 2:
        await world.ask("GET", path)
    assert (await world.client.post("/logout")).status == 204
    for path in paths * 2:
        await world.ask("GET", path, 401)


@pytest.mark.parametrize("behind", ["", OVER_LONG])
async def test_each_query_is_answered_by_its_own_words(client, behind):
    """More queries than are remembered, each twice: none is taken for another."""
    for limit in [*range(1, 50), *range(1, 50)]:
        answer = await client.get(f"/photos?limit={limit}{behind}")
        assert (await answer.json())["limit"] == limit


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1&limit=2", "limit=1&limit=1", "limit=1&x=", "cursor=AAAAAAAAAAAAAAAAAAAA"],
)
async def test_what_is_wrong_is_said_each_time(client, query):
    """A query that is refused is refused again in the same words, and one like it is served."""
    said = []
    for _ in range(3):
        answer = await client.get(f"/photos?{query}")
        assert answer.status == 422
        said.append(await answer.json())
        assert (await client.get("/photos?limit=1")).status == 200
    assert said[0] == said[1] == said[2]


async def test_a_page_is_of_now(client, library):
    """The same query finds what came after it was asked first."""
    before = await (await client.get("/photos?limit=10")).json()
    library.add("z.jpg")
    after = await (await client.get("/photos?limit=10")).json()
    assert after["total"] == before["total"] + 1
    assert after["items"][-1]["object_key"] == "z.jpg"


def test_only_tokens_are_remembered():
    """A password in the header is refused each time, and stays nowhere."""
    basic = CIMultiDict(Authorization="Basic b3duZXI6c2VjcmV0")
    for _ in range(2):
        with pytest.raises(InvalidToken):
            bearer_token(basic)
    twice = CIMultiDict([("Authorization", "Bearer abc"), ("Authorization", "Bearer abc")])
    assert bearer_token(CIMultiDict(Authorization="Bearer abc")) == "abc"
    with pytest.raises(InvalidToken):
        bearer_token(twice)
