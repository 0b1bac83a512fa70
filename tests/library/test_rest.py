"""Photos that another program may still be writing: waited for, refused, never replaced."""

import asyncio
import json
from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image

from tagline.errors import ObjectBusy, ObjectChanged, PhotoNotFound, PreconditionFailed
from tagline.index import open_history, open_index
from tagline.library import Patience, PhotoEdit, PhotoWriter, Rest, binding, read_observed
from tagline.library.binding import Binder
from tagline.library.editing import Editor
from tagline.library.history import Historian
from tagline.library.judging import Judge
from tagline.library.pending import Scribe
from tagline.library.resolving import Resolver
from tagline.library.rest import DAMAGED_SECONDS, WAIT_SECONDS, in_motion
from tagline.model import Cause, MetadataChange, Precondition
from tagline.storage import MemoryStorage
from tagline.sync import Reconciler, Stillness

SETTLE_SECONDS = 2.0
DISK_SECONDS = 1_700_000_000.0
"""When the files in memory were made, by the clock of their disk."""


def picture(kind: str = "JPEG", colour: str = "red") -> bytes:
    """A small picture of one colour."""
    data = BytesIO()
    Image.new("RGB", (64, 48), colour).save(data, kind)
    return data.getvalue()


class Rig:
    """Everything that edits photos in memory, with clocks of the test's own.

    Whoever waits lets the clock go on, and ``meanwhile`` is done then, which is what other programs
    do in that time.
    """

    def __init__(self, files: dict[str, bytes], settle_seconds: float = SETTLE_SECONDS) -> None:
        self.now = 0.0
        self.disk_now = DISK_SECONDS + 1
        self.waits: list[float] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.storage = MemoryStorage(files, probe_writers=settle_seconds > 0)
        self.index = open_index(None)
        stillness = Stillness(settle_seconds, self._clock)
        self.reconciler = Reconciler(
            self.storage, self.index, read_observed, stillness=stillness, clock=self._disk_clock
        )
        rest = Rest(stillness, self._disk_clock)
        writer = PhotoWriter(self.storage, "embed", self.reconciler.strays, rest)
        self.editor = Editor(self.storage, self.index, self.reconciler, writer)
        history = open_history(None)
        judge = Judge(self.storage, self.reconciler.strays, "embed")
        self.historian = Historian(
            self.editor,
            Scribe(history, lambda: 0),
            Resolver(self.editor, judge, history, self.index),
            lambda: None,
            patience=lambda: Patience(self._clock, self._sleep),
        )

    def _clock(self) -> float:
        return self.now

    def _disk_clock(self) -> float:
        return self.disk_now

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds
        self.meanwhile()
        await asyncio.sleep(0)

    async def scanned(self, long_ago: bool = True) -> "Rig":
        """Scan; ``long_ago`` as the index sees it."""
        await self.reconciler.reconcile()
        if long_ago:
            self.now += 60
        return self

    def edit_of(self, key: str, text: str, **precondition) -> PhotoEdit:
        """An edit of the photo at a key."""
        return PhotoEdit(
            photo_id=self.index.by_key(key).photo.id,
            change=MetadataChange(description=text),
            precondition=Precondition(**precondition),
        )

    async def describe(self, key: str, text: str = "words", **precondition):
        """Describe the photo at a key."""
        return await self.historian.edit(self.edit_of(key, text, **precondition), Cause(by=None))

    async def close(self) -> None:
        """End the threads."""
        await self.editor.disk.close()
        await self.reconciler.close()

    def content(self, key: str) -> bytes:
        """The bytes of a file."""
        with self.storage.open(key) as opened:
            return opened.read_at(0, opened.size)

    @property
    def keys(self) -> set[str]:
        """Every file."""
        return {found.object_key for found in self.storage.walk()}


@pytest.fixture
async def rigs():
    """Makes rigs, and closes them."""
    made: list[Rig] = []

    def make(files: dict[str, bytes], settle_seconds: float = SETTLE_SECONDS) -> Rig:
        made.append(Rig(files, settle_seconds))
        return made[-1]

    yield make
    for rig in made:
        await rig.close()


async def test_a_photo_at_rest_is_edited_at_once(rigs):
    """Who describes a photo that has been there for a while does not wait, nor the second time."""
    rig = await rigs({"a.jpg": picture()}).scanned()
    assert (await rig.describe("a.jpg", "one")).metadata.description == "one"
    assert (await rig.describe("a.jpg", "two")).metadata.description == "two"
    assert rig.waits == []


