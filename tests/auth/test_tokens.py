"""The life of tokens and sessions."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from tinydb.table import Document

from tagline.auth import store as store_module
from tagline.auth import tokens as tokens_module
from tagline.auth.signing import hash_of
from tagline.errors import IndexDamaged, InvalidToken

EXPIRED = "Invalid or expired access token: refresh the session, or log in again."


def claims_of(token: str) -> dict[str, object]:
    """What a token says, unchecked."""
    return jwt.decode(token, options={"verify_signature": False})


def refused(call, token: str) -> str:
    """The message with which a token is refused."""
    with pytest.raises(InvalidToken) as caught:
        call(token)
    return str(caught.value)


def test_a_login(world):
    """A login gives two tokens of one session, with the claims of the design."""
    pair = world.service.issue()
    access, refresh = claims_of(pair.access_token), claims_of(pair.refresh_token)
    now = int(world.clock.now)
    assert access.keys() == {"iss", "sub", "sid", "jti", "iat", "exp", "kind"}
    assert (access["iss"], access["kind"], refresh["kind"]) == ("tagline", "access", "refresh")
    assert access["sid"] == refresh["sid"]
    assert access["jti"] != refresh["jti"]
    assert (access["iat"], access["exp"], refresh["exp"]) == (now, now + 900, now + 86400)
    assert (pair.access_seconds, pair.refresh_seconds) == (900, 86400)
    assert jwt.get_unverified_header(pair.access_token) == {"alg": "HS256", "typ": "JWT"}


def test_verify_gives_the_claims(world):
    """A good access token gives its claims, the first time and from memory."""
    pair = world.service.issue()
    payload = claims_of(pair.access_token)
    for _ in range(2):
        claims = world.service.verify(pair.access_token)
        assert claims.session_id == payload["sid"]
        assert claims.token_id == payload["jti"]
        assert claims.expires_at == payload["exp"]


@pytest.mark.parametrize("seen_before", [True, False])
def test_expiry_at_the_very_second(world, seen_before):
    """An access token is good until just before its second of expiry, and dead at that second."""
    token = world.service.issue().access_token
    world.clock.now += 899.9
    if seen_before:
        world.service.verify(token)
    world.clock.now += 0.1
    assert refused(world.service.verify, token) == EXPIRED


def test_a_token_lives_as_long_as_it_says(world):
    """Between two full seconds of the clock a token lives no shorter than it says."""
    world.clock.now += 0.7
    token = world.service.issue().access_token
    world.clock.now += 900 - 0.001
    world.service.verify(token)


def test_refresh_expires_at_the_very_second(world):
    """A refresh token is good until just before its second of expiry, and dead at that second."""
    early, late = world.service.issue().refresh_token, world.service.issue().refresh_token
    world.clock.now += 86399.5
    world.service.refresh(early)
    world.clock.now += 0.5
    assert refused(world.service.refresh, late) == "Invalid or expired refresh token"
    assert refused(world.service.session_of_refresh, late) == "Invalid or expired refresh token"


def test_rotation(world):
    """A refresh gives a new pair of the same session, marks the old token, and stores no token."""
    first = world.service.issue()
    second = world.service.refresh(first.refresh_token)
    assert claims_of(first.refresh_token)["sid"] == claims_of(second.refresh_token)["sid"]
    rows = world.rows("refresh_tokens")
    status = {
        pair: rows[hash_of(str(claims_of(pair.refresh_token)["jti"]))]["status"]
        for pair in (first, second)
    }
    assert status == {first: "used", second: "live"}
    stored = repr(world.database.storage.read())
    for pair in (first, second):
        assert pair.refresh_token not in stored
        assert str(claims_of(pair.refresh_token)["jti"]) not in stored
    world.service.verify(first.access_token)
    world.service.verify(second.access_token)


@pytest.mark.parametrize("restarted", [True, False])
def test_reuse_kills_the_session(world, restarted):
    """A refresh token used twice ends its session: every token of it is dead at once."""
    first = world.service.issue()
    other = world.service.issue()
    second = world.service.refresh(first.refresh_token)
    if restarted:
        world.restart()
    assert refused(world.service.refresh, first.refresh_token) == "Invalid or expired refresh token"
    for pair in (first, second):
        refused(world.service.verify, pair.access_token)
        refused(world.service.refresh, pair.refresh_token)
        refused(world.service.session_of_refresh, pair.refresh_token)
    world.service.verify(other.access_token)
    world.restart()
    refused(world.service.verify, second.access_token)
    world.service.refresh(other.refresh_token)


def test_reuse_after_many_refreshes(world):
    """The reuse of a token so old that its row is gone ends the session all the same."""
    pairs = [world.service.issue()]
    for _ in range(100):
        pairs.append(world.service.refresh(pairs[-1].refresh_token))
    first = hash_of(str(claims_of(pairs[0].refresh_token)["jti"]))
    assert first not in world.rows("refresh_tokens")
    refused(world.service.refresh, pairs[0].refresh_token)
    refused(world.service.verify, pairs[-1].access_token)


def test_rows_of_a_session_are_bounded(world):
    """However often a session is refreshed, the store keeps few rows of it."""
    token = world.service.issue().refresh_token
    for _ in range(200):
        token = world.service.refresh(token).refresh_token
        rows = world.rows("refresh_tokens")
        assert len(rows) <= store_module.MAX_TOKENS_PER_SESSION + 1
    assert sum(row["status"] == "live" for row in rows.values()) == 1


def test_logout(world):
    """A revoked session is dead at once and after a restart; revoking it again does nothing."""
    pair = world.service.issue()
    claims = world.service.verify(pair.access_token)
    assert world.service.session_of_refresh(pair.refresh_token) == claims.session_id
    world.service.revoke(claims.session_id)
    world.service.revoke(claims.session_id)
    world.service.revoke("never was")
    for _ in range(2):
        refused(world.service.verify, pair.access_token)
        refused(world.service.refresh, pair.refresh_token)
        world.restart()
    assert not world.rows("sessions")
    assert not world.rows("refresh_tokens")


def test_logout_with_an_exchanged_token(world):
    """A refresh token that was exchanged still names its session, so that it can be ended."""
    first = world.service.issue()
    second = world.service.refresh(first.refresh_token)
    world.service.revoke(world.service.session_of_refresh(first.refresh_token))
    refused(world.service.verify, second.access_token)


def test_tokens_survive_a_restart(world):
    """Access and refresh tokens work after a restart."""
    pair = world.service.issue()
    world.restart()
    world.service.verify(pair.access_token)
    world.service.refresh(pair.refresh_token)


def test_kinds_are_not_confused(world):
    """A refresh token opens nothing as an access token, nor an access token as a refresh token."""
    pair = world.service.issue()
    refused(world.service.verify, pair.refresh_token)
    refused(world.service.refresh, pair.access_token)
    refused(world.service.session_of_refresh, pair.access_token)
    world.service.verify(pair.access_token)
    world.service.refresh(pair.refresh_token)


def test_expired_sessions_leave_the_store(world):
    """What has expired leaves the store at the next login."""
    for _ in range(20):
        world.service.issue()
    world.clock.now += 86400
    world.service.issue()
    assert len(world.rows("sessions")) == 1
    assert len(world.rows("refresh_tokens")) == 1


def test_expired_tokens_of_a_living_session_leave_the_store(world):
    """The used tokens of a session that lives on leave the store when they expire."""
    token = world.service.issue().refresh_token
    for _ in range(5):
        world.clock.now += 50_000
        token = world.service.refresh(token).refresh_token
    assert len(world.rows("refresh_tokens")) <= 3
    world.clock.now += 86399
    world.service.purge()
    assert len(world.rows("sessions")) == 1
    world.clock.now += 1
    world.service.purge()
    assert not world.rows("sessions")
    assert not world.rows("refresh_tokens")


def test_a_session_does_not_last_for_ever(make_world):
    """No chain of refreshes outlives a year, and no token of it claims to."""
    world = make_world(refresh_seconds=200 * 86400)
    end = world.clock.now + tokens_module.SESSION_MAX_SECONDS
    pair = world.service.issue()
    for _ in range(3):
        world.clock.now += 120 * 86400
        pair = world.service.refresh(pair.refresh_token)
        assert claims_of(pair.refresh_token)["exp"] <= end
    assert pair.refresh_seconds == 5 * 86400
    world.clock.now = end - 1
    pair = world.service.refresh(pair.refresh_token)
    assert (pair.access_seconds, pair.refresh_seconds) == (1, 1)
    world.clock.now = end
    refused(world.service.refresh, pair.refresh_token)
    refused(world.service.verify, pair.access_token)


def test_many_logins_end_the_unused_sessions_first(world, monkeypatch):
    """Beyond the bound the oldest session never refreshed ends, then the longest unrefreshed."""
    monkeypatch.setattr(tokens_module, "MAX_SESSIONS", 3)
    phone = world.service.issue()
    world.clock.now += 1
    phone = world.service.refresh(phone.refresh_token)
    scripts = []
    for _ in range(5):
        world.clock.now += 1
        scripts.append(world.service.issue())
    world.service.verify(phone.access_token)
    for pair in scripts[:-2]:
        refused(world.service.verify, pair.access_token)
    world.clock.now += 1
    refreshed = [world.service.refresh(pair.refresh_token) for pair in scripts[-2:]]
    world.service.issue()
    refused(world.service.verify, phone.access_token)
    for pair in refreshed:
        world.service.verify(pair.access_token)
    assert len(world.rows("sessions")) == 3


def test_a_new_password_ends_all_sessions(world):
    """Sessions end when the password differs from the last start's, and only then."""
    assert world.service.bind_password("one") is False
    pair = world.service.issue()
    world.restart()
    assert world.service.bind_password("one") is False
    world.service.verify(pair.access_token)
    world.restart()
    assert world.service.bind_password("two") is True
    refused(world.service.verify, pair.access_token)
    refused(world.service.refresh, pair.refresh_token)
    assert not world.rows("refresh_tokens")
    world.restart()
    assert world.service.bind_password("two") is False


