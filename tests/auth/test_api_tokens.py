"""API tokens: what they are, what is kept of them, and who else tries."""

import hmac
import json
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagline.auth.api_tokens import (
    EXPIRY_MAX_SECONDS,
    MAX_API_TOKENS,
    ApiTokenService,
    fit_name,
    is_api_token,
)
from tagline.auth.signing import TokenSigner, hash_of
from tagline.auth.store import TokenStore
from tagline.auth.tokens import TokenService
from tagline.config.logs import HIDDEN, hide_secrets
from tagline.errors import (
    ApiTokenNameTaken,
    ApiTokenNotFound,
    IndexDamaged,
    IndexUnavailable,
    InvalidToken,
    InvalidValue,
    TooManyApiTokens,
)
from tagline.index import open_database

FORM = re.compile(r"tagline_[0-9a-f]{12}_[0-9a-f]{64}")
HOUR = 3600.0


class Tokens:
    """A service over the store of a world; ``restart`` makes it anew over the same data."""

    def __init__(self, world) -> None:
        self.world = world
        self.restart()

    def restart(self) -> None:
        self.world.restart()
        self.service = ApiTokenService(self.world.store.api_tokens, self.world.clock)

    def rows(self) -> dict[str, dict[str, object]]:
        return self.world.rows("api_tokens")

    def refuses(self, token: str) -> bool:
        try:
            self.service.verify(token)
        except InvalidToken:
            return True
        return False


@pytest.fixture
def tokens(world) -> Tokens:
    """A service without tokens."""
    return Tokens(world)


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("scope", ["read", "write"])
def test_who_bears_a_token(tokens, scope, restarted):
    """Name, scopes and expiry are those it was made with, after a restart as well."""
    made = tokens.service.create("backup", scope, 60)
    if restarted:
        tokens.restart()
    who = tokens.service.verify(made.token)
    assert (who.kind, who.id, who.name) == ("token", made.shown.id, "backup")
    assert who.scopes == ({"read"} if scope == "read" else {"read", "write"})
    assert tokens.service.tokens()[0].expires_at == tokens.world.clock.now + 60


def test_the_text_of_a_token(tokens):
    """A word that scanners know, an id, 256 random bits; no two alike; the log hides it."""
    made = [tokens.service.create(str(n), "read", None).token for n in range(20)]
    assert all(FORM.fullmatch(token) and is_api_token(token) for token in made)
    assert len({token.split("_")[2] for token in made}) == 20
    for token in made:
        assert hide_secrets(f"Bearer {token}.") == f"Bearer {HIDDEN}."
        assert hide_secrets(f"cut {token[:40]}") == f"cut {HIDDEN}"


def test_what_is_stored_makes_no_token(tokens):
    """Neither the token nor its secret is kept, nor anything that would be taken for one."""
    made = tokens.service.create("backup", "write", None)
    kept = json.dumps(tokens.rows())
    secret = made.token.split("_")[2]
    assert secret not in kept
    row = tokens.rows()[made.shown.id]
    assert row["digest"] == hash_of(made.token)
    assert tokens.refuses(f"tagline_{made.shown.id}_{row['digest']}")


def test_an_expired_token(tokens):
    """It is dead at the very second, stays listed, and leaves when another is made."""
    made = tokens.service.create("backup", "read", 60)
    tokens.world.clock.now += 59.999
    tokens.service.verify(made.token)
    tokens.world.clock.now += 0.001
    assert tokens.refuses(made.token)
    assert [one.name for one in tokens.service.tokens()] == ["backup"]
    tokens.service.create("Backup", "read", EXPIRY_MAX_SECONDS)
    assert len(tokens.rows()) == 1


@pytest.mark.parametrize("restarted", [False, True])
def test_a_revoked_token(tokens, restarted):
    """It is dead at once and for ever, and no other one is."""
    made, other = (tokens.service.create(name, "read", None) for name in "ab")
    tokens.service.revoke(made.shown.id)
    if restarted:
        tokens.restart()
    assert tokens.refuses(made.token)
    tokens.service.verify(other.token)
    with pytest.raises(ApiTokenNotFound):
        tokens.service.revoke(made.shown.id)


