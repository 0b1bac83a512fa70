"""Edits take turns where their photos have no room in memory together."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tagline.errors import ObjectUnreadable
from tagline.library.holding import (
    HELD_MAX_BYTES,
    LARGE_BYTES,
    TOGETHER_BYTES,
    Memory,
    Turn,
    content_of,
)
from tagline.metadata import Pieces
from tagline.storage import MemoryStorage

PATIENCE_SECONDS = 10


class Edits:
    """Edits that go on until they are told to end."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.threads = ThreadPoolExecutor(16)

    def begin(self, *sizes: int) -> tuple[threading.Event, threading.Event]:
        """Have an edit wait for its turn; tells when it began, and may be told to end."""
        began, end = threading.Event(), threading.Event()

        def work() -> None:
            with self.memory.taking(*sizes):
                began.set()
                assert end.wait(PATIENCE_SECONDS)

        self.threads.submit(work)
        return began, end

    def until_waiting(self, count: int) -> None:
        """Return when so many edits wait for their turn."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.memory.waiting < count:
            assert time.monotonic() < deadline


@pytest.fixture
def edits():
    """No edit goes on yet."""
    made = Edits()
    yield made
    made.threads.shutdown()


def test_small_photos_are_edited_together(edits):
    """As many as there are threads for the disk."""
    running = [edits.begin(1000) for _ in range(8)]
    assert all(began.wait(PATIENCE_SECONDS) for began, _ in running)
    for _, end in running:
        end.set()


@pytest.mark.parametrize(
    "sizes",
    [(HELD_MAX_BYTES + 1,), (500 << 20,), (1000, 4 << 20)],
    ids=["large", "huge", "sidecar"],
)
def test_a_large_photo_is_edited_alone(edits, sizes):
    """It waits for those before it; those that come later wait for it."""
    began, end = edits.begin(1000)
    assert began.wait(PATIENCE_SECONDS)
    large_began, large_end = edits.begin(*sizes)
    edits.until_waiting(1)
    later_began, later_end = edits.begin(1000)
    edits.until_waiting(2)
    assert not large_began.is_set()
    assert not later_began.is_set()
    end.set()
    assert large_began.wait(PATIENCE_SECONDS)
    assert not later_began.is_set()
    large_end.set()
    assert later_began.wait(PATIENCE_SECONDS)
    later_end.set()


def test_photos_are_held_up_to_a_limit_together(edits):
    """Two of which each is half of the room, and a third one when one of them is done."""
    pairs = [edits.begin(TOGETHER_BYTES // 2) for _ in range(2)]
    assert all(began.wait(PATIENCE_SECONDS) for began, _ in pairs)
    third_began, third_end = edits.begin(TOGETHER_BYTES // 2)
    edits.until_waiting(1)
    assert not third_began.is_set()
    pairs[0][1].set()
    assert third_began.wait(PATIENCE_SECONDS)
    for end in (pairs[1][1], third_end):
        end.set()


def test_an_edit_that_fails_gives_its_room_back():
    """The next one has it."""
    memory = Memory()
    for _ in range(3):
        with pytest.raises(ValueError, match="x"), memory.taking(TOGETHER_BYTES):
            raise ValueError("x")


def test_a_file_that_became_shorter_is_at_fault():
    """Its bytes are asked for again when it is copied, and what is missing is told."""
    storage = MemoryStorage({"a.jpg": bytes(HELD_MAX_BYTES + 1)})
    with storage.open("a.jpg") as opened:
        content = content_of(opened, "a.jpg")
        assert isinstance(content, Pieces)
        read_at = opened.read_at
        opened.read_at = lambda offset, length: read_at(offset, min(length, 10))
        with pytest.raises(ObjectUnreadable, match="shorter"):
            content.read_at(0, 1000)


def test_large_metadata_is_read_one_by_one():
    """Small pieces are read beside it; a second large one when the first photo was read."""
    began = threading.Event()

    def read() -> None:
        with Turn() as turn:
            turn.demand(LARGE_BYTES)
            with Turn() as inner:
                inner.demand(LARGE_BYTES + 1)
                inner.demand(1 << 40)
            turn.demand(LARGE_BYTES + 1)
            began.set()

    with ThreadPoolExecutor(1) as threads:
        with Turn() as turn:
            turn.demand(LARGE_BYTES + 1)
            reading = threads.submit(read)
            assert not began.wait(0.05)
        reading.result(PATIENCE_SECONDS)
    assert began.is_set()
