"""A server process that is treated badly, and the means to do that."""

import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
from PIL import Image

from tests.processes import free_port

PASSWORD = "correct horse battery staple"
DEADLINE_SECONDS = 20.0


def save_photo(path: Path, seed: int, size: tuple[int, int] = (64, 48)) -> None:
    """Write a photo of noise in the format of the name; every seed gives other pixels."""
    noise = random.Random(seed).randbytes(size[0] * size[1] * 3)
    image = Image.frombytes("RGB", size, noise)
    if path.suffix == ".dng":
        exif = Image.Exif()
        exif[0x010F], exif[0xC612] = "Leica", bytes([1, 4, 0, 0])
        image.save(path, format="TIFF", exif=exif)
    else:
        image.save(path)


class Answer:
    """What came back for a request."""

    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)

    def __repr__(self) -> str:
        return f"{self.status} {dict(self.headers)} {self.body[:500]!r}"


class Server:
    """One ``tagline serve`` process over a directory, and a client that has logged in."""

    def __init__(self, photos: Path, data: Path, **environment: str) -> None:
        self.photos, self.data = photos, data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "TAGLINE_SETTLE_SECONDS": "0",
            "PATH": os.environ["PATH"],
            "HOME": str(data),
            "DATABASE_URL": f"tinydb:///{data}",
            "BACKEND_PASSWORD": PASSWORD,
            "TAGLINE_PORT": str(self.port),
            "TAGLINE_LOG_LEVEL": "warning",
            **environment,
        }
        self.log = data.parent / f"{data.name}.log"
        self.under: list[str] = []  # a command that runs the server's
        self.process: subprocess.Popen[bytes] | None = None
        self.session: aiohttp.ClientSession | None = None
        self.tokens: dict[str, Any] = {}

    def spawn(self) -> None:
        """Start the process, and no more."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.under, sys.executable, "-m", "tagline", "serve", str(self.photos)],
                env=self.environment,
                stdout=log,
                stderr=log,
                cwd=self.photos.parent,
            )

    async def start(self, seconds: float = DEADLINE_SECONDS) -> "Server":
        """Start the process, wait for so long until it is ready, and log in."""
        self.spawn()
        connector = aiohttp.TCPConnector(limit=0)
        self.session = aiohttp.ClientSession(self.url, connector=connector)
        await self.log_in_when_ready(seconds)
        return self

    async def log_in_when_ready(self, seconds: float = DEADLINE_SECONDS) -> None:
        """Wait until the server is ready, and log in with the session."""
        assert self.session is not None
        await self.until(self._is_ready, seconds)
        login = await self.ask("POST", "/login", json={"password": PASSWORD})
        assert login.status == 200, login
        self.tokens = login.json
        self.session.headers["Authorization"] = f"Bearer {self.tokens['access_token']}"

    async def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(aiohttp.ClientError):
            return (await self.ask("GET", "/health")).status == 200
        return False

    async def ask(self, method: str, path: str, **more: Any) -> Answer:
        """Send a request; give the whole answer."""
        assert self.session is not None
        async with self.session.request(method, path, **more) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def describe(self, photo_id: str, text: str | None, **more: Any) -> Answer:
        """PATCH a description."""
        return await self.ask(
            "PATCH", f"/photos/{photo_id}/metadata", json={"description": text}, **more
        )

    async def photo(self, photo_id: str) -> dict[str, Any]:
        """One photo."""
        answer = await self.ask("GET", f"/photos/{photo_id}")
        assert answer.status == 200, answer
        return answer.json

    async def by_key(self) -> dict[str, dict[str, Any]]:
        """Every photo by its object key."""
        found: dict[str, dict[str, Any]] = {}
        while True:
            page = (await self.ask("GET", f"/photos?limit=500&offset={len(found)}")).json
            if "items" not in page:
                raise AssertionError(page)
            found |= {photo["object_key"]: photo for photo in page["items"]}
            if not page["items"] or len(found) >= page["total"]:
                return found

    async def until_back(self, seconds: float = 15.0) -> dict[str, dict[str, Any]]:
        """Wait until the server is ready after its disk was away, and give every photo.

        Whoever was looking while the disk came may say last that it is not there.
        """

        async def back() -> Any:
            ready = await self.ask("GET", "/health")
            page = await self.ask("GET", "/photos?limit=1")
            assert {ready.status, page.status} <= {200, 503}, (ready, page)
            return ready.status == page.status == 200

        await self.until(back, seconds)
        return await self.by_key()

    async def health(self) -> dict[str, Any]:
        """What ``/health`` says."""
        return (await self.ask("GET", "/health")).json

    async def until(
        self, condition: Callable[[], Awaitable[Any]], seconds: float = DEADLINE_SECONDS
    ) -> Any:
        """Wait until the condition holds, and give its value."""
        end = time.monotonic() + seconds
        while not (value := await condition()):
            told = self.log.read_text(errors="replace")[-4000:]
            assert time.monotonic() < end, f"never came true in {seconds} s\n{told}"
            await asyncio.sleep(0.02)
        return value

    async def until_keys(self, *wanted: str, seconds: float = DEADLINE_SECONDS) -> dict[str, Any]:
        """Wait until exactly these photos are shown."""

        async def shown() -> Any:
            now = await self.by_key()
            return now if set(now) == set(wanted) else None

        return await self.until(shown, seconds)

    async def stop(self, how: signal.Signals = signal.SIGKILL) -> int:
        """End the process by a signal; give its exit code."""
        if self.session is not None:
            await self.session.close()
            self.session = None
        if self.process is None:
            return 0
        process, self.process = self.process, None
        process.send_signal(how)
        return await asyncio.to_thread(process.wait, 20)


StartServer = Callable[..., Awaitable[Server]]