def test_names_are_taken_once(tokens):
    """In any case and composition; a revoked token's name is free again."""
    made = tokens.service.create("Caf\u00e9", "read", None)
    for name in ("caf\u00e9", "CAFE\u0301"):
        with pytest.raises(ApiTokenNameTaken):
            tokens.service.create(name, "write", None)
    tokens.service.revoke(made.shown.id)
    tokens.service.create("cafe\u0301", "read", None)


def test_there_are_not_too_many(tokens):
    """One more than the limit is refused; memory and file stay bounded."""
    for number in range(MAX_API_TOKENS):
        tokens.service.create(f"n{number}", "read", None)
    with pytest.raises(TooManyApiTokens):
        tokens.service.create("one more", "read", None)
    assert len(tokens.rows()) == MAX_API_TOKENS


@given(name=st.text(max_size=120))
def test_any_name_is_kept_or_refused(name):
    """What is kept can be seen, is short, and is kept the same a second time."""
    try:
        kept = fit_name(name)
    except InvalidValue:
        return
    assert fit_name(kept) == kept
    assert 1 <= len(kept) <= 100
    assert "\n" not in kept
    assert kept.strip() == kept


@pytest.mark.parametrize("seconds", [0, -1, EXPIRY_MAX_SECONDS + 1, 2**70])
def test_times_that_no_token_lives(tokens, seconds):
    """They are refused, and nothing is made."""
    with pytest.raises(InvalidValue, match="expires_in"):
        tokens.service.create("backup", "read", seconds)
    assert tokens.rows() == {}


def test_the_last_use_is_kept_to_the_hour(tokens):
    """The first use is noted, then one an hour; saving writes only what is due."""
    made = tokens.service.create("backup", "read", None)
    assert tokens.service.tokens()[0].used_at is None
    assert not tokens.service.has_unsaved_uses
    start = tokens.world.clock.now
    for _ in range(60):
        tokens.service.verify(made.token)
        tokens.world.clock.now += 59
    assert tokens.service.has_unsaved_uses
    tokens.service.save_uses()
    assert not tokens.service.has_unsaved_uses
    assert tokens.rows()[made.shown.id]["used_at"] == start
    tokens.service.verify(made.token)
    assert not tokens.service.has_unsaved_uses
    tokens.world.clock.now = start + HOUR
    tokens.service.verify(made.token)
    assert tokens.service.has_unsaved_uses
    assert tokens.service.tokens()[0].used_at == start + HOUR
    tokens.service.save_uses()
    tokens.restart()
    assert tokens.service.tokens()[0].used_at == start + HOUR


def test_a_clock_set_back_does_not_freeze_the_last_use(tokens):
    """A time in the future is corrected by the next use."""
    made = tokens.service.create("backup", "read", None)
    tokens.world.clock.now += 1000 * HOUR
    tokens.service.verify(made.token)
    tokens.world.clock.now -= 1000 * HOUR
    tokens.service.verify(made.token)
    assert tokens.service.tokens()[0].used_at == tokens.world.clock.now


def test_a_use_saved_late_brings_no_revoked_token_back(tokens):
    """A token that was revoked between its use and the saving of it stays revoked."""
    made = tokens.service.create("backup", "read", None)
    tokens.service.verify(made.token)
    tokens.service.revoke(made.shown.id)
    tokens.service.save_uses()
    assert tokens.rows() == {}
    assert tokens.refuses(made.token)


def test_a_refused_token_is_no_use(tokens):
    """Guesses do not show as uses."""
    made = tokens.service.create("backup", "read", None)
    assert tokens.refuses(made.token[:-1] + ("0" if made.token[-1] != "0" else "1"))
    assert not tokens.service.has_unsaved_uses


# Attacks


