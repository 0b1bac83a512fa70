"""Sidecars follow their photo, over HTTP, while other programs move the one without the other."""

import asyncio
import json
import shutil
import subprocess
import sys
import time

import pytest

from tests.journeys.conftest import make_image

KINDS = ("anim.gif", "phone.avif", "raw.dng")
SECONDS = 1.0
"""After a change on the disk the API shows it within so long."""


@pytest.fixture
async def described(server):
    """Texts of the three photos that are described through sidecars, and the photos as shown."""
    photos = await server.photos_by_key()
    return {key: await server.describe(photos[key]["id"], f"text of {key}") for key in KINDS}


async def shown(server, key, text):
    """Wait until a photo shows a text; give the photo. It must not take longer than promised."""
    began = time.monotonic()

    async def is_shown():
        photo = (await server.photos_by_key()).get(key)
        return photo if photo and photo["metadata"]["description"] == text else None

    photo = await server.until(is_shown)
    assert time.monotonic() - began < SECONDS
    return photo


def sidecars(photos):
    """Every sidecar below the directory, by its key."""
    found = (*photos.rglob("*.json"), *photos.rglob("*.xmp"))
    return {path.relative_to(photos).as_posix() for path in found}


async def test_a_renamed_photo_keeps_its_text(server, photos, described):
    """Renamed or moved without its sidecars, it shows the same values under the same id."""
    for key, before in described.items():
        goal = photos / "2019" / f"moved {key}"
        (photos / key).rename(goal)
        photo = await shown(server, f"2019/moved {key}", f"text of {key}")
        assert (photo["id"], photo["stored_in"]) == (before["id"], before["stored_in"])
        goal.rename(photos / f"again {key}")
        assert (await shown(server, f"again {key}", f"text of {key}"))["id"] == before["id"]


async def test_it_does_so_after_the_index_was_deleted(server, photos, described, start_server):
    """What is shown follows from the disk alone, and so does the entity tag."""
    for key in KINDS:
        (photos / key).rename(photos / "2019" / key)
    before = {key: await shown(server, f"2019/{key}", f"text of {key}") for key in KINDS}
    await server.stop()
    again = await start_server(photos, "another-data")
    now = await again.photos_by_key()
    assert {key: now[f"2019/{key}"]["etag"] for key in KINDS} == {
        key: photo["etag"] for key, photo in before.items()
    }
    await again.stop()
    same = await start_server(photos, "another-data")
    assert await same.photos_by_key() == now
    assert (await (await same.session.post("/rescan")).json())["updated"] == []


async def test_either_half_may_move_first(server, photos, described):
    """Sidecars moved away first are followed, and once at home they are the photo's own."""
    for suffix in (".json", ".xmp"):
        (photos / f"anim.gif{suffix}").rename(photos / "2019" / f"x{suffix}")
    await shown(server, "anim.gif", "text of anim.gif")
    (photos / "anim.gif").rename(photos / "2019" / "x.gif")
    await shown(server, "2019/x.gif", "text of anim.gif")
    for suffix in (".json", ".xmp"):
        (photos / "2019" / f"x{suffix}").rename(photos / "2019" / f"x.gif{suffix}")
    result = await server.session.post("/rescan")
    assert (await result.json())["removed"] == []
    await shown(server, "2019/x.gif", "text of anim.gif")
    for suffix in (".json", ".xmp"):
        (photos / "2019" / f"x.gif{suffix}").unlink()
    await shown(server, "2019/x.gif", None)


async def test_an_orphan_that_is_edited_or_deleted_is_followed(server, photos, described):
    """Where nothing but the orphan changes, the photo elsewhere follows."""
    (photos / "anim.gif.xmp").unlink()
    (photos / "anim.gif").rename(photos / "2019" / "b.gif")
    await shown(server, "2019/b.gif", "text of anim.gif")
    orphan = photos / "anim.gif.json"
    said = json.loads(orphan.read_text())
    orphan.write_text(json.dumps({**said, "description": "by hand"}))
    await shown(server, "2019/b.gif", "by hand")
    orphan.unlink()
    await shown(server, "2019/b.gif", None)


