"""Clients that describe whatever appears, while other programs are still copying it in."""

import asyncio
import json
from contextlib import suppress

import pytest

from tests.hard.writers.copying import Ledger, describe, key_of, specimens, why_not_in_waiting

pytestmark = pytest.mark.slow

MANNERS = ("pieces", "truncated", "mapped", "renamed", "reopened", "in_2100")
LINGER_SECONDS = 0.5
DEADLINE_SECONDS = 60.0


class Clients:
    """One that follows ``/events`` and one that asks again and again, each for its own photos."""

    def __init__(self, server, ledger):
        self.server, self.ledger = server, ledger
        self.faults = []
        self.followed = set()
        self._at_work = {}

    def _take_up(self, photo):
        """Describe a photo that has no description, unless that is being done.

        While it has a temporary name it is the same photo.
        """
        key = photo["object_key"].removeprefix("part-")
        if photo["metadata"]["description"] is None and key not in self._at_work:
            task = asyncio.create_task(self._describe(key, photo["id"]))
            self._at_work[key] = task
            task.add_done_callback(lambda _: self._at_work.pop(key))

    async def _describe(self, key, photo_id):
        """As a client that is told to come back, and looks again then."""
        answer = await describe(self.server, self.ledger, key, photo_id)
        if answer.status == 409:
            if wrong := why_not_in_waiting(answer):
                self.faults.append(f"{key}: {wrong}")
            await asyncio.sleep(min(1, int(answer.headers.get("Retry-After", "1"))))
        elif answer.status not in {200, 404}:
            self.faults.append(f"{key}: {answer}")

    async def follow(self):
        """Look at every photo that an event names, and again until it is described."""
        async with self.server.session.get("/events") as stream:
            async for line in stream.content:
                told = json.loads(line[6:]) if line.startswith(b"data: ") else {}
                if told.get("object_key") in self.followed:
                    await self._look(told["id"])

    async def _look(self, photo_id):
        answer = await self.server.ask("GET", f"/photos/{photo_id}")
        if answer.status == 200:
            self._take_up(answer.json)

    async def ask_again_and_again(self, keys):
        """Look through the list for ever; those that were followed are asked for less often."""
        for turn in range(10**9):
            for key, photo in (await self.server.by_key()).items():
                if key in keys or (turn % 10 == 9 and key in self.followed):
                    self._take_up(photo)
            await asyncio.sleep(0.1)

    async def end(self):
        """Wait for what was begun."""
        await asyncio.gather(*self._at_work.values())


@pytest.mark.timeout(240)
async def test_clients_that_describe_whatever_appears_cut_no_photo(
    directory, server, start_copy, judge
):
    """By events and by asking: each file is whole, and each says at the end what was acknowledged.

    The programs go on while the requests wait, so that each falls into another piece.
    """
    copies = []
    for row, manner in enumerate(MANNERS):
        for name, specimen in specimens(100 * row).items():
            target = directory / f"{manner}-{key_of(name, specimen)}"
            copies.append(await start_copy(specimen, manner, target, list(specimen.stops)))
    ledger = Ledger()
    clients = Clients(server, ledger)
    names = [{copy.target.name, f"part-{copy.target.name}"} for copy in copies]
    clients.followed = set().union(*names[::2])
    tasks = [
        asyncio.create_task(clients.follow()),
        asyncio.create_task(clients.ask_again_and_again(set().union(*names[1::2]))),
    ]

    async def one(copy):
        while (await copy.word()).startswith("at"):
            told = ledger.of(copy.target.name)
            await server.until(lambda told=told: begun(told))
            with suppress(TimeoutError):
                await asyncio.wait_for(told.settled.wait(), LINGER_SECONDS)
            copy.go_on()

    await asyncio.gather(*map(one, copies))

    async def all_described():
        shown = await server.by_key()
        return all(
            (photo := shown.get(copy.target.name)) and photo["metadata"]["description"]
            for copy in copies
        )

    try:
        await server.until(all_described, DEADLINE_SECONDS)
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        await clients.end()
    ledger.told = {copy.target.name: ledger.of(copy.target.name) for copy in copies}
    faults = clients.faults + await judge(server, ledger, copies)
    assert not faults, "\n".join(faults)


async def begun(told):
    """Whether a client has sent anything for it."""
    return told.sent > 0
