"""What exiftool sees of each field, in every tag, and through the eyes of MWG."""

import json
import shutil
import subprocess

import pytest

from benchmarks.judging import run_judge
from tagline.library import PhotoWriter, Target
from tagline.model import MetadataChange, Precondition
from tagline.storage import LocalStorage

SEEN = {
    "description": {
        "XMP:Description": "Großmutter & Enkel",
        "EXIF:ImageDescription": "Großmutter & Enkel",
    },
    "title": {"XMP:Title": "Ein <Täufling>"},
    "keywords": {"XMP:Subject": ["zwei ä", "sea"]},
    "rating": {"XMP:Rating": 5},
    "taken_at": {
        "EXIF:DateTimeOriginal": "2019:07:05 10:00:00",
        "EXIF:OffsetTimeOriginal": "+02:00",
        "XMP:DateCreated": "2019:07:05 10:00:00.25+02:00",
    },
}
SEEN_WHERE_THERE = {
    "description": {"IPTC:Caption-Abstract": "Großmutter & Enkel"},
    "title": {"IPTC:ObjectName": "Ein <Täufling>", "EXIF:XPTitle": "Ein <Täufling>"},
    "keywords": {
        "IPTC:Keywords": ["zwei ä", "sea"],
        "EXIF:XPKeywords": "zwei ä;sea",
        "XMP:HierarchicalSubject": ["Places|sea", "Places|land"],
    },
    "rating": {"EXIF:Rating": 5, "EXIF:RatingPercent": 99, "XMP:RatingPercent": 99},
    "taken_at": {
        "XMP:DateTimeOriginal": "2019:07:05 10:00:00.25+02:00",
        "IPTC:DateCreated": "2019:07:05",
        "IPTC:TimeCreated": "10:00:00+02:00",
    },
}
MWG = {
    "description": ("Description", "Großmutter & Enkel"),
    "keywords": ("Keywords", ["zwei ä", "sea"]),
    "rating": ("Rating", 5),
    "taken_at": ("DateTimeOriginal", "2019:07:05 10:00:00.25+02:00"),
}
# What a field's edit may change, as the independent judge names it.
ALLOWED = {
    "title": ["XMP-dc:Title", "ObjectName", "XPTitle"],
    "keywords": ["XMP-dc:Subject", "Keywords", "XPKeywords", "XMP-lr:HierarchicalSubject"],
    "rating": ["XMP-xmp:Rating", "Rating", "RatingPercent", "XMP-microsoft:RatingPercent"],
    "taken_at": [
        *("DateTimeOriginal", "SubSecTimeOriginal", "OffsetTimeOriginal", "DateCreated"),
        *("TimeCreated", "XMP-photoshop:DateCreated", "XMP-exif:DateTimeOriginal"),
    ],
}
pytestmark = pytest.mark.needs("exiftool")


def exiftool(path, *options):
    """What exiftool says of a file."""
    command = ["exiftool", "-j", "-G0", "-n", "-struct", "-api", "charset=utf8", *options]
    done = subprocess.run([*command, str(path)], capture_output=True, check=True)
    return json.loads(done.stdout)[0]


def test_exiftool_sees_the_value_in_every_tag(make_desk, field, values, tmp_path):
    """A JPEG that had the field everywhere says the new value everywhere."""
    desk = make_desk("full.jpg")
    desk.edit(**{field: values[0]})
    path = tmp_path / "a.jpg"
    path.write_bytes(desk.data)
    said = exiftool(path)
    if field == "description":
        # There was no caption before; IPTC that is there gets one.
        assert said["IPTC:Caption-Abstract"] == values[0]
    wanted = SEEN[field] | SEEN_WHERE_THERE[field]
    assert {name: said.get(name) for name in wanted} == wanted
    assert "ExifTool:Warning" not in said


def test_exiftool_sees_the_value_where_nothing_was(make_desk, field, values, tmp_path):
    """A JPEG without metadata gets the few tags that every reader looks at, and no more."""
    desk = make_desk("plain.jpg")
    desk.edit(**{field: values[0]})
    path = tmp_path / "a.jpg"
    path.write_bytes(desk.data)
    said = exiftool(path)
    assert {name: said.get(name) for name in SEEN[field]} == SEEN[field]
    assert not any(name in said for name in SEEN_WHERE_THERE[field])
    assert "ExifTool:Warning" not in said


@pytest.mark.parametrize("name", ["plain.jpg", "full.jpg"])
def test_mwg_readers_see_the_value(make_desk, all_values, name, tmp_path):
    """A reader that goes by MWG's rules shows each new value."""
    desk = make_desk(name)
    desk.edit(**{field: pair[0] for field, pair in all_values.items()})
    path = tmp_path / "a.jpg"
    path.write_bytes(desk.data)
    said = exiftool(path, "-use", "MWG", "-MWG:all")
    assert {n: said.get(f"Composite:{n}") for n, _ in MWG.values()} == dict(MWG.values())


def test_exiftool_sees_the_value_in_sidecars(make_desk, field, values, tmp_path):
    """Beside a GIF the XMP sidecar says the field."""
    desk = make_desk("plain.gif")
    desk.edit(**{field: values[0]})
    path = tmp_path / "a.gif.xmp"
    path.write_bytes(desk.sidecars.xmp.data)
    said = exiftool(path)
    wanted = {name: value for name, value in SEEN[field].items() if name.startswith("XMP:")}
    assert {name: said.get(name) for name in wanted} == wanted


@pytest.mark.shared
@pytest.mark.timeout(120)
@pytest.mark.parametrize("field", ALLOWED)
def test_no_file_of_the_corpus_is_harmed_by_a_field(shared, corpus, field, values, tmp_path):
    """The independent judge finds nothing changed but the field's own tags."""
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    storage = LocalStorage(after)
    for number, path in enumerate(corpus):
        name = f"{number:02d}{path.suffix}"
        if path.suffix == ".webp":
            continue  # the judge takes the flag of a new XMP chunk for a loss
        shutil.copy(path, before / name)
        shutil.copyfile(path, after / name)
        change = MetadataChange(**{field: values[0]})
        PhotoWriter(storage).edit(Target(object_key=name), change, Precondition())
        if (after / name).read_bytes() == path.read_bytes():
            (after / name).unlink()
    asked = ("-v", "--allow", "seg:XMP", "seg:IPTC", "CodedCharacterSet", "IPTCDigest")
    told = run_judge(shared / "losscheck", before, after, *asked, *ALLOWED[field])
    given = {path.name for path in before.iterdir()}
    judged = len([path for path in after.iterdir() if path.name in given])
    assert judged > len(given) // 2
    assert f"written and clean {judged} | written with some loss 0 " in told, told