async def test_another_photo_of_the_old_name_does_not_get_the_text(server, photos, described):
    """The new one is without text, can be described, and the first one keeps its own."""
    (photos / "anim.gif").rename(photos / "2019" / "b.gif")
    make_image(77).save(photos.parent / "whole.gif")
    (photos.parent / "whole.gif").rename(photos / "anim.gif")  # one that grows changes its id
    await shown(server, "2019/b.gif", "text of anim.gif")
    other = await shown(server, "anim.gif", None)
    changed = await server.describe(other["id"], "the other one")
    assert changed["metadata"]["description"] == "the other one"
    await shown(server, "2019/b.gif", "text of anim.gif")
    beside = {f"{photo}{end}" for photo in ("anim.gif", "2019/b.gif") for end in (".json", ".xmp")}
    assert beside <= sidecars(photos)
    assert (await (await server.session.post("/rescan")).json())["updated"] == []


async def test_a_patch_brings_the_sidecars_home(server, photos, described):
    """The new text is beside the photo, and what Tagline alone had written elsewhere is not."""
    before = sidecars(photos)
    for key in KINDS:
        (photos / key).rename(photos / "2019" / key)
        photo = await shown(server, f"2019/{key}", f"text of {key}")
        headers = {"If-Match": f'"{photo["etag"]}"'}
        await server.describe(photo["id"], f"new text of {key}", headers=headers)
    assert sidecars(photos) == {f"2019/{key}" for key in before}
    assert (await (await server.session.post("/rescan")).json())["updated"] == []
    for key in KINDS:
        await shown(server, f"2019/{key}", f"new text of {key}")
        removed = await server.describe(described[key]["id"], "")
        assert removed["metadata"]["description"] is None
    assert sidecars(photos) == set()


async def test_a_photo_moves_through_a_directory_that_is_moved(server, photos, described):
    """Orphans in a directory that moves, or is deleted, are followed as well."""
    (photos / "anim.gif.json").rename(photos / "2019" / "lost.json")
    (photos / "anim.gif.xmp").unlink()
    (photos / "anim.gif").rename(photos / "a.gif")
    await shown(server, "a.gif", "text of anim.gif")
    (photos / "2019").rename(photos / "elsewhere")
    await shown(server, "a.gif", "text of anim.gif")
    (photos / "elsewhere" / "lost.json").unlink()
    await shown(server, "a.gif", None)


async def test_a_copy_of_a_moved_photo_is_the_same_photo(server, photos, described):
    """Byte-identical copies show the text that was written for them, until one gets its own."""
    shutil.copy(photos / "anim.gif", photos / "2019" / "copy.gif")
    (photos / "anim.gif").rename(photos / "b.gif")
    await shown(server, "b.gif", "text of anim.gif")
    await shown(server, "2019/copy.gif", "text of anim.gif")
    # Copies trade ids: which has the plain one is decided when both are known.
    first = await shown(server, "b.gif", "text of anim.gif")
    await server.describe(first["id"], None)
    await shown(server, "b.gif", None)
    await shown(server, "2019/copy.gif", "text of anim.gif")


async def test_verify_repairs_beside_a_running_server(server, photos, described):
    """The command moves every orphan home, and the API shows the same before and after."""
    for key in KINDS:
        (photos / key).rename(photos / "2019" / key)
    before = {key: await shown(server, f"2019/{key}", f"text of {key}") for key in KINDS}
    command = [sys.executable, "-m", "tagline", "verify", str(photos), "--repair", "--yes"]
    environment = {**server.environment, "TAGLINE_PORT": "0"}
    done = await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert sidecars(photos) == {f"2019/{key}{end}" for key in KINDS for end in (".json", ".xmp")}
    for key in KINDS:
        photo = await shown(server, f"2019/{key}", f"text of {key}")
        assert photo["etag"] == before[key]["etag"]
        await server.describe(photo["id"], "after", headers={"If-Match": f'"{photo["etag"]}"'})
