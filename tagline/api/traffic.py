"""Counting of requests: by method, by the path as it is declared, and by status."""

import time
from collections import Counter
from collections.abc import Iterator

from aiohttp import web
from aiohttp.typedefs import Handler

from tagline.api.exposition import Family, Histogram, Sample
from tagline.api.operations import Operation

BOUNDS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
NO_ROUTE = "none"
"""The route of requests to addresses where there is nothing."""
GONE = 499
"""The status of requests whose client went away before the answer, as nginx counts them."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Traffic:
    """The requests of one application. No client can add labels: what it names counts as other."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._seconds: dict[tuple[str, str], Histogram] = {}

    def note(self, method: str, operation: Operation | None, status: int, seconds: float) -> None:
        """Count an answer; the time of event streams says nothing, and is left out."""
        method = method if method in _METHODS else "other"
        route = operation.path if operation else NO_ROUTE
        self._requests[method, route, status] += 1
        if operation is not None and operation.is_stream:
            return
        place = method, route
        if place not in self._seconds:
            self._seconds[place] = Histogram(BOUNDS_SECONDS)
        self._seconds[place].observe(seconds)

    def families(self) -> Iterator[Family]:
        """What was counted."""
        yield Family(
            "tagline_http_requests_total",
            "counter",
            "Requests that were answered. Route is the path as documented, none where there is "
            "no such address; status 499 means that the client went away first.",
            [
                Sample(count, {"method": method, "route": route, "status": str(status)})
                for (method, route, status), count in self._requests.items()
            ],
        )
        yield Family(
            "tagline_http_request_duration_seconds",
            "histogram",
            "Time from a request's header to its answer, without event streams.",
            [
                sample
                for (method, route), histogram in self._seconds.items()
                for sample in histogram.samples({"method": method, "route": route})
            ],
        )


def counting(traffic: Traffic, operations: dict[Handler, Operation]):  # noqa: ANN201 - a middleware
    """The middleware that counts; it goes first, so that it sees what is really answered."""

    @web.middleware
    async def count_requests(request: web.Request, handler: Handler) -> web.StreamResponse:
        status = GONE
        began = time.monotonic()
        try:
            response = await handler(request)
            status = response.status
        finally:
            operation = operations.get(request.match_info.handler)
            traffic.note(request.method, operation, status, time.monotonic() - began)
        return response

    return count_requests
