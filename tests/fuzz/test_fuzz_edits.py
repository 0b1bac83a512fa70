"""The edit path on mutated files: unchanged, or proven and harmless by other eyes, or refused."""

import random
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Sequence
from io import BytesIO

import pytest
from PIL import Image

from tagline.errors import EditRefused
from tagline.metadata import (
    EditRequest,
    SidecarFile,
    SidecarFiles,
    edit_description,
    exif,
    exif_edit,
    iptc,
    iptc_edit,
    read_photo,
    sidecar_json,
    sidecar_xmp,
    xmp,
    xmp_edit,
)
from tagline.metadata.proof_exif import prove_block
from tagline.metadata.values import JsonSidecarValues
from tagline.model import BytesSource
from tests.conftest import SHARED
from tests.fuzz.fuzzing import Failed, Input, inputs, mutated, within_limits
from tests.fuzz.test_fuzz_parsers import JSON, PACKET, blocks

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]

SHARE = 0.5 / 8
TEXTS = (None, "x", "Grossmutter am Meer", "Ünïcode 海 " * 9, "a\r\nb\tc <&>]]>", "long " * 1500)
FINGERPRINT = "1:" + "0" * 32
JUDGED_EACH = 200
"""One accepted edit of so many is shown to the judge, which takes long."""
ALLOWED = (
    *("seg:XMP", "seg:IPTC", "XMP-dc:Description", "XMP-tiff:ImageDescription"),
    *(
        "chunk:iTXt",
        "Caption-Abstract",
        "CodedCharacterSet",
        "IPTCDigest",
        "UserComment",
        "XPComment",
    ),
)


def run(target: str, originals: Sequence[bytes], work: Callable[[Input], object]) -> None:
    """Give the work mutated originals; a refusal is fine, any other error a failure."""
    for each in inputs(target, originals, SHARE):
        try:
            work(each)
        except EditRefused:
            continue
        except Exception as error:
            error.add_note(f"input {each.name}, {len(each.data)} bytes")
            raise


def pixels(data: bytes) -> object:
    """What Pillow decodes, or None; its complaints about mutated files are no matter here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(BytesIO(data)) as image:
                if image.width * image.height > 4_000_000:
                    return image.size
                return image.size, image.mode, image.tobytes()
        except Exception:  # noqa: BLE001 - Pillow raises whatever it meets
            return None


def image_bytes(data: bytes) -> bytes:
    """All of a JPEG from its first scan on, found without Tagline's code."""
    at = 2
    while data[at + 1] != 0xDA or data[at] != 0xFF:
        at += 1 if data[at + 1] == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return data[at:]


def judged(name: str, before: bytes, after: bytes, directory) -> None:
    """Ask the independent judge, where it is."""
    tool = SHARED / "losscheck" / "compare.py"
    if not tool.exists() or shutil.which("exiftool") is None:
        return
    paths = [directory / "before.jpg", directory / "after.jpg"]
    for path, data in zip(paths, (before, after), strict=True):
        path.write_bytes(data)
    command = [sys.executable, str(tool), *map(str, paths), "--allow", *ALLOWED]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    losses = done.stdout.splitlines()[:-1]
    # The judge knows no way to say that a WebP's XMP may change.
    losses = [loss for loss in losses if loss.split() != ["chunk-lost", "XMP"]]
    if losses or done.stderr:
        raise Failed(f"{name}: {losses or done.stderr}")


def edit_photo(each: Input, name: str) -> bytes | None:
    """Edit as the library does; the photo's new content, None where it stays."""
    sidecars = SidecarFiles()
    if each.draw.randrange(4) == 0:
        sidecars = SidecarFiles(
            xmp=SidecarFile(name=f"{name}.xmp", data=PACKET),
            json=SidecarFile(name=f"{name}.json", data=JSON),
        )
    text = each.draw.choice(TEXTS)
    source = BytesSource(each.data)
    reading = within_limits(each.name, lambda: read_photo(source, name, sidecars))
    request = EditRequest(
        name=name, source=source, reading=reading, sidecars=sidecars, text=text, data=each.data
    )
    edit = within_limits(each.name, lambda: edit_description(request))
    assert edit.photo != each.data
    if edit.photo is not None:
        assert edit.not_embedded is None
        after = read_photo(BytesSource(edit.photo), name, SidecarFiles())
        assert (after.description, after.fingerprint) == (text, reading.fingerprint)
        kept = ("width", "height", "orientation", "taken", "make", "model", "lens", "gps")
        assert all(getattr(after, k) == getattr(reading, k) for k in kept) or sidecars.json
    return edit.photo