def test_the_password_digest_is_keyed(world):
    """The kept digest depends on the secret, and shows nothing of the password."""
    world.service.bind_password("one")
    first = world.rows("credentials")
    world.secret = world.secret[::-1]
    world.restart()
    assert world.service.bind_password("one") is True
    assert world.rows("credentials") != first
    assert "one" not in repr(first).replace("None", "")


def test_two_refreshes_at_once(world):
    """Of refreshes with one token at the same time one gets a pair; the session then ends."""
    token = world.service.issue().refresh_token
    barrier = threading.Barrier(8)

    def attempt(_: int):
        barrier.wait()
        try:
            return world.service.refresh(token)
        except InvalidToken:
            return None

    with ThreadPoolExecutor(8) as pool:
        pairs = [pair for pair in pool.map(attempt, range(8)) if pair]
    assert len(pairs) == 1
    refused(world.service.verify, pairs[0].access_token)


def test_logins_at_once(world):
    """Logins at the same time make as many sessions, all of them good and all stored."""
    with ThreadPoolExecutor(8) as pool:
        pairs = list(pool.map(lambda _: world.service.issue(), range(40)))
    assert len({world.service.verify(pair.access_token).session_id for pair in pairs}) == 40
    assert len(world.rows("sessions")) == 40


def test_verify_does_not_wait_for_writers(world):
    """An access token is checked while another thread holds the lock for a slow write."""
    pair = world.service.issue()
    with world.service._lock, ThreadPoolExecutor(1) as pool:
        assert pool.submit(world.service.verify, pair.access_token).result(timeout=5)


