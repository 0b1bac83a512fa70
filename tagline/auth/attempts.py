"""The limits on failed attempts, by address and in common.

Each address may fail ten times; then it waits a minute, and twice as long after each further
failure, at most a quarter of an hour. An hour without a failure, or a success, clears it. All
addresses together may fail a hundred times, and twenty times a minute in the long run, which
bounds a guesser with many addresses; an address that has succeeded before is exempt from that
common limit, so that a guesser cannot lock the household out. An attempt refused by a limit
counts for nothing.
"""

import ipaddress
import threading
from collections import OrderedDict
from datetime import timedelta

from tagline.auth.clock import Clock
from tagline.errors import TooManyAttempts

FREE_FAILURES = 10
FIRST_WAIT_SECONDS = 60.0
LONGEST_WAIT_SECONDS = 900.0
FORGET_SECONDS = 3600.0
COMMON_FAILURES = 100
COMMON_SECONDS_PER_FAILURE = 3.0
MAX_ADDRESSES = 4096
MAX_KNOWN_ADDRESSES = 256


def address_group(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 that one IPv6 customer holds.

    IPv4 addresses written as IPv6 (RFC 4291, 2.5.5.2) count as IPv4. Whatever is no address,
    such as the peer of a Unix socket, counts as one and the same.
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "other"
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed) >> 64 << 64, 64)))


class _Failures:
    """The failures in a row of one address group, and when the last one was."""

    __slots__ = ("count", "last")

    def __init__(self) -> None:
        self.count = 0
        self.last = 0.0

    def wait_seconds(self, now: float) -> float:
        over = self.count - FREE_FAILURES
        if over < 0:
            return 0.0
        # min() ahead of the power: a float overflows at 2**1024.
        wait = min(FIRST_WAIT_SECONDS * 2.0 ** min(over, 10), LONGEST_WAIT_SECONDS)
        return max(0.0, self.last + wait - now)


class AttemptLimiter:
    """Counts failures by address group and in common. Not thread-safe; its owner locks.

    Its time never runs backwards: while the clock is set back it stands still, so that nobody
    is locked out for the hour that a clock lost.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last_reading = clock()
        self._elapsed = 0.0
        self._groups: OrderedDict[str, _Failures] = OrderedDict()
        self._known: OrderedDict[str, None] = OrderedDict()
        self._common = 0.0
        self._common_at = 0.0

    def wait_seconds(self, group: str) -> float:
        """How long this group has to wait until its next attempt is looked at; 0 for not at all."""
        now = self._now()
        self._forget(now)
        failures = self._groups.get(group)
        wait = failures.wait_seconds(now) if failures else 0.0
        if group not in self._known:
            over = self._common_level(now) - (COMMON_FAILURES - 1)
            wait = max(wait, over * COMMON_SECONDS_PER_FAILURE)
        # What is left by rounding is no wait.
        return wait if wait >= 0.001 else 0.0

    def failed(self, group: str) -> None:
        """Count a failure of this group."""
        now = self._now()
        failures = self._groups.pop(group, None) or _Failures()
        failures.count += 1
        failures.last = now
        self._groups[group] = failures
        if len(self._groups) > MAX_ADDRESSES:
            self._groups.popitem(last=False)
        self._common = min(self._common_level(now) + 1, float(COMMON_FAILURES))
        self._common_at = now

    def succeeded(self, group: str) -> None:
        """Clear this group's failures, and exempt it from the common limit."""
        self._groups.pop(group, None)
        self._known[group] = None
        self._known.move_to_end(group)
        if len(self._known) > MAX_KNOWN_ADDRESSES:
            self._known.popitem(last=False)

    def _now(self) -> float:
        reading = self._clock()
        self._elapsed += max(0.0, reading - self._last_reading)
        self._last_reading = reading
        return self._elapsed

    def _forget(self, now: float) -> None:
        # The groups are in the order of their last failure.
        while self._groups:
            group, failures = next(iter(self._groups.items()))
            if now - failures.last < FORGET_SECONDS:
                return
            del self._groups[group]

    def _common_level(self, now: float) -> float:
        return max(0.0, self._common - (now - self._common_at) / COMMON_SECONDS_PER_FAILURE)


class FailureLimit:
    """Limits what is answered to failures, where a guess is hopeless anyway. Thread-safe.

    Unlike a password, a signed token is looked at whatever failed before: nobody guesses one, so
    the limit need not hold up a good one that comes from the same address, such as a proxy's. It
    slows programs that send a dead token again and again.
    """

    def __init__(self, clock: Clock) -> None:
        self._limiter = AttemptLimiter(clock)
        self._lock = threading.Lock()

    def failed(self, address: str) -> None:
        """Count a failure of this IP address.

        Raises:
            TooManyAttempts: there were too many; it was not counted.
        """
        group = address_group(address)
        with self._lock:
            wait_seconds = self._limiter.wait_seconds(group)
            if wait_seconds > 0:
                raise TooManyAttempts(timedelta(seconds=wait_seconds))
            self._limiter.failed(group)

    def succeeded(self, address: str) -> None:
        """Clear the failures of this IP address."""
        with self._lock:
            self._limiter.succeeded(address_group(address))
