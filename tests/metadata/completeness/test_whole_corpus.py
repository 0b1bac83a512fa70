"""Real files by other people's cameras and programs: whole but for those known to be cut."""

import random
from pathlib import Path

import pytest

from tagline.metadata import is_photo, why_incomplete, why_incomplete_sidecar
from tagline.model import BytesSource

pytestmark = pytest.mark.shared

CUT = {"1-string-format.jpg", "m1-2743db7c68f091ddc61dcd582febff2d.tif"}
"""A stub of 65 bytes without an image; a directory whose values lie behind the file's end."""

# Behind the small image of these stands much that says nothing of itself: junk, or a preview.
SILENT = {"AFCP.jpg", "Nikon E5000.jpg", "Minolta DiMAGE S404.jpg"}


def test_real_photos_are_whole_but_for_the_cut_ones(corpus: list[Path]) -> None:
    """No whole file is taken for one that is still being written."""
    files = {path.name: path.read_bytes() for path in corpus if is_photo(path.name)}
    found = {name for name, data in files.items() if why_incomplete(BytesSource(data), name)}
    assert found <= CUT


def test_real_photos_with_a_part_missing_are_incomplete(corpus: list[Path]) -> None:
    """Whole photos that are cut to any length are told."""
    draw = random.Random(7)
    for path in corpus:
        if not is_photo(path.name) or path.name in CUT | SILENT:
            continue
        data = path.read_bytes()
        for share in (0.05, 0.3, 2 / 3, 0.9, draw.random()):
            part = data[: int(len(data) * share)]
            assert why_incomplete(BytesSource(part), path.name) is not None, (path.name, share)


def test_real_sidecars_are_whole(shared: Path) -> None:
    """Sidecars of other programs, well formed or not, are all there."""
    paths = [*(shared / "cases").rglob("*.json"), *(shared / "cases").rglob("*.xmp")]
    for path in paths:
        assert why_incomplete_sidecar(path.name, path.read_bytes()) is None, path.name
