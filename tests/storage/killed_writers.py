"""A program that kills writers at every point of their work, and looks at what they left.

``python killed_writers.py DIRECTORY WAY`` forks a writer for every system call that the work makes,
kills it (SIGKILL) just before that call, and then some more at random moments. After each it
checks that every file is wholly old or wholly new, and that a walk leaves no temporary file. Then
it does the same with another program that puts a file of its own in place at the worst moment, and
checks that no file of either is lost. It prints how many writers were killed, or fails with the
first fault.

WAY says which renames the file system has: ``all``, ``refusing`` ones (as exFAT), or ``none`` but
link(2) (as mergerfs). ``all`` is what the directory's own has.
"""

import ctypes
import errno
import fcntl
import os
import random
import signal
import sys
import time
from pathlib import Path

from tagline.errors import ObjectChanged
from tagline.storage import LocalStorage, exchange

CALLS = (
    *("open", "close", "write", "fsync", "fstat", "stat", "pread", "rename", "link", "unlink"),
    *("fchmod", "fchown", "utime", "listxattr", "getxattr", "setxattr", "access"),
)
EXCHANGING = 2
REFUSED = {"all": set(), "refusing": {EXCHANGING}, "none": {1, EXCHANGING}}
OLD = os.urandom(300_000)
NEW = os.urandom(300_000)
THEIRS = os.urandom(300_000)
RANDOM_KILLS = 40

renameat2 = exchange._renameat2


def limit(way: str) -> None:
    """Let the file system have only some of the renames, as it then says itself."""

    def limited(*arguments):
        if arguments[-1] in REFUSED[way]:
            ctypes.set_errno(errno.EINVAL)
            return -1
        return renameat2(*arguments)

    exchange._renameat2 = limited


def work(storage: LocalStorage) -> None:
    """Replace a photo, make a sidecar for it, move it, and remove another."""
    storage.replace("a.jpg", NEW, storage.stat("a.jpg").state)
    made = storage.replace("a.jpg.json", NEW, None, like="a.jpg")
    storage.move("a.jpg.json", "b.jpg.json", made.state)
    storage.remove("gone.json", storage.stat("gone.json").state)


def replace_beside_another(storage: LocalStorage) -> None:
    """Replace a photo whose name another program takes, as soon as or as long as it can."""
    rename, exchanged = os.rename, exchange._renameat2

    def then_create(source, *arguments, **options):
        rename(source, *arguments, **options)
        if source == b"a.jpg" and not (storage_root / "a.jpg").exists():
            (storage_root / "theirs").replace(storage_root / "a.jpg")

    def overwrite_first(*arguments):
        if arguments[-1] == EXCHANGING and b"a.jpg" in arguments:
            (storage_root / "theirs").replace(storage_root / "a.jpg")
        return exchanged(*arguments)

    storage_root = Path(os.fsdecode(storage._tree.root.path))
    os.rename, exchange._renameat2 = then_create, overwrite_first
    try:
        storage.replace("a.jpg", NEW, storage.stat("a.jpg").state)
    except ObjectChanged:
        return
    raise AssertionError


def die_at(number: int) -> None:
    """Let this process be killed just before its call with this number."""
    left = iter(range(number, 0, -1))

    def counted(call):
        def wrapper(*arguments, **options):
            if next(left) == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **options)

        return wrapper

    for name in CALLS:
        setattr(os, name, counted(getattr(os, name)))
    exchange._renameat2 = counted(exchange._renameat2)
    fcntl.flock = counted(fcntl.flock)


def prepare(root: Path) -> None:
    """Put the files as they are before the work."""
    for path in root.iterdir():
        path.unlink()
    (root / "a.jpg").write_bytes(OLD)
    (root / "gone.json").write_bytes(OLD)


def fork_writer(root: Path, number: int | None, task=work) -> int:
    """Start a writer that dies at a call, or one that works until it is killed."""
    child = os.fork()
    if child:
        return child
    storage = LocalStorage(root)
    if number is not None:
        die_at(number)
        task(storage)
        os._exit(0)
    while True:
        storage.replace("a.jpg", NEW, storage.stat("a.jpg").state)
        made = storage.replace("new.json", NEW, None)
        storage.remove("new.json", made.state)


def judge(root: Path) -> None:
    """Check what a killed writer left."""
    shown = sorted(item.object_key for item in LocalStorage(root).walk())
    there = sorted(path.name for path in root.iterdir())
    assert shown == there, there
    assert "a.jpg" in there
    assert (root / "a.jpg").stat().st_nlink == 1
    for path in root.iterdir():
        assert path.read_bytes() in {OLD, NEW}, path.name


def judge_beside_another(root: Path) -> None:
    """Check that neither the old version nor another program's file is lost, whoever died."""
    for _ in LocalStorage(root).walk():
        pass
    there = {path.name: path.read_bytes() for path in root.iterdir()}
    hidden = {name for name in there if name.startswith(".")}
    assert all(name.endswith("-a.jpg.kept") for name in hidden), hidden
    assert there["a.jpg"] in {OLD, NEW, THEIRS}
    assert THEIRS in there.values(), "their file is lost"
    came_in_between = "theirs" not in there
    by_overwriting = came_in_between and there["a.jpg"] != OLD and OLD not in there.values()
    assert not by_overwriting or WAY == "all", "the old file is lost"


def kill_at_every_call(root: Path, task, judged) -> int:
    """Have one writer after the other die a call later; return how many did."""
    killed, status = 0, 1
    while status:
        prepare(root)
        if task is not work:
            (root / "theirs").write_bytes(THEIRS)
        _, status = os.waitpid(fork_writer(root, killed + 1, task), 0)
        assert status in {0, signal.SIGKILL}, status
        judged(root)
        killed += status != 0
    return killed


def main(root: Path) -> None:
    """Kill at every call, then at random moments."""
    killed = kill_at_every_call(root, work, judge)
    killed += kill_at_every_call(root, replace_beside_another, judge_beside_another)
    for _ in range(RANDOM_KILLS):
        prepare(root)
        child = fork_writer(root, None)
        time.sleep(random.uniform(0.001, 0.015))  # the moment of death, not a wait for anything
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        judge(root)
    sys.stdout.write(f"{killed + RANDOM_KILLS}\n")


if __name__ == "__main__":
    WAY = sys.argv[2]
    if WAY != "all":
        limit(WAY)
    main(Path(sys.argv[1]))
