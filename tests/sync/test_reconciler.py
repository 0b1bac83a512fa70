"""What a reconcile reports, survives and leaves alone."""

import asyncio
import threading
from collections.abc import Callable, Iterator

import msgspec
import pytest

from tagline.errors import ObjectUnreadable, StorageUnavailable
from tagline.storage import MemoryStorage, PhotoStorageProvider, StoredObject
from tagline.sync import Decoded, Observed, ReadError, Scope
from tests.sync.worlds import World, fake_read, without_ids


async def test_the_result_names_what_changed(world: World) -> None:
    """New, changed, missing and current photos are told apart, by id."""
    for name in ("a", "b", "c", "d"):
        world.memory.put(f"{name}.jpg", name.encode())
    first = await world.reconciler.reconcile()
    ids = world.ids()
    assert set(first.imported) == set(ids.values())
    world.memory.put("a.jpg", b"a|text")
    world.memory.delete("b.jpg")
    world.memory.put("e.jpg", b"e")
    result = await world.reconciler.reconcile()
    assert result.updated == (ids["a.jpg"],)
    assert result.removed == (ids["b.jpg"],)
    assert result.imported == (world.ids()["e.jpg"],)
    assert (result.skipped, result.changed) == (2, 3)


async def test_a_touch_without_effect_is_no_update(world: World) -> None:
    """A file whose state alone is another one is read, and reported as current."""
    world.read = lambda storage, observed: _of_old_time(fake_read(storage, observed))
    world.memory.put("a.jpg", b"a")
    await world.reconciler.reconcile()
    world.memory.put("a.jpg", b"a")
    world.reads.clear()
    result = await world.reconciler.reconcile()
    assert (result.changed, result.skipped, world.reads) == (0, 1, ["a.jpg"])
    assert world.rows()["a.jpg"].files[0].state == world.memory.stat("a.jpg").state


def _of_old_time(decoded: Decoded) -> Decoded:
    photo = msgspec.structs.replace(decoded.photo, last_modified="then")
    return msgspec.structs.replace(decoded, photo=photo)


async def test_what_cannot_be_read_is_reported_and_kept(world: World) -> None:
    """An unreadable photo is an error each time; its row stays, and it is read when it can be."""
    world.memory.put("a.jpg", b"a")
    world.memory.put("b.jpg", b"b")
    await world.reconciler.reconcile()
    world.memory.put("a.jpg", b"a|text")
    world.memory.put("new.jpg", b"new")
    barred = {"a.jpg", "new.jpg"}

    def read(storage: PhotoStorageProvider, observed: Observed) -> Decoded:
        if observed.object_key in barred:
            raise ObjectUnreadable(observed.object_key, "permission denied")
        return fake_read(storage, observed)

    world.read = read
    for _ in range(3):
        result = await world.reconciler.reconcile()
        detail = "The file cannot be read: permission denied."
        assert result.errors == (ReadError("a.jpg", detail), ReadError("new.jpg", detail))
        assert sorted(world.rows()) == ["a.jpg", "b.jpg"]
        assert result.changed == 0
    barred.clear()
    assert (await world.reconciler.reconcile()).changed == 2
    assert world.rows() == world.expected()


async def test_a_new_photo_is_listed_although_its_sidecar_cannot_be_read(world: World) -> None:
    """It says so itself, and in every result, until the sidecar can be read."""
    world.memory.put("a.jpg", b"a|own")
    world.memory.put("a.jpg.xmp", b"text")
    barred = {"a.jpg.xmp"}

    def read(storage: PhotoStorageProvider, observed: Observed) -> Decoded:
        for file in observed.files:
            if file.object_key in barred:
                raise ObjectUnreadable(file.object_key, "permission denied")
        return fake_read(storage, observed)

    world.read = read
    for _ in range(3):
        result = await world.reconciler.reconcile()
        detail = "a.jpg.xmp, its sidecar: The file cannot be read: permission denied."
        assert result.errors == (ReadError("a.jpg", detail),)
        photo = world.rows()["a.jpg"].photo
        assert (photo.problem, photo.metadata.description) == (detail, "own")
    barred.clear()
    assert (await world.reconciler.reconcile()).errors == ()
    assert world.rows() == world.expected()
    barred.add("a.jpg.xmp")
    world.memory.put("a.jpg.xmp", b"newer")
    await world.reconciler.reconcile()
    known = world.rows()["a.jpg"].photo
    assert (known.problem, known.metadata.description) == (None, "own + text")


