"""Agreement with exiftool on every readable real JPEG."""

import json
import subprocess
from datetime import datetime

import pytest

from tagline.metadata import exif, jpeg_read
from tagline.metadata.values import ExifValues
from tagline.model import BytesSource

pytestmark = [
    pytest.mark.shared,
    pytest.mark.needs("exiftool"),
]

TEXTS = {
    "description": "IFD0:ImageDescription",
    "user_comment": "ExifIFD:UserComment",
    "xp_comment": "IFD0:XPComment",
    "make": "IFD0:Make",
    "model": "IFD0:Model",
    "lens": "ExifIFD:LensModel",
}
DATES = {"taken_at": ("DateTimeOriginal", "Original"), "digitized_at": ("CreateDate", "Digitized")}


@pytest.fixture(scope="module")
def readable(corpus):
    """Each real JPEG whose structure is whole, with what Tagline and exiftool say of it."""
    files = [path for path in corpus if path.suffix.lower() in (".jpg", ".jpeg")]
    run = subprocess.run(
        ["exiftool", "-j", "-n", "-G1", "-a", *map(str, files)], capture_output=True, check=False
    )
    pairs = []
    for path, theirs in zip(files, json.loads(run.stdout), strict=True):
        container = jpeg_read.read(BytesSource(path.read_bytes()))
        if container.problem is None:
            ours = exif.read(container.exif) if container.exif else ExifValues()
            pairs.append((path.name, container, ours, theirs))
    assert len(pairs) > 30
    return pairs


def shown(text):
    """A text as exiftool has it, blanks alone being nothing (cameras pad empty fields)."""
    return None if text is None or not str(text).strip() else str(text)


@pytest.mark.parametrize("field", sorted(TEXTS))
def test_texts(readable, field):
    """Texts are those of exiftool, outer blanks of names apart."""
    for name, _, ours, theirs in readable:
        expected, found = shown(theirs.get(TEXTS[field])), getattr(ours, field)
        assert (found and found.rstrip()) == (expected and expected.rstrip()), name


@pytest.mark.parametrize("field", sorted(DATES))
def test_dates(readable, field):
    """Dates with their fractions and offsets are those of exiftool, where they are dates."""
    tag, kind = DATES[field]
    for name, _, ours, theirs in readable:
        try:
            text = theirs.get(f"ExifIFD:{tag}", "")
            local = datetime.strptime(text, "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007
        except ValueError:
            assert getattr(ours, field) is None, name
            continue
        fraction = str(theirs.get(f"ExifIFD:SubSecTime{kind}", "")).strip()
        if fraction.isdigit():
            local = local.replace(microsecond=int(fraction[:6].ljust(6, "0")))
        found = getattr(ours, field)
        # exiftool prints a fraction as a number, so that leading zeros are lost in its JSON.
        assert found.local.replace(microsecond=0) == local.replace(microsecond=0), name
        assert bool(found.local.microsecond) == bool(local.microsecond), name
        offset = theirs.get(f"ExifIFD:OffsetTime{kind}", "")
        assert (found.offset_minutes is None) == (not str(offset).strip(" :")), name


def test_orientation_and_sizes(readable):
    """Orientation, where it is one, and pixel sizes are those of exiftool."""
    for name, container, ours, theirs in readable:
        orientation = theirs.get("IFD0:Orientation")
        assert ours.orientation == (orientation if orientation in range(1, 9) else None), name
        size = (theirs.get("File:ImageWidth"), theirs.get("File:ImageHeight"))
        assert (container.width, container.height) == size, name
        for field, tag in (("width", "ExifImageWidth"), ("height", "ExifImageHeight")):
            # Of several items (Kodak writes two) the first is the number of pixels.
            number = str(theirs.get(f"ExifIFD:{tag}", 0)).split()[0]
            assert (getattr(ours, field) or 0) == int(number), name


def test_positions(readable):
    """Positions are those that exiftool composes."""
    seen = 0
    for name, _, ours, theirs in readable:
        latitude = theirs.get("Composite:GPSLatitude")
        if latitude is None or "GPS:GPSLatitude" not in theirs:
            assert ours.gps is None, name
            continue
        seen += 1
        assert ours.gps is not None, name
        assert ours.gps.latitude == pytest.approx(latitude), name
        assert ours.gps.longitude == pytest.approx(theirs["Composite:GPSLongitude"]), name
        assert ours.gps.altitude == pytest.approx(theirs.get("Composite:GPSAltitude")), name
    assert seen
