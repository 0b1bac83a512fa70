"""What may be done in a directory, told before somebody tries."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tagline.config.access import why_read_only, why_unlistable, why_unusable
from tagline.config.loading import SettingsError, load_settings

Make = Callable[[int], Path]


@pytest.fixture
def make() -> Iterator[Make]:
    """Make a directory of a mode, looked at by a user without privileges from then on."""
    base = Path(tempfile.mkdtemp())
    base.chmod(0o755)
    is_root = os.geteuid() == 0

    def make_directory(mode: int) -> Path:
        directory = base / "d"
        directory.mkdir()
        if is_root:
            os.chown(directory, 65534, 65534)
        directory.chmod(mode)
        if is_root:
            os.seteuid(65534)
        return directory

    yield make_directory
    if is_root:
        os.seteuid(0)
    (base / "d").chmod(0o700)
    shutil.rmtree(base)


def test_what_may_be_done_needs_no_word(make):
    """A directory of one's own is readable and writable, and a new one can be made in it."""
    directory = make(0o700)
    assert why_unlistable(directory) is None
    assert why_read_only(directory) is None
    assert why_unusable(directory / "new" / "er") is None


def test_a_directory_that_must_not_be_written(make):
    """It is told who it belongs to and who asks; files cannot be made in or below it."""
    directory = make(0o500)
    assert why_unlistable(directory) is None
    fault = why_read_only(directory)
    assert fault is not None
    owner = directory.stat()
    assert f"it belongs to user {owner.st_uid} and group {owner.st_gid} with mode 0500" in fault
    assert f"this is user {os.geteuid()} in group {os.getegid()}" in fault
    assert why_unusable(directory) == fault
    below = why_unusable(directory / "new")
    assert below == f"does not exist, and {str(directory)!r} {fault}"


@pytest.mark.parametrize("mode", [0o000, 0o300, 0o600])
def test_a_directory_that_must_not_be_read_stops_the_start(make, mode):
    """Photos that cannot be listed, or not be reached, are a fault of their variable."""
    directory = make(mode)
    assert "must not be read" in str(why_unlistable(directory))
    with pytest.raises(SettingsError, match=r"PHOTO_STORAGE_PATH: .* must not be read: it belongs"):
        load_settings({"PHOTO_STORAGE_PATH": directory}, environ={"HOME": "/h"}, env_file=None)


def test_what_lies_behind_a_closed_directory(make):
    """Photos and index there are one line each, never a stack trace."""
    directory = make(0o000)
    assert "must not be written" in str(why_unusable(directory / "x" / "y"))
    environ = {
        "PHOTO_STORAGE_PATH": f"{directory}/photos",
        "DATABASE_URL": f"tinydb:///{directory}/index",
    }
    with pytest.raises(SettingsError) as caught:
        load_settings(environ=environ, env_file=None)
    first, second = sorted(str(caught.value).split("\n"))
    assert first.startswith("DATABASE_URL: ")
    assert second.startswith("PHOTO_STORAGE_PATH: ")
    assert first.count("cannot be opened: Permission denied") == 1
    assert second.count("cannot be opened: Permission denied") == 1


@pytest.mark.parametrize("name", ["BACKEND_PASSWORD_FILE", "JWT_SECRET_FILE", "TAGLINE_TLS_KEY"])
def test_a_file_that_must_not_be_read_stops_the_start(make, name):
    """Somebody else's secret is one line that names both users, and is no wrong usage."""
    directory = make(0o700)
    file = directory / "secret"
    file.write_text("x")
    file.chmod(0o000)
    environ = {"PHOTO_STORAGE_BACKEND": "memory", "HOME": "/h", name: str(file)}
    with pytest.raises(SettingsError) as caught:
        load_settings(environ=environ, env_file=None)
    (fault,) = caught.value.faults
    owner = file.stat()
    assert f"must not be read: it belongs to user {owner.st_uid} and" in str(fault)
    assert (fault.variable, fault.cause) == (name, "forbidden")