@pytest.mark.parametrize("operation", ["check", "walk", "names"])
async def test_an_unavailable_storage_removes_nothing(world: World, operation: str) -> None:
    """Whenever the storage becomes unavailable during a reconcile, no row is lost."""
    for name in ("a", "b", "c"):
        world.memory.put(f"{name}.jpg", name.encode())
    await world.reconciler.reconcile()
    world.memory.delete("a.jpg")
    world.memory.fail_next(operation, StorageUnavailable())
    with pytest.raises(StorageUnavailable):
        await world.reconciler.reconcile()
    assert len(world.index) == 3
    assert not world.reconciler.progress.running
    await world.reconciler.reconcile()
    assert world.rows() == world.expected()


async def test_a_library_that_is_suddenly_empty_is_kept(world: World) -> None:
    """That all of many photos are gone counts as a disk that is not mounted."""
    for number in range(12):
        world.memory.put(f"a/{number}.jpg", b"%d" % number)
    await world.reconciler.reconcile()
    for number in range(12):
        world.memory.delete(f"a/{number}.jpg")
    for scopes in (None, [Scope("a", recursive=True)]):
        with pytest.raises(StorageUnavailable, match="12 photos are indexed"):
            await world.reconciler.reconcile(scopes)
    assert len(world.index) == 12
    world.memory.put("only.jpg", b"only")
    assert len((await world.reconciler.reconcile()).removed) == 12


async def test_the_last_photo_of_few_can_be_deleted(world: World) -> None:
    """A small library may well become empty."""
    world.memory.put("a.jpg", b"a")
    await world.reconciler.reconcile()
    world.memory.delete("a.jpg")
    assert len((await world.reconciler.reconcile()).removed) == 1


async def test_a_second_full_reconcile_joins_the_first(world: World) -> None:
    """Callers that come while a full reconcile runs get its result; ``join=False`` gets another."""
    world.memory.put("a.jpg", b"a")
    one, two = await asyncio.gather(world.reconciler.reconcile(), world.reconciler.reconcile())
    assert one is two
    first, fresh, also = await asyncio.gather(
        world.reconciler.reconcile(),
        world.reconciler.reconcile(join=False),
        world.reconciler.reconcile(join=False),
    )
    assert fresh is also
    assert first is not fresh


async def test_a_full_reconcile_outlives_its_caller(world: World) -> None:
    """When the caller is cancelled, the reconcile goes on."""
    world.memory.put("a.jpg", b"a")
    caller = asyncio.create_task(world.reconciler.reconcile())
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert world.reconciler.progress.running
    await world.reconciler.reconcile()
    assert world.rows() == world.expected()


async def test_progress_tells_how_far_it_is(world: World) -> None:
    """While it runs and afterwards, progress tells what was listed and read."""
    for number in range(100):
        world.memory.put(f"{number}.jpg", b"%d" % number)
    assert world.reconciler.progress.started_at is None
    gate, reached = threading.Event(), threading.Event()

    def read(storage: PhotoStorageProvider, observed: Observed) -> Decoded:
        reached.set()
        assert gate.wait(10)
        return fake_read(storage, observed)

    world.read = read
    running = asyncio.create_task(world.reconciler.reconcile())
    await asyncio.to_thread(reached.wait, 10)
    async with asyncio.timeout(10):
        while world.reconciler.progress.total is None:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0)
    progress = world.reconciler.progress
    assert (progress.running, progress.listed, progress.total, progress.read) == (True, 100, 100, 0)
    assert progress.seconds_left is None
    gate.set()
    await running
    done = world.reconciler.progress
    assert (done.running, done.listed, done.read, done.total) == (False, 100, 100, 100)
    assert done.finished_at == done.started_at == world.reconciler.last_full == world.now


