"""Long work in short steps: generators that yield wherever somebody else may have a turn.

Between two steps the index may change. No step takes longer than about 2 ms.
"""

import heapq
from collections.abc import Callable, Generator, Iterable
from itertools import islice
from typing import Any, TypeVar

Result = TypeVar("Result")
Item = TypeVar("Item")

Steps = Generator[None, None, Result]

PIECE = 1024
"""Small things that are done in one step."""


def finish(steps: Steps[Result]) -> Result:
    """Take every step at once."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def made_in_steps(make: Callable[[Item], Result], items: Iterable[Item]) -> Steps[list[Result]]:
    """What is made of each item, in their order."""
    rest = iter(items)
    made: list[Result] = []
    while piece := list(islice(rest, PIECE)):
        made += map(make, piece)
        yield
    return made


def sorted_in_steps(items: Iterable[Item], key: Callable[[Item], Any]) -> Steps[list[Item]]:
    """The items sorted by their keys."""
    rest = iter(items)
    pieces: list[list[Item]] = []
    while piece := list(islice(rest, PIECE)):
        piece.sort(key=key)
        pieces.append(piece)
        yield
    merged = iter(pieces[0] if len(pieces) == 1 else heapq.merge(*pieces, key=key))
    made: list[Item] = []
    while piece := list(islice(merged, PIECE)):
        made += piece
        yield
    return made
