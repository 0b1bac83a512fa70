"""A program that copies a file as other programs do, and says where it is.

Run as ``python writer.py MANNER SOURCE TARGET STOPS [PAUSE_SECONDS]``; STOPS is a list in JSON of
how many bytes are written before each stop. It says ``at N`` there and goes on at a line on its
standard input, or by itself after PAUSE_SECONDS. When TARGET is SOURCE, byte for byte, it
says ``done``, and how many seconds the longest stop took. The manners:

- ``pieces``: one open file, from the beginning on
- ``allocated``: posix_fallocate(3) to the full size, then filled
- ``truncated``: truncate(2) to the full size, then filled: zeros until then
- ``mapped``: filled through mmap(2), the descriptor closed
- ``reopened``: closed at every stop, opened again to append
- ``yesterday``, ``in_1970``, ``in_2100``: as ``reopened``, with such a time of change at every stop
- ``renamed``: under another name in the same directory, renamed at the end
- ``in_place``: over an old file that is not cut first, as ``rsync --inplace``
- ``held``: opened, but not changed before a stop at 0; then ``in_place``
- ``late``: as ``held``, with a stop at -1 before it is opened
- ``chmod``: nothing is written; the permissions change every few milliseconds until it is ended
"""

import json
import mmap
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

TIMES = {"yesterday": time.time() - 86400, "in_1970": 86400.0, "in_2100": 4102444800.0}
_NEW = os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Copy:
    """One copying, which stops where it was told to."""

    def __init__(self, source: Path, target: Path, stops: list[int], pause: float | None) -> None:
        self.data, self.target, self.stops, self.pause = source.read_bytes(), target, stops, pause
        self.longest_pause = 0.0

    def say(self, word: str) -> None:
        """Tell whoever started this."""
        sys.stdout.write(f"{word}\n")
        sys.stdout.flush()

    def stop(self, at: int) -> None:
        """Stand still until told to go on, or for the pause."""
        self.say(f"at {at}")
        began = time.monotonic()
        if self.pause is not None:
            time.sleep(self.pause)
        elif not sys.stdin.readline():
            sys.exit(1)  # nobody is there any more
        self.longest_pause = max(self.longest_pause, time.monotonic() - began)

    def pieces(self) -> Iterator[tuple[int, bytes]]:
        """Each piece with its place; a stop comes before every piece but the first."""
        begin = 0
        for end in (*self.stops, len(self.data)):
            yield begin, self.data[begin:end]
            if end != len(self.data):
                self.stop(end)
            begin = end

    def fill(self, file: int) -> None:
        """Write all pieces to an open file, and close it."""
        for place, piece in self.pieces():
            os.pwrite(file, piece, place)
        os.close(file)

    def by_pieces(self) -> None:
        """One open file."""
        self.fill(os.open(self.target, _NEW, 0o644))

    def allocated(self) -> None:
        """All room first."""
        file = os.open(self.target, _NEW, 0o644)
        os.posix_fallocate(file, 0, len(self.data))
        self.fill(file)

    def truncated(self) -> None:
        """The full size first."""
        file = os.open(self.target, _NEW, 0o644)
        os.ftruncate(file, len(self.data))
        self.fill(file)

    def mapped(self) -> None:
        """Through memory."""
        file = os.open(self.target, _NEW, 0o644)
        os.ftruncate(file, len(self.data))
        with mmap.mmap(file, len(self.data)) as view:
            os.close(file)
            for place, piece in self.pieces():
                view[place : place + len(piece)] = piece
                view.flush()

    def reopened(self, changed_at: float | None = None) -> None:
        """Closed at every stop."""
        flags = _NEW
        begin = 0
        for end in (*self.stops, len(self.data)):
            file = os.open(self.target, flags, 0o644)
            os.pwrite(file, self.data[begin:end], begin)
            os.close(file)
            if changed_at is not None:
                os.utime(self.target, (changed_at, changed_at))
            if end != len(self.data):
                self.stop(end)
            begin, flags = end, os.O_RDWR

    def renamed(self) -> None:
        """Another name first."""
        part = self.target.with_name(f"part-{self.target.name}")
        self.fill(os.open(part, _NEW, 0o644))
        part.rename(self.target)

    def in_place(self) -> None:
        """Over what is there."""
        self.fill(os.open(self.target, os.O_RDWR))

    def held(self) -> None:
        """Opened; nothing else for a while."""
        file = os.open(self.target, os.O_RDWR)
        self.stop(0)
        os.ftruncate(file, len(self.data))
        self.fill(file)

    def late(self) -> None:
        """Not even opened, for a while."""
        self.stop(-1)
        self.held()

    def chmod(self) -> None:
        """Only the time of the last change of status changes."""
        self.say("at 0")
        while True:
            for mode in (0o644, 0o664):
                with suppress(FileNotFoundError):
                    self.target.chmod(mode)
                time.sleep(0.003)

    def run(self, manner: str) -> None:
        """Copy in a manner."""
        if manner in TIMES:
            self.reopened(TIMES[manner])
        else:
            manners: dict[str, Callable[[], None]] = {
                "pieces": self.by_pieces,
                "allocated": self.allocated,
                "truncated": self.truncated,
                "mapped": self.mapped,
                "reopened": self.reopened,
                "renamed": self.renamed,
                "in_place": self.in_place,
                "held": self.held,
                "late": self.late,
                "chmod": self.chmod,
            }
            manners[manner]()
        self.say(f"done {self.longest_pause:.3f}")


if __name__ == "__main__":
    given = sys.argv[1:]
    seconds = float(given[4]) if len(given) > 4 else None
    Copy(Path(given[1]), Path(given[2]), json.loads(given[3]), seconds).run(given[0])
