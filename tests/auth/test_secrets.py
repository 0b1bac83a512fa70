"""The kept signing secret."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tagline.auth.secrets import load_or_create_secret
from tagline.errors import ConfigurationError


def mode_of(path: Path) -> int:
    """The permission bits of a file."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A place for the secret in a directory that is not there yet."""
    return tmp_path / "data" / "jwt-secret"


def test_made_once(path):
    """The secret is made once, long enough, mode 0600, and nothing else is left beside it."""
    secret = load_or_create_secret(path)
    assert len(secret.encode()) >= 43
    assert mode_of(path) == 0o600
    assert mode_of(path.parent) == 0o700
    assert load_or_create_secret(path) == secret
    assert list(path.parent.iterdir()) == [path]


def test_umask_does_not_matter(path):
    """The mode is 0600 whatever the umask."""
    before = os.umask(0)
    try:
        load_or_create_secret(path)
    finally:
        os.umask(before)
    assert mode_of(path) == 0o600


def test_each_is_another(tmp_path):
    """Two directories get two secrets."""
    first = load_or_create_secret(tmp_path / "a")
    assert first != load_or_create_secret(tmp_path / "b")


def test_made_at_the_same_time(path):
    """All who make it at the same time get the same secret."""
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(lambda _: load_or_create_secret(path), range(16)))
    assert len(secrets) == 1
    assert list(path.parent.iterdir()) == [path]


def test_no_hard_links(path, monkeypatch):
    """It is made on a file system without hard links too."""

    def refuse(*_args):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    assert load_or_create_secret(path) == load_or_create_secret(path)
    assert list(path.parent.iterdir()) == [path]


def test_a_loose_mode_is_tightened(path):
    """A file that others could read is closed to them."""
    secret = load_or_create_secret(path)
    path.chmod(0o644)
    assert load_or_create_secret(path) == secret
    assert mode_of(path) == 0o600


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"short\n", b"x" * 42, b"\xff" * 64, b"a b" * 30, b"x" * 64 + b"\0", b"x" * 5000],
)
def test_a_garbled_file_is_left_alone(path, content):
    """A file that holds no such secret is reported and left as it is."""
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="jwt-secret") as caught:
        load_or_create_secret(path)
    assert caught.value.variable == "JWT_SECRET"
    assert path.read_bytes() == content
    assert str(path.parent) not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_directory_a_fifo_and_a_dangling_link(tmp_path):
    """What is no regular file is reported, and does not hold up the start."""
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("directory", "fifo", "link"):
        with pytest.raises(ConfigurationError, match="cannot be used"):
            load_or_create_secret(tmp_path / name)


def test_an_impossible_place(tmp_path):
    """A place that cannot be written is one line that says why."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigurationError, match="cannot be used"):
        load_or_create_secret(tmp_path / "file" / "jwt-secret")
