"""After a kill at any point of an edit, the next start makes all places and the history agree."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.library.killed_editors import CASES

ROOT = Path(__file__).parents[2]


def kill_editors(directory: Path, *names: str) -> list[int]:
    """How many editors were killed in each case, every library having been right again."""
    command = [sys.executable, "-m", "tests.library.killed_editors", str(directory), *names]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [int(line.split()[0]) for line in done.stdout.splitlines()]


@pytest.mark.timeout(120)
def test_an_edit_of_two_sidecars_is_whole_after_a_kill(tmp_path):
    """Both say the old text or both the new one, which was remembered then and can be undone."""
    (killed,) = kill_editors(tmp_path, "other words for it")
    assert killed > 10


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_edits_of_every_kind_are_whole_after_a_kill(tmp_path):
    """The same for first words, removed ones, and those inside a photo with a sidecar beside it."""
    killed = kill_editors(tmp_path)
    assert len(killed) == len(CASES)
    assert min(killed) > 8
