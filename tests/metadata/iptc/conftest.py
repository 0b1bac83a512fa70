"""IPTC blocks to read and edit."""

from collections.abc import Callable
from pathlib import Path

import pytest


def app13_of(data: bytes) -> list[bytes]:
    """The payloads of a JPEG's APP13 segments, in file order."""
    found: list[bytes] = []
    position = 2
    while data[position : position + 1] == b"\xff" and data[position + 1] not in (0xDA, 0xD9):
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        if data[position + 1] == 0xED:
            found.append(data[position + 4 : position + 2 + length])
        position += 2 + length
    return found


@pytest.fixture(scope="session")
def corpus_app13(corpus: list[Path]) -> list[bytes]:
    """Every APP13 payload of the corpus's JPEGs."""
    jpegs = (path.read_bytes() for path in corpus if path.suffix.lower() == ".jpg")
    return [payload for data in jpegs for payload in app13_of(data)]


@pytest.fixture(scope="session")
def iim() -> Callable[..., bytes]:
    """Makes data sets of (record, number, value)."""

    def make(*items: tuple[int, int, bytes]) -> bytes:
        return b"".join(
            bytes([0x1C, record, number]) + len(value).to_bytes(2, "big") + value
            for record, number, value in items
        )

    return make


@pytest.fixture(scope="session")
def resource() -> Callable[..., bytes]:
    """Makes an image resource block."""

    def make(identifier: int, data: bytes, name: bytes = b"", signature: bytes = b"8BIM") -> bytes:
        named = bytes([len(name)]) + name
        named += b"\0" * (len(named) % 2)
        head = signature + identifier.to_bytes(2, "big") + named + len(data).to_bytes(4, "big")
        return head + data + b"\0" * (len(data) % 2)

    return make