@pytest.mark.parametrize(
    ("extension", "name"),
    [("jpg", "a.jpg"), ("png", "a.png"), ("webp", "a.webp"), ("tif", "a.tif"), ("", "a.heic")],
)
def test_photos_are_edited_harmlessly_or_not_at_all(files, tmp_path, extension, name):
    """The edited file shows the text, and Pillow and the judge see the picture that was there."""
    accepted = 0

    def work(each: Input) -> None:
        nonlocal accepted
        after = edit_photo(each, name)
        if after is None:
            return
        accepted += 1
        before = pixels(each.data)
        if before is not None and pixels(after) != before:
            raise Failed(f"{each.name}: other pixels")
        if each.data.startswith(b"\xff\xd8") and image_bytes(after) != image_bytes(each.data):
            raise Failed(f"{each.name}: other image data")
        if accepted % JUDGED_EACH == 1 and before is not None:
            judged(each.name, each.data, after, tmp_path)

    run(f"edit {extension or 'any'}", files[extension], work)


def test_exif_blocks_are_edited_or_refused(files):
    """An edited EXIF block that passes the proof reads back, every other value as it was."""

    def work(each: Input) -> None:
        text = each.draw.choice(TEXTS[1:])
        room = each.draw.choice((len(each.data), 65527))
        before = exif.read(each.data)
        after = within_limits(each.name, lambda: exif_edit.edit_block(each.data, text, room=room))
        assert len(after) <= max(room, len(each.data))
        prove_block(each.data, after, text, rest=(b"", b""))
        now = exif.read(after)
        assert now.description == text
        kept = ("make", "model", "lens", "orientation", "taken_at", "digitized_at", "gps")
        assert [getattr(now, k) for k in kept] == [getattr(before, k) for k in kept]

    run("edit exif", blocks(files, "exif"), work)


def test_xmp_and_sidecars_are_edited_or_refused(files):
    """An edited packet or sidecar reads back; with its own text it is left as it is."""

    def work(each: Input) -> None:
        text = each.draw.choice(TEXTS[1:])
        after = within_limits(each.name, lambda: xmp_edit.edit(each.data, text))
        assert after is not None
        assert xmp.read(after).description == text
        assert xmp_edit.edit(after, text) == after
        sidecar = sidecar_xmp.write(each.data, description=text, fingerprint=FINGERPRINT)
        assert sidecar is not None
        assert sidecar_xmp.read(sidecar).description == text

    run("edit xmp", [PACKET, *blocks(files, "xmp")], work)


def test_iptc_and_json_are_edited_or_refused(files):
    """Edited IPTC and JSON read back."""

    def work(each: Input) -> None:
        text = each.draw.choice(TEXTS[1:3])
        app13 = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + len(each.data).to_bytes(4, "big")
        payload = app13 + each.data + b"\0" * (len(each.data) & 1)
        values = JsonSidecarValues(
            title="a", description=text, taken_timestamp=1, fingerprint=FINGERPRINT
        )
        made = sidecar_json.write(each.data, values)
        read = sidecar_json.read(made)
        assert read is not None
        assert read.description == text
        after = within_limits(each.name, lambda: iptc_edit.edit_app13(payload, text))
        assert text.encode() in after
        assert iptc.read(after) is not None

    run("edit iptc", [JSON, *blocks(files, "iptc")], work)


def test_the_mutator_gives_the_same_again(files):
    """The name of an input is enough to get its bytes again."""
    one, two = (mutated(random.Random("0/x/1"), files["jpg"]) for _ in range(2))
    assert one == two
