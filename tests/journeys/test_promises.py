"""The seven promises of the design, each over HTTP against a real process on a real directory."""

import asyncio
import hashlib
import shutil
import signal
from pathlib import Path

import pytest
from PIL import Image

TEXT = "Großmutter am Meer, 渚にて\nund eine zweite Zeile"
STORED_IN = {
    **{suffix: ["exif", "xmp"] for suffix in (".jpg", ".jpeg", ".png", ".tif")},
    ".webp": ["exif"],
}
"""Where a description is kept in the formats that take one; for all others beside the photo."""


def pixels(path: Path) -> bytes:
    """The decoded picture."""
    with Image.open(path) as image:
        return image.tobytes()


def as_shown(text: str) -> str:
    """A text as exiftool prints it, line ends as dots."""
    return text.replace("\n", "..").replace("\r", "..")


async def describe_all(server, text=TEXT):
    """Describe every photo; give the texts by object key."""
    texts = {}
    for key, photo in (await server.photos_by_key()).items():
        texts[key] = f"{text} {key}"
        changed = await server.describe(photo["id"], texts[key])
        assert changed["metadata"]["description"] == texts[key]
    return texts


async def descriptions(server):
    """Description of each photo by object key."""
    return {k: p["metadata"]["description"] for k, p in (await server.photos_by_key()).items()}


async def test_nothing_lives_only_in_the_index(server, photos, start_server):
    """Deleting the index directory loses no photo, id or description."""
    texts = await describe_all(server)
    before = await server.photos_by_key()
    await server.stop()
    again = await start_server(photos, "another-data")
    after = await again.photos_by_key()
    assert {k: p["metadata"]["description"] for k, p in after.items()} == texts
    assert {k: (p["id"], p["etag"]) for k, p in after.items()} == {
        k: (p["id"], p["etag"]) for k, p in before.items()
    }


async def test_descriptions_survive_rename_move_and_copy(server, photos, tmp_path, start_server):
    """Descriptions and ids follow photos that are renamed, moved with a directory, or copied."""
    texts = await describe_all(server)
    before = await server.photos_by_key()
    (photos / "plain.jpg").rename(photos / "renamed.jpg")
    (photos / "2019").rename(photos / "years")

    moves = {"plain.jpg": "renamed.jpg", "2019": "years"}
    places = {"/".join(moves.get(name, name) for name in key.split("/")) for key in before}

    async def moved():
        now = await server.photos_by_key()
        return now if now.keys() == places else None

    now = await server.until(moved)
    for key, photo in now.items():
        old = key.replace("renamed", "plain").replace("years/", "2019/")
        assert photo["id"] == before[old]["id"]
        assert photo["metadata"]["description"] == texts[old]
    shutil.copytree(photos, tmp_path / "copy")
    other = await start_server(tmp_path / "copy", "other-data")
    copied = await other.photos_by_key()
    assert {k: p["id"] for k, p in copied.items()} == {k: p["id"] for k, p in now.items()}
    assert await descriptions(other) == {k: p["metadata"]["description"] for k, p in now.items()}


async def test_descriptions_survive_other_tools(server, photos, exiftool):
    """An edit of other fields by exiftool keeps the description and the id."""
    texts = await describe_all(server)
    before = await server.photos_by_key()
    edited = ("plain.jpg", "2019/IMG_0002.JPG", "2019/scan.png", "2019/scan.tif", "web.webp")
    for key in edited:
        exiftool(photos / key, "-XMP:Subject=beach", "-Artist=Somebody")

    async def seen():
        now = await server.photos_by_key()
        return now if all(now[k]["size"] != before[k]["size"] for k in edited) else None

    now = await server.until(seen)
    assert {k: p["id"] for k, p in now.items()} == {k: p["id"] for k, p in before.items()}
    assert await descriptions(server) == texts


async def test_an_original_is_never_harmed(server, photos, exiftool):
    """Pixels stay what they were, and a format that is not edited in place stays byte-identical."""
    files = [p for p in photos.rglob("*") if p.is_file()]
    shown = {p: pixels(p) for p in files}
    digests = {p: hashlib.sha256(p.read_bytes()).digest() for p in files}
    texts = await describe_all(server)
    now = await server.photos_by_key()
    for path in files:
        key = path.relative_to(photos).as_posix()
        assert pixels(path) == shown[path]
        stored_in = STORED_IN.get(path.suffix.lower(), ["xmp_sidecar", "json_sidecar"])
        assert now[key]["stored_in"] == stored_in, key
        if "exif" in stored_in:
            tags = exiftool(path)
            assert as_shown(tags["IFD0:ImageDescription"]) == as_shown(texts[key])
            # A simple WebP gets no chunk of XMP for the sake of a description.
            said = tags.get("XMP-dc:Description", "")
            assert as_shown(said) == (as_shown(texts[key]) if "xmp" in stored_in else ""), key
            assert not any(name.startswith("ExifTool:Warning") for name in tags)
        else:
            assert hashlib.sha256(path.read_bytes()).digest() == digests[path]
            sidecar = exiftool(path.with_name(path.name + ".xmp"))
            assert as_shown(sidecar["XMP-dc:Description"]) == as_shown(texts[key])
            assert path.with_name(path.name + ".json").exists()