def test_knowing_the_id_does_not_help(tokens):
    """Every secret but the right one is refused, however much of it is right."""
    made = tokens.service.create("backup", "read", None)
    head, secret = made.token[:-64], made.token[-64:]
    for length in range(65):
        guess = secret[:length] + "".join("0" if c != "0" else "1" for c in secret[length:])
        assert tokens.refuses(head + guess) == (length < 64)
        if length < 64:
            assert tokens.refuses(head + secret[:length])


def test_a_secret_belongs_to_its_id(tokens):
    """The secret of one token is none of another's."""
    one, other = (tokens.service.create(name, "write", None) for name in "ab")
    assert tokens.refuses(one.token[:-64] + other.token[-64:])


@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        lambda t: t + " ",
        lambda t: " " + t,
        lambda t: t + "\n",
        lambda t: t + "0",
        lambda t: t[:-1],
        lambda t: t.replace("_", "__", 1),
        lambda t: t.replace("tagline_", "tagline-"),
        lambda t: t[:-1] + "\u0660",
        lambda t: t[:-1] + "\ud800",
        lambda t: t * 100_000,
        lambda t: t[:8],
        lambda t: t[:8] + "__",
    ],
)
def test_one_text_a_token(tokens, change):
    """Nothing but the very text is taken."""
    made = tokens.service.create("backup", "read", None)
    assert tokens.refuses(change(made.token))


@given(token=st.text() | st.from_regex(FORM, fullmatch=True))
def test_any_guess_is_refused(make_world, token):
    """Any text is refused as an invalid token, and by no other exception."""
    tokens = Tokens(make_world())
    tokens.service.create("backup", "write", None)
    assert tokens.refuses(token)


def test_digests_are_compared_in_constant_time(tokens, monkeypatch):
    """The comparison is that of ``hmac``, over digests of one length, whatever was sent."""
    made = tokens.service.create("backup", "read", None)
    seen, real = [], hmac.compare_digest

    def compare(left, right):
        seen.append((len(left), len(right)))
        return real(left, right)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    for token in (made.token, made.token[:-1] + "x", made.token[:-64] + "0" * 64):
        tokens.refuses(token)
    assert seen == [(64, 64), (64, 64)]


def test_no_kind_of_token_passes_for_another(tokens):
    """An API token is no session's, and a session's is no API token."""
    made = tokens.service.create("backup", "write", None)
    pair = tokens.world.service.issue()
    for call in (tokens.world.service.verify, tokens.world.service.refresh):
        with pytest.raises(InvalidToken):
            call(made.token)
    for token in (pair.access_token, pair.refresh_token):
        assert tokens.refuses(token)
    # Signed by our own secret, for the id of an API token.
    now = int(tokens.world.clock.now)
    forged, _ = TokenSigner(tokens.world.secret).sign("access", made.shown.id, now, now + 900)
    with pytest.raises(InvalidToken):
        tokens.world.service.verify(forged)


def test_a_new_password_ends_every_token(tokens):
    """Whoever stole the password may have made tokens: they end with it, here and on disk."""
    tokens.world.service.bind_password("one")
    made = tokens.service.create("thief", "write", None)
    tokens.restart()
    assert tokens.world.service.bind_password("one") is False
    tokens.service.verify(made.token)
    assert tokens.world.service.bind_password("two") is True
    assert tokens.refuses(made.token)
    tokens.restart()
    assert tokens.refuses(made.token)
    assert tokens.rows() == {}


# Disk


class Full:
    """The rows of a store on a disk that can be full."""

    def __init__(self, rows) -> None:
        self._rows, self.full = rows, False

    def put(self, row_id, row):
        self._check()
        self._rows.put(row_id, row)

    def discard(self, row_ids):
        self._check()
        self._rows.discard(row_ids)

    def _check(self):
        if self.full:
            raise IndexUnavailable("The token store", "No space left on device")


@pytest.fixture
def full(tokens) -> Full:
    """The disk below ``tokens``."""
    store = tokens.world.store.api_tokens
    store._rows = Full(store._rows)
    return store._rows


