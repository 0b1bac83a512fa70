"""Whether readers read beside each other."""

import asyncio

import pytest

from tagline.sync.turns import Turns

LONG_SECONDS = 60.0


class Reading:
    """Three readers with a clock of their own: each round takes a second, of which some is work."""

    def __init__(self, share: float) -> None:
        self.now = self.worked = 0.0
        self.inside = self.most = self.rounds = 0
        self._share = share
        self.turns = Turns(lambda: self.now, lambda: self.worked)

    async def read(self) -> None:
        for _ in range(10):
            async with self.turns.turn(LONG_SECONDS):
                self.inside += 1
                self.rounds += 1
                if self.rounds > 1:
                    self.most = max(self.most, self.inside)
                await asyncio.sleep(0)
                self.now += 1.0
                self.worked += self._share
                self.inside -= 1

    async def run(self) -> int:
        """How many read at once at most, from the second round on."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(3):
                tasks.create_task(self.read())
        return self.most


@pytest.mark.parametrize(("share", "most"), [(1.0, 1), (0.71, 1), (0.69, 3), (0.0, 3)])
async def test_readers_are_beside_each_other_where_the_process_does_not_compute(share, most):
    """Whoever waits for the disk lets others read; whoever computes does not."""
    assert await Reading(share).run() == most


async def test_nobody_waits_for_a_reader_that_hangs():
    """A share that does not answer one reader may answer another."""
    turns, hang = Turns(), asyncio.Event()

    async def hangs() -> None:
        async with turns.turn():
            await hang.wait()

    hanging = asyncio.create_task(hangs())
    await asyncio.sleep(0)
    async with turns.turn(patience_seconds=0.01):
        assert not hanging.done()
    hang.set()
    await hanging
