"""What the history keeps: the rule by itself, and the file."""

import errno
import json
import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagline.index import HistoryLimits, TinyHistory, open_history
from tagline.index.history import CONTENT
from tagline.index.journal import JournalStorage
from tagline.index.ledger import Ledger
from tagline.index.table import JournalDatabase
from tagline.model import Actor, MetadataChange, PastChange, PendingChange

SMALL = HistoryLimits(per_photo=3, changes=6, bytes=100, change_bytes=60)
CHANGES = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(1, SMALL.change_bytes)))


def kept(ledger):
    """All numbers that a ledger keeps."""
    return {n for photo in "abcdefgh" for n in ledger.of(photo)}


@given(CHANGES)
def test_the_bounds_hold_and_only_the_oldest_go(changes):
    """After each change every bound holds, the new one is there, and nothing went needlessly."""
    made = {}
    ledger = Ledger(SMALL, lambda n: made[n][1])
    for n, (photo, size) in enumerate(changes, 1):
        before = kept(ledger)
        gone = ledger.overdue(photo, size)
        assert kept(ledger) == before
        for old in gone:
            ledger.drop(old, made[old][1])
        ledger.add(n, photo, size)
        made[n] = (photo, size)
        now = kept(ledger)
        assert now == before - set(gone) | {n}
        assert len(ledger) == len(now) <= SMALL.changes
        assert ledger.bytes == sum(made[m][1] for m in now) <= SMALL.bytes
        assert len(ledger.of(photo)) <= SMALL.per_photo
        assert list(ledger.of(photo)) == sorted(ledger.of(photo))
        check_need(before, gone, made, n)


def check_need(before, gone, made, n):
    """What went was the photo's oldest beyond its number, else the oldest of all, until enough."""
    photo, size = made[n]
    own = sorted(m for m in before if made[m][0] == photo)
    surplus = set(own[: max(0, len(own) + 1 - SMALL.per_photo)])
    rest = sorted(before - surplus)
    others = sorted(set(gone) - surplus)
    assert surplus <= set(gone)
    assert others == rest[: len(others)]
    if others:
        left = [m for m in rest if m not in others[:-1]]
        too_many = len(left) + 1 > SMALL.changes
        too_much = sum(made[m][1] for m in left) + size > SMALL.bytes
        assert too_many or too_much


def change(photo_id="p", text="x", **more):
    """A change to be recorded."""
    return PastChange(
        photo_id=photo_id,
        at="2024-05-01T12:34:56.000000Z",
        before=MetadataChange(description=None),
        after=MetadataChange(description=text),
        **more,
    )


def pending(photo_id="p", text="x", **more):
    """A change to be announced."""
    return PendingChange(change=change(photo_id, text, **more), beside_after=("json",))


def record(history, photo_id="p", text="x", **more):
    """Announce a change and confirm it; whether it could be announced."""
    name = history.begin(pending(photo_id, text, **more))
    if name is not None:
        history.confirm(name)
    return name is not None


def numbers(history, photo_id="p"):
    """The numbers of a photo's changes, newest first."""
    return [json.loads(raw)["n"] for raw in history.page(photo_id, 999, 0).items]


@pytest.fixture
def open_limited(tmp_path):
    """Open the same file again and again, with small bounds."""
    opened = []

    def make(limits=SMALL):
        for each in opened:
            each.close()
        database = JournalDatabase(
            tmp_path / "history.jsonl", content=CONTENT, durable=False, storage=JournalStorage
        )
        opened.append(TinyHistory(database, limits))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


def test_the_bounds_hold_in_the_file_and_numbers_go_on(open_limited):
    """Dropped changes stay dropped after a restart, and no number is given twice."""
    limits = HistoryLimits(per_photo=2, changes=3)
    history = open_limited(limits)
    assert all(record(history, p) for p in "aaabbc")
    again = open_limited(limits)
    assert len(again) == 3
    assert (again.page("a", 9, 0).total, again.page("b", 9, 0).total) == (0, 2)
    assert again.get("a", 3) is None
    assert again.get("b", 6) is None
    assert again.get("c", 6).n == 6
    assert record(again, "a")
    assert numbers(again, "a") == [7]
    assert len(open_limited(HistoryLimits(changes=1))) == 3
    lower = open_limited(HistoryLimits(changes=1))
    assert record(lower, "a")
    assert numbers(lower, "a") == [8]
    assert len(lower) == 1


def test_a_change_comes_back_as_it_was_recorded(open_limited):
    """Every member survives the file, fields that were not touched stay out."""
    history = open_limited(HistoryLimits())
    given = change(by=Actor(kind="session", name="s"), restores=7)
    record(history, by=given.by, restores=7)
    found = open_limited(HistoryLimits()).get("p", 1)
    assert found == PastChange(
        n=1, photo_id="p", at=given.at, by=given.by, restores=7, before=given.before,
        after=given.after,
    )  # fmt: skip
    assert b"title" not in open_limited(HistoryLimits()).page("p", 1, 0).items[0]


def test_a_change_is_on_disk_when_it_is_announced(open_limited, monkeypatch):
    """Where the disk does not confirm that, the problem is told until it does, and it is kept."""
    history = open_limited(HistoryLimits())

    def fail(_descriptor):
        raise OSError(errno.EIO, "failing disk")

    monkeypatch.setattr(os, "fdatasync", fail)
    assert record(history)
    assert history.problem
    monkeypatch.undo()
    assert record(history)
    assert history.problem is None
    assert numbers(history) == [2, 1]


