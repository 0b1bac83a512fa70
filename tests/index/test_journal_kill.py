"""What a durable store acknowledged is there after kill -9, wherever that came."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from tinydb import where

from tagline.index import open_database

KILLS = int(os.environ.get("TAGLINE_KILLS", "500"))
WRITER = """
import pathlib, random, sys
from tinydb import where
from tagline.index import journal, open_database
journal.COMPACT_ABOVE_BYTES = 20_000  # a compaction every few dozen commits
database = open_database(pathlib.Path(sys.argv[1]), durable=True)
number = int(sys.argv[2])
while True:
    number += 1
    text = "x" * random.randrange(2000)
    document = {"slot": number % 5, "number": number, "text": text}
    database.upsert(document, where("slot") == number % 5)
    print(number, flush=True)
"""


def write_and_kill(path: Path, number: int, acknowledged: int) -> int:
    """Let a process write from ``number`` on, kill it; the last number that it acknowledged."""
    command = [sys.executable, "-c", WRITER, str(path), str(number)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        for _ in range(acknowledged):
            number = int(writer.stdout.readline())
        writer.kill()
        rest = writer.stdout.read().split(b"\n")
    return int(rest[-2]) if len(rest) > 1 else number


def check(path: Path, number: int) -> int:
    """Every acknowledged commit is there; the newest number on disk."""
    with open_database(path, durable=True) as database:
        newest = {d["slot"]: d["number"] for d in database}
        assert len(newest) == len(database)
        last = max(newest.values())
        assert number <= last <= number + 1
        for written in range(max(last - 4, 1), last + 1):
            assert newest[written % 5] == written
        assert database.count(where("number") > number) == last - number
    assert sorted(p.name for p in path.parent.iterdir()) == ["db.jsonl", "db.jsonl.lock"]
    return last


def run(path: Path, kills: int, seed: int) -> None:
    """Kill a writer so many times."""
    rng = random.Random(seed)
    number = 0
    for _ in range(kills):
        number = check(path, write_and_kill(path, number, rng.randrange(1, 150)))


def test_acknowledged_commits_survive_kills(tmp_path: Path) -> None:
    """After each of 20 kills every acknowledged commit is there, and no other than the last."""
    run(tmp_path / "db.jsonl", 20, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_acknowledged_commits_survive_many_kills(tmp_path: Path) -> None:
    """The same after each of 500 kills, or ``TAGLINE_KILLS``."""
    run(tmp_path / "db.jsonl", KILLS, seed=2)
