"""The command line as people use it: a real process, its output and its exit code."""

import json

import pytest


def test_help_teaches_every_command(run):
    """The help names every command, with examples and the exit codes."""
    done = run("--help")
    assert done.returncode == 0
    for word in ("serve", "scan", "show", "describe", "verify", "examples", "Exit codes"):
        assert word in done.stdout


def test_describe_and_show_work_without_a_server(run, photos):
    """A description goes into the JPEG and beside the GIF, and both show it."""
    done = run("describe", str(photos / "a.jpg"), str(photos / "b.gif"), "at sea")
    assert done.returncode == 0, done.stderr
    assert f"{photos / 'a.jpg'}: exif, xmp" in done.stdout
    assert "not in the photo itself" in done.stdout
    shown = run("show", "--json", str(photos / "a.jpg"), str(photos / "b.gif"))
    said = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [one["metadata"]["description"] for one in said] == ["at sea", "at sea"]
    again = run("describe", str(photos / "a.jpg"), "at sea")
    assert "unchanged" in again.stdout


def test_edit_writes_and_removes_fields(run, photos):
    """Title, keywords, rating and date go into a photo from the command line, and out again."""
    path = str(photos / "a.jpg")
    when = "2019-07-05T10:00:00+02:00"
    done = run(
        "edit", path, "--title", "T", "--keywords", "a, b,,a", "--rating", "4", "--taken-at", when
    )
    assert (done.returncode, done.stdout) == (0, f"{path}: written\n")
    said = json.loads(run("show", "--json", path).stdout)["metadata"]
    assert said == {
        "description": None,
        "title": "T",
        "keywords": ["a", "b"],
        "rating": 4,
        "taken_at": when,
    }
    assert "keywords     a, b" in run("show", path).stdout
    assert "unchanged" in run("edit", path, "--rating", "4").stdout
    run("edit", path, "--remove", "rating", "--remove", "title")
    said = json.loads(run("show", "--json", path).stdout)["metadata"]
    assert (said["rating"], said["title"], said["keywords"]) == (None, None, ["a", "b"])


def test_scan_tells_what_it_found(run, photos):
    """A first scan imports, a second finds everything as it was."""
    assert "2 photos: 2 new" in run("scan", str(photos)).stdout
    said = json.loads(run("scan", str(photos), "--json").stdout)
    assert (said["total"], said["skipped"], said["imported"]) == (2, 2, [])


def test_verify_finds_what_does_not_agree(run, photos):
    """Everything agrees at first; then each kind of disagreement is told with exit code 1."""
    run("scan", str(photos))
    assert run("verify", str(photos)).returncode == 0
    run("describe", str(photos / "b.gif"), "beside")
    (photos / "b.gif").rename(photos / "c.gif")
    (photos / "a.jpg").unlink()
    done = run("verify", str(photos), "--json")
    assert done.returncode == 1
    kinds = {json.loads(line)["kind"] for line in done.stdout.splitlines()}
    assert kinds == {"gone", "not indexed", "sidecar without photo"}


def test_places_that_disagree_are_found(run, photos):
    """A sidecar that says something else than the photo is told."""
    run("describe", str(photos / "a.jpg"), "inside")
    (photos / "a.jpg.json").write_text('{"title": "a.jpg", "description": "beside"}')
    done = run("verify", str(photos))
    assert done.returncode == 1
    assert "places disagree: a.jpg" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("show", "no-such.jpg"), 1, "no such file"),
        (("describe", "no-such.jpg", "x"), 1, "no such file"),
        (("scan", "/no/such/directory"), 3, "PHOTO_STORAGE_PATH"),
        (("scan",), 2, "PHOTO_STORAGE_PATH"),
        (("nonsense",), 2, "invalid choice"),
        (("serve", ".", "--port", "many"), 2, "TAGLINE_PORT"),
        (("edit", "a.jpg"), 2, "say what to change"),
        (("edit", "a.jpg", "--rating", "6"), 2, "rating: must be from 0 to 5"),
        (("edit", "a.jpg", "--title", "x", "--remove", "title"), 2, "both set and removed"),
        ((), 2, "required"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(run, arguments, code, told):
    """A wrong call gives a sentence on stderr, its exit code, and no stack trace."""
    done = run(*arguments)
    assert done.returncode == code
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_each_mistake_in_the_settings_is_one_line(run, photos):
    """Two wrong variables give two lines, each naming its variable."""
    done = run("scan", str(photos), TAGLINE_PORT="0x", TAGLINE_WATCH="often")
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert {line.split(": ")[1] for line in lines} == {"TAGLINE_PORT", "TAGLINE_WATCH"}


def test_a_text_cannot_take_over_the_terminal(run, photos):
    """Control characters of a description are shown, not sent."""
    run("describe", str(photos / "b.gif"), "red \x1b[31m")
    shown = run("show", str(photos / "b.gif"))
    assert "\x1b" not in shown.stdout
    assert "\\x1b[31m" in shown.stdout


def test_a_name_cannot_take_over_the_terminal(run, photos):
    """Control characters of a file's name are shown, not sent, whatever is done with the file."""
    photo, none = photos / "\x1b]0;pwned\x07\u202e.jpg", photos / "gone\x1b[2J.jpg"
    (photos / "a.jpg").rename(photo)
    for arguments in (
        ("describe", str(photo), str(none), "text"),
        ("describe", str(photo), "text"),
        ("edit", str(photo), str(none), "--title", "title"),
        ("show", str(photo), str(none)),
        ("scan", str(photos)),
        ("verify", str(photos)),
    ):
        done = run(*arguments)
        assert not set("\x1b\x07\u202e") & set(done.stdout + done.stderr), arguments
        if arguments[0] not in {"scan", "verify"}:
            assert "\\x1b]0;pwned\\x07\\u202e.jpg" in done.stdout, done


def test_a_sidecar_too_large_is_named(run, photos):
    """What is to be moved away is the sidecar, not the photo that cannot be read for its sake."""
    with (photos / "a.jpg.xmp").open("wb") as file:
        file.truncate(17 << 20)
    done = run("scan", str(photos))
    assert done.returncode == 1
    assert done.stderr.startswith("tagline: a.jpg: ")
    assert "a.jpg.xmp, its sidecar, is too large; move that away" in done.stderr


def test_a_text_that_is_no_text_is_refused(run, photos):
    """An over-long description changes nothing and says why."""
    before = (photos / "a.jpg").read_bytes()
    done = run("describe", str(photos / "a.jpg"), "x" * 10_001)
    assert done.returncode == 1
    assert "at most 10000 characters" in done.stderr
    assert (photos / "a.jpg").read_bytes() == before