def test_memory_of_seen_tokens_is_bounded(world, monkeypatch):
    """However many access tokens are checked, few are remembered, and all stay good."""
    monkeypatch.setattr(tokens_module, "MAX_REMEMBERED", 5)
    pairs = [world.service.issue() for _ in range(20)]
    for pair in pairs + pairs:
        world.service.verify(pair.access_token)
        assert len(world.service._remembered) <= 5


def test_forged_tokens_are_not_remembered(world):
    """A token that is refused takes no memory."""
    for number in range(20):
        refused(world.service.verify, f"eyJ.{number}.x")
    assert not world.service._remembered


def test_clock_set_back(world):
    """A clock set back after a login locks nobody out, and a session can still be ended."""
    pair = world.service.issue()
    world.clock.now -= 10 * 86400
    world.service.verify(pair.access_token)
    pair = world.service.refresh(pair.refresh_token)
    world.restart()
    claims = world.service.verify(pair.access_token)
    world.service.revoke(claims.session_id)
    refused(world.service.verify, pair.access_token)


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("sessions", {"started_at": "yesterday"}),
        ("refresh_tokens", {"session": "s", "status": "live"}),
        ("refresh_tokens", {"session": 1, "status": "live", "issued_at": 1, "expires_at": 2}),
    ],
)
def test_a_damaged_row_is_reported(world, table, row):
    """A row that Tagline did not write is reported, not skipped."""
    world.database.table(table).insert(Document(row, "x"))
    with pytest.raises(IndexDamaged, match=table):
        world.restart()


