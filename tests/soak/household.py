"""The people of a house, their programs, and what they do to their photos on a day."""

import asyncio
import contextlib
import json
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self

import aiohttp

from benchmarks.library import Library
from tests.hard.processes import PASSWORD, save_photo

PHOTOS = 400
WORDS = ("Oslo", "Großmutter", "Strand", "Weihnachten", "1974", "Ernte", "Hochzeit", "雪")
REFUSED = frozenset({404, 409, 412, 422})
"""What an honest client may meet: the photo was moved, edited or cannot be shown."""


class Client:
    """Somebody with a session of their own, who refreshes it as applications do."""

    def __init__(self, url: str, seen: Counter[str], *, alone: bool = False) -> None:
        # ``alone``: one connection a request, as scripts do.
        connector = aiohttp.TCPConnector(force_close=alone)
        self.http = aiohttp.ClientSession(url, connector=connector)
        self.seen = seen
        self.refresh_token = ""

    async def __aenter__(self) -> Self:
        await self._take(await self.ask("POST", "/login", json={"password": PASSWORD}))
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.http.close()

    async def ask(self, method: str, path: str, **more: Any) -> tuple[int, bytes, Any]:
        """Send a request; give status, body and headers. Refreshes and repeats once at a 401."""
        for attempt in range(2):
            async with self.http.request(method, path, **more) as answer:
                body = await answer.read()
                status, headers = answer.status, answer.headers
            if status == 401 and attempt == 0 and self.refresh_token:
                token = {"refresh_token": self.refresh_token}
                await self._take(await self.ask_once("/refresh", token))
                continue
            break
        self.seen[f"{method} {status}"] += 1
        assert status < 400 or status in REFUSED, (method, path, status, body[:300])
        return status, body, headers

    async def ask_once(self, path: str, document: object) -> tuple[int, bytes, Any]:
        """POST, whatever the answer."""
        async with self.http.post(path, json=document) as answer:
            return answer.status, await answer.read(), answer.headers

    async def _take(self, answer: tuple[int, bytes, Any]) -> None:
        status, body, _ = answer
        assert status == 200, (status, body)
        tokens = json.loads(body)
        self.refresh_token = tokens["refresh_token"]
        self.http.headers["Authorization"] = f"Bearer {tokens['access_token']}"

    async def log_out(self) -> None:
        """End the session."""
        await self.ask("POST", "/logout", json={"refresh_token": self.refresh_token})

    async def photos(self, query: str) -> list[dict[str, Any]]:
        """A page of photos."""
        _, body, _ = await self.ask("GET", f"/photos?{query}")
        return json.loads(body)["items"]


