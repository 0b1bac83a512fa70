"""Long bodies, given to the connection piece by piece as the client takes them.

A body that is handed over whole is copied for each client, and a client may take its time.
"""

from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

SLICE_BYTES = 64 * 1024
WHOLE_BYTES = 2 * SLICE_BYTES
"""A body up to so long is handed over whole, as a page of 100 photos."""


class Slices(Payload):
    """Bytes that are shared by all who are sent them."""

    _value: bytes

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._size = len(data)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The text."""
        return self._value.decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Send one slice after the other, each when the one before was taken."""
        for start in range(0, len(self._value), SLICE_BYTES):
            await writer.write(self._value[start : start + SLICE_BYTES])
            await writer.drain()
