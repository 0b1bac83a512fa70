"""No loss in any real file or sample, judged by losscheck, exiftool, exiv2 and ImageMagick."""

import json
import subprocess

import pytest

from benchmarks.judging import run_judge
from tagline.errors import EditRefused
from tests.metadata.embed.samples_embed import EDITORS, SAMPLES, kind_of, shown

TOOLS = ("exiftool", "exiv2", "identify")
pytestmark = [
    pytest.mark.shared,
    pytest.mark.timeout(300),
    pytest.mark.needs(*TOOLS),
]

TEXT = 'Großmutter & Enkel <1932> 日本 "quoted"'
# What writing a description is meant to change (losscheck's README), and PNG's chunk of XMP.
ALLOWED = (
    *("seg:XMP", "seg:IPTC", "XMP-dc:Description", "XMP-tiff:ImageDescription"),
    *("Caption-Abstract", "CodedCharacterSet", "IPTCDigest", "UserComment", "XPComment"),
    "chunk:iTXt",
)
SUFFIXES = {".png": "png", ".webp": "webp", ".tif": "tif", ".tiff": "tif"}
MOST_REFUSED = 3


@pytest.fixture(scope="module")
def written(corpus, tmp_path_factory):
    """Pairs of each real file or sample that takes the text, and its edited copy."""
    before, after = (tmp_path_factory.mktemp(name) for name in ("before", "after"))
    files = [(SUFFIXES[p.suffix], p.name, p.read_bytes()) for p in corpus if p.suffix in SUFFIXES]
    files += [(kind_of(name), f"{name}.{kind_of(name)}", SAMPLES[name]) for name in SAMPLES]
    pairs, refused = [], []
    for number, (kind, name, data) in enumerate(files):
        old = next(filter(None, shown(kind, data).values()), None)
        try:
            new = EDITORS[kind](data, TEXT, old)
        except EditRefused as error:
            refused.append((name, error.reason))
            continue
        pair = tuple(directory / f"{number}-{name}" for directory in (before, after))
        for path, content in zip(pair, (data, new), strict=True):
            path.write_bytes(content)
        pairs.append(pair)
    assert len(refused) <= MOST_REFUSED, refused
    return pairs


def test_nothing_is_lost(written, shared, tmp_path):
    """Chunks, strips, pages, trailing bytes, every tag and the decoded pixels are the same."""
    report = tmp_path / "report.json"
    before, after = (path.parent for path in written[0])
    asked = ("--expect", TEXT, "--json", report, "--allow", *ALLOWED)
    run_judge(shared / "losscheck", before, after, *asked, cache=tmp_path)
    found = json.loads(report.read_text())
    assert len(found) == len(written)
    for name, items in found.items():
        losses = [i for i in items if not i[0].startswith("info-")]
        assert losses == [], name


def test_exiftool_shows_the_text(written):
    """EXIF and XMP show the text, and exiftool has nothing to warn of that it had not before."""
    shows = []
    for column in (0, 1):
        files = [str(pair[column]) for pair in written]
        run = subprocess.run(
            ["exiftool", "-j", "-G1", *files],
            capture_output=True,
            check=False,
        )
        shows.append(json.loads(run.stdout))
    for (_, after), old, new in zip(written, *shows, strict=True):
        assert new["IFD0:ImageDescription"] == TEXT, after.name
        assert after.suffix == ".webp" or new["XMP-dc:Description"] == TEXT, after.name
        assert new.get("ExifTool:Warning") == old.get("ExifTool:Warning"), after.name


def test_exiv2_shows_the_text(written):
    """Exiv2 finds it in both places, in WebP in EXIF."""
    keys = ("Exif.Image.ImageDescription", "Xmp.dc.description")
    for _, after in written:
        command = ["exiv2", "-q", *(word for key in keys for word in ("-K", key)), "pr", after]
        run = subprocess.run(command, capture_output=True, check=False, text=True)
        assert run.stdout.count(TEXT) == 1 + (after.suffix != ".webp"), (
            after.name,
            run.stdout,
            run.stderr,
        )


def test_imagemagick_sees_the_same_pixels(written):
    """ImageMagick's signature of every frame or page is what it was, where it can make one."""
    for pair in written:
        seen = [
            subprocess.run(
                ["identify", "-quiet", "-format", "%m %wx%h %#\n", path],
                capture_output=True,
                check=False,
            )
            for path in pair
        ]
        assert seen[0].stdout == seen[1].stdout, pair[1].name
        assert seen[0].returncode == seen[1].returncode, pair[1].name
