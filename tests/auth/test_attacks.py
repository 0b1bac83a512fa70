"""Tokens that somebody else made."""

import base64
import hashlib
import hmac
import json

import jwt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tagline.auth.signing import TokenSigner
from tagline.auth.tokens import TokenService
from tagline.errors import ConfigurationError, InvalidToken


def base64url(data: bytes) -> str:
    """Base64url without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def parts(value: object) -> str:
    """A value as a part of a JWT."""
    return base64url(json.dumps(value).encode())


def handmade(header: object, payload: object, key: bytes, digest=hashlib.sha256) -> str:
    """A token signed by hand, so that no library stands in the way."""
    signed = f"{parts(header)}.{parts(payload)}"
    return f"{signed}.{base64url(hmac.new(key, signed.encode(), digest).digest())}"


def payload_of(token: str) -> dict[str, object]:
    """What a token says, unchecked."""
    return jwt.decode(token, options={"verify_signature": False})


def assert_refused_everywhere(world, token: str) -> None:
    """No entrance takes the token."""
    for call in (world.service.verify, world.service.refresh, world.service.session_of_refresh):
        with pytest.raises(InvalidToken):
            call(token)


def test_handmade_is_good(world):
    """The handmade token of these tests is good when nothing is wrong with it."""
    pair = world.service.issue()
    payload = payload_of(pair.access_token)
    token = handmade({"alg": "HS256", "typ": "JWT"}, payload, world.secret.encode())
    world.service.verify(token)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", None, 0, [], {}])
def test_algorithm_none(world, algorithm):
    """A token without a signature is refused, whatever it calls its algorithm."""
    pair = world.service.issue()
    for source in (pair.access_token, pair.refresh_token):
        unsigned = f"{parts({'alg': algorithm, 'typ': 'JWT'})}.{parts(payload_of(source))}"
        assert_refused_everywhere(world, unsigned)
        assert_refused_everywhere(world, unsigned + ".")
        assert_refused_everywhere(world, unsigned + "." + source.rsplit(".", 1)[1])
    world.service.refresh(pair.refresh_token)


@pytest.mark.parametrize("algorithm", ["HS384", "HS512", "RS256", "ES256", "PS256", "EdDSA"])
def test_algorithm_confusion(world, algorithm):
    """A token of any other algorithm is refused, even when signed with our secret."""
    pair = world.service.issue()
    digest = {"HS384": hashlib.sha384, "HS512": hashlib.sha512}.get(algorithm, hashlib.sha256)
    header = {"alg": algorithm, "typ": "JWT"}
    for source in (pair.access_token, pair.refresh_token):
        forged = handmade(header, payload_of(source), world.secret.encode(), digest)
        assert_refused_everywhere(world, forged)


@pytest.mark.parametrize(
    "extra",
    [
        {"jwk": {"kty": "oct", "k": base64url(b"attacker's key, which is long enough")}},
        {"kid": "../../dev/null"},
        {"jku": "https://example.org/keys"},
    ],
)
def test_the_header_brings_no_key(world, extra):
    """A key that the token itself brings or names is not used."""
    payload = payload_of(world.service.issue().access_token)
    for key in (b"attacker's key, which is long enough", b""):
        header = {"alg": "HS256", "typ": "JWT", **extra}
        assert_refused_everywhere(world, handmade(header, payload, key))


@pytest.mark.parametrize("claim", ["iss", "sub", "sid", "jti", "iat", "exp", "kind"])
@pytest.mark.parametrize("value", ["absent", None, 7.5, "wrong", True, [], {}, ["tagline"]])
def test_each_claim_is_demanded(world, claim, value):
    """A token with a claim missing, or with one of a wrong kind or value, is refused."""
    pair = world.service.issue()
    for source in (pair.access_token, pair.refresh_token):
        payload = payload_of(source)
        if value == "absent":
            del payload[claim]
        else:
            payload[claim] = value
        token = handmade({"alg": "HS256", "typ": "JWT"}, payload, world.secret.encode())
        if claim == "jti" and value == "wrong":
            continue
        assert_refused_everywhere(world, token)


def test_kind_swap_by_the_client(world):
    """Changing the kind in a token breaks its signature."""
    for token in (world.service.issue().access_token, world.service.issue().refresh_token):
        header, _, signature = token.split(".")
        payload = payload_of(token)
        payload["kind"] = "access" if payload["kind"] == "refresh" else "refresh"
        assert_refused_everywhere(world, f"{header}.{parts(payload)}.{signature}")


def test_another_secret(world):
    """A token signed with another secret is refused."""
    other = TokenSigner("another secret that is long enough")
    sid = str(payload_of(world.service.issue().access_token)["sid"])
    now = int(world.clock.now)
    for kind in ("access", "refresh"):
        token, _ = other.sign(kind, sid, now, now + 900)
        assert_refused_everywhere(world, token)


def test_a_session_that_never_was(world):
    """A token signed with our secret for a session that is not in the store is refused."""
    now = int(world.clock.now)
    for kind in ("access", "refresh"):
        token, _ = TokenSigner(world.secret).sign(kind, "invented", now, now + 900)
        assert_refused_everywhere(world, token)


def test_a_token_of_the_session_that_never_was_stored(world):
    """A signed refresh token of a live session that the store does not know ends the session."""
    pair = world.service.issue()
    sid = str(payload_of(pair.access_token)["sid"])
    now = int(world.clock.now)
    token, _ = TokenSigner(world.secret).sign("refresh", sid, now, now + 900)
    with pytest.raises(InvalidToken):
        world.service.refresh(token)
    with pytest.raises(InvalidToken):
        world.service.verify(pair.access_token)


def test_a_forged_token_ends_no_session(world):
    """Nobody without the secret can end a session."""
    pair = world.service.issue()
    payload = payload_of(pair.refresh_token)
    forged = handmade({"alg": "HS256", "typ": "JWT"}, payload, b"not the secret, but long enough..")
    with pytest.raises(InvalidToken):
        world.service.refresh(forged)
    world.service.refresh(pair.refresh_token)


@given(data=st.data())
def test_tampering(make_world, data):
    """A token with any one character changed is refused, or means the same bytes."""
    world = make_world()
    token = world.service.issue().access_token
    place = data.draw(st.integers(0, len(token) - 1))
    changed = token[:place] + data.draw(st.characters()) + token[place + 1 :]
    try:
        claims = world.service.verify(changed)
    except InvalidToken:
        return
    # The last base64url character has two bits that mean nothing.
    assert changed == token or place == len(token) - 1
    assert claims == world.service.verify(token)


NASTY = [
    "",
    ".",
    "..",
    "...",
    "a.b.c",
    "é.é.é",
    "\ud800.a.b",
    "\0",
    "=.=.=",
    "Bearer x",
    "{}" * 400,
]


@given(text=st.text(st.characters(), max_size=200))
@example(text="x" * 1_000_000)
def test_any_text_is_refused(make_world, text):
    """Any text is refused as an invalid token, and by no other exception."""
    world = make_world()
    for token in (text, *NASTY):
        assert_refused_everywhere(world, token)


@given(
    header=st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(max_size=5))
    | st.lists(st.integers())
    | st.none(),
    body=st.binary(max_size=100),
    signed=st.booleans(),
)
def test_any_structure_is_refused(make_world, header, body, signed):
    """Anything in the form of a JWT, even signed with our secret, is refused without a crash."""
    world = make_world()
    if isinstance(header, dict) and signed:
        header |= {"alg": "HS256"}
    start = f"{parts(header)}.{base64url(body)}"
    signature = hmac.digest(world.secret.encode(), start.encode(), "sha256")
    assert_refused_everywhere(world, f"{start}.{base64url(signature)}")


@pytest.mark.parametrize("nest", ["[" * 340, '{"a":' * 60])
def test_deep_nesting_is_refused(world, nest):
    """A signed token whose payload is nested deeply is refused without a crash."""
    start = f"{parts({'alg': 'HS256'})}.{base64url(nest.encode())}"
    signature = hmac.digest(world.secret.encode(), start.encode(), "sha256")
    assert_refused_everywhere(world, f"{start}.{base64url(signature)}")


@pytest.mark.parametrize("secret", ["", "qwertz", "x" * 31, "é" * 15])
def test_a_short_secret_is_refused(world, secret):
    """A secret of fewer than 32 bytes is a configuration error that does not show it."""
    with pytest.raises(ConfigurationError, match="32 bytes") as caught:
        TokenService(world.store, secret, world.clock, 900, 86400)
    assert caught.value.variable == "JWT_SECRET"
    assert not secret or secret not in str(caught.value)


def test_a_secret_of_any_characters(world):
    """A long secret of any characters works."""
    service = TokenService(world.store, "é\ud800" * 16, world.clock, 900, 86400)
    service.verify(service.issue().access_token)
