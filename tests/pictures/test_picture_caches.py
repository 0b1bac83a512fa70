"""The caches of made pictures."""

import os
import threading
from hashlib import blake2b

import pytest

from tagline.pictures.caches import DiskCache, MemoryCache

KEPT = 36 + 100
"""Bytes on disk of a picture of 116 bytes with its head of 20."""


def name(number: int) -> str:
    """The name of a picture."""
    return blake2b(str(number).encode(), digest_size=16).hexdigest()


@pytest.fixture
def directory(tmp_path):
    """Where the pictures go; it does not exist yet."""
    return tmp_path / "data" / "pictures"


@pytest.fixture
def cache(directory):
    """A cache with room for three pictures."""
    directory.parent.mkdir()
    return DiskCache(directory, 3 * KEPT)


def files(directory):
    """Every file in the directory."""
    return sorted(path for path in directory.rglob("*") if path.is_file())


def test_memory_lets_go_of_what_was_not_used_for_longest():
    """Three fit; the one that was looked at stays."""
    cache = MemoryCache(30)
    for number in range(3):
        cache.put(name(number), bytes(10))
    assert cache.get(name(0))
    cache.put(name(3), bytes(10))
    assert [cache.get(name(n)) is not None for n in range(4)] == [True, False, True, True]
    cache.put(name(4), bytes(31))
    assert cache.get(name(4)) is None


def test_what_was_put_is_there_for_another_process_too(cache, directory):
    """A picture survives a restart byte for byte."""
    cache.put(name(1), b"picture" * 10)
    assert cache.get(name(1)) == b"picture" * 10
    assert DiskCache(directory, 1000).get(name(1)) == b"picture" * 10
    assert cache.get(name(2)) is None


def test_files_are_for_the_owner_alone(cache, directory):
    """No other user reads pictures, nor sees their names."""
    cache.put(name(1), b"picture")
    (file,) = files(directory)
    assert file.stat().st_mode & 0o777 == 0o600
    assert {p.stat().st_mode & 0o777 for p in (directory, file.parent)} == {0o700}


def test_disk_lets_go_of_what_was_not_used_for_longest(cache, directory):
    """The limit holds on disk, and use counts."""
    for number in range(3):
        cache.put(name(number), bytes(116))
    assert cache.get(name(0))
    cache.put(name(3), bytes(116))
    assert [cache.get(name(n)) is not None for n in range(4)] == [True, False, True, True]
    assert sum(file.stat().st_size for file in files(directory)) <= 3 * KEPT


def test_the_order_of_use_survives_a_restart(cache, directory):
    """Modification times tell it, and a smaller limit is kept at once."""
    for number in range(3):
        cache.put(name(number), bytes(116))
    for age, number in enumerate((1, 2, 0)):
        os.utime(directory / name(number)[:2] / name(number), (age, age))
    again = DiskCache(directory, 2 * KEPT)
    assert [again.get(name(n)) is not None for n in range(3)] == [True, False, True]
    assert len(files(directory)) == 2


@pytest.mark.parametrize("damage", [b"", b"x", b"TPC1", bytes(200)])
def test_a_damaged_file_is_no_picture(cache, directory, damage):
    """It is removed, and what is put in its place is found again."""
    cache.put(name(1), bytes(100))
    (file,) = files(directory)
    file.write_bytes(damage)
    assert cache.get(name(1)) is None
    assert not files(directory)
    cache.put(name(1), b"new")
    assert cache.get(name(1)) == b"new"


def test_one_flipped_bit_is_noticed(cache, directory):
    """The digest covers every byte."""
    cache.put(name(1), bytes(100))
    (file,) = files(directory)
    raw = bytearray(file.read_bytes())
    raw[60] ^= 1
    file.write_bytes(raw)
    assert cache.get(name(1)) is None


def test_a_file_that_was_taken_away_is_no_picture(cache, directory):
    """Whoever empties the directory while the server runs does no harm."""
    cache.put(name(1), bytes(100))
    (file,) = files(directory)
    file.unlink()
    assert cache.get(name(1)) is None
    cache.put(name(1), b"new")
    assert cache.get(name(1)) == b"new"


def test_a_link_or_a_directory_in_a_picture_s_place_is_none(cache, directory, tmp_path):
    """Nothing outside the directory is ever read."""
    for number, place in ((1, "link"), (2, "directory")):
        cache.put(name(number), bytes(10))
        path = directory / name(number)[:2] / name(number)
        path.unlink()
        if place == "link":
            path.symlink_to(tmp_path / "data")
        else:
            path.mkdir()
        assert cache.get(name(number)) is None


def test_what_a_killed_writer_left_is_removed_and_strangers_stay(directory):
    """Only names of our own kinds are touched."""
    shelf = directory / "ab"
    shelf.mkdir(parents=True)
    left = shelf / f".{name(1)}.0123abcd.tmp"
    stranger = shelf / "notes.txt"
    loose = directory / "README"
    for path in (left, stranger, loose):
        path.write_bytes(b"x")
    assert DiskCache(directory, 1000).get(name(1)) is None
    assert files(directory) == sorted([stranger, loose])


def test_nothing_is_kept_within_no_room(tmp_path):
    """A limit of 0 switches the cache off."""
    cache = DiskCache(tmp_path / "pictures", 0)
    cache.put(name(1), b"picture")
    assert cache.get(name(1)) is None
    assert not (tmp_path / "pictures").exists()


def test_a_full_or_forbidden_disk_is_told_and_leaves_nothing(cache, directory):
    """The error is an OSError, and no temporary file stays."""
    directory.parent.mkdir(exist_ok=True)
    directory.write_bytes(b"a file where the directory should be")
    with pytest.raises((NotADirectoryError, FileExistsError)):
        cache.put(name(1), b"picture")
    assert cache.get(name(1)) is None


def test_many_threads_may_use_it(cache, directory):
    """What is found is what was put, and the limit holds in the end."""
    faults = []

    def work(seed: int) -> None:
        for step in range(40):
            number = (seed * 7 + step) % 6
            found = cache.get(name(number))
            if found is not None and found != bytes([number]) * 100:
                faults.append(number)
            cache.put(name(number), bytes([number]) * 100)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert sum(file.stat().st_size for file in files(directory)) <= 3 * KEPT
