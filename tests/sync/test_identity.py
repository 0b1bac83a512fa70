"""Ids follow photos wherever they go, and are never given to two."""

from tagline.model import copy_id, photo_id
from tests.sync.worlds import World, fingerprint_of


def plain(pixels: str) -> str:
    """The id of a photo without copies."""
    return photo_id(fingerprint_of(pixels))


def copied(pixels: str, object_key: str) -> str:
    """The id of a copy."""
    return copy_id(fingerprint_of(pixels), object_key)


async def reconciled(world: World) -> dict[str, str]:
    """The ids by key after a reconcile."""
    await world.reconciler.reconcile()
    return world.ids()


async def test_of_copies_the_first_by_key_has_the_plain_id(world: World) -> None:
    """Whatever the order in which copies come and go, their ids are those of a rebuild."""
    world.memory.put("m.jpg", b"p")
    assert await reconciled(world) == {"m.jpg": plain("p")}
    world.memory.put("z.jpg", b"p")
    assert await reconciled(world) == {"m.jpg": plain("p"), "z.jpg": copied("p", "z.jpg")}
    world.memory.put("a.jpg", b"p")
    assert (await reconciled(world))["a.jpg"] == plain("p")
    assert world.ids()["m.jpg"] == copied("p", "m.jpg")
    world.memory.delete("a.jpg")
    assert await reconciled(world) == {"m.jpg": plain("p"), "z.jpg": copied("p", "z.jpg")}


async def test_a_rename_keeps_the_id_and_reads_only_what_moved(world: World) -> None:
    """A renamed photo keeps its id and counts as updated; its neighbours are not read."""
    world.memory.put("a/1.jpg", b"one")
    world.memory.put("a/2.jpg", b"two")
    before = await reconciled(world)
    world.reads.clear()
    world.memory.rename("a/1.jpg", "b/9.jpg")
    result = await world.reconciler.reconcile()
    assert world.ids() == {"b/9.jpg": before["a/1.jpg"], "a/2.jpg": before["a/2.jpg"]}
    assert (result.imported, result.updated, result.removed) == ((), (before["a/1.jpg"],), ())
    assert world.reads == ["b/9.jpg"]


async def test_a_case_only_rename_keeps_the_id(world: World) -> None:
    """``a.JPG`` that becomes ``a.jpg`` is the same photo under another key."""
    world.memory.put("a.JPG", b"one")
    before = await reconciled(world)
    world.memory.rename("a.JPG", "a.jpg")
    assert await reconciled(world) == {"a.jpg": before["a.JPG"]}


async def test_a_shift_of_many_names_moves_every_id(world: World) -> None:
    """When 300 numbered photos move up by one number, each id moves along, in several batches."""
    for number in range(300):
        world.memory.put(f"{number:04}.jpg", b"p%d" % number)
    before = await reconciled(world)
    for number in reversed(range(300)):
        world.memory.rename(f"{number:04}.jpg", f"{number + 1:04}.jpg")
    after = await reconciled(world)
    assert after == {f"{n + 1:04}.jpg": before[f"{n:04}.jpg"] for n in range(300)}
    for number in range(300):
        world.memory.rename(f"{number + 1:04}.jpg", f"{number:04}.jpg")
    assert await reconciled(world) == before


async def test_edited_pixels_keep_the_id_over_edits_and_renames(world: World) -> None:
    """A photo edited in place keeps its id through more edits, renames and a restart."""
    world.memory.put("a.jpg", b"old")
    await reconciled(world)
    world.memory.put("a.jpg", b"new")
    assert await reconciled(world) == {"a.jpg": plain("old")}
    world.memory.rename("a.jpg", "b/a.jpg")
    assert await reconciled(world) == {"b/a.jpg": plain("old")}
    await world.reconciler.close()
    world.reconciler = world.new_reconciler()
    world.memory.put("b/a.jpg", b"newer")
    assert await reconciled(world) == {"b/a.jpg": plain("old")}
    world.memory.put("b/a.jpg", b"old")
    assert await reconciled(world) == {"b/a.jpg": plain("old")}


async def test_the_original_of_an_edited_photo_gets_its_copy_id(world: World) -> None:
    """An id that an edited photo kept is not given to its original when that comes back."""
    world.memory.put("a.jpg", b"old")
    await reconciled(world)
    world.memory.put("a.jpg", b"new")
    await reconciled(world)
    world.memory.put("c.jpg", b"old")
    world.memory.put("d.jpg", b"old")
    assert await reconciled(world) == {
        "a.jpg": plain("old"),
        "c.jpg": copied("old", "c.jpg"),
        "d.jpg": copied("old", "d.jpg"),
    }
    world.memory.rename("c.jpg", "b.jpg")
    assert (await reconciled(world))["b.jpg"] == copied("old", "c.jpg")
    world.memory.delete("a.jpg")
    assert len(set((await reconciled(world)).values())) == 2


async def test_an_edited_photo_moved_over_another_keeps_its_id(world: World) -> None:
    """A kept id goes along when the photo takes the place of another one."""
    world.memory.put("a.jpg", b"old")
    world.memory.put("b.jpg", b"other")
    await reconciled(world)
    world.memory.put("a.jpg", b"new")
    await reconciled(world)
    world.memory.rename("a.jpg", "b.jpg")
    assert await reconciled(world) == {"b.jpg": plain("old")}


async def test_of_two_candidates_the_moved_file_takes_the_kept_id(world: World) -> None:
    """A kept id goes with the file that was moved, told by its inode, rather than to its copy."""
    world.memory.put("m.jpg", b"old")
    await reconciled(world)
    world.memory.put("m.jpg", b"new")
    await reconciled(world)
    world.memory.rename("m.jpg", "z.jpg")
    world.memory.put("a.jpg", b"new")
    assert (await reconciled(world))["z.jpg"] == plain("old")


async def test_a_copied_over_photo_is_not_taken_for_an_edited_one(world: World) -> None:
    """A photo that another one is copied over has the id of a copy, and the old id is gone."""
    world.memory.put("a.jpg", b"one")
    world.memory.put("b.jpg", b"two")
    await reconciled(world)
    world.memory.put("b.jpg", b"one")
    assert await reconciled(world) == {"a.jpg": plain("one"), "b.jpg": copied("one", "b.jpg")}


async def test_a_file_that_was_not_whole_does_not_keep_its_id(world: World) -> None:
    """A new file that is still growing when it is first read ends with the id of its whole."""
    seconds = world.memory.put("a.jpg", b"pa").state.ctime_ns / 1e9
    world.now = seconds + 1
    assert await reconciled(world) == {"a.jpg": plain("pa")}
    world.memory.put("a.jpg", b"part and rest")
    assert await reconciled(world) == {"a.jpg": plain("part and rest")}


async def test_a_file_with_a_problem_does_not_keep_its_id(world: World) -> None:
    """A broken file that is replaced by its whole self has the id of that, though much later."""
    world.memory.put("a.jpg", b"broken half")
    await reconciled(world)
    world.memory.put("a.jpg", b"whole")
    assert await reconciled(world) == {"a.jpg": plain("whole")}


async def test_a_photo_edited_before_keeps_its_id_through_a_broken_moment(world: World) -> None:
    """An edited photo that is read half-written keeps its id when it is whole again."""
    world.memory.put("a.jpg", b"old")
    await reconciled(world)
    world.memory.put("a.jpg", b"broken new")
    assert await reconciled(world) == {"a.jpg": plain("old")}
    world.memory.put("a.jpg", b"new")
    assert await reconciled(world) == {"a.jpg": plain("old")}