async def test_a_photo_that_came_just_now_is_edited_a_moment_later(rigs):
    """What was first seen a moment ago is waited for until it has been still for long enough."""
    rig = await rigs({"a.jpg": picture()}).scanned(long_ago=False)
    rig.now += 0.5
    assert (await rig.describe("a.jpg")).metadata.description == "words"
    assert sum(rig.waits) == pytest.approx(SETTLE_SECONDS - 0.5)


async def test_a_photo_that_is_open_for_writing_is_waited_for(rigs):
    """The edit is made as soon as the other program has closed the file."""
    rig = await rigs({"a.jpg": picture()}).scanned()
    rig.storage.set_being_written("a.jpg")

    def close_after_three_seconds() -> None:
        if rig.now >= 63:
            rig.storage.set_being_written("a.jpg", False)

    rig.meanwhile = close_after_three_seconds
    assert (await rig.describe("a.jpg")).metadata.description == "words"
    assert 3 <= sum(rig.waits) <= 6


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF", "WEBP"])
async def test_a_photo_that_stays_open_is_refused_and_untouched(rigs, kind):
    """After ten seconds the client is told what is waited for, and when to ask again."""
    key, data = f"a.{kind.lower()}", picture(kind)
    rig = await rigs({key: data}).scanned()
    rig.storage.set_being_written(key)
    with pytest.raises(ObjectBusy) as caught:
        await rig.describe(key)
    assert caught.value.awaited == "writer"
    assert caught.value.retry_after.total_seconds() == WAIT_SECONDS
    assert sum(rig.waits) == pytest.approx(WAIT_SECONDS)
    assert len(rig.waits) < 12
    assert rig.keys == {key}
    assert rig.content(key) == data
    assert rig.editor.outcomes == {("refused", "object_busy"): 1}


async def test_a_photo_that_is_written_again_and_again_is_refused(rigs):
    """A program that opens and closes the file each time is seen by its modification time."""
    whole = picture()
    rig = await rigs({"a.jpg": whole}).scanned()
    rig.meanwhile = lambda: rig.storage.put("a.jpg", whole)
    rig.meanwhile()
    with pytest.raises(ObjectBusy) as caught:
        await rig.describe("a.jpg")
    assert caught.value.awaited == "stillness"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "GIF"])
