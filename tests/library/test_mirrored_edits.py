"""Edits of photos whose sidecars lie apart, where the photos' directory promises too much."""

import asyncio

import pytest
from PIL import Image

from tagline.config.mirroring import is_sidecar_name
from tagline.errors import ObjectChanged, StorageUnavailable
from tagline.index import open_index
from tagline.library import PhotoWriter, Target, read_alone, read_observed, strays_in
from tagline.model import MetadataChange, Precondition
from tagline.storage import LocalStorage, Mirror, MirroredStorage
from tagline.sync import Reconciler
from tests.storage.conftest import refuse_new_files


@pytest.fixture
def storage(tmp_path):
    """A photo, and an empty mirror."""
    for name in ("photos", "sidecars"):
        (tmp_path / name).mkdir()
    Image.new("RGB", (16, 12), "red").save(tmp_path / "photos" / "a.jpg")
    photos = LocalStorage(tmp_path / "photos")
    return MirroredStorage(photos, Mirror(tmp_path / "sidecars"), is_sidecar_name)


def test_a_photo_that_cannot_be_written_after_all_gets_sidecars(storage, tmp_path, monkeypatch):
    """Where only the attempt tells that the photo is read-only, the text goes to the mirror."""
    photos = tmp_path / "photos"
    before = (photos / "a.jpg").read_bytes()
    refuse_new_files(monkeypatch, photos)
    written = PhotoWriter(storage).edit(
        Target(object_key="a.jpg"), MetadataChange(description="beside"), Precondition()
    )
    assert written.not_embedded == "the photo cannot be written"
    photo = read_alone(storage, "a.jpg", strays_in(storage, "")).photo
    assert photo.metadata.description == "beside"
    assert photo.stored_in == ("xmp_sidecar", "json_sidecar")
    assert [p.name for p in photos.iterdir()] == ["a.jpg"]
    assert (photos / "a.jpg").read_bytes() == before
    monkeypatch.undo()
    PhotoWriter(storage).edit(
        Target(object_key="a.jpg"), MetadataChange(description="everywhere"), Precondition()
    )
    photo = read_alone(storage, "a.jpg", strays_in(storage, "")).photo
    assert photo.metadata.description == "everywhere"
    assert set(photo.stored_in) == {"xmp_sidecar", "json_sidecar", "exif", "xmp"}


def protected(tmp_path):
    """A GIF that is never written, with another program's XMP beside it."""
    for name in ("photos", "sidecars"):
        (tmp_path / name).mkdir()
    Image.new("RGB", (16, 12), "red").save(tmp_path / "photos" / "a.gif")
    storage = LocalStorage(tmp_path / "photos")
    PhotoWriter(storage).edit(Target(object_key="a.gif"), described("their words"), Precondition())
    (tmp_path / "photos" / "a.gif.json").unlink()
    mirror = Mirror(tmp_path / "sidecars")
    return MirroredStorage(storage, mirror, is_sidecar_name, protect=True)


def described(text):
    """A change of the description alone."""
    return MetadataChange(description=text)


@pytest.mark.parametrize("text", ["our words", None])
def test_what_an_edit_puts_back_hides_nothing(tmp_path, text):
    """A sidecar of the mirror that says again what lies beside the photo is taken away."""
    storage = protected(tmp_path)
    before = (tmp_path / "photos" / "a.gif.xmp").read_bytes()
    key, state = "a.gif.xmp", storage.stat("a.gif.xmp").state
    if text is None:
        storage.remove(key, state)
        storage.replace(key, before, None)
    else:
        storage.replace(key, before, storage.replace(key, b"our words", state).state)
    assert not (tmp_path / "sidecars" / key).exists()
    assert storage.stat(key).state == state


async def test_an_empty_photo_directory_beside_a_mirror_is_not_believed(tmp_path):
    """With sidecars in the mirror, photos that are all gone still count as a disk not mounted."""
    photos = tmp_path / "photos"
    storage = protected(tmp_path)
    for number in range(12):
        Image.new("RGB", (16, 12), (number, 0, 0)).save(photos / f"{number}.png")
    PhotoWriter(storage).edit(Target(object_key="a.gif"), described("our words"), Precondition())
    index = open_index(None)
    reconciler = Reconciler(storage, index, read_observed)
    await reconciler.reconcile()
    async with asyncio.timeout(10):
        while reconciler.settling:  # noqa: ASYNC110 - it has no event to wait for
            await asyncio.sleep(0.005)
    for path in photos.iterdir():
        path.unlink()
    with pytest.raises(StorageUnavailable):
        await reconciler.reconcile()
    assert len(index) == 13
    await reconciler.close()
    index.close()


def test_a_sidecar_that_changed_meanwhile_is_not_removed(tmp_path, monkeypatch):
    """What another program wrote into the mirror after the last look stays, and is told."""
    storage = protected(tmp_path)
    PhotoWriter(storage).edit(Target(object_key="a.gif"), described("our words"), Precondition())
    state, theirs = storage.stat("a.gif.xmp").state, tmp_path / "sidecars" / "a.gif.xmp"
    look = MirroredStorage.stat

    def write_after(self, key):
        found = look(self, key)
        theirs.write_bytes(b"theirs, and longer than what was there")
        return found

    monkeypatch.setattr(MirroredStorage, "stat", write_after)
    with pytest.raises(ObjectChanged):
        storage.remove("a.gif.xmp", state)
    assert theirs.read_bytes().startswith(b"theirs")
