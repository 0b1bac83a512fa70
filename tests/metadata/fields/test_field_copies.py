"""Copies of a description in places of single vendors, where a sidecar hides what they say."""

import io

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tagline.metadata import SidecarFile, SidecarFiles, exif, png, xmp
from tagline.metadata import xmp_names as names
from tagline.metadata.registry import read_container
from tagline.metadata.values import Container
from tagline.model import BytesSource

BESIDE = b'{"title": "photo", "description": "beside"}'
KINDS = {"photo.jpg": "JPEG", "photo.png": "PNG", "photo.webp": "WEBP", "photo.tif": "TIFF"}


def commented(kind: str, text: str) -> bytes:
    """A picture whose ImageDescription, UserComment and XPComment say the text."""
    block = Image.Exif()
    block[0x010E] = text
    block[0x9C9C] = text.encode("utf-16-le") + b"\0\0"
    block.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + text.encode()
    buffer = io.BytesIO()
    Image.new("RGB", (16, 12), "teal").save(buffer, kind, exif=block.tobytes())
    return buffer.getvalue()


def blocks(desk) -> Container:
    """The metadata blocks of the photo on a desk."""
    return read_container(BytesSource(desk.data), desk.name)


@pytest.fixture
def make_hidden(make_desk):
    """Puts a photo on a desk, beside it a sidecar that says ``beside``."""

    def make(name: str, data: bytes):
        side = SidecarFiles(json=SidecarFile(name=f"{name}.json", data=BESIDE))
        desk = make_desk("plain.jpg", sidecars=side)
        desk.name, desk.data = name, data
        assert desk.shown()["description"] == "beside"
        return desk

    return make


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("after", ["a new text", None])
@pytest.mark.parametrize("before", ["inside", "beside"])
def test_copies_of_what_the_file_said_follow(make_hidden, name, before, after):
    """Though a sidecar said something else, nothing in the file goes on saying its old text."""
    desk = make_hidden(name, commented(KINDS[name], before))
    desk.edit(description=after)
    values = exif.read(blocks(desk).exif)
    assert {values.description, values.user_comment, values.xp_comment} == {after}
    assert desk.read().found["description"].agrees


def test_png_s_own_description_follows(make_hidden):
    """Of a text chunk too it is the file's own text that it has to have held."""
    info = PngInfo()
    info.add_text("Description", "inside")
    block = Image.Exif()
    block[0x010E] = "inside"
    buffer = io.BytesIO()
    Image.new("RGB", (16, 12)).save(buffer, "PNG", pnginfo=info, exif=block.tobytes())
    desk = make_hidden("photo.png", buffer.getvalue())
    desk.edit(description=None)
    assert b"tEXtDescription" not in desk.data
    assert png.read(BytesSource(desk.data)).problem is None


def test_subjects_follow_the_file_s_own_keywords(make_desk):
    """A path goes with the keyword that the file had, whatever keywords a sidecar has."""
    raw = b'{"title": "full.jpg", "tagline": {"keywords": ["other"]}}'
    side = SidecarFiles(json=SidecarFile(name="full.jpg.json", data=raw))
    desk = make_desk("full.jpg", sidecars=side)
    assert desk.shown()["keywords"] == ("other",)
    desk.edit(keywords=["sea"])
    said = xmp.texts(blocks(desk).xmp, names.HIERARCHICAL_SUBJECT)
    assert said == ["Places|sea", "Places|land"]
