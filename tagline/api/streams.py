"""Streams of Server-Sent Events (WHATWG HTML, 9.2): how many, how they are sent, how they end."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Generator
from contextlib import contextmanager

from aiohttp import web

from tagline.api.options import EventOptions
from tagline.api.refusals import NoMoreStreams, NotAllowed, TooManyStreams
from tagline.errors import AuthError, EventsLost
from tagline.library import Event, Opening, Reader

BATCH = 16
"""So many events are sent to a client at a time."""
AT_ONCE = 16
"""To so many clients is sent on one round of the event loop."""

_HEARTBEAT = b":\n\n"


class Streams:
    """The event streams of one application; each is held by the request that it answers."""

    def __init__(self, options: EventOptions) -> None:
        self._options = options
        self._open: dict[Stream, str] = {}
        self._of_session: Counter[str] = Counter()
        self._turns = Turns()
        self._closed = False

    @contextmanager
    def stream(self, request: web.Request, session_id: str) -> Generator["Stream"]:
        """A stream that counts until it is left.

        Raises:
            TooManyStreams: this session has as many as it may have.
            NoMoreStreams: there are as many as there may be, or the server stops.
        """
        if self._closed or len(self._open) >= self._options.most:
            raise NoMoreStreams
        if self._of_session[session_id] >= self._options.most_of_session:
            raise TooManyStreams
        stream = Stream(request, self._options, self._turns)
        self._open[stream] = session_id
        self._of_session[session_id] += 1
        try:
            yield stream
        finally:
            del self._open[stream]
            self._of_session[session_id] -= 1
            self._of_session += Counter()  # drops the sessions that have none

    def __len__(self) -> int:
        """How many are open."""
        return len(self._open)

    async def close(self, _app: web.Application) -> None:
        """End every stream at once, and open none any more."""
        self._closed = True
        for stream in self._open:
            stream.stop()


class Turns:
    """Lets those who have something to do go on a few at a time, other work in between."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Event] = deque()
        self._scheduled = False

    def ask(self, turn: asyncio.Event) -> None:
        """Set the event when it is its turn."""
        self._waiting.append(turn)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        for _ in range(min(AT_ONCE, len(self._waiting))):
            self._waiting.popleft().set()
        self._scheduled = bool(self._waiting)
        if self._scheduled:
            asyncio.get_running_loop().call_soon(self._next)


class Stream:
    """One answer that does not end by itself."""

    def __init__(self, request: web.Request, options: EventOptions, turns: Turns) -> None:
        self._request = request
        self._options = options
        self._turns = turns
        self._response = web.StreamResponse(headers=HEADERS)
        self._news = asyncio.Event()
        self._asked = False
        self._stopping = False
        self._sending = False

    def wake(self) -> None:
        """There is something to be sent."""
        if not self._asked:
            self._asked = True
            self._turns.ask(self._news)

    def stop(self) -> None:
        """End soon: cut the connection where the client does not take what is sent."""
        self._stopping = True
        self.wake()
        if self._sending:
            self._cut()

    async def run(self, reader: Reader, authenticate: Callable[[], object]) -> web.StreamResponse:
        """Send what there is to read, until the client goes or may no longer be told.

        ``authenticate`` raises an ``AuthError`` or ``NotAllowed`` when nothing more may be sent.

        Raises:
            ConnectionError: the client has gone, or takes too little.
        """
        await self._response.prepare(self._request)
        retry = f"retry: {round(self._options.retry_seconds * 1000)}\n"
        await self._send(retry.encode() + opening(reader))
        why = await self._forward(reader, authenticate)
        await self._send(_block("ended", b'{"reason":"%s"}' % why.encode()))
        await self._response.write_eof()
        return self._response

    async def _forward(self, reader: Reader, authenticate: Callable[[], object]) -> str:
        """Send events, and comments where there are none; return why that is over."""
        loop = asyncio.get_running_loop()
        silent_at = loop.time() + self._options.heartbeat_seconds
        self.wake()
        while not self._stopping:
            await self._wait(silent_at - loop.time())
            try:
                authenticate()
                events = reader.take(BATCH)
            except (AuthError, NotAllowed):
                return "token"
            except EventsLost:
                return "slow"
            if events or silent_at <= loop.time():
                await self._send(b"".join(map(wire, events)) or _HEARTBEAT)
                silent_at = loop.time() + self._options.heartbeat_seconds
            if len(events) == BATCH:
                self.wake()
        return "shutdown"

    async def _wait(self, seconds: float) -> None:
        """Wait for news, but no longer than until the next thing to be seen to."""
        try:
            async with asyncio.timeout(min(seconds, self._options.check_seconds)):
                await self._news.wait()
            self._news.clear()
            self._asked = False
        except TimeoutError:
            if self._request.transport is None or self._request.transport.is_closing():
                raise ConnectionResetError("the client has gone") from None

    async def _send(self, data: bytes) -> None:
        """Send; a client that takes nothing is not waited for.

        Raises:
            ConnectionError: the client has gone, or takes too little.
        """
        self._sending = True
        try:
            async with asyncio.timeout(self._options.send_seconds):
                await self._response.write(data)
        except TimeoutError:
            self._cut()
            raise ConnectionResetError("the client takes too little") from None
        finally:
            self._sending = False

    def _cut(self) -> None:
        if self._request.transport is not None:
            self._request.transport.abort()


HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}
"""Of the answer; the last one keeps nginx from holding events back."""


def opening(reader: Reader) -> bytes:
    """The first event of a stream: from where it goes on, and whether that is without a gap."""
    number = f"id: {reader.last_id}\n".encode()
    if reader.opening in {Opening.FRESH, Opening.RESUMED}:
        resumed = b"true" if reader.opening is Opening.RESUMED else b"false"
        return number + _block("opened", b'{"resumed":%s}' % resumed)
    return number + _block("reload", b'{"reason":"%s"}' % reader.opening.value.encode())


def wire(event: Event) -> bytes:
    """An event as it is sent (9.2.6)."""
    return f"id: {event.id}\n".encode() + _block(event.kind, event.data)


def _block(kind: str, data: bytes) -> bytes:
    """Type and data of an event, and the blank line that ends it; JSON has no line break."""
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), data)
