"""A photo directory on the disk, and a watcher that follows it."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from tagline.index import open_index
from tagline.model import IndexedPhoto
from tagline.storage import LocalStorage, PhotoStorageProvider
from tagline.sync import Decoded, Observed, Reconciler, Watcher, WatchOptions
from tests.sync.worlds import built_from_nothing, fake_read, rows_by_key

DEADLINE_SECONDS = 20.0


class Living:
    """A directory ``root``, an index of it, and a watcher that is started by ``start``."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "photos"
        self.root.mkdir()
        self.storage = LocalStorage(self.root)
        self.index = open_index(None)
        self.reads: list[str] = []
        self.clock_offset = 0.0
        self.reconciler = Reconciler(self.storage, self.index, self._read, clock=self._now)
        self.watcher = Watcher(self.reconciler, self.root)

    def _now(self) -> float:
        return time.time() + self.clock_offset

    def _read(self, storage: PhotoStorageProvider, observed: Observed) -> Decoded:
        self.reads.append(observed.object_key)
        return fake_read(storage, observed)

    async def start(self, **options: object) -> None:
        """Watch, and return when the first full reconcile is done."""
        options = {"mode": "notify", "check_seconds": 0.1, **options}
        self.watcher = Watcher(self.reconciler, self.root, WatchOptions(**options))
        await self.watcher.start()
        await self.until(lambda: self.watcher.status().state in {"watching", "off"})

    async def until(self, holds: Callable[[], bool], seconds: float = DEADLINE_SECONDS) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(seconds):
            while not holds():  # noqa: ASYNC110 - what is waited for is in a thread, or on the disk
                await asyncio.sleep(0.002)

    async def until_equal(self) -> None:
        """Wait until the index is the one that would be built from nothing."""
        await self.until(lambda: rows_by_key(self.index) == built_from_nothing(self.storage))

    def rows(self) -> dict[str, IndexedPhoto]:
        """All rows of the index, by key."""
        return rows_by_key(self.index)

    def photos(self) -> list[str]:
        """The keys in the index, sorted."""
        return sorted(self.rows())

    def ids(self) -> dict[str, str]:
        """Ids by key."""
        return {key: row.photo.id for key, row in self.rows().items()}

    def write(self, object_key: str, data: bytes) -> Path:
        """Another program writes a file; its directories are made."""
        path = self.root / object_key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    async def close(self) -> None:
        """Stop everything."""
        await self.watcher.stop()
        await self.reconciler.close()
        self.index.close()
