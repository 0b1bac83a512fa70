"""Since when files are as they are, by looks of our own."""

from tagline.model import FileState
from tagline.sync import Stillness

NEW = FileState(1, 100, 1_000, 1_000)
GROWN = FileState(1, 200, 2_000, 2_000)
TOUCHED = FileState(1, 100, 1_000, 9_000)


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def made(settle_seconds: float = 2.0) -> tuple[Stillness, Clock]:
    """What is looked at with a clock of the test's own, that has run for a while."""
    clock = Clock()
    stillness = Stillness(settle_seconds, clock)
    clock.now += 1_000
    return stillness, clock


def test_a_file_that_nobody_looked_at_before_is_waited_for():
    """The first look begins the wait, and the second tells what is left of it."""
    stillness, clock = made()
    assert stillness.wait_seconds("a", NEW) == 2
    clock.now += 1.5
    assert stillness.wait_seconds("a", NEW) == 0.5
    clock.now += 0.5
    assert stillness.wait_seconds("a", NEW) == 0


def test_a_file_that_grew_is_waited_for_anew():
    """Another size or modification time begins the wait again."""
    stillness, clock = made()
    stillness.wait_seconds("a", NEW)
    clock.now += 5
    assert stillness.wait_seconds("a", GROWN) == 2


def test_a_changed_mode_is_no_writing():
    """A change time alone, as chmod, link and attributes make, begins no wait."""
    stillness, clock = made()
    stillness.wait_seconds("a", NEW)
    clock.now += 2
    assert stillness.wait_seconds("a", TOUCHED) == 0
    assert stillness.wait_seconds("b", TOUCHED, indexed=NEW) == 0


def test_what_the_index_knows_is_a_look():
    """A file that is as its row says is still, if the row is no younger than the wait."""
    stillness, clock = made()
    assert stillness.wait_seconds("a", NEW, indexed=NEW) == 0
    stillness.note_row("b")
    assert stillness.wait_seconds("b", NEW, indexed=NEW) == 2
    clock.now += 2
    assert stillness.wait_seconds("b", NEW, indexed=NEW) == 0
    assert stillness.wait_seconds("c", GROWN, indexed=NEW) == 2


def test_a_row_from_before_the_start_is_a_look_of_the_start():
    """How long ago another run of the program looked, nobody knows."""
    clock = Clock()
    stillness = Stillness(2.0, clock)
    assert stillness.wait_seconds("a", NEW, indexed=NEW) == 2
    clock.now += 2
    assert stillness.wait_seconds("a", NEW, indexed=NEW) == 0


def test_what_tagline_wrote_is_still():
    """Tagline's own last write is not waited for; what another program makes of it is."""
    stillness, _ = made()
    stillness.note_row("a")
    stillness.note_own("a", NEW)
    assert stillness.wait_seconds("a", NEW, indexed=NEW) == 0
    assert stillness.wait_seconds("a", TOUCHED) == 0
    assert stillness.wait_seconds("a", GROWN) == 2


def test_rows_are_remembered_no_longer_than_they_matter():
    """A first scan of many photos leaves nothing behind."""
    stillness, clock = made()
    for number in range(1_000):
        stillness.note_row(f"{number}")
        clock.now += 0.1
    assert len(stillness._rows) <= 21


def test_a_look_is_remembered_while_somebody_waits():
    """However many files one command looks at, each is still at the second look."""
    stillness, clock = made()
    names = [f"{number}" for number in range(10_000)]
    assert {stillness.wait_seconds(name, NEW) for name in names} == {2}
    clock.now += 2
    assert {stillness.wait_seconds(name, NEW) for name in names} == {0}


def test_looks_are_bounded():
    """What was looked at long ago is forgotten."""
    stillness, clock = made()
    for number in range(10_000):
        stillness.wait_seconds(f"{number}", NEW)
        clock.now += 1
    assert len(stillness._looks) <= 4096


def test_nothing_is_waited_for_where_nobody_writes():
    """With a time of 0 every file is still."""
    stillness, _ = made(0.0)
    assert stillness.wait_seconds("a", NEW) == 0
    stillness.note_row("a")
    assert stillness.wait_seconds("a", GROWN, indexed=GROWN) == 0


def test_for_how_long_a_file_was_seen_unchanged():
    """That is since the first look, and since the start at most."""
    stillness, clock = made()
    stillness.wait_seconds("a", NEW)
    clock.now += 7
    assert stillness.still_seconds("a", NEW) == 7
    assert stillness.still_seconds("a", GROWN) == 0
    stillness.note_own("b", NEW)
    assert stillness.still_seconds("b", NEW) == 1_007
