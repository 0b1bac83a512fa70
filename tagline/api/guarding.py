"""Connections that no client can keep for itself: how many there are, how slow they may be.

aiohttp bounds what a request may be and how long its header may take, but neither how many
connections there are nor how long a client takes over an answer. Anybody may connect, so both are
bounded here, before anything is known of who it is.
"""

import asyncio
import fcntl
import resource
import socket
import struct
import termios
from contextlib import suppress
from typing import Any, cast

from aiohttp import web

from tagline.api.browsers import RULES
from tagline.api.error_answers import body_of
from tagline.api.errors import tell
from tagline.api.refusals import TooManyConnections

LEAST_BYTES_PER_SECOND = 1024
_FILES = 65_536
_UNSENT_BYTES = 256 * 1024
"""So much may wait in the kernel beyond what is on its way (tcp(7)); else it may be megabytes."""


def _turned_away() -> bytes:
    """What a connection gets for which there is no room, as it goes over the wire."""
    told = tell(TooManyConnections())
    body = body_of(told.members)
    headers = told.headers | {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "Connection": "close",
        "Server": "Tagline",
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in (headers | dict(RULES)).items())
    return f"HTTP/1.1 {told.status} Service Unavailable\r\n{lines}\r\n".encode("ascii") + body


_TURNED_AWAY = _turned_away()


class GuardedConnection(web.RequestHandler):
    """A connection that ends when its client takes too little of what is sent to it.

    It is looked at after each ``stuck_seconds``. Nothing is decompressed: who sends a request that
    unpacks to gigabytes sends a request of that many bytes.
    """

    __slots__ = ("_guard", "_socket", "_stuck_seconds", "_wire")

    def __init__(self, manager: web.Server, *, stuck_seconds: float, **more: Any) -> None:  # noqa: ANN401 - aiohttp's own options
        super().__init__(manager, loop=asyncio.get_running_loop(), auto_decompress=False, **more)
        self._stuck_seconds = stuck_seconds
        self._guard: asyncio.TimerHandle | None = None
        self._wire: asyncio.Transport
        self._socket: socket.socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; the client is told of as soon as anything waits for it."""
        self._wire = cast("asyncio.Transport", transport)
        self._socket = self._wire.get_extra_info("socket")
        with suppress(OSError):  # a Unix socket has no such option
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
        super().connection_made(transport)
        # Pauses at once where the TLS handshake has left anything, so all else is ready by now.
        # 0 would let the TLS transport pause what is empty, and never go on.
        self._wire.set_write_buffer_limits(high=1, low=0)

    def connection_lost(self, exc: BaseException | None) -> None:
        """End."""
        self._dismiss()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Something waits for the client."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """The client has taken everything."""
        self._dismiss()
        super().resume_writing()

    @property
    def is_idle(self) -> bool:
        """Whether no whole request has come since the last answer."""
        return self._waiter is not None and not self._waiter.done()

    def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        self._guard = loop.call_later(self._stuck_seconds, self._judge, self._untaken())

    def _judge(self, waited: int) -> None:
        # Also after aiohttp has closed the transport, which waits for the client without end.
        taken = waited - self._untaken()
        if taken < self._stuck_seconds * LEAST_BYTES_PER_SECOND:
            self._wire.abort()
        else:
            self._watch()

    def _untaken(self) -> int:
        """Bytes of the answer that the client has not acknowledged.

        The kernel takes much at a time from us, and sends a slow client little of it at a time.
        """
        return self._wire.get_write_buffer_size() + _unacknowledged(self._socket)

    def _dismiss(self) -> None:
        if self._guard is not None:
            self._guard.cancel()
            self._guard = None


def _unacknowledged(wire: socket.socket) -> int:
    """Bytes that the kernel holds for the other side (tcp(7), SIOCOUTQ); 0 where it cannot say."""
    with suppress(OSError, ValueError):  # ValueError: it was closed
        (count,) = struct.unpack("i", fcntl.ioctl(wire.fileno(), termios.TIOCOUTQ, bytes(4)))
        return count
    return 0


class TurnedAway(asyncio.Protocol):
    """What a connection gets for which there is no room."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say so, and hang up."""
        wire = cast("asyncio.Transport", transport)
        wire.write(_TURNED_AWAY)
        wire.close()


def has_room(connections: list[web.RequestHandler], most: int) -> bool:
    """Whether one more may come; the oldest idle one is ended for it where there are too many."""
    if len(connections) < most:
        return True
    idle = (each for each in connections if isinstance(each, GuardedConnection) and each.is_idle)
    oldest = next(idle, None)
    if oldest is not None:
        oldest.force_close()
    return oldest is not None


def room_for(most: int) -> int:
    """How many connections there may be: ``most``, or fewer, so that files are left for photos.

    Raises the soft limit on open files, which many systems set for the sake of programs of old.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return most if soft == resource.RLIM_INFINITY else min(most, soft // 2)
