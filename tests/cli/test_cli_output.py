"""What commands print, to whatever reads it: closed pipes, full disks, odd encodings."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_NOT_UTF_8 = "caf\udce9.jpg"


@pytest.fixture
def piped(tmp_path):
    """Run ``tagline`` with a file as its standard output; give its exit code and standard error."""

    def run_into(stdout, *arguments):
        done = subprocess.run(
            [sys.executable, "-m", "tagline", *arguments],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home")},
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            timeout=30,
            check=False,
        )
        return done.returncode, done.stderr

    return run_into


@pytest.mark.parametrize("command", ["show", "describe", "scan", "doctor"])
def test_output_that_cannot_be_written_is_an_error(piped, photos, command):
    """A full disk behind ``>`` gives a line and exit code 1: a script must not take it for done."""
    arguments = [str(photos)] if command in {"scan", "doctor"} else [str(photos / "a.jpg")]
    if command == "describe":
        arguments.append("at sea")
    with Path("/dev/full").open("wb") as full:
        code, told = piped(full, command, *arguments)
    assert (code, told) == (1, "tagline: the output cannot be written: No space left on device.\n")


@pytest.mark.parametrize("command", ["show", "scan"])
def test_whoever_stops_reading_ends_the_command_in_silence(piped, photos, command):
    """``| head`` is no mistake: nothing is told, and the exit code is that of the table."""
    reading, writing = os.pipe()
    os.close(reading)
    target = photos if command == "scan" else photos / "a.jpg"
    with os.fdopen(writing, "wb") as pipe:
        assert piped(pipe, command, str(target)) == (1, "")


def test_a_name_that_is_not_utf_8_is_shown_as_json(run, photos):
    """It is JSON that every program reads, and gives the name back byte for byte."""
    shutil.copy(photos / "a.jpg", photos / _NOT_UTF_8)
    done = run("show", "--json", str(photos / _NOT_UTF_8))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["file"] == str(photos / _NOT_UTF_8)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_lacks_a_character_is_shown_its_number(run, photos, encoding):
    """An edit that was made is never answered with a stack trace."""
    photo = photos / "\U0001f600.jpg"
    (photos / "a.jpg").rename(photo)
    for command in (("describe", str(photo), "x"), ("show", str(photo))):
        done = run(*command, PYTHONIOENCODING=encoding)
        assert (done.returncode, done.stderr) == (0, "")
        assert "\\U0001f600.jpg" in done.stdout


def test_json_cannot_take_over_the_terminal(run, photos):
    """Neither an escape nor a control character of ISO 6429 in one character is sent as such."""
    text = "a\x1b[31m b\x9b31m c\x7f d\u202e"
    run("describe", str(photos / "b.gif"), text)
    done = run("show", "--json", str(photos / "b.gif"))
    assert done.stdout.isascii()
    assert json.loads(done.stdout)["metadata"]["description"] == text


def test_what_is_no_photo_is_told_as_what_it_is(run, photos):
    """Files of another kind, directories and hidden files are there: nobody is to seek them."""
    (photos / "note.txt").write_text("hi")
    (photos / "d.jpg").mkdir()
    shutil.copy(photos / "a.jpg", photos / ".hidden.jpg")
    for name, told in (
        ("note.txt", "Tagline knows no photos of this kind"),
        ("d.jpg", "no file, but a directory"),
        (".hidden.jpg", "left out by Tagline"),
    ):
        for arguments in (("show", str(photos / name)), ("describe", str(photos / name), "x")):
            done = run(*arguments)
            assert done.returncode == 1
            assert told in done.stderr, arguments


def test_a_forgotten_text_does_not_make_a_file_name_the_description(run, photos):
    """``tagline describe *.jpg`` would write the name of the last photo over all other texts."""
    before = (photos / "a.jpg").read_bytes()
    done = run("describe", str(photos / "a.jpg"), str(photos / "b.gif"))
    assert done.returncode == 2
    assert "is a file" in done.stderr
    assert (photos / "a.jpg").read_bytes() == before
    meant = run("edit", str(photos / "a.jpg"), "--description", str(photos / "b.gif"))
    assert meant.returncode == 0
