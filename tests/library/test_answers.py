"""What an edit answers is what it wrote, whatever others do to the files' times meanwhile."""

import asyncio
import os
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from tagline.errors import ObjectUnreadable
from tagline.index import open_index
from tagline.library import Library, PhotoWriter, Target, read_observed
from tagline.model import MetadataChange, Photo, Precondition
from tagline.storage import LocalStorage
from tagline.sync import Reconciler
from tests.api.real_library import picture
from tests.composing import compose
from tests.machine import demand_fuse, program
from tests.metadata.containers import samples

ANY = Precondition()
PHOTOS = {
    "a.heic": samples.heic(1),
    "a.gif": picture(1, "GIF"),
    "a.jpg": picture(2),
    "b.jpg": picture(3),
    "b.jpg.json": b'{"title": "b.jpg", "description": "theirs"}',
}
LAST = {"a.heic": "a.heic.json", "a.gif": "a.gif.json", "a.jpg": "a.jpg", "b.jpg": "b.jpg"}
"""The file that an edit of a photo writes last."""
KEYS = tuple(LAST)


class Desk:
    """A library over a directory, and one who describes its photos."""

    def __init__(self, library: Library, index) -> None:
        self.library = library
        self.index = index

    async def describe(self, key: str, text: str, condition: Precondition = ANY) -> Photo:
        """Describe a photo; the answer is compared with the text, and with what is shown then."""
        photo_id = self.index.by_key(key).photo.id
        told = await self.library.edit(photo_id, MetadataChange(description=text), condition)
        assert told.metadata.description == text
        assert msgspec.json.decode(self.library.photo_json(photo_id), type=Photo) == told
        return told

    async def describe_again_and_again(self, key: str, times: int) -> None:
        """Describe a photo so often, each time on condition that it is as the last answer said."""
        condition = ANY
        for number in range(times):
            told = await self.describe(key, f"{key} {number}", condition)
            condition = Precondition(if_match=(told.etag,))


@asynccontextmanager
async def opened(storage: LocalStorage):
    """A library that has scanned these photos."""
    index = open_index(None)
    reconciler = Reconciler(storage, index, read_observed)
    library = compose(storage, index, reconciler)
    await library.start()
    await library.rescan()
    try:
        yield Desk(library, index)
    finally:
        await library.stop()


def furnish(directory: Path) -> Path:
    """Write the photos into a new directory."""
    directory.mkdir()
    for name, content in PHOTOS.items():
        (directory / name).write_bytes(content)
    return directory


class Meddled(LocalStorage):
    """Files that another program touches each time when they were opened, after an edit."""

    meddle = None
    was_written = False

    def replace(self, object_key, data, expected, *, like=None):
        """Write, and let the other program begin."""
        done = super().replace(object_key, data, expected, like=like)
        self.was_written = object_key in LAST.values()
        return done

    def open(self, object_key):
        """Open, and let the other program touch the file."""
        if self.was_written and self.meddle:
            self.meddle(self.path / object_key)
        opened = super().open(object_key)
        if self.was_written and self.meddle:
            self.meddle(self.path / object_key)
        return opened


@pytest.fixture
def meddled(tmp_path):
    """Storage over the photos."""
    storage = Meddled(furnish(tmp_path / "photos"))
    storage.path = tmp_path / "photos"
    return storage


def chmod(path: Path) -> None:
    """Give a file another change time, and nothing else."""
    path.chmod(0o600 if path.stat().st_mode & 0o040 else 0o644)


@pytest.mark.parametrize("key", KEYS)
async def test_a_change_time_alone_makes_no_answer_old(meddled, key):
    """While every look at a file gives another change time, the answer and GET have the new text.

    Its entity tag is that of the next edit's condition.
    """
    async with opened(meddled) as desk:
        meddled.meddle = chmod
        told = await desk.describe(key, "one")
        meddled.meddle = None
        meddled.was_written = False
        await desk.describe(key, "two", Precondition(if_match=(told.etag,)))


