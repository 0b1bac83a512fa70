"""The edit path on mutated files: unchanged, or proven and harmless by other eyes, or refused."""

import contextlib
import random
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO

import pytest
from PIL import Image

from benchmarks.losscheck import ALLOWED
from tagline.errors import EditRefused
from tagline.library import PhotoWriter, Target, Written, read_observed
from tagline.model import MetadataChange, Precondition
from tagline.storage import MemoryStorage
from tagline.sync import observe_photo
from tests.conftest import SHARED
from tests.fuzz.fuzzing import Failed, Input, inputs, mutated, within_limits
from tests.fuzz.test_fuzz_hostile import jpeg, segment
from tests.fuzz.test_fuzz_parsers import JSON, PACKET, blocks

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]

SHARE = 0.5 / 9
TEXTS = (None, "x", "Grossmutter am Meer", "Ünïcode 海 " * 9, "a\r\nb\tc <&>]]>", "long " * 1500)
JUDGED_EACH = 200
"""One accepted edit of so many is shown to the judge, which takes long."""


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
    said = [line.split(maxsplit=1) for line in done.stdout.splitlines()[:-1]]
    losses = [loss for loss in said if not loss[0].startswith("info-")]
    if losses or done.stderr:
        raise Failed(f"{name}: {losses or done.stderr}")


def edited(each: Input, files: Mapping[str, bytes]) -> tuple[bytes, Written]:
    """Edit the first file as the server does, but for the disk; its content, and what was done."""
    name = next(iter(files))
    text = each.draw.choice(TEXTS)
    storage = MemoryStorage(files)
    before = read_observed(storage, observe_photo(storage, name))
    change = MetadataChange(description=text)
    target = Target(object_key=name)
    copies = 6 * sum(map(len, files.values()))
    written = within_limits(
        each.name,
        lambda: PhotoWriter(storage).edit(target, change, Precondition()),
        copies=copies,
    )
    after = read_observed(storage, observe_photo(storage, name))
    assert after.photo.metadata.description == text
    assert after.fingerprint == before.fingerprint
    kept = ("width", "height", "orientation", "make", "model", "lens", "gps", "taken_at")
    assert [getattr(after.photo, k) for k in kept] == [getattr(before.photo, k) for k in kept]
    with storage.open(name) as opened:
        data = opened.read_at(0, opened.size)
    assert written.not_embedded is None or data == files[name]
    return data, written


@pytest.mark.parametrize(
    ("extension", "name"),
    [("jpg", "a.jpg"), ("png", "a.png"), ("webp", "a.webp"), ("tif", "a.tif"), ("", "a.heic")],
)
def test_photos_are_edited_harmlessly_or_not_at_all(files, tmp_path, extension, name):
    """The edited file shows the text, and Pillow and the judge see the picture that was there."""
    accepted = 0

    def work(each: Input) -> None:
        nonlocal accepted
        files = {name: each.data}
        if each.draw.randrange(4) == 0:
            files |= {f"{name}.xmp": PACKET, f"{name}.json": JSON}
        after, _ = edited(each, files)
        if after == each.data:
            return
        accepted += 1
        before = pixels(each.data)
        if before is not None and pixels(after) != before:
            raise Failed(f"{each.name}: other pixels")
        if each.data.startswith(b"\xff\xd8") and image_bytes(after) != image_bytes(each.data):
            raise Failed(f"{each.name}: other image data")
        if accepted % JUDGED_EACH == 1 and before is not None:
            judged(each.name, each.data, after, tmp_path)

    for number, data in enumerate(files[extension]):
        with contextlib.suppress(EditRefused):
            work(Input(f"whole {number}", data, random.Random(number)))
    assert accepted > 0, "no whole file took the text, so damaged ones would prove nothing"
    run(f"edit {extension or 'any'}", files[extension], work)


@pytest.mark.parametrize(
    ("kind", "marker", "head"),
    [
        ("exif", 0xE1, b"Exif\0\0"),
        ("xmp", 0xE1, b"http://ns.adobe.com/xap/1.0/\0"),
        ("iptc", 0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0"),
    ],
)
def test_mutated_blocks_are_edited_or_refused(files, kind, marker, head):
    """A photo whose picture is whole and whose block is not keeps its picture."""
    whole = jpeg()

    def work(each: Input) -> None:
        block = each.data[:60_000]
        if kind == "iptc":
            block = len(block).to_bytes(4, "big") + block + b"\0" * (len(block) & 1)
        data = whole[:2] + segment(marker, head + block) + whole[2:]
        after, _ = edited(each, {"a.jpg": data})
        assert image_bytes(after) == image_bytes(whole)

    originals = blocks(files, kind)
    run(f"edit {kind}", [PACKET, *originals] if kind == "xmp" else originals, work)


def test_mutated_sidecars_are_edited_or_refused():
    """A photo that cannot be edited shows the text by its sidecars, whatever they held."""

    def work(each: Input) -> None:
        half = len(each.data) // 2
        data = {"a.gif": b"GIF89a", "a.gif.xmp": each.data, "a.gif.json": JSON}
        if each.draw.randrange(2):
            data = {"a.gif": b"GIF89a", "a.gif.json": each.data, "a.gif.xmp": PACKET[:half]}
        edited(each, data)

    run("edit sidecars", [PACKET, JSON], work)


def test_the_mutator_gives_the_same_again(files):
    """The name of an input is enough to get its bytes again."""
    one, two = (mutated(random.Random("0/x/1"), files["jpg"]) for _ in range(2))
    assert one == two
