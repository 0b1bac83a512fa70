"""A program that kills editors at every point of an edit, and looks at what the next start makes.

``python -m tests.library.killed_editors DIRECTORY`` forks an editor for every system call by which
an edit changes files, kills it (SIGKILL) just before that call, and opens the library again. Then
all places have to say one text, the old or the new one, and the history what was done. It prints
how many editors were killed, or fails with the first fault.
"""

import asyncio
import ctypes
import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count
from pathlib import Path

import msgspec

from tagline.index import open_history, open_index
from tagline.library import Library, read_observed, verify
from tagline.model import MetadataChange, Photo, PhotoFilter, PhotoQuery, Precondition
from tagline.storage import LocalStorage, exchange
from tagline.sync import Reconciler
from tests.api.real_library import picture
from tests.composing import compose

CALLS = ("write", "fsync", "fdatasync", "rename", "link", "unlink", "utime", "fchmod")
ANY = Precondition()
OLD, NEW = MetadataChange(description="old"), MetadataChange(description="new", title="T")
NOTHING = MetadataChange(description=None, title=None)
TAKEOUT = json.dumps({"title": "a.jpg", "description": "theirs"}).encode()

CASES = {
    "first words of a photo with sidecars": ({"a.gif": picture(1, "GIF")}, (), NEW),
    "other words for it": ({"a.gif": picture(1, "GIF")}, (OLD,), NEW),
    "no words for it any more": ({"a.gif": picture(1, "GIF")}, (OLD,), NOTHING),
    "words inside": ({"a.jpg": picture(1)}, (OLD,), NEW),
    "words inside and beside": ({"a.jpg": picture(1), "a.jpg.json": TAKEOUT}, (OLD,), NEW),
}


class House:
    """A library of one photo, with its data directory beside it."""

    def __init__(self, root: Path) -> None:
        self.photos, self.data = root / "photos", root / "data"

    def furnish(self, files: dict[str, bytes]) -> None:
        """Begin anew with these files."""
        for directory in (self.photos, self.data):
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir(parents=True)
        for name, content in files.items():
            (self.photos / name).write_bytes(content)

    async def open(self) -> Library:
        """A library that has scanned the photos."""
        storage, index = LocalStorage(self.photos), open_index(self.data)
        self.history = open_history(self.data)
        reconciler = Reconciler(storage, index, read_observed)
        library = compose(storage, index, reconciler, history=self.history)
        await library.start()
        await library.rescan()
        return library


async def the_photo(library: Library) -> Photo:
    """The only photo."""
    page = await library.finder.page(PhotoQuery(filter=PhotoFilter()))
    (raw,) = page.items
    return msgspec.json.decode(raw, type=Photo)


def fork(work: Callable[[], Awaitable[None]]) -> int:
    """What became of a process that did the work; its own faults are told and end this one."""
    child = os.fork()
    if not child:
        status = 1
        try:
            asyncio.run(work())
            status = 0
        except BaseException:  # noqa: BLE001 - the child must not go on as its parent
            traceback.print_exc()
        finally:
            os._exit(status)
    status = os.waitpid(child, 0)[1]
    assert status in {0, signal.SIGKILL}, status
    return status


def die_at(number: int) -> None:
    """Let this process be killed just before its call with this number."""
    left = iter(range(number, 0, -1))

    def counted(call):
        def wrapper(*arguments, **options):
            if next(left, 0) == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **options)

        return wrapper

    for name in CALLS:
        setattr(os, name, counted(getattr(os, name)))
    renameat2 = counted(exchange._renameat2)
    assert isinstance(exchange._renameat2, ctypes._CFuncPtr)
    exchange._renameat2 = renameat2


async def edit(house: House, before: tuple[MetadataChange, ...], wanted, number: int) -> None:
    """Make changes in peace, and one that dies at a call."""
    library = await house.open()
    photo = await the_photo(library)
    for change in before:
        await library.edit(photo.id, change, ANY)
    die_at(number)
    await library.edit(photo.id, wanted, ANY)


async def judge(house: House, before: tuple[MetadataChange, ...], wanted, *, done: bool) -> None:
    """Check what the next start made of it, and that the newest change can be undone."""
    library = await house.open()
    async with asyncio.timeout(10):
        while house.history.left():  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.001)
    photo = await the_photo(library)
    told = (photo.metadata.description, photo.metadata.title)
    new = (wanted.description, None if wanted is NOTHING else wanted.title)
    old = tuple((change.description, None) for change in before)[-1:] or ((None, None),)
    assert told in {new, *old}, told
    assert told == new or not done
    assert not list(verify(LocalStorage(house.photos), None)), told
    beside = sorted(path.suffix for path in house.photos.iterdir() if path.suffix != ".gif")
    if photo.object_key == "a.gif":
        assert beside == ([".json", ".xmp"] if told[0] else []), (told, beside)
    items = [json.loads(raw) for raw in library.history(photo.id, 50, 0).items]
    made = [*before, wanted] if told == new else before
    texts = [item["after"].get("description") for item in items]
    assert texts == [change.description for change in reversed(made)], (told, items)
    assert [i["n"] for i in items] == list(range(len(made), 0, -1))
    if told == new:
        undone = await library.restore(photo.id, len(made), ANY)
        now = (undone.metadata.description, undone.metadata.title)
        assert now in old, now
    await library.stop()


def kill_at_each_call(house: House, name: str) -> int:
    """Kill at every call of a case; how many there were."""
    files, before, wanted = CASES[name]
    for number in count(1):
        house.furnish(files)
        done = fork(partial(edit, house, before, wanted, number)) == 0
        assert fork(partial(judge, house, before, wanted, done=done)) == 0
        if done:
            return number - 1
    raise AssertionError


def main(root: Path, *names: str) -> None:
    """Kill at every call of some cases, or of all."""
    for name in names or CASES:
        killed = kill_at_each_call(House(root), name)
        sys.stdout.write(f"{killed} {name}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
