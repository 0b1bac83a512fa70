"""A program that kills writers at every point of their work, and looks at what they left.

``python killed_writers.py DIRECTORY`` forks a writer for every system call that the work makes,
kills it (SIGKILL) just before that call, and then some more at random moments. After each it
checks that every file is wholly old or wholly new, and that a walk leaves no temporary file. It
prints how many writers were killed, or fails with the first fault.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

from tagline.storage import LocalStorage

CALLS = (
    *("open", "close", "write", "fsync", "fstat", "stat", "pread", "rename", "link", "unlink"),
    *("fchmod", "fchown", "utime", "listxattr", "getxattr", "setxattr", "access"),
)
OLD = os.urandom(300_000)
NEW = os.urandom(300_000)
RANDOM_KILLS = 40


def work(storage: LocalStorage) -> None:
    """Replace a photo, make a sidecar for it, move it, and remove another."""
    storage.replace("a.jpg", NEW, storage.stat("a.jpg").state)
    made = storage.replace("a.jpg.json", NEW, None, like="a.jpg")
    storage.move("a.jpg.json", "b.jpg.json", made.state)
    storage.remove("gone.json", storage.stat("gone.json").state)


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


def prepare(root: Path) -> None:
    """Put the files as they are before the work."""
    for path in root.iterdir():
        path.unlink()
    (root / "a.jpg").write_bytes(OLD)
    (root / "gone.json").write_bytes(OLD)


def fork_writer(root: Path, number: int | None) -> int:
    """Start a writer that dies at a call, or one that works until it is killed."""
    child = os.fork()
    if child:
        return child
    storage = LocalStorage(root)
    if number is not None:
        die_at(number)
        work(storage)
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
    for path in root.iterdir():
        assert path.read_bytes() in {OLD, NEW}, path.name


def main(root: Path) -> None:
    """Kill at every call, then at random moments."""
    killed, status = 0, 1
    while status:
        prepare(root)
        _, status = os.waitpid(fork_writer(root, killed + 1), 0)
        assert status in {0, signal.SIGKILL}, status
        judge(root)
        killed += status != 0
    for _ in range(RANDOM_KILLS):
        prepare(root)
        child = fork_writer(root, None)
        time.sleep(random.uniform(0.001, 0.015))  # the moment of death, not a wait for anything
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        judge(root)
    sys.stdout.write(f"{killed + RANDOM_KILLS}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
