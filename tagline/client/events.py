"""Server-Sent Events (HTML, 9.2.6), as far as Tagline sends them: from lines to events."""

import json
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from typing import Any

_PAUSE_SECONDS = 3.0
"""Until a server says otherwise."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event: its type, its data, and the id by which a later stream goes on behind it."""

    kind: str
    data: dict[str, Any]
    id: str | None


class EventStream:
    """What is known of a stream over all of its connections.

    ``last_id`` is the id of the last event; ``pause_seconds`` is how long to wait before the stream
    is opened again, as the server has it.
    """

    def __init__(self, last_id: str | None = None) -> None:
        self.last_id = last_id
        self.pause_seconds = _PAUSE_SECONDS

    @property
    def headers(self) -> dict[str, str]:
        """Of the request that opens the stream, or goes on with it."""
        return {} if self.last_id is None else {"Last-Event-ID": self.last_id}

    async def read(self, lines: AsyncIterable[bytes]) -> AsyncIterator[Event]:
        """The events of one connection; comments keep it alive and say nothing."""
        fields: dict[str, str] = {}
        async for line in lines:
            text = line.decode("utf-8").rstrip("\r\n")
            if text:
                name, _, value = text.partition(":")
                fields[name] = value.removeprefix(" ")
                continue
            if (retry := fields.get("retry", "")).isascii() and retry.isdecimal():
                self.pause_seconds = int(retry) / 1000
            if "event" in fields and "data" in fields:
                self.last_id = fields.get("id") or self.last_id
                yield Event(fields["event"], json.loads(fields["data"]), fields.get("id"))
            fields = {}
