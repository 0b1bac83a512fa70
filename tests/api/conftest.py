"""An application over a library in memory, and clients that talk to it through sockets."""

import importlib.util
import sys
from pathlib import Path

import pytest

from tagline.api import ApiOptions, create_app
from tests.api.declared import watching
from tests.api.real_library import World

_spec = importlib.util.spec_from_file_location(
    "tests_api_memory_library", Path(__file__).with_name("memory_library.py")
)
memory_library = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = memory_library
_spec.loader.exec_module(memory_library)


@pytest.fixture
async def aiohttp_client(aiohttp_client):
    """Clients as ever; at the end nothing they were answered may have been undeclared."""
    faults = []

    async def make(app, **more):
        return await aiohttp_client(app, trace_configs=[watching(app, faults)], **more)

    yield make
    assert sorted(set(faults)) == []


@pytest.fixture
def library():
    """A library with three photos."""
    made = memory_library.MemoryLibrary()
    for name in ("a.jpg", "b/c.jpg", "d.jpg"):
        made.add(name)
    return made


@pytest.fixture
def options():
    """Options with short limits."""
    return ApiOptions(version="1.2.3", max_body_bytes=200_000, body_seconds=0.2)


@pytest.fixture
async def anonymous(aiohttp_client, library, options):
    """A client that sends no token."""
    return await aiohttp_client(create_app(library, options))


@pytest.fixture
async def client(aiohttp_client, library, options):
    """A client that is logged in."""
    pair = await library.login(memory_library.PASSWORD, "")
    library.addresses.clear()
    headers = {"Authorization": f"Bearer {pair.access_token}"}
    return await aiohttp_client(create_app(library, options), headers=headers)


@pytest.fixture
def photo(library):
    """One of the photos."""
    return library.add("photo.jpg", bytes(range(256)) * 40)


@pytest.fixture
async def make_world(tmp_path, aiohttp_client):
    """Make real libraries over directories of real photos; all are stopped at the end."""
    worlds = []

    async def make(files=None, **options):
        photos, data = tmp_path / "photos", tmp_path / "data"
        photos.mkdir(exist_ok=True)
        for name, content in (files or {}).items():
            (photos / name).write_bytes(content)
        worlds.append(World(photos, data, **options))
        return await worlds[-1].start(aiohttp_client)

    yield make
    for world in worlds:
        await world.stop()