class Histories(RuleBasedStateMachine):
    """Histories of logins, beside a model that knows which tokens must work."""

    def __init__(self, world) -> None:
        super().__init__()
        self.world = world
        self.chains: list[list[tuple[str, str, float]]] = []
        self.dead: set[str] = set()

    def keep(self, chain, pair) -> None:
        chain.append((pair.access_token, pair.refresh_token, self.world.clock.now + 1000))

    def chain(self, number: int):
        """Some session so far, ended or not."""
        return self.chains[number % len(self.chains)] if self.chains else []

    def works(self, link) -> bool:
        return link[0] not in self.dead and link[2] > self.world.clock.now

    @rule()
    def issue(self) -> None:
        self.chains.append([])
        self.keep(self.chains[-1], self.world.service.issue())

    @rule(number=st.integers(0, 20), age=st.integers(0, 3))
    def refresh(self, number: int, age: int) -> None:
        chain = self.chain(number)
        if age >= len(chain):
            return
        link = chain[-1 - age]
        if self.works(link) and age == 0:
            self.keep(chain, self.world.service.refresh(link[1]))
            return
        refused(self.world.service.refresh, link[1])
        if self.works(link):
            self.dead.update(access for access, _, _ in chain)

    @rule(number=st.integers(0, 20))
    def revoke(self, number: int) -> None:
        chain = self.chain(number)
        if chain:
            self.world.service.revoke(str(claims_of(chain[0][0])["sid"]))
            self.dead.update(access for access, _, _ in chain)

    @rule()
    def restart(self) -> None:
        self.world.restart()

    @rule(seconds=st.sampled_from([1, 400, 1000]))
    def wait(self, seconds: int) -> None:
        self.world.clock.now += seconds

    @invariant()
    def exactly_the_good_ones_work(self) -> None:
        for chain in self.chains:
            for link in chain:
                if self.works(link):
                    self.world.service.verify(link[0])
                else:
                    refused(self.world.service.verify, link[0])


def test_any_history(make_world):
    """After any history exactly the tokens of unended, unexpired sessions work."""
    run_state_machine_as_test(
        lambda: Histories(make_world(access_seconds=1000, refresh_seconds=1000)),
        settings=settings(max_examples=40, stateful_step_count=30, deadline=None),
    )


def test_verify_is_fast(world):
    """Checking an access token that was seen before takes microseconds."""
    token = world.service.issue().access_token
    world.service.verify(token)
    start = time.process_time()
    for _ in range(2000):
        world.service.verify(token)
    assert (time.process_time() - start) / 2000 < 30e-6
