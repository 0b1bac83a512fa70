"""A client for Tagline's HTTP API: asynchronous, typed, over aiohttp.

It loads nothing of the server::

    async with TaglineClient("http://127.0.0.1:8000", password="…") as tagline:
        async for photo in tagline.photos():
            print(photo["object_key"], photo["metadata"]["description"])

There are methods for photos, their history and pictures, and events; ``request`` is for any other
operation that answers with JSON. Photos are the JSON of the API as dictionaries; ``/docs`` of the
server describes every member. All that goes wrong is a ``ClientError``; the ``type`` of an
``ApiError`` is the word by which to decide. Where the server says when to try again, the client
waits and does, up to ``patience_seconds``.
"""

from tagline.client.client import TaglineClient
from tagline.client.errors import ApiError, ClientError, Unreachable
from tagline.client.events import Event

__all__ = ["ApiError", "ClientError", "Event", "TaglineClient", "Unreachable"]