async def test_what_was_indexed_meanwhile_is_not_overwritten_by_older(world: World) -> None:
    """A photo written and indexed while a scan has its old content in hand stays as written."""
    world.memory.put("a.jpg", b"a|old")
    gate, reached = threading.Event(), threading.Event()

    def read(storage: PhotoStorageProvider, observed: Observed) -> Decoded:
        decoded = fake_read(storage, observed)
        if decoded.photo.metadata.description == "old":
            reached.set()
            assert gate.wait(10)
        return decoded

    world.read = read
    scan = asyncio.create_task(world.reconciler.reconcile())
    await asyncio.to_thread(reached.wait, 10)
    world.memory.replace("a.jpg", b"a|new", world.memory.stat("a.jpg").state)
    await world.reconciler.refresh(["a.jpg"])
    gate.set()
    assert (await scan).skipped == 1
    assert world.rows()["a.jpg"].photo.metadata.description == "new"
    assert world.rows() == world.expected()


class Delayed(MemoryStorage):
    """A storage where something happens when a directory has just been listed, once."""

    def __init__(self) -> None:
        super().__init__()
        self.then: Callable[[], object] = lambda: None

    def _after(self) -> None:
        then, self.then = self.then, lambda: None
        then()

    def walk(self, directory: str = "", *, recursive: bool = True) -> Iterator[StoredObject]:
        """See ``MemoryStorage``."""
        yield from super().walk(directory, recursive=recursive)
        self._after()

    def names(self, directory: str, start: str = "") -> list[str]:
        """See ``MemoryStorage``."""
        names = super().names(directory, start)
        self._after()
        return names


@pytest.mark.parametrize("neighbours", [0, 600])
@pytest.mark.parametrize("scopes", [None, [Scope("", names=frozenset({"a.jpg"}))]])
async def test_a_listing_older_than_a_row_takes_nothing_from_it(
    neighbours: int, scopes: list[Scope] | None
) -> None:
    """A sidecar that was written and indexed after a listing never goes missing by that listing."""
    storage = Delayed()
    world = World(storage)
    storage.put("a.jpg", b"a")
    for number in range(neighbours):
        storage.put(f"n{number}.jpg", b"n%d" % number)
    await world.reconciler.reconcile()
    loop = asyncio.get_running_loop()

    def describe() -> None:
        storage.put("a.jpg.xmp", b"text")
        asyncio.run_coroutine_threadsafe(world.reconciler.refresh(["a.jpg"]), loop).result(10)

    storage.put("a.jpg", b"a|own")
    storage.then = describe
    result = await world.reconciler.reconcile(scopes)
    assert (result.updated, result.unsettled) == ((), 0)
    assert scopes or result.skipped == 1 + neighbours
    assert world.rows()["a.jpg"].photo.metadata.description == "own + text"
    assert world.rows() == world.expected()
    storage.delete("a.jpg.xmp")
    await world.reconciler.reconcile()
    assert world.rows() == world.expected()
    await world.close()


async def test_a_photo_deleted_between_listing_and_reading_is_no_error(world: World) -> None:
    """A photo that vanishes under the reader is simply not there, indexed or not."""
    world.memory.put("a.jpg", b"a")
    world.memory.put("b.jpg", b"b")
    await world.reconciler.reconcile()
    world.memory.put("a.jpg", b"a|text")
    world.memory.put("c.jpg", b"c")

    def read(storage: PhotoStorageProvider, observed: Observed) -> Decoded:
        world.memory.delete(observed.object_key)
        return fake_read(storage, observed)

    world.read = read
    result = await world.reconciler.reconcile()
    assert (result.errors, list(world.rows())) == ((), ["b.jpg"])


async def test_a_file_that_changes_while_it_is_read_settles(world: World) -> None:
    """What was read of a file in motion is not stored; it is read again by itself at rest."""
    world.now = world.memory.put("a.jpg", b"half").state.ctime_ns / 1e9
    writes = iter([b"whole"])

    def read(storage: PhotoStorageProvider, observed: Observed) -> Decoded:
        decoded = fake_read(storage, observed)
        for data in writes:
            world.memory.put("a.jpg", data)
            break
        return decoded

    world.read = read
    result = await world.reconciler.reconcile()
    assert (result.unsettled, len(world.index)) == (1, 0)
    assert world.reconciler.settling == 1
    await world.settled()
    assert world.rows() == world.expected()


