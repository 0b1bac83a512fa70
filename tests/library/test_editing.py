"""Edits through the library: what is written where, on which conditions, and what undoes it."""

import asyncio
import errno
import json
from collections.abc import AsyncIterator
from io import BytesIO

import pytest
from PIL import Image

from tagline.errors import (
    EditRefused,
    InvalidValue,
    PhotoModified,
    PhotoNotFound,
    PreconditionFailed,
    StorageError,
    StorageFull,
)
from tagline.index import TinyPhotoIndex, open_index
from tagline.library import PhotoWriter, Target, read_observed, verify
from tagline.library.editing import Editor
from tagline.model import MetadataChange, PhotoQuery, Precondition
from tagline.storage import LocalStorage, MemoryStorage, atomic, placing
from tagline.sync import Reconciler, Scope

ANY = Precondition()


def picture(kind: str, colour: str = "red") -> bytes:
    """A small picture of one colour."""
    data = BytesIO()
    Image.new("RGB", (16, 12), colour).save(data, kind)
    return data.getvalue()


class Rig:
    """An editor over photos in memory."""

    def __init__(self, files: dict[str, bytes], mode: str = "embed") -> None:
        self.storage = MemoryStorage(files)
        self.index: TinyPhotoIndex = open_index(None)
        self.reconciler = Reconciler(self.storage, self.index, read_observed)
        writer = PhotoWriter(self.storage, mode, self.reconciler.strays)
        self.editor = Editor(self.storage, self.index, self.reconciler, writer)

    async def describe(self, key: str, text: str | None, precondition: Precondition = ANY):
        """Describe the photo that the index has at this key."""
        photo_id = self.index.by_key(key).photo.id
        return await self.editor.edit(photo_id, MetadataChange(description=text), precondition)

    def content(self, key: str) -> bytes:
        """The bytes of a file."""
        with self.storage.open(key) as opened:
            return opened.read_at(0, opened.size)

    @property
    def keys(self) -> set[str]:
        """Every file."""
        return {found.object_key for found in self.storage.walk()}


@pytest.fixture
async def make_rig() -> AsyncIterator:
    """Make rigs that have scanned their files; all are closed at the end."""
    rigs: list[Rig] = []

    async def make(files: dict[str, bytes], mode: str = "embed") -> Rig:
        rig = Rig(files, mode)
        rigs.append(rig)
        await rig.reconciler.reconcile()
        return rig

    yield make
    for rig in rigs:
        await rig.reconciler.close()
        rig.index.close()


async def test_a_photo_that_is_seen_to_go_before_it_is_seen_to_come_is_waited_for(make_rig):
    """An edit in the moment between the two halves of a move meets the photo in its new place."""
    rig = await make_rig({"old/a.jpg": picture("JPEG"), "b.jpg": picture("JPEG", "blue")})
    photo_id = rig.index.by_key("old/a.jpg").photo.id
    rig.storage.rename("old/a.jpg", "new/a.jpg")
    await rig.reconciler.reconcile([Scope("old")])
    assert rig.index.get(photo_id) is None
    edit = asyncio.create_task(rig.editor.edit(photo_id, MetadataChange(description="moved"), ANY))
    await asyncio.sleep(0)
    await rig.reconciler.reconcile([Scope("new")])
    photo = await edit
    assert (photo.object_key, photo.metadata.description) == ("new/a.jpg", "moved")
    with pytest.raises(PhotoNotFound):
        await rig.editor.edit("no such id", MetadataChange(description="x"), ANY)


async def test_a_jpeg_is_edited_in_place_and_back(make_rig):
    """A text goes into the JPEG alone, and removing it gives back the very first bytes."""
    before = picture("JPEG")
    rig = await make_rig({"a.jpg": before})
    photo = await rig.describe("a.jpg", "at sea")
    assert photo.metadata.description == "at sea"
    assert set(photo.stored_in) == {"exif", "xmp"}
    assert rig.keys == {"a.jpg"}
    assert (await rig.describe("a.jpg", None)).metadata.description is None
    assert rig.content("a.jpg") == before


