"""``tagline verify --repair`` as people use it: a real process, a terminal or none."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run ``tagline`` in a pipe, or with a person at a terminal who gives ``answers``."""

    def run_tagline(
        *arguments: str, answers: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tagline", *arguments]
        options = {
            "env": {
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path / "home"),
                "TAGLINE_SETTLE_SECONDS": "0",
            },
            "cwd": tmp_path,
            "capture_output": True,
            "text": True,
            "timeout": 30,
        }
        if answers is None:
            return subprocess.run(command, check=False, stdin=subprocess.DEVNULL, **options)
        ours, theirs = pty.openpty()
        try:
            os.write(ours, answers.encode())
            return subprocess.run(command, check=False, stdin=theirs, **options)
        finally:
            os.close(ours)
            os.close(theirs)

    return run_tagline


@pytest.fixture
def photos(tmp_path: Path, run: Run) -> Path:
    """Two described GIFs."""
    directory = tmp_path / "photos"
    (directory / "sub").mkdir(parents=True)
    for name, colour in (("a", "red"), ("b", "blue")):
        Image.new("RGB", (16, 12), colour).save(directory / f"{name}.gif")
        assert run("describe", str(directory / f"{name}.gif"), f"the {colour} one").returncode == 0
    return directory


def files(photos: Path) -> set[str]:
    """Every file below the directory."""
    return {p.relative_to(photos).as_posix() for p in photos.rglob("*") if p.is_file()}


def findings(done: subprocess.CompletedProcess[str]) -> list[dict[str, object]]:
    """The lines of ``--json``."""
    return [json.loads(line) for line in done.stdout.splitlines()]


def text(run: Run, path: Path) -> str | None:
    """The description that a file shows."""
    return json.loads(run("show", "--json", str(path)).stdout)["metadata"].get("description")


B = {"b.gif", "b.gif.json", "b.gif.xmp"}


def test_orphans_are_told_with_their_photo(run, photos):
    """Each orphan names the photo that it belongs to, and where it could be moved."""
    (photos / "a.gif").rename(photos / "sub" / "c.gif")
    done = run("verify", str(photos), "--json")
    assert done.returncode == 1
    assert [(f["kind"], f["object_key"], f["photos"], f["move_to"]) for f in findings(done)] == [
        ("sidecar without photo", "a.gif.json", ["sub/c.gif"], "sub/c.gif.json"),
        ("sidecar without photo", "a.gif.xmp", ["sub/c.gif"], "sub/c.gif.xmp"),
    ]
    (photos / "sub" / "c.gif").unlink()
    lost = run("verify", str(photos))
    assert lost.returncode == 1
    assert "Its photo is not in the photo directory." in lost.stdout


def test_repair_moves_orphans_beside_their_photo(run, photos):
    """With --yes both kinds are moved, exit code 0, and then everything agrees."""
    (photos / "a.gif").rename(photos / "sub" / "c.gif")
    done = run("verify", str(photos), "--repair", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "moved: a.gif.json -> sub/c.gif.json" in done.stdout
    assert files(photos) == {*B, "sub/c.gif", "sub/c.gif.json", "sub/c.gif.xmp"}
    assert text(run, photos / "sub" / "c.gif") == "the red one"
    assert run("verify", str(photos)).returncode == 0


def test_repair_asks_a_person_and_nobody_else(run, photos):
    """At a terminal each move is asked for; without one nothing is moved."""
    (photos / "a.gif").rename(photos / "sub" / "c.gif")
    before = files(photos)
    unasked = run("verify", str(photos), "--repair")
    assert (unasked.returncode, files(photos)) == (1, before)
    assert "--yes" in unasked.stderr
    declined = run("verify", str(photos), "--repair", answers="\nno\n")
    assert (declined.returncode, files(photos)) == (1, before)
    assert "Move a.gif.json to sub/c.gif.json? [y/N]" in declined.stderr
    half = run("verify", str(photos), "--repair", answers="y\nn\n")
    assert half.returncode == 1
    assert files(photos) == before - {"a.gif.json"} | {"sub/c.gif.json"}
    assert run("verify", str(photos), "--repair", answers="yes\n").returncode == 0


def test_repair_untangles_photos_that_swapped_names(run, photos):
    """Stale sidecars go to their own photo, by way of a name aside."""
    (photos / "a.gif").rename(photos / "x")
    (photos / "b.gif").rename(photos / "a.gif")
    (photos / "x").rename(photos / "b.gif")
    told = run("verify", str(photos), "--json")
    assert {f["kind"] for f in findings(told)} == {"stale sidecar"}
    done = run("verify", str(photos), "--repair", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert files(photos) == {"a.gif", "a.gif.json", "a.gif.xmp", *B}
    assert text(run, photos / "a.gif") == "the blue one"
    assert text(run, photos / "b.gif") == "the red one"


def test_repair_serves_every_copy(run, photos):
    """Of byte-identical copies that show one orphan each gets a sidecar of its own."""
    (photos / "sub" / "copy.gif").write_bytes((photos / "a.gif").read_bytes())
    (photos / "a.gif").rename(photos / "z.gif")
    assert run("verify", str(photos), "--repair", "--yes").returncode == 0
    for copy in ("z.gif", "sub/copy.gif"):
        assert text(run, photos / copy) == "the red one"
    assert not files(photos) & {"a.gif.json", "a.gif.xmp"}


def test_repair_never_writes_over_a_file(run, photos):
    """What cannot be told to be another photo's sidecar stays, and so does the orphan."""
    (photos / "a.gif").rename(photos / "sub" / "c.gif")
    (photos / "sub" / "c.gif.json").write_text("no sidecar at all")
    before = files(photos)
    done = run("verify", str(photos), "--repair", "--yes")
    assert (photos / "sub" / "c.gif.json").read_text() == "no sidecar at all"
    assert done.returncode == 1
    assert files(photos) == before - {"a.gif.xmp"} | {"sub/c.gif.xmp"}


def test_single_files_show_an_orphan_of_their_directory(run, photos):
    """Without an index, ``show`` and ``describe`` know the sidecars beside the file."""
    (photos / "a.gif").rename(photos / "c.gif")
    assert text(run, photos / "c.gif") == "the red one"
    assert "unchanged" in run("describe", str(photos / "c.gif"), "the red one").stdout
    run("describe", str(photos / "c.gif"), "")
    assert text(run, photos / "c.gif") is None
