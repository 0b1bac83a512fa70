"""The sorted list of ids behaves as a sorted list, at any size."""

from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.index.order import CHUNK, Order


def key(member: str) -> bytes:
    """Members are sorted by their reversed text here."""
    return member[::-1].encode()


def make(members: Iterable[str]) -> Order:
    """An order made of members at once."""
    listed = list(members)
    return Order(key, listed, map(key, listed))


def check(order: Order, members: Iterable[str]) -> None:
    """Every question has the answer that a sorted list gives."""
    expected = sorted(members, key=key)
    assert list(order) == expected
    assert len(order) == len(expected)
    for offset in {0, 1, len(expected) // 2, len(expected) - 1, len(expected), len(expected) + 9}:
        for limit in (0, 1, 7, 2 * CHUNK):
            if offset >= 0:
                assert order.slice(offset, limit) == expected[offset : offset + limit]
    for bound in [b"", b"5", b"99\0", *(key(m) for m in expected[:: len(expected) // 9 + 1])]:
        wanted = [m for m in expected if key(m) >= bound]
        assert order.at_or_behind(bound, 5) == wanted[:5]


names = st.sets(st.integers(0, 5000).map(str), max_size=40)


@settings(max_examples=60, deadline=None)
@given(names, st.lists(st.tuples(st.booleans(), names), max_size=8))
def test_any_changes(start: set[str], changes: list[tuple[bool, set[str]]]) -> None:
    """After any additions and removals, the order is that of a sorted list."""
    order, members = make(start), set(start)
    for adding, some in changes:
        if adding:
            order.add(some - members)
            members |= some
        else:
            order.discard(some & members)
            members -= some
        check(order, members)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999), st.sampled_from([1, 3, 100, 1000]))
def test_many_members(seed: int, batch: int) -> None:
    """Chunks split, empty and grow at the end without losing the order."""
    random = Random(seed)
    members = [str(n) for n in random.sample(range(100_000), 3 * CHUNK)]
    order = make(members[:10])
    for start in range(10, len(members), batch):
        order.add(members[start : start + batch])
    check(order, members)
    random.shuffle(members)
    order.discard(members[CHUNK:])
    check(order, members[:CHUNK])


def test_additions_at_the_end() -> None:
    """Sorted batches behind the last member keep the chunks full."""
    members = [f"{n:06d}"[::-1] for n in range(20 * CHUNK)]
    order = make(members[: 10 * CHUNK])
    for start in range(10 * CHUNK, len(members), 100):
        order.add(members[start : start + 100])
    check(order, members)
    assert len(order._chunks) <= 21


def test_a_member_that_is_not_there_cannot_be_removed() -> None:
    """Removing what is not in the order is an error, and removes nothing."""
    order = make(["1", "2"])
    with pytest.raises(KeyError):
        order.discard(["3"])
    check(order, ["1", "2"])
