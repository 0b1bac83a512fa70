"""What the HEIF and AVIF reader promises beyond the contract."""

import subprocess
from io import BytesIO
from pathlib import Path
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from tagline.metadata import exif, heif
from tagline.model import BytesSource
from tests.metadata.containers.samples import box, full_box
from tests.metadata.containers.samples_common import exif_block, image, noise, xmp_packet
from tests.metadata.containers.sources import within

XMP = xmp_packet("described")
EXIF = pack(">I", 6) + b"Exif\0\0" + exif_block()
TILES = [noise(seed, 50 + seed) for seed in range(4)]


def infe(item: int, kind: bytes, content_type: bytes = b"", version: int = 2) -> bytes:
    """An entry of the item list."""
    number = pack(">H" if version == 2 else ">I", item)
    tail = b"\0" + content_type + b"\0" if content_type else b"\0"
    return full_box(b"infe", version, number + b"\0\0" + kind + tail)


def iloc(version: int, rows: list[tuple[int, int, list[tuple[int, int]]]], base: int) -> bytes:
    """An item location box: number, method and extents of each; offsets relative to ``base``."""
    count = ">I" if version == 2 else ">H"
    widths = 0x4444 if version else 0x4440
    body = pack(">H", widths) + pack(count, len(rows))
    for item, method, extents in rows:
        body += pack(count, item) + (pack(">H", method) if version else b"")
        body += pack(">HIH", 0, base if method == 0 else 0, len(extents))
        for offset, length in extents:
            body += (pack(">I", 0) if version else b"") + pack(">II", offset, length)
    return full_box(b"iloc", version, body)


def property_boxes(turning: list[bytes], item: int, *, wide: bool = False) -> bytes:
    """The properties of an item: a size of 300 x 200, then those of ``turning``."""
    all_ = [full_box(b"ispe", 0, pack(">II", 300, 200)), *turning]
    numbers = range(1, len(all_) + 1)
    row = b"".join(pack(">H", n | 0x8000) if wide else bytes([n | 0x80]) for n in numbers)
    links = pack(">I", 1) + pack(">H", item) + bytes([len(all_)]) + row
    return box(b"iprp", box(b"ipco", b"".join(all_)) + full_box(b"ipma", 0, links, int(wide)))


def built(version: int = 1, turning: tuple[bytes, ...] = (), *, wide: bool = False) -> bytes:
    """A HEIC: a grid of four tiles in the file, Exif in two extents, XMP in idat."""
    tiles = b"".join(TILES)
    media = tiles + EXIF

    def meta(base: int) -> bytes:
        place, rows = 0, []
        for item, tile in enumerate(TILES, 2):
            rows.append((item, 0, [(place, len(tile))]))
            place += len(tile)
        rows.append((6, 0, [(place, 7), (place + 7, len(EXIF) - 7)]))
        rows.append((1, 1 if version else 0, [(len(XMP), 8)]))
        if version:
            rows.append((7, 1, [(0, len(XMP))]))
        kinds = [infe(1, b"grid"), *(infe(n, b"hvc1") for n in range(2, 6)), infe(6, b"Exif")]
        kinds.append(infe(7, b"mime", b"application/rdf+xml", 3))
        parts = pack(">HH", 1, 4) + pack(">HHHH", 2, 3, 4, 5)
        return full_box(
            b"meta",
            0,
            full_box(b"hdlr", 0, bytes(4) + b"pict" + bytes(13))
            + full_box(b"pitm", 0, pack(">H", 1))
            + iloc(version, rows, base)
            + full_box(b"iinf", 0, pack(">H", len(kinds)) + b"".join(kinds))
            + full_box(b"iref", 0, box(b"dimg", parts))
            + property_boxes(list(turning), 1, wide=wide)
            + box(b"idat", XMP + bytes(8)),
        )

    head = box(b"ftyp", b"heic\0\0\0\0mif1heic")
    start = len(head) + len(meta(0)) + 8
    return head + meta(start) + box(b"mdat", media)


@pytest.mark.parametrize("version", [0, 1, 2])
@pytest.mark.parametrize("wide", [False, True])
def test_a_grid_by_every_version_of_the_location_box(version: int, wide: bool) -> None:
    """The tiles of a grid are image data, in their order; Exif in two extents is joined."""
    source = BytesSource(built(version, wide=wide))
    container = heif.read(source)
    assert container.problem is None
    assert (container.width, container.height) == (300, 200)
    assert [source.read_at(*extent) for extent in container.image_data] == TILES
    assert container.exif == exif_block()
    assert container.xmp == (XMP if version else None)
    assert container.orientation is None


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_by_another_program(orientation: int) -> None:
    """The turning that libavif writes for an EXIF orientation reads as that orientation."""
    target = BytesIO()
    image(1).save(target, "AVIF", exif=exif_block(orientation=orientation))
    container = heif.read(BytesSource(target.getvalue()))
    assert container.orientation == (orientation if orientation > 1 else None)
    assert (container.width, container.height) == (96, 64)