async def test_a_photo_that_is_not_whole_is_not_replaced(rigs, kind):
    """A copy that pauses, its file closed and unchanged for minutes, is not taken for a photo.

    By its image data the whole is another photo than the part was, and has another id.
    """
    key, whole = f"a.{kind.lower()}", picture(kind)
    rig = await rigs({key: whole[: len(whole) * 2 // 3]}).scanned()
    rig.meanwhile = lambda: rig.storage.put(key, whole) if len(rig.waits) == 2 else None
    with pytest.raises(PhotoNotFound):
        await rig.describe(key)
    assert rig.content(key) == whole
    assert rig.keys == {key}
    photo = await rig.describe(key)
    assert photo.metadata.description == "words"
    assert photo.problem is None


async def test_a_photo_that_stays_cut_is_refused_until_an_hour_is_over(rigs):
    """The client learns what is missing; an hour after its last change the file is damaged."""
    cut = picture()[:-200]
    rig = await rigs({"a.jpg": cut}).scanned()
    rig.disk_now = DISK_SECONDS + DAMAGED_SECONDS - 1
    with pytest.raises(ObjectBusy, match="damaged") as caught:
        await rig.describe("a.jpg")
    assert caught.value.awaited == "completeness"
    assert rig.keys == {"a.jpg"}
    rig.disk_now = DISK_SECONDS + DAMAGED_SECONDS + 1
    photo = await rig.describe("a.jpg")
    assert photo.metadata.description == "words"
    assert photo.not_embedded.startswith("the file is not whole")
    assert rig.content("a.jpg") == cut


async def test_a_time_to_come_does_not_make_a_file_young_for_ever(rigs):
    """Where the disk's clock was ahead, an hour of our own looks counts."""
    cut = picture()[:-200]
    rig = await rigs({"a.jpg": cut}).scanned()
    rig.disk_now = DISK_SECONDS - 1e6
    with pytest.raises(ObjectBusy):
        await rig.describe("a.jpg")
    rig.now += DAMAGED_SECONDS
    assert (await rig.describe("a.jpg")).metadata.description == "words"


async def test_what_is_written_of_a_damaged_photo_belongs_to_its_name(rigs):
    """Its sidecars say nothing of its image data, of which only a part is there."""
    whole = picture()
    rig = await rigs({"a.jpg": whole[:-200]}, 0).scanned()
    await rig.describe("a.jpg", "of a part")
    said = json.loads(rig.content("a.jpg.json"))
    assert said["tagline"]["damaged"] is True
    assert "fingerprint" not in said["tagline"]
    assert b"ingerprint" not in rig.content("a.jpg.xmp")
    rig.storage.put("a.jpg", whole)
    await rig.reconciler.reconcile()
    row = rig.index.by_key("a.jpg")
    assert row.photo.metadata.description == "of a part"
    await rig.describe("a.jpg", "of the whole")
    said = json.loads(rig.content("a.jpg.json"))
    assert said["tagline"]["fingerprint"] == rig.index.by_key("a.jpg").fingerprint
    assert said["tagline"]["damaged"] is None
    assert rig.index.by_key("a.jpg").photo.not_embedded is None


async def test_a_sidecar_that_is_being_written_is_waited_for(rigs):
    """An XMP sidecar that another program has open is not replaced, and the photo stays too."""
    rig = await rigs({"a.gif": picture("GIF")}).scanned()
    await rig.describe("a.gif", "one")
    before = {key: rig.content(key) for key in rig.keys}
    rig.storage.set_being_written("a.gif.xmp")
    with pytest.raises(ObjectBusy) as caught:
        await rig.describe("a.gif", "two")
    assert caught.value.object_key == "a.gif.xmp"
    assert {key: rig.content(key) for key in rig.keys} == before


@pytest.mark.parametrize("name", ["a.gif.xmp", "a.gif.json"])
async def test_a_sidecar_that_is_not_whole_is_waited_for(rigs, name):
    """A sidecar that a sync program has brought only in part is not written over."""
    rig = await rigs({"a.gif": picture("GIF")}).scanned()
    await rig.describe("a.gif", "one")
    whole = rig.content(name)
    rig.storage.put(name, whole[: len(whole) // 2])
    await rig.reconciler.reconcile()
    rig.now += 60
    with pytest.raises(ObjectBusy) as caught:
        await rig.describe("a.gif", "two")
    assert caught.value.object_key == name
    assert rig.content(name) == whole[: len(whole) // 2]
    rig.storage.put(name, whole)
    await rig.reconciler.reconcile()
    assert (await rig.describe("a.gif", "two")).metadata.description == "two"


async def test_many_edits_wait_together(rigs):
    """One request waits once for all its photos, and those at rest are not kept waiting."""
    files = {f"{number}.jpg": picture(colour=f"#{number:06x}") for number in range(20)}
    rig = await rigs(files).scanned()
    for number in range(10):
        rig.storage.set_being_written(f"{number}.jpg")
    wanted = [rig.edit_of(key, "words") for key in files]
    outcomes = await rig.historian.edit_many(wanted, Cause(by=None))
    assert [isinstance(each, ObjectBusy) for each in outcomes] == [True] * 10 + [False] * 10
    assert sum(rig.waits) == pytest.approx(WAIT_SECONDS)


async def test_edits_of_one_photo_keep_their_order_while_they_wait(rigs):
    """The last change of a list stands at the end, though the first had to wait."""
    rig = await rigs({"a.jpg": picture()}).scanned()
    rig.storage.set_being_written("a.jpg")

    def close() -> None:
        rig.storage.set_being_written("a.jpg", False)

    rig.meanwhile = close
    wanted = [rig.edit_of("a.jpg", text) for text in ("one", "two", "three")]
    outcomes = await rig.historian.edit_many(wanted, Cause(by=None))
    assert [photo.metadata.description for photo in outcomes] == ["one", "two", "three"]


async def test_a_failed_condition_is_told_at_once(rigs):
    """Who sends an entity tag of before does not wait for a file that is being written."""
    rig = await rigs({"a.jpg": picture()}).scanned()
    rig.storage.set_being_written("a.jpg")
    with pytest.raises(PreconditionFailed):
        await rig.describe("a.jpg", if_match=("other",))
    assert rig.waits == []


async def test_what_is_there_already_needs_no_rest(rigs):
    """An edit that would write nothing waits for nothing."""
    rig = await rigs({"a.jpg": picture()}).scanned()
    await rig.describe("a.jpg", "words")
    rig.storage.set_being_written("a.jpg")
    assert (await rig.describe("a.jpg", "words")).metadata.description == "words"
    assert rig.waits == []


async def test_a_restore_waits_too(rigs):
    """Undoing a change of a photo that is being written is refused like any other edit."""
    rig = await rigs({"a.jpg": picture()}).scanned()
    photo = await rig.describe("a.jpg", "words")
    rig.storage.set_being_written("a.jpg")
    with pytest.raises(ObjectBusy):
        await rig.historian.restore(photo.id, 1, Precondition(), None)


async def test_where_nothing_is_being_copied_nothing_is_waited_for(rigs):
    """With a settle time of 0 an open file is edited at once."""
    rig = await rigs({"a.jpg": picture()}, 0).scanned(long_ago=False)
    rig.storage.set_being_written("a.jpg")
    assert (await rig.describe("a.jpg")).metadata.description == "words"
    assert rig.waits == []


async def test_a_file_that_another_program_keeps_replacing_is_not_at_rest(rigs, monkeypatch):
    """Where no try finds the file as it was read, the client is told to ask again."""
    rig = await rigs({"a.jpg": picture()}).scanned()

    def always_changed(*_args, **_more):
        raise ObjectChanged("a.jpg")

    monkeypatch.setattr(rig.storage, "replace", always_changed)
    with pytest.raises(ObjectBusy) as caught:
        await rig.describe("a.jpg")
    assert caught.value.awaited == "stillness"


async def test_a_damaged_photo_that_becomes_whole_is_bound_to_its_sidecars(rigs):
    """Nobody has to edit it again: its sidecars take the fingerprint, and say what they said."""
    whole = picture()
    rig = await rigs({"a.jpg": whole[:-200]}, 0).scanned()
    binder = Binder(rig.editor)
    rig.index.listen(binder.photos_changed)
    await rig.describe("a.jpg", "of a part")
    rig.storage.put("a.jpg", whole)
    await rig.reconciler.reconcile()
    is_bound = asyncio.Event()
    rig.index.listen(lambda changes: b"the file is not whole" in changes[0].new or is_bound.set())
    running = asyncio.create_task(binder.run())
    async with asyncio.timeout(10):
        await is_bound.wait()
    running.cancel()
    row = rig.index.by_key("a.jpg")
    assert json.loads(rig.content("a.jpg.json"))["tagline"]["fingerprint"] == row.fingerprint
    assert row.fingerprint.encode() in rig.content("a.jpg.xmp")
    assert row.photo.metadata.description == "of a part"
    assert rig.content("a.jpg") == whole
    rig.storage.rename("a.jpg", "moved.jpg")
    await rig.reconciler.reconcile()
    assert rig.index.by_key("moved.jpg").photo.metadata.description == "of a part"


async def test_a_photo_that_is_open_when_it_is_whole_is_bound_later(rigs, monkeypatch):
    """The program that mended it has it open for longer than anybody waits: it is tried again."""
    monkeypatch.setattr(binding, "LATER_SECONDS", 0.0)
    whole = picture()
    rig = await rigs({"a.jpg": whole[:-200]}).scanned()
    rig.disk_now = DISK_SECONDS + DAMAGED_SECONDS + 10
    binder = Binder(rig.editor, lambda: Patience(rig._clock, rig._sleep))
    rig.index.listen(binder.photos_changed)
    await rig.describe("a.jpg", "of a part")
    rig.storage.put("a.jpg", whole)
    rig.storage.set_being_written("a.jpg")
    await rig.reconciler.reconcile()
    is_bound = asyncio.Event()
    rig.index.listen(lambda changes: b"the file is not whole" in changes[0].new or is_bound.set())
    rig.meanwhile = lambda: sum(rig.waits) > 25 and rig.storage.set_being_written("a.jpg", False)
    running = asyncio.create_task(binder.run())
    async with asyncio.timeout(10):
        await is_bound.wait()
    running.cancel()
    assert json.loads(rig.content("a.jpg.json"))["tagline"]["fingerprint"]
    photo = rig.index.by_key("a.jpg").photo
    assert photo.not_embedded == "the file was not whole when this was written"
    assert photo.metadata.description == "of a part"


def test_a_command_waits_for_as_long_as_it_takes_to_be_still():
    """A long time to settle is no reason to give up before it is over."""
    now = [0.0]
    patience = Patience(lambda: now[0], most_seconds=61)
    pause = patience.pause_seconds([in_motion("a.jpg", 60.0)])
    assert pause == 60
    now[0] += 60
    assert patience.pause_seconds([in_motion("a.jpg", 60.0)]) == 1
    now[0] += 1
    assert patience.pause_seconds([in_motion("a.jpg", 60.0)]) is None
