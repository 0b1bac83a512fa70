"""Which bytes of a photo are shown: the previews inside RAW files."""

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests_pictures_samples import largest_difference, saved, scene

from tagline.errors import PictureRefused
from tagline.metadata.preview import Shown, shown
from tagline.metadata.registry import FORMATS
from tagline.model import BytesSource
from tests.metadata.containers import samples_tiff as tiffs
from tests.metadata.containers.samples import SAMPLES, box, full_box

LARGE, MEDIUM, SMALL = (saved(scene((w, w * 2 // 3)), "JPEG") for w in (1200, 960, 120))
LOSSLESS = LARGE.replace(b"\xff\xc0", b"\xff\xc3", 1)


def jpeg_at(builder: tiffs.Builder, data: bytes) -> tiffs.Entries:
    """The entries of a JPEG by offset and length."""
    return {0x201: tiffs.number(builder.blob(data)), 0x202: tiffs.number(len(data))}


def strip_at(builder: tiffs.Builder, data: bytes) -> tiffs.Entries:
    """The entries of a JPEG in a single strip."""
    return {
        0x103: (tiffs.SHORT, (6,)),
        0x111: tiffs.number(builder.blob(data)),
        0x117: tiffs.number(len(data)),
    }


def dng() -> bytes:
    """A thumbnail first; the sensor's data, lossless JPEG, and a preview in subdirectories."""
    builder = tiffs.Builder()
    raw = builder.directory(strip_at(builder, LOSSLESS) | {0xFE: tiffs.number(0)})
    preview = builder.directory(strip_at(builder, LARGE) | {0xFE: tiffs.number(1)})
    words = tiffs.head_entries("Maker", "Model")
    subs = {0x14A: (tiffs.LONG, (raw, preview))}
    return builder.finish(builder.directory(words | jpeg_at(builder, SMALL) | subs))


def cr2() -> bytes:
    """The preview in the first directory, a thumbnail in the second, the sensor's data behind."""
    builder = tiffs.Builder(head=b"CR\2\0\0\0\0\0")
    raw = builder.directory(strip_at(builder, LOSSLESS))
    thumbnail = builder.directory(jpeg_at(builder, SMALL), raw)
    words = tiffs.head_entries("Canon", "Canon EOS 5D")
    return builder.finish(builder.directory(words | strip_at(builder, LARGE), thumbnail))


def rw2() -> bytes:
    """The preview as the value of Panasonic's own tag."""
    builder = tiffs.Builder(b"IIU\0", head=bytes(280))
    words = tiffs.head_entries("Panasonic", "DMC-GF1") | {0x2E: (tiffs.UNDEFINED, LARGE)}
    return builder.finish(builder.directory(words))


def orf() -> bytes:
    """The preview in the maker note, which names it in a way of its own."""
    builder = tiffs.Builder(b"IIRO")
    note = {0x927C: (tiffs.UNDEFINED, b"OLYMPUS\0II\3\0" + bytes(40) + LARGE)}
    exif = {0x8769: tiffs.number(builder.directory(note))}
    words = tiffs.head_entries("OLYMPUS", "E-M1") | jpeg_at(builder, SMALL)
    return builder.finish(builder.directory(words | exif))


def cr3() -> bytes:
    """The preview as the first sample of a track."""
    jpeg, start = LARGE, 4000
    sizes = full_box(b"stsz", 0, pack(">III", 0, 1, len(jpeg)))
    places = full_box(b"co64", 0, pack(">IQ", 1, start))
    table = box(b"stbl", sizes + places)
    moov = box(b"moov", box(b"trak", box(b"mdia", box(b"minf", table))))
    head = box(b"ftyp", b"crx \0\0\0\1crx isom") + moov
    return head + box(b"free", bytes(start - len(head) - 16)) + box(b"mdat", jpeg + bytes(9))


def raf() -> bytes:
    """The preview by offset and length in the header."""
    head = (b"FUJIFILMCCD-RAW " + bytes(68) + pack(">6I", 148, len(LARGE), 0, 0, 0, 0)).ljust(148)
    return head + LARGE


def x3f() -> bytes:
    """The preview as an image section."""
    head = b"FOVb".ljust(104, b"\0")
    body = head + b"SECi".ljust(28, b"\0") + LARGE
    table = b"SECd" + pack("<II", 0, 1) + pack("<II4s", len(head), 28 + len(LARGE), b"IMA2")
    return body + table + pack("<I", len(body))


RAW = {
    "a.dng": dng,
    "a.CR2": cr2,
    "a.rw2": rw2,
    "a.orf": orf,
    "a.cr3": cr3,
    "a.raf": raf,
    "a.x3f": x3f,
}


@pytest.mark.parametrize("name", RAW)
def test_the_largest_preview_of_a_raw_file_is_shown(make, name):
    """Neither a thumbnail nor the sensor's own data, which is lossless JPEG in some."""
    data = RAW[name]()
    found = shown(BytesSource(data), name)
    assert found is not None
    assert found.kind == "jpeg"
    assert data[found.offset :].startswith(LARGE)
    made = make.named(name, data, orientation=6, stored=(6000, 4000), edge=90)
    expected = scene().transpose(Image.Transpose.ROTATE_270).resize(made.size)
    assert largest_difference(made, expected) < 30


def test_a_camera_that_turned_its_preview_is_believed(make):
    """Its sides are swapped against the sensor's."""
    upright = scene((800, 1200))
    builder = tiffs.Builder()
    words = tiffs.head_entries("Maker", "Model") | jpeg_at(builder, saved(upright, "JPEG"))
    data = builder.finish(builder.directory(words))
    made = make.named("a.nef", data, orientation=6, stored=(6000, 4000), edge=96)
    assert largest_difference(made, upright.resize(made.size)) < 30


def test_a_raw_file_without_a_preview_may_still_be_a_plain_tiff(make):
    """Its first image is shown then."""
    assert largest_difference(make.named("a.dng", saved(scene(), "TIFF"), edge=96), scene()) < 20


NOTHING_SHOWN = {"JPEG XL", "Canon CR3"}
"""Pillow reads no JPEG XL, and the CR3 that is made here has no preview."""
REFUSED = {
    **dict.fromkeys(("HEIC", "HEIF"), "damaged"),  # made here of noise, which no HEVC is
    **dict.fromkeys(("Olympus ORF", "Panasonic RW2"), "unsupported"),  # no preview, and no TIFF
}


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.name)
def test_every_format_gives_a_picture_or_a_reason(make, row):
    """Generated samples of all formats, RAW files without a usable preview among them."""
    data = SAMPLES[row.name](1)
    name = f"a.{row.extensions[0]}"
    if shown(BytesSource(data), name) is None:
        assert row.name in NOTHING_SHOWN
        return
    assert row.name not in NOTHING_SHOWN
    try:
        made = make.named(name, data)
    except PictureRefused as refusal:
        seen = refusal.reason
    else:
        seen = max(made.size) <= 64
    assert seen == REFUSED.get(row.name, True)


def test_the_bytes_decide_what_a_file_is():
    """A PNG that is called .jpg is decoded as what it is; what is no photo is not."""
    png = saved(scene(), "PNG")
    assert shown(BytesSource(png), "a.jpg") == Shown("png", 0, len(png))
    assert shown(BytesSource(png), "a.cr2") == Shown("png", 0, len(png))
    assert shown(BytesSource(b"%!PS"), "a.jpg") is None
    assert shown(BytesSource(b""), "a.jpg") is None


def test_a_jpeg_cut_off_before_its_frame_is_no_preview():
    """Nor is one whose segments lead nowhere."""
    for damaged in (LARGE[:10], b"\xff\xd8\xff\xe0\0\0" * 9, b"\xff\xd8\xff\xff" + b"\xff" * 2000):
        data = raf().replace(LARGE, damaged)
        assert shown(BytesSource(data), "a.raf") is None


@given(st.binary(max_size=300), st.sampled_from(sorted(RAW)), st.integers(0, 400), st.data())
def test_no_bytes_break_the_search(noise, name, at, data):
    """Damage anywhere gives an extent inside the file, or none."""
    raw = bytearray(RAW[name]())
    raw[at : at + len(noise)] = noise
    raw = bytes(raw[: data.draw(st.integers(0, len(raw)))])
    found = shown(BytesSource(raw), name)
    assert found is None or 0 <= found.offset <= found.offset + found.length
