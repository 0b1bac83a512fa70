"""The real library over a directory of real photos, behind the API, in this process."""

import io
import random
import time
from pathlib import Path

from PIL import Image

from tagline.api import ApiOptions, create_app
from tagline.index import open_history, open_index
from tagline.library import read_observed
from tagline.storage import LocalStorage
from tagline.sync import Reconciler
from tests.composing import PASSWORD, compose

START_NS = 1_714_566_896_789_012_000


def picture(seed: int, kind: str = "JPEG") -> bytes:
    """A small picture of noise; every seed gives other pixels."""
    file = io.BytesIO()
    noise = random.Random(seed).randbytes(8 * 6 * 3)
    Image.frombytes("RGB", (8, 6), noise).save(file, kind)
    return file.getvalue()


class World:
    """A library over a directory, its data directory, and a client that is logged in."""

    def __init__(self, photos: Path, data: Path, **options) -> None:
        self.photos, self.data, self.options = photos, data, options
        self.ticks = 0
        self.later_seconds = 0.0

    def clock(self) -> float:
        """The time of tokens."""
        return time.time() + self.later_seconds

    def clock_ns(self) -> int:
        """A second later at every look."""
        self.ticks += 1
        return START_NS + self.ticks * 1_000_000_000

    async def start(self, aiohttp_client) -> "World":
        """Open everything, scan, and log in."""
        storage, index = LocalStorage(self.photos), open_index(self.data)
        self.index, self.history = index, open_history(self.data)
        self.reconciler = Reconciler(storage, index, read_observed)
        self.library = compose(
            storage,
            index,
            self.reconciler,
            clock=self.clock,
            history=self.history,
            clock_ns=self.clock_ns,
        )
        app = create_app(self.library, ApiOptions(**self.options))
        self.client = await aiohttp_client(app)
        await self.library.start()
        await self.library.rescan()
        answer = await self.client.post("/login", json={"password": PASSWORD})
        token = (await answer.json())["access_token"]
        self.client.session.headers["Authorization"] = f"Bearer {token}"
        return self

    async def stop(self) -> None:
        """Close everything; the directories stay."""
        await self.client.close()
        await self.library.stop()

    async def ask(self, method: str, path: str, status: int = 200, **more):
        """The JSON of an answer that has to have a status."""
        answer = await self.client.request(method, path, **more)
        assert answer.status == status, await answer.text()
        return await answer.json()

    async def by_key(self) -> dict:
        """Every photo by its object key."""
        page = await self.ask("GET", "/photos?limit=500")
        return {photo["object_key"]: photo for photo in page["items"]}

    async def edit(self, photo_id: str, status: int = 200, headers=None, **changes):
        """Change one photo."""
        path = f"/photos/{photo_id}/metadata"
        return await self.ask("PATCH", path, status, json=changes, headers=headers)

    async def edit_many(self, *changes, status: int = 200):
        """Change many photos; gives the results."""
        answer = await self.ask("PATCH", "/photos/metadata", status, json={"changes": changes})
        return answer["results"] if status == 200 else answer

    async def past(self, photo_id: str, query: str = "") -> list:
        """The history of a photo."""
        return (await self.ask("GET", f"/photos/{photo_id}/history{query}"))["items"]

    async def restore(self, photo_id: str, n: int, status: int = 200, **more):
        """Undo a change."""
        path = f"/photos/{photo_id}/history/{n}/restore"
        return await self.ask("POST", path, status, **more)
