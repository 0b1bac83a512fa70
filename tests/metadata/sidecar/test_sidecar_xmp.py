"""XMP sidecars: Tagline's own, and those of other programs."""

import subprocess
from pathlib import Path

import pytest

from tagline.errors import EditRefused
from tagline.metadata import sidecar_xmp, xmp_compare
from tagline.metadata import xmp_names as names

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.xmp"))
TEXTS = (names.DC_DESCRIPTION, names.TIFF_DESCRIPTION)
FOREIGN = pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)


def written(old: bytes | None, text: str | None, fingerprint: str = "1:aa") -> bytes:
    """The sidecar after a change that leaves one."""
    data = sidecar_xmp.write(old, description=text, fingerprint=fingerprint)
    assert data is not None
    return data


def lines_changed(before: bytes, after: bytes) -> int:
    """How many lines are not the same line any more, or are new."""
    return len(set(after.splitlines()) - set(before.splitlines()))


def test_a_new_sidecar_says_everything() -> None:
    """A sidecar made from nothing has both descriptions and the fingerprint, and no padding."""
    values = sidecar_xmp.read(written(None, "Grüße\n<2>"))
    assert values.description == values.tiff_description == "Grüße\n<2>"
    assert values.fingerprint == "1:aa"
    assert len(written(None, "x")) < 800


def test_an_own_sidecar_is_updated_and_goes_when_emptied() -> None:
    """Text and fingerprint follow, equal content comes back equal, and emptying leaves nothing."""
    first = written(None, "one")
    assert written(first, "one") == first
    second = written(first, "two", "1:bb")
    assert sidecar_xmp.read(second).description == "two"
    assert sidecar_xmp.read(second).tiff_description == "two"
    assert sidecar_xmp.read(second).fingerprint == "1:bb"
    assert sidecar_xmp.write(second, description=None, fingerprint="1:bb") is None
    assert sidecar_xmp.write(None, description="", fingerprint="1:bb") is None


def test_an_own_sidecar_that_others_wrote_into_stays() -> None:
    """Emptying a sidecar of Tagline's keeps what another program has put there."""
    rating = b'<xmp:Rating xmlns:xmp="http://ns.adobe.com/xap/1.0/">5</xmp:Rating>'
    data = written(None, "x").replace(b"  </rdf:Description>", rating + b"</rdf:Description>")
    kept = written(data, None)
    assert set(xmp_compare.properties(kept)) == {
        "http://ns.adobe.com/xap/1.0/ Rating",
        names.FINGERPRINT,
    }


@FOREIGN
def test_foreign_sidecars_keep_everything_else(sample: Path) -> None:
    """History, ratings, regions and layout stay; only the description's own lines change."""
    before = sample.read_bytes()
    after = written(before, "Neuer Text & mehr")
    values = sidecar_xmp.read(after)
    assert values.description == values.tiff_description == "Neuer Text & mehr"
    assert values.fingerprint is None
    assert xmp_compare.differences(before, after, TEXTS) == ()
    assert lines_changed(before, after) <= 3
    assert written(after, "Neuer Text & mehr") == after


@FOREIGN
def test_foreign_sidecars_survive_emptying(sample: Path) -> None:
    """Emptying another program's sidecar takes the text away and nothing else."""
    before = sample.read_bytes()
    gone = written(written(before, "text"), None)
    assert sidecar_xmp.read(gone).description is None
    assert sidecar_xmp.read(gone).tiff_description is None
    assert xmp_compare.differences(before, gone, TEXTS) == ()
    assert lines_changed(before, gone) == 0


def test_a_foreign_sidecar_without_description_is_restored_to_the_byte() -> None:
    """Darktable's sidecar, described and emptied again, is what darktable wrote."""
    before = (Path(__file__).parent / "samples" / "darktable.xmp").read_bytes()
    assert written(written(before, "text"), None) == before


@pytest.mark.parametrize("data", [b"{}", b"<a>", "<a/>".encode("utf-16"), b"\xff\xd8\xff"])
def test_what_is_no_xmp_is_never_overwritten(data: bytes) -> None:
    """A file that merely has the name of a sidecar is refused, not replaced."""
    with pytest.raises(EditRefused):
        sidecar_xmp.write(data, description="x", fingerprint="1:aa")


def test_texts_that_xml_cannot_hold_are_refused() -> None:
    """A control character is named in the refusal."""
    with pytest.raises(EditRefused, match=r"U\+0007"):
        sidecar_xmp.write(None, description="ring\a", fingerprint="1:aa")


@pytest.mark.needs("exiftool")
def test_exiftool_reads_what_was_written(tmp_path: Path) -> None:
    """Exiftool shows both descriptions of every sidecar, and finds nothing to warn about."""
    for sample in [None, *SAMPLES]:
        old = sample.read_bytes() if sample else None
        (tmp_path / f"{sample.stem if sample else 'new'}.xmp").write_bytes(written(old, "Köln <&>"))
    command = ["exiftool", "-charset", "UTF8", "-s3", "-q", "-XMP-dc:Description"]
    command += ["-XMP-tiff:ImageDescription", "-Warning", str(tmp_path)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert shown.splitlines() == ["Köln <&>"] * 2 * (len(SAMPLES) + 1)