async def test_other_formats_get_both_sidecars_and_lose_them_again(make_rig):
    """A GIF stays as it is; both sidecars come with the text and go with it."""
    before = picture("GIF")
    rig = await make_rig({"a.gif": before})
    photo = await rig.describe("a.gif", "at sea")
    assert set(photo.stored_in) == {"xmp_sidecar", "json_sidecar"}
    assert rig.keys == {"a.gif", "a.gif.json", "a.gif.xmp"}
    assert json.loads(rig.content("a.gif.json"))["title"] == "a.gif"
    await rig.describe("a.gif", "")
    assert rig.keys == {"a.gif"}
    assert rig.content("a.gif") == before


async def test_sidecar_mode_never_touches_a_photo(make_rig):
    """TAGLINE_WRITE_MODE=sidecar leaves a JPEG byte-identical."""
    before = picture("JPEG")
    rig = await make_rig({"a.jpg": before}, mode="sidecar")
    photo = await rig.describe("a.jpg", "beside")
    assert set(photo.stored_in) == {"xmp_sidecar", "json_sidecar"}
    assert rig.content("a.jpg") == before


async def test_sidecars_that_are_there_follow_an_edit_in_place(make_rig):
    """A Takeout JSON and a foreign XMP beside a JPEG say the new text, and keep all else."""
    takeout = {"title": "a.jpg", "description": "old", "people": [{"name": "Ada"}]}
    rig = await make_rig({"a.jpg": picture("JPEG"), "a.jpg.json": json.dumps(takeout).encode()})
    photo = await rig.describe("a.jpg", "new")
    assert set(photo.stored_in) == {"json_sidecar", "exif", "xmp"}
    said = json.loads(rig.content("a.jpg.json"))
    assert said["description"] == "new"
    assert said["people"] == takeout["people"]


async def test_a_text_inside_a_file_that_is_not_edited_can_be_removed(make_rig):
    """Where the file's own text cannot go, an empty sidecar says that there is none."""
    rig = await make_rig({"a.jpg": picture("JPEG")})
    await rig.describe("a.jpg", "inside")
    beside = await make_rig({"a.jpg": rig.content("a.jpg")}, mode="sidecar")
    photo = await beside.describe("a.jpg", None)
    assert photo.metadata.description is None
    first = photo.description_sources[0]
    assert (first.place, first.text) == ("exif", "inside")
    await beside.describe("a.jpg", "again")
    assert beside.index.by_key("a.jpg").photo.metadata.description == "again"


@pytest.mark.parametrize("text", ["tab\there", "bell \x07", "del \x7f", " outer ", "a\r\nb\rc\n"])
@pytest.mark.parametrize("kind", ["JPEG", "GIF"])
async def test_every_text_reads_back_as_it_was_given(make_rig, text, kind):
    """White space, line ends and characters that XML cannot hold are kept."""
    rig = await make_rig({"a." + kind.lower(): picture(kind)})
    photo = await rig.describe("a." + kind.lower(), text)
    assert photo.metadata.description == text


async def test_a_cameras_default_text_can_be_somebodys_description(make_rig):
    """A text that would be taken for a camera's own goes where it counts."""
    rig = await make_rig({"a.jpg": picture("JPEG")})
    photo = await rig.describe("a.jpg", "OLYMPUS DIGITAL CAMERA")
    assert photo.metadata.description == "OLYMPUS DIGITAL CAMERA"


@pytest.mark.parametrize("text", ["nul \0", "x" * 10_001, "lone \ud800"])
async def test_what_cannot_be_stored_is_refused(make_rig, text):
    """A text outside the limits changes nothing."""
    rig = await make_rig({"a.jpg": picture("JPEG")})
    before = rig.content("a.jpg")
    with pytest.raises(InvalidValue):
        await rig.describe("a.jpg", text)
    assert rig.content("a.jpg") == before


async def test_writing_what_is_there_writes_nothing(make_rig):
    """The same text again leaves the file's state as it was."""
    rig = await make_rig({"a.jpg": picture("JPEG")})
    first = await rig.describe("a.jpg", "same")
    state = rig.storage.stat("a.jpg").state
    assert await rig.describe("a.jpg", "same") == first
    assert rig.storage.stat("a.jpg").state == state


async def test_both_preconditions_guard(make_rig):
    """Another moment or another entity tag refuses; the current ones, or any, let through."""
    rig = await make_rig({"a.jpg": picture("JPEG")})
    old = rig.index.by_key("a.jpg").photo
    new = await rig.describe("a.jpg", "one", Precondition(if_match=("x", old.etag)))
    with pytest.raises(PreconditionFailed) as refused:
        await rig.describe("a.jpg", "two", Precondition(if_match=(old.etag,)))
    assert refused.value.actual == new.etag
    with pytest.raises(PhotoModified) as modified:
        await rig.describe("a.jpg", "two", Precondition(last_modified="2001-01-01T00:00:00Z"))
    assert modified.value.actual == new.last_modified
    same = new.last_modified.replace("Z", "+00:00")
    await rig.describe("a.jpg", "two", Precondition(last_modified=same, if_match=("*",)))


