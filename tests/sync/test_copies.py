"""Many photos of one content cost what as many that differ cost: told by the rows looked at."""

from collections import Counter

import pytest

from tagline.index import photos as index_photos
from tests.sync.worlds import World

FEW, MANY = 256, 1024


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a row's state was read out of the index, by what it is read for."""
    counter: Counter[str] = Counter()
    state_of = index_photos.state_of

    def counted(photo_id: str, files: bytes) -> object:
        counter["rows"] += 1
        return state_of(photo_id, files)

    monkeypatch.setattr(index_photos, "state_of", counted)
    return counter


async def life(world: World, copies: int, looked_at: Counter[str]) -> dict[str, float]:
    """Rows looked at per photo: when copies come, are moved, changed for others, and go."""
    memory, spent = world.memory, dict[str, float]()

    async def settle(what: str) -> None:
        looked_at.clear()
        await world.reconciler.reconcile()
        spent[what] = looked_at["rows"] / copies

    for number in range(copies):
        memory.put(f"a/{number:05}.jpg", b"one")
    await settle("come")
    for number in range(copies):
        memory.rename(f"a/{number:05}.jpg", f"b/{number:05}.jpg")
    await settle("moved")
    for number in range(copies):
        memory.rename(f"b/{number:05}.jpg", f"a/{copies - number:05}.jpg")
    await settle("moved back in another order")
    for number in range(copies):
        memory.put(f"a/{number + 1:05}.jpg", b"another")
    await settle("replaced by copies of another photo")
    for number in range(copies // 2):
        memory.put(f"a/{number + 1:05}.jpg", b"%d" % number)
    await settle("half of them edited")
    memory.put("last.jpg", b"last")
    for number in range(copies):
        memory.delete(f"a/{number + 1:05}.jpg")
    await settle("gone")
    return spent


async def test_a_copy_costs_the_same_however_many_there_are(
    world: World, looked_at: Counter[str]
) -> None:
    """Four times as many copies are four times the work, whatever becomes of them."""
    few = await life(world, FEW, looked_at)
    many = await life(world, MANY, looked_at)
    assert {what: many[what] <= 1.5 * few[what] + 2 for what in few} == dict.fromkeys(few, True), (
        few,
        many,
    )
