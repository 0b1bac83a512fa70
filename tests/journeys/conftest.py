"""A real server process on a real directory of real photos, and the world outside it."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image

from tests.machine import program
from tests.processes import free_port

PASSWORD = "correct horse battery staple"
DEADLINE_SECONDS = 20.0


def make_image(seed: int, size: tuple[int, int] = (64, 48)) -> Image.Image:
    """A picture of noise: every seed gives other pixels."""
    width, height = size
    return Image.frombytes("RGB", size, random.Random(seed).randbytes(width * height * 3))


def make_photos(directory: Path) -> None:
    """One photo of each kind, in nested directories with names that people use."""
    (directory / "2019" / "Sommer & Meer").mkdir(parents=True)
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Canon", "Canon EOS 40D"
    exif.get_ifd(0x8769)[0x9003] = "2019:07:05 10:00:00"
    make_image(1).save(directory / "plain.jpg")
    make_image(2).save(directory / "2019" / "IMG_0002.JPG", exif=exif)
    make_image(3).save(directory / "2019" / "Sommer & Meer" / "büro.jpeg", exif=exif)
    make_image(4).save(directory / "2019" / "scan.png")
    make_image(5).save(directory / "2019" / "scan.tif")
    make_image(6).save(directory / "web.webp")
    make_image(7).save(directory / "phone.avif")
    make_image(8).save(directory / "anim.gif")
    dng = Image.Exif()
    dng[0x010F], dng[0xC612] = "Leica", bytes([1, 4, 0, 0])
    make_image(9).save(directory / "raw.dng", format="TIFF", exif=dng)


class Server:
    """One ``tagline serve`` process, and a client that has logged in."""

    def __init__(self, photos: Path, data: Path, **environment: str) -> None:
        self.photos = photos
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
        self.log = data.with_suffix(".log")
        self.process: subprocess.Popen[bytes] | None = None
        self.session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Start the process, wait until it is ready, and log in."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tagline", "serve", str(self.photos)],
                env=self.environment,
                stdout=log,
                stderr=log,
                cwd=self.photos.parent,
            )
        self.session = aiohttp.ClientSession(self.url)
        await self.until(self._is_ready)
        await self.login()

    async def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.session is not None
        assert self.process.poll() is None, self.log.read_text()
        try:
            async with self.session.get("/health") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def login(self) -> dict[str, Any]:
        """Log in; every later request carries the access token."""
        assert self.session is not None
        async with self.session.post("/login", json={"password": PASSWORD}) as answer:
            assert answer.status == 200, await answer.text()
            tokens = await answer.json()
        self.session.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        return tokens

    async def get(self, path: str, status: int = 200) -> Any:
        """The JSON of a GET."""
        assert self.session is not None
        async with self.session.get(path) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json()

    async def photos_by_key(self) -> dict[str, dict[str, Any]]:
        """Every photo of the API by its object key."""
        return {p["object_key"]: p for p in (await self.get("/photos?limit=500"))["items"]}

    async def describe(
        self, photo_id: str, text: str | None, status: int = 200, **more: Any
    ) -> Any:
        """PATCH a description."""
        assert self.session is not None
        headers = more.pop("headers", {})
        async with self.session.patch(
            f"/photos/{photo_id}/metadata", json={"description": text, **more}, headers=headers
        ) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json()

    async def until(self, condition: Callable[[], Awaitable[Any]]) -> Any:
        """Wait until the condition holds, and give its value."""
        end = time.monotonic() + DEADLINE_SECONDS
        while not (value := await condition()):
            assert time.monotonic() < end, f"never came true\n{self.log.read_text()}"
            await asyncio.sleep(0.02)
        return value

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End the process by a signal; give its exit code."""
        if self.session is not None:
            await self.session.close()
            self.session = None
        if self.process is None:
            return 0
        process, self.process = self.process, None
        process.send_signal(how)
        return await asyncio.to_thread(process.wait, 15)


StartServer = Callable[..., Awaitable[Server]]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A directory with one photo of each kind."""
    directory = tmp_path / "photos"
    directory.mkdir()
    make_photos(directory)
    return directory


@pytest.fixture
async def start_server(tmp_path: Path) -> AsyncIterator[StartServer]:
    """Start a server over a directory; every one is stopped at the end."""
    servers: list[Server] = []

    async def start(photos: Path, data: str = "data", **environment: str) -> Server:
        (tmp_path / data).mkdir(exist_ok=True)
        server = Server(photos, tmp_path / data, **environment)
        servers.append(server)
        await server.start()
        return server

    yield start
    for server in servers:
        await server.stop(signal.SIGKILL)


@pytest.fixture
async def server(photos: Path, start_server: StartServer) -> Server:
    """A server over one photo of each kind."""
    return await start_server(photos)


@pytest.fixture(scope="session")
def exiftool() -> Callable[..., dict[str, Any]]:
    """Read (or, with more arguments, edit) a file by exiftool; a program that the test needs."""
    path_of_it = program("exiftool")

    def run(path: Path, *arguments: str) -> dict[str, Any]:
        if arguments:
            command = [path_of_it, "-overwrite_original", "-q", *arguments, str(path)]
            subprocess.run(command, check=True, timeout=30)
        command = [path_of_it, "-j", "-G1", "-charset", "UTF8", str(path)]
        shown = subprocess.run(command, check=True, timeout=30, capture_output=True)
        return json.loads(shown.stdout)[0]

    return run
