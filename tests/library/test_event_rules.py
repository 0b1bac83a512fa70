"""Events in memory: no reader misses one, none is told one twice; few or many changes."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagline.errors import EventsLost
from tagline.index import RowChange
from tagline.library import Hub, Opening
from tagline.library.changes import GONE_SECONDS, MANY_SECONDS, MOST_AT_ONCE, PhotoChanges
from tagline.library.happenings import (
    PhotoChanged,
    PhotoCreated,
    PhotoRemoved,
    PhotosChanged,
)

CAPACITY = 7


def numbered(number):
    """A happening that says its number."""
    return PhotosChanged(created=number, changed=0, removed=0)


def numbers_of(events):
    """The numbers that they say, each of which is in the event's id too."""
    found = [msgspec.json.decode(event.data)["created"] for event in events]
    assert [int(event.id.partition("-")[2]) for event in events] == found
    return found


class Client:
    """A client that reads when it likes, goes away, and comes back with its last id."""

    def __init__(self, hub):
        self.hub, self.reader, self.seen, self.woken = hub, None, None, 0

    def wake(self):
        self.woken += 1

    def connect(self, published):
        """Come (back): on from what was seen, or told that some of it is gone."""
        last_id = None if self.seen is None else f"run-{self.seen}"
        self.reader = self.hub.subscribe(self.wake, last_id)
        if self.seen is None:
            assert self.reader.opening is Opening.FRESH
        elif published - self.seen <= CAPACITY:
            assert self.reader.opening is Opening.RESUMED
            assert self.reader.last_id == last_id
            return
        else:
            assert self.reader.opening is Opening.TOO_OLD
        assert self.reader.last_id == f"run-{published}"
        self.seen = published

    def read(self, limit, published):
        """Take some: exactly those that follow; who is too slow is told so."""
        if published - self.seen > CAPACITY:
            with pytest.raises(EventsLost):
                self.reader.take(limit)
            self.leave()
            return
        got = numbers_of(self.reader.take(limit))
        end = min(published, self.seen + limit)
        assert got == list(range(self.seen + 1, end + 1))
        self.seen = end

    def leave(self):
        self.reader.close()
        self.reader = None


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("publish"), st.integers(1, 5)),
            st.tuples(st.sampled_from(["connect", "leave"]), st.integers(0, 2)),
            st.tuples(st.just("read"), st.integers(0, 2), st.integers(1, 9)),
        ),
        max_size=60,
    )
)
def test_every_reader_gets_a_run_without_gaps_or_a_reload(steps):
    """Whatever the order of publishing, reading, going and coming back."""
    hub = Hub("run", CAPACITY)
    clients = [Client(hub) for _ in range(3)]
    published = 0
    for name, *arguments in steps:
        if name == "publish":
            before = [client.woken for client in clients]
            for _ in range(arguments[0]):
                published += 1
                hub.publish(numbered(published))
            for client, woken in zip(clients, before, strict=True):
                assert client.woken - woken == (arguments[0] if client.reader else 0)
            continue
        client = clients[arguments[0]]
        if name == "connect" and client.reader is None:
            client.connect(published)
        elif name == "leave" and client.reader is not None:
            client.leave()
        elif name == "read" and client.reader is not None:
            client.read(arguments[1], published)
    assert hub.listened == any(client.reader for client in clients)


@given(st.text(max_size=40))
def test_an_id_that_is_none_is_unknown(last_id):
    """Whatever a client sends instead of an id, it begins anew."""
    hub = Hub("0run", CAPACITY)
    hub.publish(numbered(1))
    reader = hub.subscribe(lambda: None, last_id)
    assert reader.opening in {Opening.UNKNOWN, Opening.RESTARTED}
    assert reader.take(9) == []


def said(number, version):
    """The JSON of a photo, as far as it matters here."""
    if version is None:
        return None
    return msgspec.json.encode({"id": f"{number}", "object_key": f"{number}", "etag": f"{version}"})


class Teller:
    """Plays changes, and what a client makes of what it is told."""

    def __init__(self):
        self.now = 0.0
        self.changes = PhotoChanges(self.now)
        self.real, self.shown, self.told = {}, {}, []
        self.reloads = 0

    def set(self, versions):
        """One transaction."""
        rows = []
        for number, version in versions.items():
            old = said(number, self.real.get(number))
            if old != said(number, version):
                rows.append(RowChange(f"{number}", old, said(number, version)))
        self.real |= versions
        self.changes.note(rows, self.now)

    def wait(self, seconds):
        """Let time pass; believe what is told."""
        self.now += seconds
        for happening in self.changes.take(self.now):
            self.told.append(happening)
            match happening:
                case PhotosChanged():
                    self.reloads += 1
                    self.shown = {f"{n}": f"{v}" for n, v in self.real.items() if v is not None}
                case PhotoRemoved():
                    assert happening.id in self.shown or self.reloads
                    self.shown.pop(happening.id, None)
                case PhotoCreated() | PhotoChanged():
                    self.shown[happening.id] = happening.etag
        due = self.changes.due
        assert due is None or due > self.now


VERSIONS = st.dictionaries(
    st.integers(0, 9), st.one_of(st.none(), st.integers(0, 3)), min_size=1, max_size=4
)


@given(st.lists(st.one_of(VERSIONS, st.floats(0.0, 1.0), st.integers(150, 400)), max_size=40))
def test_who_believes_what_is_told_knows_the_truth(steps):
    """In the end, whatever changed, few or many; and nothing is told for nothing."""
    teller = Teller()
    for step in steps:
        if isinstance(step, float):
            teller.wait(step)
        elif isinstance(step, int):
            teller.set({1000 + n: len(teller.told) for n in range(step)})
        else:
            teller.set(step)
    teller.wait(MANY_SECONDS)
    assert teller.changes.due is None
    real = {f"{n}": f"{v}" for n, v in teller.real.items() if v is not None}
    assert teller.shown == real


def test_a_photo_that_moves_in_two_steps_has_changed():
    """Gone here, and a moment later there: not removed and created."""
    teller = Teller()
    teller.set({1: 1})
    teller.wait(1)
    teller.set({1: None})
    teller.wait(GONE_SECONDS / 2)
    teller.set({1: 2})
    teller.wait(1)
    assert teller.told[1:] == [PhotoChanged(id="1", etag="2", object_key="1")]


@pytest.mark.parametrize("versions", [(1, 2, 1), (1, None, 1)])
def test_what_comes_back_as_it_was_is_not_told(versions):
    """A change that was undone at once, and a file that was away for a moment."""
    teller = Teller()
    teller.set({1: versions[0]})
    teller.wait(1)
    teller.set({1: versions[1]})
    teller.set({1: versions[2]})
    teller.wait(1)
    assert len(teller.told) == 1


def test_a_hundred_thousand_photos_are_a_few_events():
    """A first scan at two thousand photos a second: numbers, and all of them."""
    teller = Teller()
    new = said(0, 1)
    for start in range(0, 100_000, 200):
        rows = [RowChange(f"{start + n}", None, new) for n in range(200)]
        teller.changes.note(rows, teller.now)
        teller.wait(0.1)
    teller.wait(MANY_SECONDS)
    created = sum(t.created if isinstance(t, PhotosChanged) else 1 for t in teller.told)
    assert created == 100_000
    assert len(teller.told) <= MOST_AT_ONCE + 60


def test_a_photo_that_never_rests_is_told_of_all_the_same():
    """Each change waits for the next one, but not for ever."""
    teller = Teller()
    for version in range(100):
        teller.set({1: version})
        teller.wait(0.01)
    assert len(teller.told) >= 30