@settings(max_examples=80, deadline=None)
@given(
    steps=st.lists(
        st.sampled_from([(b"irot", 0), (b"irot", 1), (b"irot", 2), (b"irot", 3)])
        | st.sampled_from([(b"imir", 0), (b"imir", 1)]),
        max_size=4,
    )
)
def test_turning_is_what_it_does_to_a_picture(steps: list[tuple[bytes, int]]) -> None:
    """Any turnings in a row move the pixels as the orientation they are read as does."""
    picture = Image.frombytes("L", (3, 2), bytes(range(6)))
    turned = picture
    for kind, value in steps:
        if kind == b"irot":
            turned = turned.rotate(90 * value, expand=True)
        else:
            turned = ImageOps.mirror(turned) if value else ImageOps.flip(turned)
    boxes = tuple(box(kind, bytes([value])) for kind, value in steps)
    orientation = heif.read(BytesSource(built(turning=boxes))).orientation
    tagged = picture.copy()
    tagged.getexif()[0x0112] = orientation or 1
    assert ImageOps.exif_transpose(tagged).tobytes() == turned.tobytes()


def test_exif_without_an_offset_in_front() -> None:
    """An Exif item is understood with a right offset, with none to skip, and with a wrong one."""
    block = exif_block()
    assert heif.exif_item(pack(">I", 0) + block) == block
    assert heif.exif_item(EXIF) == block
    assert heif.exif_item(pack(">I", 0) + b"Exif\0\0" + block) == block
    assert heif.exif_item(pack(">I", 99999) + block) == block
    assert heif.exif_item(b"\0\0") is None
    assert heif.exif_item(None) is None


def test_an_image_that_consists_of_itself_ends() -> None:
    """Parts that lead in a circle are visited once; a tile may be used twice."""
    parts = pack(">6H", 1, 4, 2, 3, 4, 5)
    circle = built().replace(parts, pack(">6H", 1, 4, 1, 1, 2, 2))
    extents = heif.read(BytesSource(circle)).image_data
    assert len(extents) == 2
    assert extents[0] == extents[1]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        full_box(b"pitm", 0, b""),
        full_box(b"pitm", 0, b"\0\1"),
        full_box(b"iinf", 0, b"\xff\xff" + infe(1, b"Exif") * 60_000),
        full_box(b"iloc", 2, pack(">HI", 0, 0xFFFFFFFF) + bytes(500_000)),
        full_box(b"iloc", 1, pack(">HH", 0xFFFF, 0xFFFF) + bytes(500_000)),
        full_box(b"iref", 0, box(b"dimg", pack(">HH", 1, 0xFFFF) + bytes(130_000)) * 3),
        box(b"iprp", box(b"ipco", box(b"free", b"") * 60_000)),
        box(b"iprp", full_box(b"ipma", 0, pack(">I", 0xFFFFFFFF) + b"\0\1\xff" * 100_000)),
        box(b"iinf", bytes(600_000)),
    ],
)
def test_hostile_boxes_end(content: bytes) -> None:
    """Boxes with counts beyond all bounds: a problem, soon."""
    data = box(b"ftyp", b"heic\0\0\0\0") + full_box(b"meta", 0, content)
    with within(0.5):
        container = heif.read(BytesSource(data))
    assert container.problem is not None


def test_a_file_without_description_is_a_problem() -> None:
    """Neither a meta box nor even a type box: a sentence."""
    assert heif.read(BytesSource(box(b"ftyp", b"heic") + box(b"mdat", b"x"))).problem is not None
    assert heif.read(BytesSource(b"\0\0\0\x0cfree1234")).problem is not None


@pytest.mark.shared
def test_the_real_heic(shared: Path) -> None:
    """A real HEIC gives size, Exif and XMP, and its image data is that of its primary item."""
    data = (shared / "corpus/exiv2/test/data/Stonehenge.heic").read_bytes()
    container = heif.read(BytesSource(data))
    assert (container.width, container.height) == (300, 200)
    values = exif.read(container.exif or b"")
    assert values.make == "NIKON CORPORATION"
    assert container.xmp is not None
    assert container.image_data
    assert container.problem is None


@pytest.mark.needs("exiftool")
def test_exiftool_agrees_with_the_built_file(tmp_path: Path) -> None:
    """The file built here is a HEIC to exiftool as well, with the same size and words."""
    path = tmp_path / "built.heic"
    path.write_bytes(built())
    command = ["exiftool", "-s3", "-FileType", "-ImageSize", "-ImageDescription", str(path)]
    out = subprocess.run(command, capture_output=True, check=True, timeout=20, text=True).stdout
    assert out.split() == ["HEIC", "300x200", "described"]
