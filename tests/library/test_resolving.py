"""What a kill left half done, met by the next start: each way in which the disk may look then."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from tagline.errors import ObjectBusy, StorageReadOnly, StorageUnavailable
from tagline.index import open_history, open_index
from tagline.library import PhotoWriter, Target, read_observed, verify
from tagline.model import MetadataChange, PastChange, PendingChange, Precondition
from tagline.storage import LocalStorage
from tagline.sync import Reconciler
from tests.api.real_library import picture
from tests.composing import compose

ANY = Precondition()
GONE = "0b5ef24b-6d1c-5b0e-9d0a-5c8b7a0f6c11"


class House:
    """A directory with one GIF that says ``old`` in both sidecars, and its data directory."""

    def __init__(self, root) -> None:
        self.photos, self.data = root / "photos", root / "data"
        self.photos.mkdir()
        self.gif = self.photos / "a.gif"
        self.xmp, self.json = self.photos / "a.gif.xmp", self.photos / "a.gif.json"
        self.gif.write_bytes(picture(1, "GIF"))
        self.describe("old")

    def describe(self, text: str) -> None:
        """Write a text as a server does that nobody kills."""
        writer = PhotoWriter(LocalStorage(self.photos))
        writer.edit(Target(object_key="a.gif"), MetadataChange(description=text), ANY)

    def announce(self, photo_id: str, text: str = "new") -> None:
        """Announce the change from ``old`` as a server does that is killed then."""
        history = open_history(self.data)
        history.begin(
            PendingChange(
                change=PastChange(
                    photo_id=photo_id,
                    at="2024-05-01T12:34:56.000000Z",
                    before=MetadataChange(description="old"),
                    after=MetadataChange(description=text),
                ),
                beside_before=("xmp", "json"),
                beside_after=("xmp", "json"),
            )
        )
        history.close()

    def halve(self) -> None:
        """Let the XMP sidecar say ``new``, and the JSON sidecar ``old``."""
        kept = self.json.read_bytes()
        self.describe("new")
        self.json.write_bytes(kept)

    @asynccontextmanager
    async def opened(self, storage=None, **more):
        """A library that has scanned the photos."""
        storage = storage or LocalStorage(self.photos)
        self.index, self.history = open_index(self.data), open_history(self.data)
        self.reconciler = Reconciler(storage, self.index, read_observed)
        library = compose(storage, self.index, self.reconciler, history=self.history, **more)
        await library.start()
        await library.rescan()
        try:
            yield library
        finally:
            await library.stop()

    async def id(self) -> str:
        """The id of the photo."""
        async with self.opened():
            return self.index.by_key("a.gif").photo.id

    async def until_judged(self) -> None:
        """Wait until nothing is left."""
        async with asyncio.timeout(10):
            while self.history.left():  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.001)

    def past(self, photo_id: str) -> list[tuple[int, str | None, str | None]]:
        """Number, text before and text after of each change, newest first."""
        items = map(json.loads, self.history.page(photo_id, 50, 0).items)
        return [(i["n"], i["before"]["description"], i["after"]["description"]) for i in items]


@pytest.fixture
def house(tmp_path):
    """A house."""
    return House(tmp_path)


async def test_nothing_is_written_where_another_program_wrote_since(house, caplog):
    """Its words stay, though places disagree; those from before our edit can be brought back."""
    photo_id = await house.id()
    house.halve()
    house.xmp.write_bytes(house.xmp.read_bytes().replace(b">new<", b">theirs<"))
    house.announce(photo_id)
    before = {path.name: path.read_bytes() for path in house.photos.iterdir()}
    async with house.opened() as library:
        await house.until_judged()
        assert {path.name: path.read_bytes() for path in house.photos.iterdir()} == before
        assert house.past(photo_id) == [(1, "old", "new")]
        assert "another program has written" in caplog.text
        undone = await library.restore(photo_id, 1, ANY)
        assert undone.metadata.description == "old"


async def test_what_had_not_begun_is_forgotten(house):
    """It was never acknowledged, so the history knows nothing of it."""
    photo_id = await house.id()
    house.announce(photo_id)
    async with house.opened():
        await house.until_judged()
        assert house.past(photo_id) == []
        assert house.index.get(photo_id).photo.metadata.description == "old"


async def test_a_photo_that_moved_meanwhile_is_found_and_finished(house):
    """Moved while no server ran, with its sidecars, to another directory and name."""
    photo_id = await house.id()
    house.halve()
    house.announce(photo_id)
    (house.photos / "sub").mkdir()
    for path in (house.gif, house.xmp, house.json):
        path.rename(house.photos / "sub" / path.name.replace("a.gif", "b.gif"))
    async with house.opened():
        await house.until_judged()
        assert house.index.get(photo_id).photo.object_key == "sub/b.gif"
        assert house.past(photo_id) == [(1, "old", "new")]
        assert not list(verify(LocalStorage(house.photos), None))


async def test_a_photo_that_is_gone_is_waited_for(house):
    """The server is ready without it, and puts it right at the start that meets it again."""
    photo_id = await house.id()
    house.halve()
    house.announce(photo_id)
    house.announce(GONE)
    away = house.photos.parent / "away"
    house.photos.rename(away)
    house.photos.mkdir()
    (house.photos / "b.gif").write_bytes(picture(2, "GIF"))
    async with house.opened() as library:
        assert library.health().ready
        assert len(house.history.left()) == 2
    for path in away.iterdir():
        path.rename(house.photos / path.name)
    async with house.opened():
        async with asyncio.timeout(10):
            while house.history.left(photo_id):  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.001)
        assert house.past(photo_id) == [(1, "old", "new")]
        assert len(house.history.left()) == 1


class ReadOnly(LocalStorage):
    """A photo directory that nobody may write to."""

    def replace(self, object_key, *_arguments, **_options):
        """Refuse."""
        raise StorageReadOnly(object_key)


async def test_a_disk_that_cannot_be_written_now_is_tried_again(house, caplog):
    """The server is ready and says so once; the next one finishes what was begun."""
    photo_id = await house.id()
    house.halve()
    house.announce(photo_id)
    async with house.opened(ReadOnly(house.photos)) as library:
        await library.rescan()
        assert library.health().ready
        async with asyncio.timeout(10):
            while "cannot be completed now" not in caplog.text:  # noqa: ASYNC110 - a log
                await asyncio.sleep(0.001)
        assert list(house.history.left(photo_id))
        assert caplog.text.count("cannot be completed now") == 1
    async with house.opened():
        await house.until_judged()
        assert house.past(photo_id) == [(1, "old", "new")]
        assert not list(verify(LocalStorage(house.photos), None))


class Busy(LocalStorage):
    """Files that another program is writing for a while."""

    refusals = 3

    def replace(self, object_key, data, expected, *, like=None):
        """Refuse a few times."""
        if self.refusals:
            self.refusals -= 1
            raise ObjectBusy(object_key, "writer", "It is being written.", timedelta())
        return super().replace(object_key, data, expected, like=like)


async def test_a_file_that_is_being_written_is_waited_for(house, caplog):
    """What was begun is finished when the other program is done, without a restart."""
    photo_id = await house.id()
    house.halve()
    house.announce(photo_id)
    async with house.opened(Busy(house.photos)):
        await house.until_judged()
        assert house.past(photo_id) == [(1, "old", "new")]
        assert not list(verify(LocalStorage(house.photos), None))
    assert "cannot be completed" not in caplog.text


class Pulled(LocalStorage):
    """A disk that can be pulled between the two sidecars of an edit, and be put back."""

    is_to_go = is_gone = False

    def check(self):
        """Say whether it is there."""
        if self.is_gone:
            raise StorageUnavailable("the disk is gone")
        super().check()

    def replace(self, object_key, data, expected, *, like=None):
        """Write, unless the disk is or goes away."""
        self.check()
        if self.is_to_go and object_key.endswith(".json"):
            self.is_gone = True
            self.check()
        return super().replace(object_key, data, expected, like=like)


async def test_an_edit_whose_disk_went_away_is_finished_when_it_is_back(house, monkeypatch):
    """Without a restart: all places say the new text, and the change can be undone."""
    monkeypatch.setattr("tagline.library.presence.CHECK_SECONDS", 0.01)
    storage = Pulled(house.photos)
    async with house.opened(storage) as library:
        photo_id = house.index.by_key("a.gif").photo.id
        storage.is_to_go = True
        with pytest.raises(StorageUnavailable):
            await library.edit(photo_id, MetadataChange(description="new"), ANY)
        assert list(house.history.left(photo_id))
        assert house.past(photo_id) == []
        storage.is_to_go = storage.is_gone = False
        await house.until_judged()
        assert house.past(photo_id) == [(1, "old", "new")]
        assert not list(verify(LocalStorage(house.photos), None))


async def test_what_was_left_comes_before_the_next_edit(house):
    """An edit of a photo that is half written first puts that right, and is undone to it."""
    photo_id = await house.id()
    storage = ReadOnly(house.photos)
    house.halve()
    house.announce(photo_id)
    async with house.opened(storage) as library:
        await library.rescan()
        storage.replace = LocalStorage(house.photos).replace
        await library.edit(photo_id, MetadataChange(description="newer"), ANY)
        assert house.past(photo_id) == [(2, "new", "newer"), (1, "old", "new")]


async def test_an_older_file_without_announcements_is_read(house):
    """Every change in it is there, and the next one has the next number."""
    photo_id = await house.id()
    async with house.opened() as library:
        await library.edit(photo_id, MetadataChange(description="new"), ANY)
    path = house.data / "history.jsonl"
    assert b'"pending"' in path.read_bytes()
    database = open_history(house.data)._database
    row = dict(database.encoded.rows("changes"))
    database.close()
    path.unlink()
    database = open_history(house.data)._database
    database.encoded.commit({"changes": row})
    database.close()
    assert b'"pending"' not in path.read_bytes()
    async with house.opened() as library:
        await library.edit(photo_id, MetadataChange(description="newer"), ANY)
        assert house.past(photo_id) == [(2, "new", "newer"), (1, "old", "new")]
