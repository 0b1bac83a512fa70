"""Dead refresh tokens: the limit on what is answered to them, and pages that share one."""

import pytest

from tagline.auth.attempts import FailureLimit
from tagline.errors import ExchangedMeanwhile, InvalidToken, TooManyAttempts


def test_ten_failures_then_a_wait(clock):
    """The eleventh failure of an address is told to wait; another address is not."""
    limit = FailureLimit(clock)
    for _ in range(10):
        limit.failed("192.0.2.1")
    with pytest.raises(TooManyAttempts) as caught:
        limit.failed("192.0.2.1")
    assert caught.value.retry_after.total_seconds() == 60
    limit.failed("192.0.2.2")
    clock.now += 60
    limit.failed("192.0.2.1")


def test_a_success_clears_the_failures(clock):
    """A good token of the same address is never held up, and clears what was counted."""
    limit = FailureLimit(clock)
    for _ in range(10):
        limit.failed("192.0.2.1")
    limit.succeeded("192.0.2.1")
    for _ in range(10):
        limit.failed("192.0.2.1")


@pytest.mark.parametrize("restarted", [False, True])
def test_two_pages_that_share_a_cookie(world, restarted):
    """For ten seconds the slower one is refused alone; later it ends the session, as a thief."""
    first = world.service.issue().refresh_token
    second = world.service.refresh(first, shared=True).refresh_token
    if restarted:
        world.restart()
    world.clock.now += 9.9
    with pytest.raises(ExchangedMeanwhile):
        world.service.refresh(first, shared=True)
    third = world.service.refresh(second, shared=True).refresh_token
    world.clock.now += 0.1
    with pytest.raises(InvalidToken):
        world.service.refresh(first, shared=True)
    with pytest.raises(InvalidToken):
        world.service.refresh(third, shared=True)


def test_a_token_that_is_not_shared_has_no_such_time(world):
    """A script's refresh token that comes twice ends the session at once."""
    first = world.service.issue().refresh_token
    second = world.service.refresh(first).refresh_token
    with pytest.raises(InvalidToken):
        world.service.refresh(first)
    with pytest.raises(InvalidToken):
        world.service.refresh(second, shared=True)


def test_a_clock_set_back_gives_no_more_time(world):
    """A token that was exchanged in the future is a reuse."""
    first = world.service.issue().refresh_token
    world.service.refresh(first, shared=True)
    world.clock.now -= 3600
    with pytest.raises(InvalidToken):
        world.service.refresh(first, shared=True)
