"""Fixtures of the writers' tests."""

import zlib
from collections.abc import Callable

import pytest

from tests.metadata.embed.samples_embed import SAMPLES, kind_of


@pytest.fixture(params=sorted(SAMPLES), scope="session")
def sample(request: pytest.FixtureRequest) -> tuple[str, bytes]:
    """Format and bytes of each sample."""
    return kind_of(request.param), SAMPLES[request.param]


Chunk = Callable[[bytes, bytes], bytes]


@pytest.fixture(scope="session")
def png_chunk() -> Chunk:
    """Builds a PNG chunk of a type and payload."""

    def make(kind: bytes, data: bytes) -> bytes:
        crc = zlib.crc32(kind + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + kind + data + crc

    return make


@pytest.fixture(scope="session")
def webp_chunk() -> Chunk:
    """Builds a WebP chunk of a code and payload."""
    return lambda kind, data: kind + len(data).to_bytes(4, "little") + data + bytes(len(data) % 2)
