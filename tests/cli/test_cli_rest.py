"""``describe`` and ``edit`` beside programs that are still copying photos in."""

import json
import subprocess
import sys

WRITER = """
import sys
with open(sys.argv[1], "r+b") as file:
    print("open", flush=True)
    sys.stdin.readline()
"""


def test_photos_that_are_not_at_rest_are_refused_by_name(run, photos):
    """One is open for writing, one is cut: both stay as they are, and the third is written."""
    open_photo, cut_photo, other = photos / "a.jpg", photos / "cut.jpg", photos / "b.gif"
    whole = open_photo.read_bytes()
    cut_photo.write_bytes(whole[:-20])
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, open_photo], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        writer.stdout.readline()
        names = [str(open_photo), str(cut_photo), str(other)]
        done = run("describe", *names, "text", TAGLINE_SETTLE_SECONDS="0.1")
        writer.communicate(b"\n")
    assert done.returncode == 1
    assert done.stdout.startswith(f"{other}: xmp_sidecar, json_sidecar (")
    first, second = done.stderr.splitlines()
    assert str(open_photo) in first
    assert "open for writing" in first
    assert str(cut_photo) in second
    assert "is not whole" in second
    assert "an hour after its last change" in second
    assert (open_photo.read_bytes(), cut_photo.read_bytes()) == (whole, whole[:-20])
    there = {path.name for path in photos.iterdir()}
    assert there == {"a.jpg", "cut.jpg", "b.gif", "b.gif.json", "b.gif.xmp"}


def test_a_command_waits_once_for_all_its_files(run, photos):
    """With a time to settle every file is looked at twice, and then written."""
    names = [str(photos / "a.jpg"), str(photos / "b.gif")]
    done = run("edit", *names, "--title", "text", TAGLINE_SETTLE_SECONDS="0.5")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 2


def test_a_damaged_photo_gets_sidecars_of_its_name(run, photos):
    """Where nothing is being copied, what is not whole is damaged."""
    photo = photos / "a.jpg"
    cut = photo.read_bytes()[:-20]
    photo.write_bytes(cut)
    done = run("describe", str(photo), "text")
    assert done.returncode == 0
    assert "the file is not whole" in done.stdout
    assert photo.read_bytes() == cut
    said = json.loads((photos / "a.jpg.json").read_bytes())
    assert said["description"] == "text"
    assert said["tagline"]["damaged"] is True
    assert "text" in run("show", str(photo)).stdout


def test_a_wrong_time_to_settle_is_told_by_name(run, photos):
    """Nothing is written with a setting that cannot be understood."""
    done = run("describe", str(photos / "a.jpg"), "text", TAGLINE_SETTLE_SECONDS="soon")
    assert done.returncode == 2
    assert "TAGLINE_SETTLE_SECONDS" in done.stderr