async def test_a_change_that_the_state_hides_is_found(world: World) -> None:
    """A file read within a clock tick of its change is read again: it may have changed since."""
    state = world.memory.put("a.jpg", b"a|one").state
    world.now = state.ctime_ns / 1e9
    await world.reconciler.reconcile()
    world.memory._table.files["a.jpg"].data = b"a|two"
    await world.settled()
    assert world.memory.stat("a.jpg").state == state
    assert world.rows()["a.jpg"].photo.metadata.description == "two"


async def test_settling_waits_for_the_storage(world: World) -> None:
    """A file in motion on a disk that goes away is read when the disk is back."""
    world.now = world.memory.put("a.jpg", b"a").state.ctime_ns / 1e9
    await world.reconciler.reconcile()
    world.memory.delete("a.jpg")
    world.memory.fail_next("names", StorageUnavailable())
    await world.settled()
    assert not world.rows()


async def test_in_a_large_directory_a_hint_costs_little(world: World) -> None:
    """For one changed file among many only its photo is read, and rivals for its sidecar."""
    for number in range(600):
        world.memory.put(f"a/{number:03}.jpg", b"%d" % number)
    world.memory.put("a/007.xmp", b"stem")
    await world.reconciler.reconcile()
    world.reads.clear()
    for change in (
        lambda: world.memory.put("a/007.png", b"rival"),
        lambda: world.memory.delete("a/007.png"),
        lambda: world.memory.delete("a/007.xmp"),
        lambda: world.memory.put("a/008.jpg.json", b"said"),
        lambda: world.memory.rename("a/009.jpg", "a/009b.jpg"),
        lambda: world.memory.delete("a/010.jpg"),
    ):
        before = {f.object_key for f in world.memory.walk("a")}
        change()
        touched = before ^ {f.object_key for f in world.memory.walk("a")}
        names = frozenset(key.rpartition("/")[2] for key in touched)
        await world.reconciler.reconcile([Scope("a", names=names)])
        assert world.rows() == world.expected()
    assert len(world.reads) < 10


async def test_in_a_large_directory_an_event_of_what_is_known_lists_nothing(world: World) -> None:
    """Names of files that are as their rows have them are looked at by themselves; news is not."""
    for number in range(600):
        world.memory.put(f"a/{number:03}.jpg", b"%d" % number)
    world.memory.put("a/007.jpg.xmp", b"said")
    await world.reconciler.reconcile()
    world.memory.fail_next("names", StorageUnavailable())
    for names in ({"008.jpg"}, {"007.jpg"}, {"007.jpg.xmp", "007.jpg"}):
        result = await world.reconciler.reconcile([Scope("a", names=frozenset(names))])
        assert (result.changed, result.errors) == (0, ())
    world.memory.put("a/008.jpg.json", b"news")
    news = [Scope("a", names=frozenset({"008.jpg", "008.jpg.json"}))]
    with pytest.raises(StorageUnavailable):
        await world.reconciler.reconcile(news)
    await world.reconciler.reconcile(news)
    assert world.rows() == world.expected()


async def test_a_directory_that_becomes_a_file_takes_its_photos_along(world: World) -> None:
    """Rows below a key that is a file now are removed for a hint of that file alone."""
    world.memory.put("x.jpg/1.jpg", b"below")
    await world.reconciler.reconcile()
    world.memory.delete("x.jpg")
    world.memory.put("x.jpg", b"now a photo")
    await world.reconciler.reconcile([Scope("", names=frozenset({"x.jpg"}))])
    assert world.rows() == world.expected()