async def test_preconditions_are_judged_against_the_file(make_rig):
    """A change that the index has not seen yet counts."""
    rig = await make_rig({"a.jpg": picture("JPEG"), "other.jpg": picture("JPEG", "blue")})
    seen = rig.index.by_key("a.jpg").photo
    await rig.describe("other.jpg", "x")
    aside = await make_rig({"a.jpg": picture("JPEG")})
    await aside.describe("a.jpg", "by another program")
    rig.storage.put("a.jpg", aside.content("a.jpg"))
    with pytest.raises(PreconditionFailed):
        await rig.describe("a.jpg", "mine", Precondition(if_match=(seen.etag,)))


async def test_an_edit_follows_a_photo_that_was_renamed_meanwhile(make_rig):
    """The id finds the photo under its new name before any event did."""
    rig = await make_rig({"a.jpg": picture("JPEG")})
    photo_id = rig.index.by_key("a.jpg").photo.id
    rig.storage.rename("a.jpg", "b.jpg")
    change = MetadataChange(description="found")
    photo = await rig.editor.edit(photo_id, change, ANY)
    assert (photo.object_key, photo.metadata.description) == ("b.jpg", "found")


async def test_another_photo_of_the_same_name_is_not_written(make_rig):
    """Where a file was replaced by another photo under an old id, the edit refuses."""
    rig = await make_rig({"a.jpg": picture("JPEG"), "b.jpg": picture("JPEG", "blue")})
    photo_id = rig.index.by_key("a.jpg").photo.id
    rig.storage.delete("a.jpg")
    rig.storage.rename("b.jpg", "a.jpg")
    with pytest.raises(PhotoNotFound):
        await rig.editor.edit(photo_id, MetadataChange(description="wrong"), ANY)
    assert rig.content("a.jpg") == picture("JPEG", "blue")


async def test_two_edits_of_one_photo_come_one_after_the_other(make_rig):
    """Of many edits at once none is lost in the middle: one of the texts is there, whole."""
    rig = await make_rig({"a.jpg": picture("JPEG")})
    texts = [f"text {n}" for n in range(12)]
    answers = await asyncio.gather(*(rig.describe("a.jpg", text) for text in texts))
    assert sorted(a.metadata.description for a in answers) == sorted(texts)
    assert rig.index.by_key("a.jpg").photo.metadata.description in texts


async def test_a_full_disk_amid_the_sidecars_puts_back_what_was_written(make_rig):
    """When the second file cannot be written the first is as it was."""
    rig = await make_rig({"a.gif": picture("GIF")})
    real = rig.storage.replace
    calls = 0

    def replace(key, *arguments, **more):
        nonlocal calls
        calls += 1
        if calls == 2:
            raise StorageFull(key)
        return real(key, *arguments, **more)

    rig.storage.replace = replace
    with pytest.raises(StorageFull):
        await rig.describe("a.gif", "too much")
    assert rig.keys == {"a.gif"}


async def test_a_sidecar_of_another_photo_is_neither_shown_nor_overwritten(make_rig):
    """A sidecar whose fingerprint is another photo's says nothing here, and is moved aside."""
    rig = await make_rig({"a.gif": picture("GIF")})
    await rig.describe("a.gif", "the red one")
    old = {rig.content("a.gif.json"), rig.content("a.gif.xmp")}
    rig.storage.put("a.gif", picture("GIF", "blue"))
    await rig.reconciler.reconcile()
    assert rig.index.by_key("a.gif").photo.metadata.description is None
    photo = await rig.describe("a.gif", "the blue one")
    assert photo.metadata.description == "the blue one"
    aside = rig.keys - {"a.gif", "a.gif.json", "a.gif.xmp"}
    assert {rig.content(key) for key in aside} == old


async def test_an_unknown_id_is_not_found(make_rig):
    """An id that no photo has is told so."""
    rig = await make_rig({})
    with pytest.raises(PhotoNotFound):
        await rig.editor.edit("nobody", MetadataChange(description="x"), ANY)
    assert rig.index.page(PhotoQuery()).total == 0