def test_a_token_that_cannot_be_stored_is_none(tokens, full):
    """Making it fails, nothing is listed, and the name is free."""
    full.full = True
    with pytest.raises(IndexUnavailable):
        tokens.service.create("backup", "read", None)
    full.full = False
    assert tokens.service.tokens() == ()
    tokens.service.create("backup", "read", None)


def test_a_revocation_that_cannot_be_stored_holds_and_can_be_tried_again(tokens, full):
    """It works at once in this process; the second try makes it last."""
    made = tokens.service.create("backup", "read", None)
    full.full = True
    with pytest.raises(IndexUnavailable):
        tokens.service.revoke(made.shown.id)
    assert tokens.refuses(made.token)
    full.full = False
    tokens.service.revoke(made.shown.id)
    tokens.restart()
    assert tokens.refuses(made.token)


def test_a_use_that_cannot_be_stored_does_no_harm(tokens, full):
    """The token goes on working; it is tried again in an hour, not at every request."""
    made = tokens.service.create("backup", "read", None)
    tokens.service.verify(made.token)
    full.full = True
    with pytest.raises(IndexUnavailable):
        tokens.service.save_uses()
    tokens.service.verify(made.token)
    assert not tokens.service.has_unsaved_uses
    full.full = False
    tokens.world.clock.now += HOUR
    tokens.service.verify(made.token)
    tokens.service.save_uses()
    assert tokens.rows()[made.shown.id]["used_at"] == tokens.world.clock.now


WRITER = """
import sys
from pathlib import Path
from tagline.auth.api_tokens import ApiTokenService
from tagline.auth.store import TokenStore
from tagline.index import open_database

database = open_database(Path(sys.argv[1]), durable=True)
service = ApiTokenService(TokenStore(database).api_tokens, lambda: 1.7e9)
for number in range(100000):
    kept, ended = (service.create(f"{kind}{number}", "read", None) for kind in "ab")
    print("kept", kept.token, flush=True)
    service.revoke(ended.shown.id)
    print("ended", ended.token, flush=True)
"""


def test_kill(tmp_path):
    """After kill -9 every token that was shown works, and every revoked one is dead."""
    path = tmp_path / "tokens.jsonl"
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        said = [process.stdout.readline().split() for _ in range(40)]
        process.kill()
        said += [line.split() for line in process.stdout.read().split("\n")[:-1]]
    database = open_database(path, durable=True)
    service = ApiTokenService(TokenStore(database).api_tokens, lambda: 1.7e9)
    for word, token in said:
        if word == "kept":
            service.verify(token)
        else:
            with pytest.raises(InvalidToken):
                service.verify(token)
    database.close()
    content = path.read_text(encoding="utf-8")
    assert not any(token in content or token[-64:] in content for _, token in said)


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"name": "x", "scope": "admin", "digest": "0", "created_at": 1, "expires_at": None},
        {"name": "x", "scope": "write", "digest": 0, "created_at": 1, "expires_at": None,
         "used_at": None},
    ],
)  # fmt: skip
def test_a_row_of_somebody_else_is_damage(tmp_path, row):
    """A row that Tagline did not write stops the start rather than let anybody in."""
    database = open_database(tmp_path / "tokens.jsonl", durable=True)
    database.table("api_tokens").insert(row)
    with pytest.raises(IndexDamaged):
        TokenStore(database)
    database.close()


def test_sessions_of_before_are_read_beside_tokens(tmp_path):
    """A file written without the table of API tokens is read as it is."""
    path = tmp_path / "tokens.jsonl"
    database = open_database(path, durable=True)
    pair = TokenService(TokenStore(database), "s" * 32, lambda: 1.7e9, 900, 86400).issue()
    database.close()
    assert "api_tokens" not in path.read_text(encoding="utf-8")
    database = open_database(path, durable=True)
    store = TokenStore(database)
    TokenService(store, "s" * 32, lambda: 1.7e9, 900, 86400).verify(pair.access_token)
    assert ApiTokenService(store.api_tokens, lambda: 1.7e9).tokens() == ()
    database.close()
