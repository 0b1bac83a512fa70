"""Requests that may wait for long, when the server is told to stop."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from aiohttp import web

from tagline.api.refusals import ServerStopping

_Result = TypeVar("_Result")

STOPPING = web.AppKey("stopping", asyncio.Event)
"""Set when the server begins to stop."""


async def note_stopping(app: web.Application) -> None:
    """Let those know who wait."""
    app[STOPPING].set()


async def unless_stopping(app: web.Application, work: Coroutine[None, None, _Result]) -> _Result:
    """What the work gives; it is cancelled where the server stops before.

    Raises:
        ServerStopping: the server stops, and the work was not done.
    """
    working = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(app[STOPPING].wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ServerStopping
        return await working
    finally:
        stopping.cancel()
        working.cancel()
