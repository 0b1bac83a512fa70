"""Photos of every format described without a byte written among them: sidecars apart."""

import asyncio
import json

import pytest


@pytest.fixture
def sidecars(tmp_path):
    """An empty directory for sidecars."""
    made = tmp_path / "sidecars"
    made.mkdir()
    return made


def contents(directory):
    """Every file by path."""
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


async def test_photos_that_are_never_written_keep_what_is_written_of_them(
    photos, sidecars, start_server
):
    """Described, edited in the mirror by others, restarted, re-indexed: the disk says all of it."""
    before = contents(photos)
    apart = {"TAGLINE_SIDECAR_PATH": str(sidecars), "TAGLINE_WRITE_MODE": "sidecar"}
    server = await start_server(photos, "data", **apart)
    shown = await server.photos_by_key()
    for key, photo in shown.items():
        now = await server.describe(photo["id"], f"text of {key}")
        assert (now["metadata"]["description"], now["writable"]) == (f"text of {key}", True)
        assert now["stored_in"][:2] == ["xmp_sidecar", "json_sidecar"]
    assert contents(photos) == before
    written = {p.relative_to(sidecars).as_posix() for p in contents(sidecars) if p.name[0] != "."}
    assert written == {f"{key}.{kind}" for key in shown for kind in ("xmp", "json")}
    theirs = sidecars / "2019" / "scan.png.json"
    said = json.loads(theirs.read_text())
    theirs.write_text(json.dumps(said | {"description": "by hand"}))
    (sidecars / "2019" / "scan.png.xmp").unlink()

    async def is_shown():
        photo = (await server.photos_by_key())["2019/scan.png"]
        return photo["metadata"]["description"] == "by hand"

    await server.until(is_shown)
    ids = {key: photo["id"] for key, photo in shown.items()}
    await asyncio.gather(
        *(server.describe(ids[key], f"{number} at once") for number, key in enumerate(ids))
    )
    last = await server.photos_by_key()
    assert {key: p["id"] for key, p in last.items()} == ids
    await server.stop()
    server = await start_server(photos, "data", **apart)
    assert await server.photos_by_key() == last
    await server.stop()
    server = await start_server(photos, "another", **apart)
    assert await server.photos_by_key() == last
    for photo_id in ids.values():
        await server.describe(photo_id, None)
    assert not any(p["metadata"]["description"] for p in (await server.photos_by_key()).values())
    assert contents(photos) == before
