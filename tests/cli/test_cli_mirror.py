"""The command line over photos whose sidecars lie apart."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image


class Apart:
    """Photos that are never written, and their sidecars; ``tagline`` with these settings."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.photos, self.sidecars = directory / "photos", directory / "sidecars"
        for made in (self.photos / "x", self.sidecars):
            made.mkdir(parents=True)
        Image.new("RGB", (16, 12), "red").save(self.photos / "x" / "a.jpg")
        Image.new("RGB", (16, 12), "blue").save(self.photos / "b.gif")
        self.environment = {
            "PATH": os.environ["PATH"],
            "TAGLINE_SETTLE_SECONDS": "0",
            "HOME": str(directory / "home"),
            "PHOTO_STORAGE_PATH": str(self.photos),
            "TAGLINE_SIDECAR_PATH": str(self.sidecars),
            "TAGLINE_WRITE_MODE": "sidecar",
        }

    def run(self, *arguments: str | Path, code: int = 0) -> str:
        """What it prints; it has to end with this code."""
        done = subprocess.run(
            [sys.executable, "-m", "tagline", *map(str, arguments)],
            env=self.environment,
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == code, done
        return done.stdout + done.stderr

    def mirrored(self) -> set[str]:
        """The sidecars by key."""
        found = (p for p in self.sidecars.rglob("*") if p.is_file() and p.name[0] != ".")
        return {p.relative_to(self.sidecars).as_posix() for p in found}


@pytest.fixture
def apart(tmp_path: Path) -> Apart:
    """Photos and their sidecars in two directories."""
    return Apart(tmp_path)


def test_single_files_are_described_and_shown_apart(apart):
    """``describe``, ``edit`` and ``show`` use the mirror for photos below the photo directory."""
    before = {p: p.read_bytes() for p in apart.photos.rglob("*.*")}
    apart.run("describe", "photos/x/a.jpg", apart.photos / "b.gif", "at sea")
    assert apart.mirrored() == {"x/a.jpg.json", "x/a.jpg.xmp", "b.gif.json", "b.gif.xmp"}
    apart.run("edit", "photos/x/a.jpg", "--title", "T")
    said = json.loads(apart.run("show", "--json", "photos/x/a.jpg"))
    assert (said["metadata"]["description"], said["metadata"]["title"]) == ("at sea", "T")
    assert said["writable"]
    assert {p: p.read_bytes() for p in apart.photos.rglob("*.*")} == before
    elsewhere = apart.directory / "c.gif"
    Image.new("RGB", (16, 12), "green").save(elsewhere)
    apart.run("describe", elsewhere, "beside")
    assert elsewhere.with_name("c.gif.json").is_file()


def test_scan_and_verify_see_both(apart):
    """An index of photos with sidecars apart agrees with the disk, and finds strays in the mirror.

    Repairing moves them within the mirror.
    """
    apart.run("describe", "photos/x/a.jpg", "photos/b.gif", "at sea")
    assert "2 photos: 2 new" in apart.run("scan")
    assert "everything agrees" in apart.run("verify")
    (apart.photos / "b.gif").rename(apart.photos / "x" / "z.gif")
    assert "2 photos: 0 new, 1 changed, 0 gone, 1 as they were" in apart.run("scan")
    assert "sidecar without photo: b.gif.json" in apart.run("verify", code=1)
    apart.run("verify", "--repair", "--yes")
    assert apart.mirrored() == {"x/a.jpg.json", "x/a.jpg.xmp", "x/z.gif.json", "x/z.gif.xmp"}
    apart.run("scan")
    assert "everything agrees" in apart.run("verify")
    said = json.loads(apart.run("show", "--json", "photos/x/z.gif"))
    assert said["metadata"]["description"] == "at sea"


def test_news_beneath_the_mirror_are_told(apart):
    """What another program writes beside a photo after Tagline did so apart is not passed over."""
    beside = apart.photos / "b.gif.json"
    beside.write_text('{"title": "b.gif", "description": "theirs, before"}')
    apart.run("describe", "photos/b.gif", "ours")
    assert "hidden sidecar" not in apart.run("verify")
    beside.write_text('{"title": "b.gif", "description": "theirs, restored"}')
    os.utime(beside, (1, 1))
    assert "hidden sidecar: b.gif.json: Changed beside the photo" in apart.run("verify", code=1)
    beside.write_text('{"title": "b.gif", "description": "theirs, later"}')
    assert "hidden sidecar: b.gif.json: Changed beside the photo" in apart.run("verify", code=1)
    (apart.sidecars / "b.gif.json").unlink()
    (apart.sidecars / "b.gif.xmp").unlink()
    said = json.loads(apart.run("show", "--json", "photos/b.gif"))
    assert said["metadata"]["description"] == "theirs, later"


def test_an_emptied_mirror_stops_a_scan(apart):
    """A scan does not take the descriptions out of the index when their disk is not mounted."""
    apart.run("describe", "photos/x/a.jpg", "at sea")
    apart.run("scan")
    away = apart.sidecars.with_name("away")
    apart.sidecars.rename(away)
    apart.sidecars.mkdir()
    told = apart.run("scan", code=1)
    assert "TAGLINE_SIDECAR_PATH" in told
    assert "is empty" in told
    assert "Traceback" not in told
    apart.sidecars.rmdir()
    away.rename(apart.sidecars)
    assert "2 as they were" in apart.run("scan")


def test_a_wrong_sidecar_path_is_one_line(apart):
    """Single files are not described elsewhere than the settings say."""
    apart.environment["TAGLINE_SIDECAR_PATH"] = str(apart.directory / "gone")
    told = apart.run("describe", "photos/b.gif", "x", code=1)
    assert "TAGLINE_SIDECAR_PATH" in told
    assert not list(apart.photos.rglob("*.json"))