async def test_every_field_is_edited_and_shown(make_rig):
    """One change of all fields shows in the photo, the date at the top as well."""
    rig = await make_rig({"a.jpg": picture("JPEG")})
    photo_id = rig.index.by_key("a.jpg").photo.id
    change = MetadataChange(
        title="t", keywords=("one", "two"), rating=4, taken_at="2019-07-05T10:00:00.5+02:00"
    )
    photo = await rig.editor.edit(photo_id, change, ANY)
    said = photo.metadata
    assert (said.title, said.keywords, said.rating) == ("t", ("one", "two"), 4)
    assert said.taken_at == "2019-07-05T10:00:00.5+02:00"
    assert (photo.taken_at, photo.taken_at_offset) == ("2019-07-05T08:00:00.500000Z", "+02:00")
    removed = MetadataChange(title=None, keywords=None, rating=None, taken_at=None)
    photo = await rig.editor.edit(photo_id, removed, ANY)
    assert (photo.metadata.title, photo.metadata.keywords, photo.taken_at) == (None, (), None)
    assert rig.content("a.jpg") == picture("JPEG")


async def test_sidecars_of_fields_come_and_go(make_rig):
    """Beside a GIF each field is in both sidecars, which go with the last of them."""
    rig = await make_rig({"a.gif": picture("GIF")})
    photo_id = rig.index.by_key("a.gif").photo.id
    await rig.editor.edit(photo_id, MetadataChange(rating=3, title="t"), ANY)
    said = json.loads(rig.content("a.gif.json"))
    assert (said["title"], said["tagline"]["title"], said["tagline"]["rating"]) == ("a.gif", "t", 3)
    await rig.editor.edit(photo_id, MetadataChange(rating=None), ANY)
    assert rig.keys == {"a.gif", "a.gif.json", "a.gif.xmp"}
    await rig.editor.edit(photo_id, MetadataChange(title=None), ANY)
    assert rig.keys == {"a.gif"}


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.jpg.json", b"{"), ("a.jpg.json", b"[]"), ("a.jpg.xmp", b"<x"), ("a.jpg.xmp", b"")],
)
async def test_a_broken_sidecar_does_not_keep_a_text_out_of_the_photo(make_rig, name, content):
    """A file of a sidecar's name that says nothing stays as it is; the photo is edited."""
    rig = await make_rig({"a.jpg": picture("JPEG"), name: content})
    photo = await rig.describe("a.jpg", "at sea")
    assert {"exif", "xmp"} <= set(photo.stored_in)
    if content:
        assert rig.content(name) == content


async def test_a_broken_sidecar_that_is_needed_is_named(make_rig):
    """Where the text has to go beside the photo, the file in the way is told by its name."""
    rig = await make_rig({"a.gif": picture("GIF"), "a.gif.json": b"[]"})
    with pytest.raises(EditRefused, match=r"a\.gif\.json cannot be edited"):
        await rig.describe("a.gif", "at sea")
    assert rig.content("a.gif.json") == b"[]"


class Vanishing(MemoryStorage):
    """A storage whose sidecar another program deletes right after the names were listed."""

    def names(self, directory: str, start: str = "") -> list[str]:
        """The names, of which one is gone when they are looked at."""
        listed = super().names(directory, start)
        if "a.gif.json" in listed:
            self.delete("a.gif.json")
        return listed


class Counting(MemoryStorage):
    """A storage that counts how often names are listed."""

    listed = 0

    def names(self, directory: str, start: str = "") -> list[str]:
        """The names."""
        self.listed += 1
        return super().names(directory, start)


@pytest.mark.parametrize(
    ("name", "sidecars"),
    [("a.jpg", set()), ("a.gif", {"a.gif.xmp", "a.gif.json"})],
)
async def test_an_edit_lists_the_directory_once(name, sidecars):
    """What an edit wrote is indexed without another listing, which may be one of many files."""
    kind = {"jpg": "JPEG", "gif": "GIF"}[name[-3:]]
    storage = Counting({name: picture(kind), "b.jpg": picture("JPEG", "blue")})
    index = open_index(None)
    reconciler = Reconciler(storage, index, read_observed)
    await reconciler.reconcile()
    editor = Editor(storage, index, reconciler, PhotoWriter(storage, strays=reconciler.strays))
    photo_id = index.by_key(name).photo.id
    for text in ("one", "two", None):
        storage.listed = 0
        photo = await editor.edit(photo_id, MetadataChange(description=text), ANY)
        assert photo.metadata.description == text
        assert storage.listed == 1
        on_disk = {found.object_key for found in storage.walk()} - {"b.jpg"}
        assert {file.object_key for file in index.get(photo_id).files} == on_disk
        assert on_disk <= {name, *sidecars}
    result = await reconciler.reconcile()
    assert (result.changed, result.errors) == (0, ())
    await reconciler.close()
    index.close()