async def test_more_than_memory_should_hold_is_listed_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backlog beyond its limit keeps directories only, and everything is read all the same."""
    monkeypatch.setattr("tagline.sync.backlog.KEPT", 10)
    monkeypatch.setattr("tagline.sync.intake.HELD", 5)
    for number in range(200):
        world.memory.put(f"{number % 9}/{number}.jpg", b"%d" % number)
    await world.reconciler.reconcile()
    assert world.rows() == world.expected()
    for number in range(200):
        world.memory.put(f"{number % 9}/{number}.jpg", b"other %d" % number)
    await world.reconciler.reconcile()
    assert without_ids(world.rows()) == without_ids(world.expected())


async def test_a_storage_without_order_is_read_rightly(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Directories that a walk gives in parts end right all the same."""
    monkeypatch.setattr("tagline.sync.walking.BATCH_FILES", 4)
    for number in range(40):
        world.memory.put(f"{number % 5}/{number}.jpg", b"%d" % number)
    for number in range(40):
        world.memory.put(f"{number % 5}/{number}.jpg.xmp", b"text %d" % number)
    for _ in range(2):
        await world.reconciler.reconcile()
        assert world.rows() == world.expected()


async def test_closing_stops_a_running_reconcile(world: World) -> None:
    """``close`` returns although a full reconcile runs and others wait for it."""
    for number in range(500):
        world.memory.put(f"{number}.jpg", b"%d" % number)
    calls = [asyncio.create_task(world.reconciler.reconcile(join=join)) for join in (True, False)]
    await asyncio.sleep(0)
    await world.reconciler.close()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in results)
    world.reconciler = world.new_reconciler()
    await world.reconciler.reconcile()
    assert world.rows() == world.expected()


async def test_closing_leaves_no_photo_to_be_read_later(world: World) -> None:
    """A photo that was in motion when everything ended is not read again by itself."""
    world.now = world.memory.put("a/a.jpg", b"a").state.ctime_ns / 1e9
    world.memory.put("b/b.jpg", b"b")
    release = threading.Event()

    def read(storage: PhotoStorageProvider, observed: Observed) -> Decoded:
        assert observed.object_key != "b/b.jpg" or release.wait(10)
        return fake_read(storage, observed)

    world.read = read
    call = asyncio.create_task(world.reconciler.reconcile())
    call.add_done_callback(lambda _: release.set())
    async with asyncio.timeout(10):
        while not world.rows():  # noqa: ASYNC110 - it has no event to wait for
            await asyncio.sleep(0.001)
    await world.reconciler.close()
    assert call.cancelled()
    assert world.reconciler.settling == 0
    assert not [t for t in asyncio.all_tasks() if t.get_name() == "tagline-settle"]


async def test_an_unexpected_error_ends_no_settling(world: World, caplog) -> None:
    """What nobody foresaw of one photo in motion is logged, and the others are read again."""
    world.now = world.memory.put("a.jpg", b"a|one").state.ctime_ns / 1e9
    await world.reconciler.reconcile()

    def fail(_storage: PhotoStorageProvider, _observed: Observed) -> Decoded:
        raise RuntimeError("nobody thought of this")

    world.read = fail
    async with asyncio.timeout(10):
        while "nobody thought of this" not in caplog.text:  # noqa: ASYNC110 - polls
            await asyncio.sleep(0.001)
    world.memory._table.files["a.jpg"].data = b"a|two"
    world.read = fake_read
    await world.settled()
    assert world.rows()["a.jpg"].photo.metadata.description == "two"


async def test_a_directory_may_be_another_one_when_it_is_listed_again(world: World) -> None:
    """Scopes that overlap are all dealt with, also where a photo went in between."""
    keys = ["a/0.jpg", "b/0.jpg", "c/0.jpg", "c/1.jpg"]  # two are read while a third one waits
    for key in keys:
        world.memory.put(key, key.encode())
    walk, listed = world.memory.walk, threading.Event()

    def walk_and_change(directory: str = "", *, recursive: bool = True):
        yield from walk(directory, recursive=recursive)
        if directory == "c" and not recursive:
            world.memory.delete("c/0.jpg")
        elif directory == "d":
            listed.set()

    def read(storage: PhotoStorageProvider, observed: Observed) -> Decoded:
        assert listed.wait(10)
        return fake_read(storage, observed)

    world.memory.walk, world.read = walk_and_change, read
    first = [Scope(directory) for directory in "abc"]
    scopes = [*first, Scope("c", recursive=True), Scope("d")]
    await world.reconciler.reconcile(scopes)
    assert sorted(world.rows()) == ["a/0.jpg", "b/0.jpg", "c/1.jpg"]
