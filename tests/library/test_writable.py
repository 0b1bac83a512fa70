"""What is said of whether a photo can be edited is what an edit of it then does."""

import codecs
import itertools
import os

import pytest
from PIL import Image

from tagline.config.mirroring import is_sidecar_name
from tagline.errors import StorageReadOnly
from tagline.library import PhotoWriter, Target, read_alone, strays_in
from tagline.model import MetadataChange, Precondition
from tagline.storage import LocalStorage, Mirror, MirroredStorage
from tests.storage.conftest import NOBODY, as_nobody

__all__ = ["as_nobody"]

codecs.lookup("utf-16-le")  # the user without rights may not read Python's own files
MODES = {"open": (0o755, 0o644), "file closed": (0o755, 0o444), "closed": (0o555, 0o644)}
COMBINATIONS = list(
    itertools.product(["a.jpg", "a.gif"], MODES, [None, "open", "closed"], [False, True], [1, 2])
)


@pytest.mark.parametrize(("name", "photos_are", "mirror_is", "protect", "links"), COMBINATIONS)
def test_writable_is_whether_an_edit_is_made(
    as_nobody, name, photos_are, mirror_is, protect, links
):
    """Whatever may be written of photo, directory and mirror, and whatever the format."""
    photos, sidecars = as_nobody.directory / "photos", as_nobody.directory / "sidecars"
    for made in (photos, sidecars):
        made.mkdir()
    Image.new("RGB", (16, 12), "red").save(photos / name)
    if links == 2:
        os.link(photos / name, photos / "another.bin")
    directory_mode, file_mode = MODES[photos_are]
    (photos / name).chmod(file_mode)
    for path in (photos / name, photos, sidecars):
        os.chown(path, NOBODY, NOBODY)
    photos.chmod(directory_mode)
    sidecars.chmod(0o555 if mirror_is == "closed" else 0o755)
    storage = LocalStorage(photos)
    if mirror_is:
        mirror = Mirror(sidecars)
        storage = MirroredStorage(storage, mirror, is_sidecar_name, protect=protect)
    mode = "sidecar" if protect else "embed"
    writer = PhotoWriter(storage, mode)
    with as_nobody():
        said = read_alone(storage, name, strays_in(storage, ""), mode).photo.writable
        try:
            writer.edit(
                Target(object_key=name), MetadataChange(description="words"), Precondition()
            )
        except StorageReadOnly:
            assert not said
            return
        assert said
        photo = read_alone(storage, name, strays_in(storage, ""), mode).photo
        assert (photo.metadata.description, photo.writable) == ("words", True)