async def test_a_write_is_whole_or_absent(server, photos, start_server):
    """After kill -9 amid writes every acknowledged text is on disk, and no file is torn."""
    targets = {k: p["id"] for k, p in (await server.photos_by_key()).items()}
    acknowledged: dict[str, str] = {}
    sent: dict[str, set[str]] = {key: set() for key in targets}

    async def keep_writing(key, photo_id):
        for number in range(10_000):
            text = f"{key} {number}"
            sent[key].add(text)
            answer = await server.describe(photo_id, text)
            acknowledged[key] = answer["metadata"]["description"]

    writers = [asyncio.create_task(keep_writing(*item)) for item in targets.items()]

    async def each_once():
        return len(acknowledged) == len(targets)

    await server.until(each_once)
    server.process.send_signal(signal.SIGKILL)
    await asyncio.gather(*writers, return_exceptions=True)
    await server.stop(signal.SIGKILL)
    again = await start_server(photos, "after")
    found = await descriptions(again)
    for key in targets:
        order = int(found[key].rsplit(" ", 1)[1])
        assert found[key] in sent[key]
        assert order >= int(acknowledged[key].rsplit(" ", 1)[1])
        pixels(photos / key)
    assert not list(photos.rglob(".tagline-*"))


async def test_nobodys_edit_is_overwritten(server, photos, exiftool):
    """Both preconditions are judged against the file, whoever changed it."""
    photo = (await server.photos_by_key())["plain.jpg"]
    first = await server.describe(photo["id"], "one", last_modified=photo["last_modified"])
    refused = await server.describe(photo["id"], "two", 409, last_modified=photo["last_modified"])
    assert refused["detail"] == "Photo has been modified since last retrieval"
    exiftool(photos / "plain.jpg", "-ImageDescription=by another program", "-XMP-dc:Description=")
    await server.describe(photo["id"], "two", 412, headers={"If-Match": f'"{first["etag"]}"'})
    await server.describe(photo["id"], "two", 409, last_modified=first["last_modified"])
    current = await server.until(lambda: _described(server, photo["id"], "by another program"))
    await server.describe(photo["id"], "two", headers={"If-Match": f'"{current["etag"]}"'})


async def _described(server, photo_id, text):
    photo = await server.get(f"/photos/{photo_id}")
    return photo if photo["metadata"]["description"] == text else None


async def test_the_api_shows_what_the_disk_holds(server, photos, exiftool):
    """A file copied in, edited, renamed, moved or deleted shows without a rescan."""
    shutil.copy(photos / "plain.jpg", photos / "2019" / "new.jpg")
    exiftool(photos / "2019" / "new.jpg", "-ImageDescription=fresh")
    Image.effect_noise((40, 30), 80).save(photos / "grey.jpg")

    async def arrived():
        now = await server.photos_by_key()
        fresh = now.get("2019/new.jpg")
        return fresh and fresh["metadata"]["description"] == "fresh" and "grey.jpg" in now

    await server.until(arrived)
    (photos / "2019" / "new.jpg").unlink()
    (photos / "2019" / "Sommer & Meer").rename(photos / "moved")

    async def gone():
        now = await server.photos_by_key()
        return "2019/new.jpg" not in now and "moved/büro.jpeg" in now and len(now) == 10

    await server.until(gone)


async def test_ids_stay_over_everything(server, photos, start_server):
    """Rename, move, description edit and index rebuild together leave every id as it was."""
    before = {p["id"] for p in (await server.photos_by_key()).values()}
    await describe_all(server, "first")
    for suffix in ("", ".xmp", ".json"):
        (photos / f"anim.gif{suffix}").rename(photos / "2019" / f"a.gif{suffix}")
    await server.stop()
    again = await start_server(photos, "rebuilt")
    assert {p["id"] for p in (await again.photos_by_key()).values()} == before


@pytest.mark.shared
async def test_the_corpus_is_served_and_described(corpus, tmp_path, start_server):
    """Every real file is listed and served, and a description given to it reads back."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for number, path in enumerate(corpus):
        shutil.copy(path, photos / f"{number:02d} {path.name}")
        (photos / f"{number:02d} {path.name}").chmod(0o644)
    server = await start_server(photos)
    listed = await server.photos_by_key()
    assert len(listed) == len(corpus)
    await describe_all(server)
    result = await server.session.post("/rescan")
    assert (await result.json())["updated"] == []
