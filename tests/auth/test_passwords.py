"""The password check and its limits."""

import ipaddress
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.auth.attempts import (
    LONGEST_WAIT_SECONDS,
    MAX_ADDRESSES,
    MAX_KNOWN_ADDRESSES,
    AttemptLimiter,
    address_group,
)
from tagline.auth.passwords import PasswordVerifier, password_bytes
from tagline.errors import InvalidPassword, TooManyAttempts

RIGHT = "correct horse"
HOME = "192.168.1.7"


class Clock:
    """A clock that the test sets, for property tests."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def fail(verifier: PasswordVerifier, address: str, times: int = 1) -> None:
    """Give a wrong password so many times."""
    for _ in range(times):
        with pytest.raises(InvalidPassword):
            verifier.verify("wrong", address)


def wait_of(verifier: PasswordVerifier, address: str, password: str = "wrong") -> timedelta:
    """How long a refused attempt is told to wait."""
    with pytest.raises(TooManyAttempts) as caught:
        verifier.verify(password, address)
    return caught.value.retry_after


def test_right_password(clock):
    """The right password is let in, from anywhere and again and again."""
    verifier = PasswordVerifier(RIGHT, clock)
    for number in range(300):
        verifier.verify(RIGHT, f"10.0.{number}.1" if number < 256 else HOME)


@given(st.text(st.characters(), max_size=40), st.text(st.characters(), max_size=40))
def test_only_the_right_password(configured, tried):
    """A password is right exactly when it is the configured one, up to Unicode normalisation."""
    verifier = PasswordVerifier(configured, Clock())
    same = password_bytes(configured) == password_bytes(tried)
    try:
        verifier.verify(tried, HOME)
    except InvalidPassword:
        assert not same
    else:
        assert same


def test_composition_does_not_matter(clock):
    """An accent typed as a combining character is the same password."""
    PasswordVerifier("caf\u00e9", clock).verify("cafe\u0301", HOME)


def test_lone_surrogate_and_endless_password(clock):
    """A lone surrogate or a huge password is wrong, and no exception of another kind."""
    verifier = PasswordVerifier(RIGHT, clock)
    for attempt in ("\ud800", "x" * 10_000_000):
        with pytest.raises(InvalidPassword):
            verifier.verify(attempt, HOME)


def test_repr_shows_no_password(clock):
    """Nothing that the verifier holds shows the password."""
    verifier = PasswordVerifier(RIGHT, clock)
    assert RIGHT not in repr(verifier)
    assert RIGHT not in repr(vars(verifier))


def test_ten_failures_then_growing_waits(clock):
    """After ten failures each further attempt waits twice as long, up to a quarter of an hour."""
    verifier = PasswordVerifier(RIGHT, clock)
    fail(verifier, HOME, 10)
    for seconds in (60, 120, 240, 480, 900, 900):
        assert wait_of(verifier, HOME) == timedelta(seconds=seconds)
        clock.now += seconds
        fail(verifier, HOME)


def test_the_right_password_waits_too(clock):
    """While an address has to wait, even the right password is not looked at."""
    verifier = PasswordVerifier(RIGHT, clock)
    fail(verifier, HOME, 10)
    assert wait_of(verifier, HOME, RIGHT) == timedelta(seconds=60)
    clock.now += 60
    verifier.verify(RIGHT, HOME)


def test_refusals_count_for_nothing(clock):
    """Attempts made while waiting do not lengthen the wait."""
    verifier = PasswordVerifier(RIGHT, clock)
    fail(verifier, HOME, 10)
    for _ in range(50):
        wait_of(verifier, HOME)
    clock.now += 60
    verifier.verify(RIGHT, HOME)


def test_success_clears_the_address(clock):
    """A success gives the address its ten free failures back."""
    verifier = PasswordVerifier(RIGHT, clock)
    for _ in range(3):
        fail(verifier, HOME, 9)
        verifier.verify(RIGHT, HOME)


def test_an_hour_clears_the_address(clock):
    """An hour without a failure gives the address its ten free failures back."""
    verifier = PasswordVerifier(RIGHT, clock)
    fail(verifier, HOME, 10)
    clock.now += 3600
    fail(verifier, HOME, 10)


def test_addresses_are_apart(clock):
    """One address's failures do not hold up another."""
    verifier = PasswordVerifier(RIGHT, clock)
    fail(verifier, "203.0.113.9", 10)
    verifier.verify(RIGHT, HOME)


