"""What was written is read back from the file before it may take a name."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagline.errors import ObjectUnreadable
from tagline.storage.temporary import TemporaryFile

DATA = bytes(range(256)) * 1000


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[int]:
    """A descriptor of an empty directory."""
    opened = os.open(tmp_path, os.O_RDONLY)
    yield opened
    os.close(opened)


def test_what_reads_back_is_settled(directory: int) -> None:
    """Also where its length is no multiple of what is read at once."""
    with TemporaryFile(directory, 0o600) as file:
        file.write(DATA)
        assert file.settle("a.jpg", DATA).st_size == len(DATA)


@pytest.mark.parametrize("at", [0, 1 << 16, (1 << 16) - 1, len(DATA) - 1])
def test_a_byte_that_is_another_is_noticed_wherever_it_is(directory: int, at: int) -> None:
    """First and last, and on either side of where a piece ends."""
    with TemporaryFile(directory, 0o600) as file:
        file.write(DATA)
        os.pwrite(file.file, bytes([DATA[at] ^ 1]), at)
        with pytest.raises(ObjectUnreadable):
            file.settle("a.jpg", DATA)


@pytest.mark.parametrize("size", [0, len(DATA) - 1, len(DATA) + 1])
def test_another_length_is_noticed(directory: int, size: int) -> None:
    """Shorter or longer."""
    with TemporaryFile(directory, 0o600) as file:
        file.write(DATA)
        os.ftruncate(file.file, size)
        with pytest.raises(ObjectUnreadable):
            file.settle("a.jpg", DATA)
