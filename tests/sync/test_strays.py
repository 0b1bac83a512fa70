"""Stray sidecars: which are read, when, and what happens when they cannot be."""

import pytest

from tagline.errors import ObjectUnreadable, StorageUnavailable
from tagline.sync import Scope
from tests.sync.astray import StrayWorld, shown_by_the_rules, sidecar


@pytest.fixture
async def astray():
    """A photo that shows a JSON sidecar of another directory."""
    world = StrayWorld()
    world.memory.put("a/1.gif", b"red")
    world.memory.put("b/lost.json", sidecar("red", "the red one"))
    await world.reconciler.reconcile()
    assert world.text("a/1.gif") == "the red one"
    yield world
    await world.close()


def count_opens(world: StrayWorld) -> list[str]:
    """The keys that are opened from now on."""
    opened: list[str] = []
    real = world.memory.open

    def open_and_note(key):
        opened.append(key)
        return real(key)

    world.memory.open = open_and_note
    return opened


async def test_unrelated_files_are_read_once_a_state(astray):
    """A JSON file that is no sidecar is read when it is new or changed, and not again."""
    for number in range(100):
        astray.memory.put(f"b/{number}.json", b'{"name": "package"}')
    opened = count_opens(astray)
    await astray.reconciler.reconcile()
    assert sorted(opened) == sorted(f"b/{number}.json" for number in range(100))
    opened.clear()
    astray.memory.put("b/7.json", b"{}")
    await astray.reconciler.reconcile()
    assert opened == ["b/7.json"]


async def test_a_file_too_large_for_a_sidecar_is_not_read(astray):
    """Four mebibytes are the most that is read of a file without photo."""
    astray.memory.put("b/big.json", sidecar("red", "x" * 5_000_000))
    astray.memory.delete("b/lost.json")
    await astray.reconciler.reconcile()
    assert astray.text("a/1.gif") is None


async def test_an_event_of_an_orphan_reaches_its_photo(astray):
    """A partial reconcile of the orphan's directory alone updates the photo elsewhere."""
    astray.memory.put("b/lost.json", sidecar("red", "edited"))
    hint = Scope("b", names=frozenset({"lost.json"}))
    result = await astray.reconciler.reconcile([hint])
    assert len(result.updated) == 1
    assert astray.text("a/1.gif") == "edited"
    astray.memory.delete("b/lost.json")
    await astray.reconciler.reconcile([hint])
    assert astray.text("a/1.gif") is None


async def test_a_photo_keeps_what_it_shows_before_the_first_scan(astray):
    """After a restart a photo that is looked at first of all still finds its orphan."""
    await astray.reconciler.close()
    astray.reconciler = astray.new_reconciler()
    result = await astray.reconciler.refresh(["a/1.gif"])
    assert result.updated == ()
    astray.memory.put("a/1.gif", b"red")
    await astray.reconciler.refresh(["a/1.gif"])
    assert astray.text("a/1.gif") == "the red one"


async def test_the_next_best_orphan_takes_the_place_of_one_that_is_gone(astray):
    """The one in the photo's own directory goes first, then the first by key."""
    astray.memory.put("c/lost.json", sidecar("red", "second"))
    astray.memory.put("a/lost.json", sidecar("red", "nearest"))
    await astray.reconciler.reconcile()
    assert astray.text("a/1.gif") == "nearest"
    astray.memory.delete("a/lost.json")
    await astray.reconciler.reconcile()
    assert astray.text("a/1.gif") == "the red one"
    astray.memory.delete("b/lost.json")
    await astray.reconciler.reconcile()
    assert astray.text("a/1.gif") == "second"


async def test_an_orphan_that_cannot_be_read_does_not_hide_the_photo(astray):
    """The photo is shown without its text rather than not at all."""
    astray.memory.put("a/1.gif", b"red")
    real = astray.memory.open

    def fail(key):
        if key == "b/lost.json":
            raise ObjectUnreadable(key, "input/output error")
        return real(key)

    astray.memory.open = fail
    result = await astray.reconciler.reconcile()
    assert result.errors == ()
    assert astray.text("a/1.gif") is None
    astray.memory.open = real
    astray.memory.put("b/lost.json", sidecar("red", "again"))
    await astray.reconciler.reconcile()
    assert astray.text("a/1.gif") == "again"


async def test_what_changed_while_the_disk_was_away_is_not_forgotten(astray):
    """A reconcile that fails amid its last step leaves the step to the next one."""
    astray.memory.put("b/lost.json", sidecar("red", "edited"))
    real = astray.reconciler.strays.take_touched
    taken: list[set[str]] = []

    def take_and_unmount():
        taken.append(real())
        astray.memory.set_unavailable()
        return taken[-1]

    astray.reconciler.strays.take_touched = take_and_unmount
    with pytest.raises(StorageUnavailable):
        await astray.reconciler.reconcile()
    assert taken[0]
    astray.reconciler.strays.take_touched = real
    astray.memory.set_unavailable(False)
    await astray.reconciler.reconcile()
    assert astray.text("a/1.gif") == "edited"


async def test_a_stale_sidecar_is_known_after_a_restart(astray):
    """That a sidecar of a photo's name is another photo's is kept with the photo's row."""
    astray.memory.put("a/2.gif", b"blue")
    astray.memory.put("a/2.gif.xmp", sidecar("red", "x", ".xmp"))
    await astray.reconciler.reconcile()
    await astray.reconciler.close()
    astray.reconciler = astray.new_reconciler()
    astray.reads.clear()
    await astray.reconciler.reconcile()
    assert astray.reads == []
    astray.memory.put("c/3.gif", b"red")
    await astray.reconciler.reconcile()
    row = astray.rows()["c/3.gif"]
    assert row.adopted == ("a/2.gif.xmp", "b/lost.json")
    assert shown_by_the_rules(astray.memory)["c/3.gif"][1] == [f.object_key for f in row.files]


async def test_an_orphan_moved_or_deleted_with_its_directory_is_noticed(astray):
    """A directory without any photo counts as well."""
    astray.memory.rename("b", "d")
    hints = [Scope("", names=frozenset({"b", "d"})), Scope("d", recursive=True)]
    await astray.reconciler.reconcile(hints)
    assert astray.rows()["a/1.gif"].adopted == ("d/lost.json",)
    astray.memory.delete("d")
    await astray.reconciler.reconcile([Scope("", names=frozenset({"d"}))])
    assert astray.text("a/1.gif") is None


@pytest.mark.parametrize("to", ["0", "z"])
async def test_a_photo_that_moved_never_shows_without_the_sidecar_it_left_behind(astray, to):
    """Whichever directory is met first, and however many sidecars are still to be read."""
    for number in range(100):
        astray.memory.put(f"m/{number}.gif", b"%d" % number)
        astray.memory.put(f"m/{number}.gif.json", sidecar(str(number), f"words {number}"))
    await astray.reconciler.reconcile()
    shown: list[tuple[str, str | None]] = []
    apply = astray.index.apply

    def apply_and_note(put, remove=()):
        rows = list(put)
        shown.extend((row.photo.object_key, row.photo.metadata.description) for row in rows)
        apply(rows, remove)

    astray.index.apply = apply_and_note
    for number in range(100):
        astray.memory.rename(f"m/{number}.gif", f"{to}/{number}.gif")
    await astray.reconciler.reconcile([Scope("m", recursive=True), Scope(to, recursive=True)])
    assert {key for key, _ in shown} == {f"{to}/{number}.gif" for number in range(100)}
    assert [key for key, text in shown if text is None] == []