def test_an_ipv6_customer_is_one_address(clock):
    """All addresses of one /64 share their failures; the next /64 has its own."""
    verifier = PasswordVerifier(RIGHT, clock)
    for number in range(10):
        fail(verifier, f"2001:db8:0:1::{number:x}")
    wait_of(verifier, "2001:db8:0:1:ffff:ffff:ffff:ffff")
    verifier.verify(RIGHT, "2001:db8:0:2::1")


def test_many_addresses_meet_the_common_limit(clock):
    """A hundred failures from a hundred addresses hold up the next stranger, by three seconds."""
    verifier = PasswordVerifier(RIGHT, clock)
    for number in range(100):
        fail(verifier, f"203.0.113.{number}")
    assert wait_of(verifier, HOME) == timedelta(seconds=3)
    clock.now += 3
    fail(verifier, "198.51.100.1")
    wait_of(verifier, "198.51.100.2")


def test_the_common_limit_spares_the_household(clock):
    """An address that has logged in before gets in while strangers are held up."""
    verifier = PasswordVerifier(RIGHT, clock)
    verifier.verify(RIGHT, HOME)
    for number in range(100):
        fail(verifier, f"203.0.113.{number}")
    wait_of(verifier, "198.51.100.1")
    verifier.verify(RIGHT, HOME)


def test_a_known_address_has_its_own_limit(clock):
    """An address that has logged in before is still held up by failures of its own."""
    verifier = PasswordVerifier(RIGHT, clock)
    verifier.verify(RIGHT, HOME)
    fail(verifier, HOME, 10)
    wait_of(verifier, HOME)


def test_a_guesser_with_endless_addresses(clock):
    """With a new address for each guess a day gives at most 100 + 20 a minute looked at."""
    limiter = AttemptLimiter(clock)
    looked_at = 0
    for number in range(86400 * 2):
        group = str(number)
        if limiter.wait_seconds(group) == 0:
            limiter.failed(group)
            looked_at += 1
        clock.now += 0.5
    assert looked_at <= 100 + 20 * 24 * 60 + 1


def test_memory_is_bounded(clock):
    """However many addresses fail or succeed, the tables keep their size."""
    limiter = AttemptLimiter(clock)
    for number in range(10_000):
        limiter.failed(f"a{number}")
        limiter.succeeded(f"b{number}")
    assert len(limiter._groups) == MAX_ADDRESSES
    assert len(limiter._known) == MAX_KNOWN_ADDRESSES


def test_old_failures_leave_memory(clock):
    """What is forgotten takes no memory."""
    limiter = AttemptLimiter(clock)
    for number in range(50):
        limiter.failed(str(number))
    clock.now += 3600
    limiter.wait_seconds("another")
    assert not limiter._groups


def test_clock_set_back(clock):
    """A clock set back by a day locks nobody out for a day."""
    verifier = PasswordVerifier(RIGHT, clock)
    fail(verifier, HOME, 10)
    clock.now -= 86400
    assert wait_of(verifier, HOME) == timedelta(seconds=60)
    clock.now += 60
    verifier.verify(RIGHT, HOME)


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.booleans(), st.floats(-100, 2000)),
        max_size=120,
    )
)
@settings(max_examples=60)
def test_limiter_properties(events):
    """A wait is never negative nor above a quarter of an hour, and when it is over it is over."""
    clock = Clock()
    limiter = AttemptLimiter(clock)
    for group, success, seconds in events:
        clock.now += seconds
        wait = limiter.wait_seconds(group)
        assert wait == 0 or 0.001 <= wait <= LONGEST_WAIT_SECONDS
        if wait:
            clock.now += wait
            assert limiter.wait_seconds(group) == 0
        if success:
            limiter.succeeded(group)
            assert limiter.wait_seconds(group) == 0
        else:
            limiter.failed(group)


@given(st.ip_addresses())
def test_groups_of_addresses(address):
    """An IPv4 address is its own group, an IPv6 address falls in the group of its /64."""
    group = address_group(str(address))
    if address.version == 4:
        assert group == str(address)
        assert address_group(f"::ffff:{address}") == group
    elif address.ipv4_mapped is None:
        assert address in ipaddress.ip_network(group)
        assert group.endswith("/64")


@given(st.text(max_size=60))
def test_any_text_has_a_group(text):
    """Any text has a group of bounded length, and a scope id does not change it."""
    assert len(address_group(text)) < 50
    assert address_group("fe80::1%eth0") == address_group("fe80::1") == "fe80::/64"
    assert address_group("unix:") == address_group("") == "other"