class Household:
    """Everybody. ``day`` runs all of them for so many seconds, and returns when all have gone.

    Args:
        url: the server's.
        directory: its photos.
        exiftool: the program of that name.
        rng: chance.
    """

    def __init__(self, url: str, directory: Path, exiftool: str, rng: random.Random) -> None:
        self.url, self.directory, self.exiftool, self.rng = url, directory, exiftool, rng
        self.seen: Counter[str] = Counter()
        self.library = Library(seed=11, profile="full", size_bytes=65536)
        self.made = 0
        self.end = 0.0

    def move_in(self) -> None:
        """Make the photos that are there at first."""
        for number in range(PHOTOS // 40):
            self._new_album(number)

    async def day(self, seconds: float) -> None:
        """A day of everybody."""
        self.end = asyncio.get_running_loop().time() + seconds
        async with asyncio.TaskGroup() as tasks:
            for habit in (
                *(self.browse, self.browse, self.look_closely, self.write, self.write_many),
                *(self.listen, self.listen, self.listen, self.run_scripts),
                *(self.take_photos, self.tidy_up, self.use_other_programs),
            ):
                tasks.create_task(self._again_and_again(habit))

    async def _again_and_again(self, habit: Callable[[], Awaitable[None]]) -> None:
        while asyncio.get_running_loop().time() < self.end:
            await habit()
            await asyncio.sleep(self.rng.uniform(0.05, 0.5))

    def _is_day(self) -> bool:
        return asyncio.get_running_loop().time() < self.end

    async def browse(self) -> None:
        """Log in, scroll, search, look at thumbnails, refresh; log out or just go."""
        async with Client(self.url, self.seen) as client:
            for _ in range(self.rng.randrange(3, 12)):
                query = self.rng.choice(
                    (
                        f"limit=60&offset={self.rng.randrange(PHOTOS)}",
                        f"limit=60&q={self.rng.choice(WORDS)}",
                        "limit=100&described=true",
                        "limit=50&media_type=image/*&rating_min=3",
                        f"limit=50&folder=album-{self.rng.randrange(10):03}",
                    )
                )
                photos = await client.photos(query)
                wanted = [p["id"] for p in self.rng.sample(photos, min(len(photos), 8))]
                await asyncio.gather(
                    *(client.ask("GET", f"/photos/{i}/thumbnail") for i in wanted),
                    client.ask("GET", "/folders"),
                    client.ask("GET", "/timeline"),
                )
            if self.rng.random() < 0.7:
                await client.log_out()

    async def look_closely(self) -> None:
        """Previews, originals in ranges, and downloads that are broken off."""
        async with Client(self.url, self.seen) as client:
            for photo in await client.photos(f"limit=10&offset={self.rng.randrange(PHOTOS - 50)}"):
                path = f"/photos/{photo['id']}"
                status, _, headers = await client.ask("GET", path)
                if status == 200:
                    condition = {"If-None-Match": headers["ETag"]}
                    await client.ask("GET", path, headers=condition)
                first = self.rng.randrange(60_000)
                wanted = {"Range": f"bytes={first}-{first + 4095}"}
                if photo["size"] > first:
                    await client.ask("GET", f"{path}/image", headers=wanted)
                if self.rng.random() < 0.1:
                    await client.ask("GET", f"{path}/preview")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self.rng.uniform(0.001, 0.05)):
                        await client.ask("GET", f"{path}/image")
            await client.log_out()

    async def write(self) -> None:
        """Describe single photos, sometimes on a condition, and undo some of it."""
        async with Client(self.url, self.seen) as client:
            for photo in await client.photos(f"limit=6&offset={self.rng.randrange(PHOTOS - 50)}"):
                path = f"/photos/{photo['id']}"
                text = " ".join(self.rng.choices(WORDS, k=self.rng.randrange(1, 20)))
                change = {"description": text, "rating": self.rng.randrange(6)}
                condition = {"If-Match": f'"{photo["etag"]}"'} if self.rng.random() < 0.5 else {}
                await client.ask("PATCH", f"{path}/metadata", json=change, headers=condition)
                if self.rng.random() < 0.4:
                    _, body, _ = await client.ask("GET", f"{path}/history")
                    if done := json.loads(body).get("items"):
                        await client.ask("POST", f"{path}/history/{done[0]['n']}/restore")

    async def write_many(self) -> None:
        """Give an album a keyword."""
        async with Client(self.url, self.seen) as client:
            photos = await client.photos(f"limit=20&offset={self.rng.randrange(PHOTOS - 50)}")
            word = self.rng.choice(WORDS)
            changes = [{"id": photo["id"], "keywords": [word, "album"]} for photo in photos]
            await client.ask("PATCH", "/photos/metadata", json={"changes": changes})
            await client.log_out()
        await asyncio.sleep(0.5)

    async def listen(self) -> None:
        """Read events for a while, and vanish."""
        async with Client(self.url, self.seen) as client:
            with contextlib.suppress(TimeoutError, aiohttp.ClientError):
                async with (
                    asyncio.timeout(self.rng.uniform(0.5, 5)),
                    client.http.get("/events", timeout=None) as stream,
                ):
                    async for line in stream.content:
                        self.seen["events"] += line.startswith(b"event:")
                        if not self._is_day():
                            return

    async def run_scripts(self) -> None:
        """A script: a connection for each request, a rescan, and a wrong password now and then."""
        async with Client(self.url, self.seen, alone=True) as client:
            for _ in range(4):
                await client.photos("limit=500&fields=id")
            await client.ask("POST", "/rescan")
            if self.rng.random() < 0.05:
                await client.ask_once("/login", {"password": "wrong"})
            await client.log_out()
        await asyncio.sleep(1)

    async def take_photos(self) -> None:
        """A card is copied: a new album comes, photo by photo."""
        await asyncio.to_thread(self._new_album, self.made)
        await asyncio.sleep(2)

    async def tidy_up(self) -> None:
        """Albums are renamed, photos moved and copied; the oldest albums go when there are many."""
        await asyncio.to_thread(self._tidy_up)
        await asyncio.sleep(0.5)

    async def use_other_programs(self) -> None:
        """Exiftool describes photos in place."""
        photos = [path for album in self._albums() for path in album.glob("*.jpg")]
        for path in self.rng.sample(photos, min(2, len(photos))):
            text = f"-ImageDescription={self.rng.choice(WORDS)}"
            command = [self.exiftool, "-q", "-q", "-m", "-overwrite_original", text, str(path)]
            await asyncio.to_thread(subprocess.run, command, check=False, capture_output=True)
        await asyncio.sleep(1)

    def _albums(self) -> list[Path]:
        return sorted(self.directory.glob("album-*"))

    def _new_album(self, number: int) -> None:
        album = self.directory / f"album-{number:03}"
        album.mkdir(exist_ok=True)
        for place in range(36):
            data = self.library.photo(number * 40 + place)
            (album / f"{place:02}.jpg").write_bytes(data)
        for suffix in ("png", "gif", "tif", "webp"):
            save_photo(album / f"other.{suffix}", number)
        self.made = number + 1

    def _tidy_up(self) -> None:
        albums = self._albums()
        while len(albums) > PHOTOS // 40:
            shutil.rmtree(albums.pop(0), ignore_errors=True)
        album = self.rng.choice(albums)
        photos = [path for path in album.iterdir() if path.suffix in {".jpg", ".png"}]
        with contextlib.suppress(FileNotFoundError):
            match self.rng.randrange(4):
                case 0:
                    away = album.with_name(album.name + " (Ferien)")
                    album.rename(away)
                    away.rename(album)
                case 1:
                    path = self.rng.choice(photos)
                    path.rename(path.with_stem(f"moved-{self.made}-{self.rng.randrange(10**6)}"))
                case 2:
                    path = self.rng.choice(photos)
                    shutil.copy(path, path.with_stem(path.stem + "-copy"))
                case _:
                    self.rng.choice(photos).unlink()
