"""temporary"""

import asyncio
from pathlib import Path

from tagline.library.health import WatcherHealth
from tagline.sync import Reconciler


class _F:
    def __init__(self, r):
        self.r = r
        self.t = None
        self.done = None

    async def start(self):
        async def go():
            await self.r.reconcile()
            self.done = "2020-01-01T00:00:00.000000Z"

        self.t = asyncio.create_task(go())

    async def stop(self):
        if self.t:
            self.t.cancel()

    def health(self):
        return WatcherHealth(
            mode="off",
            state="off",
            delay_seconds=None,
            degraded=None,
            last_full_reconcile=self.done,
        )


def follow(reconciler: Reconciler, root: Path | None, mode: str, seconds: int):
    return _F(reconciler)
