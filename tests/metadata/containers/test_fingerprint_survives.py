"""Other programs' metadata edits leave the content fingerprint as it is."""

import subprocess
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tagline.metadata import fingerprint, registry
from tagline.metadata.registry import FORMATS
from tagline.model import BytesSource
from tests.metadata.containers.samples import SAMPLES
from tests.metadata.containers.samples_common import noise

LONG = "A new and much longer description, so that everything behind it has to move. " * 40

# exiftool does not write these, Exiv2 not those.
NOT_BY_EXIFTOOL = {"Sigma X3F"}
BY_EXIV2 = {"JPEG", "TIFF", "PNG", "WebP", "DNG", "Canon CR2", "Nikon NEF", "Sony ARW"}


def large(kind: str, frames: int = 1, **options: object) -> bytes:
    """Pictures large enough for the fingerprint to look at pieces only."""
    pictures = [Image.frombytes("RGB", (400, 300), noise(i, 360_000)) for i in range(frames)]
    more = {"save_all": True, "append_images": pictures[1:]} if frames > 1 else {}
    target = BytesIO()
    pictures[0].save(target, kind, **more, **options)  # type: ignore[arg-type]
    return target.getvalue()


def files() -> dict[str, bytes]:
    """Every format's sample, and larger pictures of several kinds."""
    made = {f"{row.name}.{row.extensions[0]}": SAMPLES[row.name](1) for row in FORMATS}
    return made | {
        "large.jpg": large("JPEG", quality=95),
        "large.png": large("PNG"),
        "frames.png": large("PNG", 3),
        "large.webp": large("WEBP", lossless=True),
        "frames.webp": large("WEBP", 3),
        "large.tif": large("TIFF"),
        "pages.tif": large("TIFF", 3, compression="tiff_lzw"),
        "frames.gif": large("GIF", 3),
        "large.avif": large("AVIF", quality=90),
    }


def mark_of(path: Path) -> str:
    """The fingerprint of a file on disk; it must not be that of a file not understood."""
    source = BytesSource(path.read_bytes())
    container = registry.read_container(source, path.name)
    assert container.image_data, container.problem
    return fingerprint.fingerprint(source, container.image_data)


def put(directory: Path, data: dict[str, bytes]) -> dict[str, tuple[bytes, str]]:
    """Write files; return each one's content and fingerprint."""
    for name, content in data.items():
        (directory / name).write_bytes(content)
    return {name: (content, mark_of(directory / name)) for name, content in data.items()}


@pytest.mark.needs("exiftool")
def test_exiftool_edits_leave_the_fingerprint(tmp_path: Path) -> None:
    """Description, keywords, caption and orientation by exiftool: changed file, same photo."""
    before = put(tmp_path, files())
    edits = [f"-ImageDescription={LONG}", f"-XMP-dc:Description={LONG}", "-XMP-dc:Subject=one"]
    edits += ["-XMP-dc:Subject=two", "-Orientation#=3", "-IPTC:Caption-Abstract=short"]
    command = ["exiftool", "-q", "-m", "-overwrite_original", *edits, str(tmp_path)]
    subprocess.run(command, capture_output=True, check=False, timeout=50)
    for name, (content, mark) in before.items():
        changed = (tmp_path / name).read_bytes() != content
        assert changed == (name.rpartition(".")[0] not in NOT_BY_EXIFTOOL), name
        assert mark_of(tmp_path / name) == mark, name


@pytest.mark.needs("exiv2")
def test_exiv2_edits_leave_the_fingerprint(tmp_path: Path) -> None:
    """Description and keywords by Exiv2: changed file, same photo."""
    chosen = {n: c for n, c in files().items() if n.rpartition(".")[0] in BY_EXIV2}
    before = put(tmp_path, chosen)
    edits = [f"-Mset Exif.Image.ImageDescription Ascii {LONG}"]
    edits += [f"-Mset Xmp.dc.description lang=x-default {LONG}", "-Mset Exif.Image.Orientation 3"]
    subprocess.run(
        ["exiv2", *edits, *(str(tmp_path / name) for name in before)],
        capture_output=True,
        check=False,
        timeout=50,
    )
    for name, (content, mark) in before.items():
        assert (tmp_path / name).read_bytes() != content, name
        assert mark_of(tmp_path / name) == mark, name


@pytest.mark.shared
@pytest.mark.needs("exiftool")
def test_exiftool_edits_of_real_files_leave_the_fingerprint(
    corpus: list[Path], tmp_path: Path
) -> None:
    """A description by exiftool in each real file that has image data: the same photo."""
    real = {f"{number}{path.suffix}": path.read_bytes() for number, path in enumerate(corpus)}
    understood = {
        name: content
        for name, content in real.items()
        if registry.read_container(BytesSource(content), name).image_data
    }
    before = put(tmp_path, understood)
    command = ["exiftool", "-q", "-m", "-overwrite_original", f"-ImageDescription={LONG}"]
    # It dies of some damaged files, and leaves those behind them undone: four groups.
    names = [str(tmp_path / name) for name in before]
    for group in (names[start::4] for start in range(4)):
        subprocess.run([*command, *group], capture_output=True, check=False, timeout=20)
    changed = 0
    for name, (content, mark) in before.items():
        changed += (tmp_path / name).read_bytes() != content
        assert mark_of(tmp_path / name) == mark, name
    assert changed > len(before) // 2
