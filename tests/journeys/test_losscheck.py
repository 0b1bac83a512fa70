"""The independent judge over the whole corpus: no loss, or the file was left alone."""

import json
import shutil
from pathlib import Path

import pytest

from benchmarks.judging import run_judge
from tagline.library import PhotoWriter, Target, read_observed
from tagline.model import MetadataChange, Precondition
from tagline.storage import LocalStorage
from tagline.sync import observe_photo
from tests.machine import program

TEXT = "Grossmutter am Meer, by losscheck"
# What a synced description changes besides EXIF ImageDescription, as the judge's README lists it.
ALLOWED = ["seg:XMP", "seg:IPTC", "XMP-dc:Description", "XMP-tiff:ImageDescription"]
ALLOWED += ["Caption-Abstract", "CodedCharacterSet", "IPTCDigest", "UserComment", "XPComment"]


@pytest.fixture(scope="module")
def described(shared: Path, corpus: list[Path], tmp_path_factory) -> tuple[Path, Path, list[str]]:
    """The corpus before and after, files that were left alone taken out of the second."""
    program("exiftool")
    before = tmp_path_factory.mktemp("before")
    after = tmp_path_factory.mktemp("after")
    left_alone = []
    for number, path in enumerate(corpus):
        name = f"{number:02d}{path.suffix}"
        shutil.copy(path, before / name)
        shutil.copyfile(path, after / name)
        storage = LocalStorage(after)
        change = MetadataChange(description=TEXT)
        written = PhotoWriter(storage).edit(Target(object_key=name), change, Precondition())
        photo = read_observed(storage, observe_photo(storage, name)).photo
        assert photo.metadata.description == TEXT
        if (after / name).read_bytes() == path.read_bytes():
            left_alone.append(name)
            assert written.not_embedded
            assert (after / f"{name}.xmp").exists()
            assert json.loads((after / f"{name}.json").read_bytes())["description"] == TEXT
            (after / name).unlink()
    return before, after, left_alone


@pytest.mark.shared
@pytest.mark.timeout(300)
def test_no_file_of_the_corpus_is_harmed(shared, described):
    """Losscheck finds no loss in any file that was edited."""
    before, after, _ = described
    asked = ("--expect", TEXT, "-v", "--allow", *ALLOWED)
    told = run_judge(shared / "losscheck", before, after, *asked)
    given = {path.name for path in before.iterdir()}
    judged = len([path for path in after.iterdir() if path.name in given])
    assert judged > len(given) // 2
    assert f"written and clean {judged} | written with some loss 0 " in told, told


@pytest.mark.shared
def test_most_jpegs_are_edited_in_place(corpus, described):
    """The files left alone are those that cannot be edited, not merely a safe excuse."""
    _, _, left_alone = described
    jpegs = [path for path in corpus if path.suffix.lower() == ".jpg"]
    refused = [name for name in left_alone if name.lower().endswith(".jpg")]
    assert len(refused) <= len(jpegs) // 3
