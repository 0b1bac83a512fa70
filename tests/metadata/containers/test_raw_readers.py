"""What the readers of RAW files that are no TIFF promise beyond the contract."""

import subprocess
from pathlib import Path
from struct import pack

import pytest

from tagline.metadata import exif, raw_cr3, raw_raf, raw_x3f
from tagline.metadata.registry import FORMATS
from tagline.metadata.window import Slice
from tagline.model import BytesSource
from tests.metadata.containers import samples_tiff as tiffs
from tests.metadata.containers.samples import SAMPLES, box
from tests.metadata.containers.samples_common import HEIGHT, WIDTH, noise

RAW = [row for row in FORMATS if row.media_type.startswith("image/x-")]


def test_cr3_exif_is_one_block() -> None:
    """The four parts of a CR3's Exif read as one: camera, orientation, date, position."""
    values = exif.read(raw_cr3.read(BytesSource(SAMPLES["Canon CR3"](1))).exif or b"")
    assert (values.make, values.model) == ("Canon", "Canon EOS R")
    assert values.orientation == 6
    assert values.description == "described"
    assert values.taken_at is not None
    assert values.taken_at.local.isoformat() == "2024-05-06T07:08:09"
    assert values.width == WIDTH


@pytest.mark.parametrize("part", [b"CMT1", b"CMT2", b"CMT4"])
def test_cr3_with_a_damaged_part(part: bytes) -> None:
    """A part that is no TIFF block is told, and does not hide the image."""
    data = SAMPLES["Canon CR3"](1).replace(part + b"II", part + b"??")
    container = raw_cr3.read(BytesSource(data))
    assert container.problem is not None
    assert container.image_data
    if part != b"CMT1":
        assert exif.read(container.exif or b"").make == "Canon"


def test_cr3_with_odd_values() -> None:
    """Entries of a part that lie outside it are left out of the joined block."""
    data = SAMPLES["Canon CR3"](1)
    at = data.index(pack("<HH", 0x010E, 2))
    data = data[: at + 4] + pack("<I", 0x7FFFFFFF) + data[at + 8 :]
    values = exif.read(raw_cr3.read(BytesSource(data)).exif or b"")
    assert (values.description, values.make) == (None, "Canon")


def test_raf_size_falls_back() -> None:
    """A RAF without a cropped size has its full size; with an odd list, that of no list."""
    data = SAMPLES["Fujifilm RAF"](1)
    crop = pack(">HHHH", 0x111, 4, HEIGHT, WIDTH)
    full = raw_raf.read(BytesSource(data.replace(crop, pack(">HHHH", 0x999, 4, 1, 1))))
    assert (full.width, full.height) == (WIDTH + 9, HEIGHT + 9)


def test_x3f_takes_the_largest_section() -> None:
    """The sensor's data is the image data, not the preview."""
    source = BytesSource(SAMPLES["Sigma X3F"](6))
    ((at, length),) = raw_x3f.read(source).image_data
    assert source.read_at(at, length).endswith(noise(6, WIDTH * HEIGHT * 2))


def test_x3f_without_directory() -> None:
    """A cut X3F still has its size, and a problem."""
    container = raw_x3f.read(BytesSource(SAMPLES["Sigma X3F"](1)[:500]))
    assert container.width == WIDTH
    assert container.problem is not None


@pytest.mark.needs("exiftool")
def test_exiftool_recognises_what_is_built_here(tmp_path: Path) -> None:
    """Each RAW file built here is of its format to exiftool too, and has the same size."""
    for row in RAW:
        (tmp_path / f"a.{row.extensions[0]}").write_bytes(SAMPLES[row.name](1))
    command = ["exiftool", "-q", "-p", "$FileType ${ImageSize;$_ ||= ''}", "-f", str(tmp_path)]
    out = subprocess.run(command, capture_output=True, check=True, timeout=20, text=True).stdout
    found = dict(line.split() for line in out.splitlines())
    assert set(found) == {row.extensions[0].upper() for row in RAW}
    del found["CR3"]  # exiftool takes its size from a preview, which the file built here lacks
    assert set(found.values()) == {f"{WIDTH}x{HEIGHT}"}


def test_boxes_of_every_length_form() -> None:
    """A box may give its length in 64 bits, or run to the end of the file."""
    data = SAMPLES["Canon CR3"](1)
    image = noise(1, WIDTH * HEIGHT)
    head = data[: data.index(b"mdat") - 4]
    expected = [len(image)]
    for mdat in (
        box(b"mdat", image),
        pack(">I4sQ", 1, b"mdat", len(image) + 16) + image,
        pack(">I4s", 0, b"mdat") + image,
        pack(">I4s", len(image) + 9999, b"mdat") + image,
    ):
        container = raw_cr3.read(BytesSource(head + mdat))
        assert [length for _, length in container.image_data] == expected


def test_a_slice_stays_inside() -> None:
    """A part of a source gives none of what is around it, wherever it is said to be."""
    source = BytesSource(b"0123456789")
    part = Slice(source, 2, 5)
    assert (part.size, part.read_at(0, 99), part.read_at(3, 1)) == (5, b"23456", b"5")
    assert part.read_at(9, 1) == b""
    assert Slice(source, 8, 99).read_at(0, 99) == b"89"
    assert Slice(source, 99, 5).size == 0
    assert Slice(source, -3, -3).read_at(0, 1) == b""


def test_builders_agree_with_exif_reader() -> None:
    """The TIFF builder's own output has the date that it was given."""
    builder = tiffs.Builder(b"MM\0*")
    main = builder.directory({0x8769: tiffs.number(tiffs.exif_directory(builder))})
    taken = exif.read(builder.finish(main)).taken_at
    assert taken is not None
    assert taken.local.minute == 8