@pytest.mark.parametrize("key", KEYS)
async def test_what_is_written_again_at_once_is_answered_from_what_we_wrote(meddled, key):
    """While every look finds a file in motion, the answer is what the edit put there."""

    def touch(path: Path) -> None:
        now = path.stat()
        os.utime(path, ns=(now.st_atime_ns, now.st_mtime_ns + 1_000_000_000))

    async with opened(meddled) as desk:
        meddled.meddle = touch
        told = await desk.describe(key, "one")
        assert told.stored_in


@pytest.mark.parametrize("key", KEYS)
async def test_what_cannot_be_read_again_is_answered_from_what_we_wrote(meddled, key):
    """With a disk that reads nothing after the write, the answer and its entity tag are right."""

    def fail(path: Path) -> None:
        raise ObjectUnreadable(path.name, "an input/output error")

    async with opened(meddled) as desk:
        meddled.meddle = fail
        told = await desk.describe(key, "one")
        meddled.meddle = None
        meddled.was_written = False
        again = await desk.describe(key, "one", Precondition(if_match=(told.etag,)))
        assert again == told


async def test_an_edit_that_changes_nothing_answers_what_it_found(meddled):
    """Another program's text, not noticed yet, in a file that is in motion: the answer has it."""
    opens = []

    def touch_later(path: Path) -> None:
        opens.append(path)
        if len(opens) > 1:
            now = path.stat()
            os.utime(path, ns=(now.st_atime_ns, now.st_mtime_ns + 1_000_000_000))

    async with opened(meddled) as desk:
        await desk.describe("a.jpg", "ours")
        other = PhotoWriter(LocalStorage(meddled.path))
        other.edit(Target(object_key="a.jpg"), MetadataChange(description="theirs"), ANY)
        meddled.meddle = touch_later
        await desk.describe("a.jpg", "theirs")


async def test_a_photo_is_sent_while_its_change_time_moves(meddled):
    """A chmod at every look keeps nobody from the bytes."""
    async with opened(meddled) as desk:
        await desk.describe("a.jpg", "one")
        meddled.meddle = chmod
        photo, file = await desk.library.open_image(desk.index.by_key("a.jpg").photo.id)
        with file:
            assert file.read_at(0, photo.size) == (meddled.path / "a.jpg").read_bytes()


class TouchedInTime(LocalStorage):
    """Files that another program gives another change time just before some writes."""

    touches = 0

    def replace(self, object_key, data, expected, *, like=None):
        """Write, after the other program."""
        if expected is not None and self.touches:
            self.touches -= 1
            chmod(self.path / object_key)
        return super().replace(object_key, data, expected, like=like)


@pytest.mark.parametrize("touches", [7, 12])
@pytest.mark.parametrize("key", KEYS)
async def test_a_change_time_alone_is_no_conflict(tmp_path, key, touches):
    """A chmod between reading and writing fails no edit, whichever of its files it meets."""
    storage = TouchedInTime(furnish(tmp_path / "photos"))
    storage.path = tmp_path / "photos"
    async with opened(storage) as desk:
        told = await desk.describe(key, "one")
        storage.touches = touches
        await desk.describe(key, "two", Precondition(if_match=(told.etag,)))


@pytest.mark.parametrize("kind", ["bindfs", "mergerfs"])
async def test_mounts_that_tell_change_times_late_make_no_answer_old(tmp_path, kind):
    """In user space a file's change time may move up to a second after it got its name."""
    demand_fuse()
    photos, mount = furnish(tmp_path / "photos"), tmp_path / "mount"
    mount.mkdir()
    command = [program(kind), str(photos), str(mount)]
    await asyncio.to_thread(subprocess.run, command, check=True)
    try:
        async with opened(LocalStorage(mount)) as desk:
            for key in KEYS:
                await desk.describe_again_and_again(key, 5)
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=True)
