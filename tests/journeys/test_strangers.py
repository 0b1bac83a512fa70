"""What a stranger gets: from the network, from files in the photo directory, from the machine."""

import json
import os
import re
import stat
from base64 import urlsafe_b64encode
from hashlib import blake2b
from pathlib import Path

import pytest

from tests.journeys.conftest import PASSWORD, make_image
from tests.processes import children

EVIL = '"><script>alert(1)</script>\r\nSet-Cookie: a=b'
OPEN = ("/health", "/health/live", "/health/ready", "/openapi.json", "/docs", "/nothing")


@pytest.fixture
def open_umask():
    """A umask that hides nothing by itself."""
    before = os.umask(0)
    yield
    os.umask(before)


async def test_what_is_kept_is_for_the_owner_alone(photos, tmp_path, open_umask, start_server):
    """Whatever the umask: index, history, tokens, secret, pictures and their directories."""
    data = tmp_path / "data" / "below"
    server = await start_server(photos, DATABASE_URL=f"tinydb:///{data}")
    for photo in (await server.photos_by_key()).values():
        await server.describe(photo["id"], "private")
        async with server.session.get(f"/photos/{photo['id']}/thumbnail") as answer:
            await answer.read()
    async with server.session.post("/tokens", json={"name": "t", "scope": "read"}) as answer:
        assert answer.status == 201
    kept = {path.relative_to(data).parts[0]: path for path in data.iterdir()}
    assert kept.keys() >= {
        "photos.jsonl",
        "history.jsonl",
        "tokens.jsonl",
        "jwt-secret",
        "pictures",
    }
    for path in (data, *data.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode & 0o077 == 0, (path, oct(mode))
    assert not list(photos.rglob(".*"))


async def test_a_new_sidecar_is_as_open_as_its_photo(photos, open_umask, start_server):
    """No sidecar can be read by more people than the photo that it describes."""
    (photos / "anim.gif").chmod(0o640)
    server = await start_server(photos)
    await server.describe((await server.photos_by_key())["anim.gif"]["id"], "private")
    for name in ("anim.gif.json", "anim.gif.xmp"):
        assert stat.S_IMODE((photos / name).stat().st_mode) == 0o640


async def test_no_secret_is_in_a_process_list(photos, start_server):
    """No command line holds one, nor the environment of a process that decodes photos."""
    server = await start_server(photos, JWT_SECRET="j" * 40)
    photo = (await server.photos_by_key())["plain.jpg"]
    async with server.session.get(f"/photos/{photo['id']}/thumbnail") as answer:
        assert answer.status == 200
    main, workers = family(server.process.pid)
    assert workers
    told = (main / "cmdline").read_bytes()
    for worker in workers:
        told += (worker / "cmdline").read_bytes() + (worker / "environ").read_bytes()
    assert PASSWORD.encode() not in told
    assert b"jjjj" not in told


def family(process_id):
    """A process and its children, as they stand in /proc."""
    return Path(f"/proc/{process_id}"), [Path(f"/proc/{pid}") for pid in children(process_id)]


async def test_what_is_open_tells_no_names_and_no_paths(photos, tmp_path, start_server):
    """Strangers see counts and states, also when the photos are gone and files are damaged."""
    server = await start_server(photos)
    await server.describe((await server.photos_by_key())["plain.jpg"]["id"], "hush-hush")
    await server.stop()
    (tmp_path / "data" / "photos.jsonl").write_bytes(b"damaged\n")
    (tmp_path / "data" / "history.jsonl").write_bytes(b"damaged\n")
    server = await start_server(photos)
    server.session.headers.pop("Authorization")
    private = [str(tmp_path), "hush-hush", "plain.jpg", "büro", "Sommer", os.uname().nodename]

    async def told():
        texts = []
        for path in OPEN:
            async with server.session.get(path) as answer:
                texts.append(await answer.text())
        async with server.session.post("/login", json={"password": "wrong"}) as answer:
            texts.append(await answer.text())
        return "\n".join(texts)

    shown = await told()
    assert '"recovered":"' in shown
    photos.rename(tmp_path / "gone")

    async def is_gone():
        return '"available":false' in await told()

    assert await server.until(is_gone)
    for text in (shown, await told()):
        assert [word for word in private if word in text] == []


async def test_every_answer_to_somebody_is_kept_from_shared_caches(server):
    """Answers that need a token may be kept by the browser alone, or by nobody."""
    photo = (await server.photos_by_key())["plain.jpg"]["id"]
    paths = (await server.get("/openapi.json"))["paths"]
    seen = 0
    for path, methods in paths.items():
        if "get" not in methods or not methods["get"]["security"] or path == "/events":
            continue
        async with server.session.get(re.sub(r"\{\w+\}", photo, path)) as answer:
            cache = answer.headers["Cache-Control"]
            assert "no-store" in cache or "private" in cache, (path, cache)
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
            seen += answer.status == 200
    assert seen >= 8


async def test_a_page_that_calls_itself_a_photo_is_none(photos, start_server):
    """HTML and SVG by a photo's name are sent as that type, and run nothing; else not at all."""
    page = b"<html><script>alert(1)</script>"
    drawing = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
    (photos / "page.jpg").write_bytes(page)
    (photos / "drawing.png").write_bytes(drawing)
    for name in ("a.svg", "a.svgz", "a.html", "a.xml", "a.jpg.svg"):
        (photos / name).write_bytes(drawing)
    server = await start_server(photos)
    shown = await server.photos_by_key()
    assert not [key for key in shown if key.endswith(("svg", "svgz", "html", "xml"))]
    for key, content, media_type in (
        ("page.jpg", page, "image/jpeg"),
        ("drawing.png", drawing, "image/png"),
    ):
        async with server.session.get(f"/photos/{shown[key]['id']}/image") as answer:
            assert await answer.read() == content
            assert answer.headers["Content-Type"] == media_type
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "sandbox" in answer.headers["Content-Security-Policy"]
        async with server.session.get(f"/photos/{shown[key]['id']}/thumbnail") as answer:
            assert answer.status == 422


async def test_hostile_sidecars_reach_no_other_file(photos, tmp_path, start_server):
    """A sidecar's title is no path, its text no markup and no header, its depth no trouble."""
    (tmp_path / "outside.jpg.json").write_text("{}")
    sidecars = {
        "plain.jpg": {"title": "../outside.jpg", "description": EVIL},
        "web.webp": {
            "title": "/etc/passwd",
            "description": "a",
            "tagline": {"fingerprint": "../x"},
        },
        "anim.gif": {"title": "anim.gif\0", "description": "b", "url": "file:///etc/passwd"},
    }
    for name, said in sidecars.items():
        (photos / f"{name}.json").write_text(json.dumps(said))
    (photos / "raw.dng.json").write_text('{"description":' + "[" * 200_000)
    server = await start_server(photos)
    before = {path: path.read_bytes() for path in tmp_path.glob("*") if path.is_file()}
    shown = await server.photos_by_key()
    assert len(shown) == 9
    async with server.session.get(f"/photos/{shown['plain.jpg']['id']}") as answer:
        assert answer.headers["Content-Type"].startswith("application/json")
        assert "Set-Cookie" not in answer.headers
        assert (await answer.json())["metadata"]["description"] == EVIL
    for key, photo in shown.items():
        await server.describe(photo["id"], "mine", status=409 if key == "raw.dng" else 200)
    after = {path: path.read_bytes() for path in tmp_path.glob("*") if path.is_file()}
    assert after.keys() == before.keys()
    assert (tmp_path / "outside.jpg.json").read_text() == "{}"
    assert "alert" not in server.log.read_text()


async def test_forged_cursors_and_folders_show_nothing_else(server, photos):
    """A cursor is a place in a list and no more; a folder is compared, and opened never."""
    (photos.parent / "secret").mkdir()
    make_image(99).save(photos.parent / "secret" / "s.jpg")
    known = set(await server.photos_by_key())
    folders = ("..", "../secret", "/etc", "2019/../../secret", "%00", "2019%00", "\\x2e\\x2e", "~")
    for folder in folders:
        page = await server.get(f"/photos?folder={folder}")
        assert {photo["object_key"] for photo in page["items"]} <= known
        assert (await server.get(f"/folders?folder={folder}", status=200)) is not None
    for key in (b"", b"\xff" * 40, b"../../secret", b"\0" * 4000):
        for check in (b"\0" * 8, blake2b(key, digest_size=8).digest()):
            cursor = urlsafe_b64encode(check + key).decode().rstrip("=")
            async with server.session.get(f"/photos?cursor={cursor}") as answer:
                assert answer.status == 422, await answer.text()
    assert not server.log.read_text().count("Traceback")