def test_a_confirmation_waits_for_no_disk(open_limited, monkeypatch):
    """The one wait of a change is that of its announcement."""
    history = open_limited(HistoryLimits())
    waits = []
    monkeypatch.setattr(os, "fdatasync", waits.append)
    name = history.begin(pending())
    assert len(waits) == 1
    history.confirm(name)
    assert len(waits) == 1


def test_a_change_that_is_too_large_is_not_kept(open_limited):
    """It is refused without harm to what is there, told, and forgotten with the next that is."""
    history = open_limited(HistoryLimits(change_bytes=400))
    record(history, text="small")
    assert not record(history, text="x" * 400)
    assert "too large" in history.problem
    assert history.page("p", 9, 0).total == 1
    assert record(history, text="small again")
    assert numbers(history) == [2, 1]
    assert history.problem is None


def test_an_announced_change_shows_when_it_is_confirmed(open_limited):
    """Numbers are given in the order of the confirmations, without a gap for what was not made."""
    history = open_limited(HistoryLimits())
    first, second, third = (history.begin(pending(text=text)) for text in "abc")
    assert numbers(history) == []
    history.confirm(third)
    history.cancel(first)
    history.confirm(second)
    assert numbers(history) == [2, 1]
    assert [history.get("p", n).after.description for n in (1, 2)] == ["c", "b"]
    assert not history.left()
    again = open_limited(HistoryLimits())
    assert numbers(again) == [2, 1]
    assert not again.left()


def test_what_was_announced_and_not_ended_is_left_for_the_next_run(open_limited):
    """The oldest first, of each photo; judged, each is a change like any other, or gone."""
    history = open_limited(HistoryLimits())
    record(history)
    for text in "abc":
        history.begin(pending(text=text))
    history.begin(pending("q"))
    again = open_limited(HistoryLimits())
    assert [w.change.after.description for w in again.left("p").values()] == ["a", "b", "c"]
    assert len(again.left()) == 4
    a, b, c = again.left("p")
    again.cancel(a)
    again.confirm(b)
    record(again, text="later")
    third = open_limited(HistoryLimits())
    assert numbers(third) == [3, 2, 1]
    assert third.get("p", 2).after.description == "b"
    assert list(third.left("p")) == [c]
    assert third.left("p")[c].beside_after == ("json",)


def test_no_more_than_a_number_is_left(open_limited):
    """The oldest of those that nothing was heard of go, and none that an edit is at work on."""
    limits = HistoryLimits(left=2)
    history = open_limited(limits)
    names = [history.begin(pending(text=str(n))) for n in range(5)]
    for name in names[:4]:
        history.leave(name)
    history.confirm(names[4])
    history.begin(pending())
    assert list(history.left()) == names[2:4]
    assert list(open_limited(limits).left())[:2] == names[2:4]


def test_an_ending_that_cannot_be_written_is_written_with_the_next(open_limited, monkeypatch):
    """A full disk between announcement and confirmation keeps no change from its number."""
    history = open_limited(HistoryLimits())
    first, second = history.begin(pending(text="a")), history.begin(pending(text="b"))

    def full(*_arguments):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "write", full)
    history.confirm(first)
    history.cancel(second)
    assert history.problem
    assert numbers(history) == []
    monkeypatch.undo()
    assert record(history, text="c")
    assert [history.get("p", n).after.description for n in (1, 2)] == ["a", "c"]
    assert not open_limited(HistoryLimits()).left()


def test_announced_changes_outlive_a_compaction(open_limited, monkeypatch, tmp_path):
    """The file is written anew with those that are left, and without those that ended."""
    monkeypatch.setattr("tagline.index.journal.COMPACT_ABOVE_BYTES", 20_000)
    history = open_limited(HistoryLimits(per_photo=5))
    waiting = history.begin(pending("q", "still"))
    for n in range(300):
        record(history, text=f"{n} " + "x" * 200)
    assert (tmp_path / "history.jsonl").stat().st_size < 40_000
    again = open_limited(HistoryLimits(per_photo=5))
    assert [w.change.after.description for w in again.left().values()] == ["still"]
    again.confirm(waiting)
    assert numbers(again, "q") == [301]


def test_many_threads_record_and_read(open_limited):
    """Each change of four threads is there once, under a number of its own."""
    history = open_limited(HistoryLimits(per_photo=1000))

    def work(photo):
        for n in range(50):
            record(history, photo, str(n))
            history.page("a", 50, 0)

    threads = [threading.Thread(target=work, args=(photo,)) for photo in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    given = [n for photo in "abcd" for n in numbers(history, photo)]
    assert sorted(given) == list(range(1, 201))
    assert open_limited(HistoryLimits(per_photo=1000)).page("c", 500, 0).total == 50


def test_the_file_is_compacted(open_limited, monkeypatch, tmp_path):
    """A file that is mostly dropped changes is written anew, and nothing kept is lost."""
    monkeypatch.setattr("tagline.index.journal.COMPACT_ABOVE_BYTES", 20_000)
    history = open_limited(HistoryLimits(per_photo=5))
    for n in range(300):
        record(history, text=f"{n} " + "x" * 200)
    assert (tmp_path / "history.jsonl").stat().st_size < 40_000
    again = open_limited(HistoryLimits(per_photo=5))
    assert [again.get("p", n).after.description[:3] for n in range(296, 301)] == [
        "295", "296", "297", "298", "299",
    ]  # fmt: skip


def test_a_file_in_use_is_no_reason_not_to_start(tmp_path):
    """A second history of the same directory is in memory, and says so."""
    first = open_history(tmp_path)
    second = open_history(tmp_path)
    assert "in use" in second.problem
    assert record(second)
    assert numbers(second) == [1]
    assert first.page("p", 1, 0).total == 0
    second.close()
    first.close()
