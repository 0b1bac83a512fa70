"""A program that changes a file again and again, as an editor does, and counts what got lost.

Run as ``python rival.py FILE SEED``. It reads the whole file, raises the number behind ``rival:``,
writes that beside it and renames it into place; then it waits a few milliseconds, by chance. When
the number that it reads is not the last one that it wrote, somebody put an older version back. It
goes on until its standard input is closed, and says in JSON then: ``written``, the last number;
``lost``, those that were; ``missing``, how often FILE was not there.
"""

import json
import os
import random
import re
import select
import sys
from pathlib import Path

NUMBER = re.compile(rb"rival:(\d{8})")
MOST_SECONDS = 0.03


def raised(data: bytes, number: int) -> bytes:
    """The same with another number."""
    return NUMBER.sub(b"rival:%08d" % number, data)


def main(file: Path, chance: random.Random) -> dict[str, object]:
    """Write until told to stop."""
    beside = file.with_name(f".rival-{file.name}")
    last, lost, missing = None, [], 0
    while not select.select([sys.stdin], [], [], chance.uniform(0, MOST_SECONDS))[0]:
        try:
            data = file.read_bytes()
        except FileNotFoundError:
            missing += 1
            continue
        found = NUMBER.search(data)
        there = int(found[1]) if found else -1
        if last is not None and there != last:
            lost.append({"written": last, "found": there})
        last = max(last or 0, there) + 1
        with beside.open("wb") as new:
            new.write(raised(data, last))
            new.flush()
            os.fsync(new.fileno())
        beside.replace(file)
    return {
        "written": last,
        "lost": lost,
        "missing": missing,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), random.Random(int(sys.argv[2])))))
