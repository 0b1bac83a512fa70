"""How long to wait for a server that says when to try again, and after which refusals."""

import asyncio
from collections.abc import Awaitable, Callable

from tagline.client.errors import ApiError

Sleep = Callable[[float], Awaitable[object]]

BEING_WRITTEN = "being_written"
_NOTHING_WAS_DONE = frozenset({BEING_WRITTEN, "too_many_connections"})
_TOO_MANY_REQUESTS = 429
_UNAVAILABLE = 503
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_LEAST_SECONDS = 1.0
"""A server that asks for no wait at all is not asked without end."""


class Patience:
    """The waits of one call: as long as the server asks for, and ``seconds`` in all at most."""

    def __init__(self, seconds: float, sleep: Sleep = asyncio.sleep) -> None:
        self._left = seconds
        self._sleep = sleep

    async def wait(self, seconds: float) -> bool:
        """Wait so long, if that is left; False, and at once, where it is not."""
        wait = max(seconds, _LEAST_SECONDS)
        if wait > self._left:
            return False
        self._left -= wait
        await self._sleep(wait)
        return True

    async def outlasts(self, method: str, refusal: ApiError) -> bool:
        """Wait until the same request may help; False where it never does, or too late."""
        seconds = refusal.retry_after_seconds
        return seconds is not None and may_repeat(method, refusal) and await self.wait(seconds)


def may_repeat(method: str, refusal: ApiError) -> bool:
    """Whether the request can be sent again without being done twice.

    After 503 an edit may have been made all the same; repeated with ``If-Match`` it would be told
    that somebody else has changed the photo.
    """
    if refusal.status == _TOO_MANY_REQUESTS or refusal.type in _NOTHING_WAS_DONE:
        return True
    return refusal.status == _UNAVAILABLE and method.upper() in _SAFE_METHODS