async def test_a_sidecar_that_vanishes_takes_no_photo_with_it():
    """A photo stays listed when one of its sidecars goes between listing and looking."""
    sidecar = b'{"title": "a.gif", "description": "x"}'
    storage = Vanishing({"a.gif": picture("GIF"), "a.gif.json": sidecar})
    index = open_index(None)
    reconciler = Reconciler(storage, index, read_observed)
    await reconciler.reconcile()
    storage.put("a.gif.json", sidecar)
    result = await reconciler.refresh(["a.gif"])
    assert result.removed == ()
    assert index.by_key("a.gif") is not None
    await reconciler.close()
    index.close()


async def test_a_text_beside_a_photo_that_holds_another_is_no_disagreement(make_rig):
    """What a sidecar is there to say otherwise is not told by verify; what a person wrote is."""
    rig = await make_rig({"a.jpg": picture("JPEG")})
    await rig.describe("a.jpg", "inside")
    beside = await make_rig({"a.jpg": rig.content("a.jpg")}, mode="sidecar")
    await beside.describe("a.jpg", "beside")
    assert not list(verify(beside.storage, beside.index))
    foreign = await make_rig(
        {"a.jpg": rig.content("a.jpg"), "a.jpg.json": b'{"title": "a.jpg", "description": "x"}'}
    )
    told = [finding.detail.split()[0] for finding in verify(foreign.storage, foreign.index)]
    assert told == ["exif", "xmp"]


@pytest.mark.parametrize("before", ["old text", None])
@pytest.mark.parametrize("failing", [1, 2])
def test_a_disk_that_fails_after_a_sidecar_has_its_name_leaves_no_half(
    tmp_path, monkeypatch, before, failing
):
    """Both sidecars say the same, the old text, when making the first or second durable fails."""
    (tmp_path / "a.gif").write_bytes(picture("GIF"))
    writer, target = PhotoWriter(LocalStorage(tmp_path)), Target(object_key="a.gif")
    if before is not None:
        writer.edit(target, MetadataChange(description=before), ANY)
    sync, calls = placing.sync_directory, []

    def fail_once(directory):
        calls.append(directory)
        if len(calls) == failing:
            raise OSError(errno.EIO, "broken")
        sync(directory)

    for module in (atomic, placing):
        monkeypatch.setattr(module, "sync_directory", fail_once)
    with pytest.raises(StorageError):
        writer.edit(target, MetadataChange(description="new text"), ANY)
    assert len(calls) >= failing
    beside = [path for path in tmp_path.iterdir() if path.name != "a.gif"]
    assert len(beside) == (2 if before else 0)
    assert all(b"old text" in path.read_bytes() for path in beside)


async def test_a_copy_that_no_scan_has_met_yet_keeps_its_words(make_rig):
    """Before the first scan has ended, an edit of one copy leaves the sidecars that all share."""
    gif = picture("GIF")
    rig = await make_rig({"a/a.gif": gif})
    await rig.describe("a/a.gif", "common words")
    rig.storage.rename("a/a.gif", "b/b.gif")
    rig.storage.put("c/c.gif", gif)
    index = open_index(None)
    reconciler = Reconciler(rig.storage, index, read_observed)
    editor = Editor(
        rig.storage, index, reconciler, PhotoWriter(rig.storage, "embed", reconciler.strays)
    )
    await reconciler.reconcile([Scope("a"), Scope("b")])
    edited = index.by_key("b/b.gif").photo
    assert edited.metadata.description == "common words"
    await editor.edit(edited.id, MetadataChange(description="other words"), ANY)
    await reconciler.reconcile()
    assert index.by_key("b/b.gif").photo.metadata.description == "other words"
    assert index.by_key("c/c.gif").photo.metadata.description == "common words"
    await reconciler.close()
    index.close()
