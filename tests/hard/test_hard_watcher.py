"""Everything that a directory can do to whoever watches it, and how soon the API shows it."""

import asyncio
import os
import shutil
import subprocess
import time
from io import BytesIO

import pytest
from PIL import Image

from tests.hard.processes import Server, save_photo

pytestmark = pytest.mark.slow

SOON_SECONDS = float(os.environ.get("TAGLINE_SOON_SECONDS", "2"))
"""Within so long a change shows; give a busy machine more."""


async def described(server, key, text):
    """Wait until this photo has this description."""

    async def shown():
        photo = (await server.by_key()).get(key)
        return photo if photo and photo["metadata"]["description"] == text else None

    return await server.until(shown, SOON_SECONDS)


@pytest.mark.timeout(180)
async def test_a_storm_of_files_is_taken_in(server, photos):
    """20,000 photos in new nested directories, faster than events are told, are all shown."""
    original = (photos / "a.jpg").read_bytes()
    small = BytesIO()
    Image.new("RGB", (8, 8)).save(small, "JPEG")
    base = small.getvalue()
    began = time.monotonic()

    def storm():
        for number in range(20_000):
            directory = photos / "storm" / f"{number // 2000}" / f"{number // 100}"
            directory.mkdir(parents=True, exist_ok=True)
            # Bytes before the end-of-image marker: other image data in every file.
            unique = base[:-2] + number.to_bytes(3, "big").replace(b"\xff", b"\xfe\x01") + base[-2:]
            (directory / f"{number}.jpg").write_bytes(unique)

    await asyncio.to_thread(storm)
    wrote = time.monotonic()

    async def all_there():
        return (await server.ask("GET", "/photos?limit=1")).json["total"] == 20_003

    await server.until(all_there, 90)
    print(f"written in {wrote - began:.1f} s, shown {time.monotonic() - wrote:.1f} s later")  # noqa: T201
    shutil.rmtree(photos / "storm")

    async def gone():
        return (await server.ask("GET", "/photos?limit=1")).json["total"] == 3

    await server.until(gone, 60)
    assert (photos / "a.jpg").read_bytes() == original
    (photos / "after.jpg").write_bytes(original)
    await server.until_keys("a.jpg", "after.jpg", "c.gif", "sub/b.jpg")


async def test_names_that_are_not_utf8_kill_no_watcher(server, photos):
    """A name of other bytes shows (escaped), and so does what comes after it, again and again."""
    for number in range(3):
        save_photo(photos / "tmp.jpg", 30 + number)
        path = (photos / "tmp.jpg").rename(photos / os.fsdecode(b"caf\xe9 %d.jpg" % number))

        async def shown(number=number):
            found = await server.by_key()
            return next((p for k, p in found.items() if k.endswith(f" {number}.jpg")), None)

        photo = await server.until(shown, 5)
        assert photo["object_key"] == f"caf\\xe9 {number}.jpg"
        answer = await server.describe(photo["id"], "Kaffee")
        assert answer.status == 200
        image = await server.ask("GET", f"/photos/{photo['id']}/image")
        assert image.body == path.read_bytes()
    directory = photos / os.fsdecode(b"d\xfcr")
    directory.mkdir()
    save_photo(photos / "sub" / "tmp.jpg", 40)
    (photos / "sub" / "tmp.jpg").rename(directory / "x.jpg")

    async def inside():
        return "d\\xfcr/x.jpg" in await server.by_key()

    await server.until(inside, 5)
    health = await server.health()
    assert health["ready"]
    print(health["watcher"])  # noqa: T201


async def test_directories_move_in_and_out(server, photos, tmp_path):
    """A tree moved in shows with all files, moved within keeps its ids, and moved out is gone."""
    tree = tmp_path / "tree"
    (tree / "deep" / "er").mkdir(parents=True)
    save_photo(tree / "1.jpg", 11)
    save_photo(tree / "deep" / "2.jpg", 12)
    save_photo(tree / "deep" / "er" / "3.png", 13)
    own = ("a.jpg", "c.gif", "sub/b.jpg")
    for _ in range(3):
        tree.rename(photos / "in")
        first = await server.until_keys(
            *own, "in/1.jpg", "in/deep/2.jpg", "in/deep/er/3.png", seconds=SOON_SECONDS
        )
        save_photo(photos / "in" / "deep" / "er" / "late.jpg", 14)

        async def late():
            return "in/deep/er/late.jpg" in await server.by_key()

        await server.until(late, SOON_SECONDS)
        (photos / "in" / "deep" / "er" / "late.jpg").unlink()
        (photos / "in").rename(photos / "sub" / "moved")
        now = await server.until_keys(
            *own,
            *(f"sub/moved/{n}" for n in ("1.jpg", "deep/2.jpg", "deep/er/3.png")),
            seconds=SOON_SECONDS,
        )
        assert now["sub/moved/deep/2.jpg"]["id"] == first["in/deep/2.jpg"]["id"]
        (photos / "sub" / "moved").rename(tree)
        await server.until_keys(*own, seconds=SOON_SECONDS)


async def test_a_file_that_grows_slowly_settles(server, photos):
    """A photo copied in over seconds is shown while it grows, and right by itself in the end."""
    large = BytesIO()
    Image.effect_noise((900, 700), 90).save(large, "JPEG", quality=95)
    data = large.getvalue()
    with (photos / "slow.jpg").open("wb", buffering=0) as file:
        for part in range(10):
            file.write(data[part * len(data) // 10 : (part + 1) * len(data) // 10])
            await asyncio.sleep(0.15)

    async def whole():
        photo = (await server.by_key()).get("slow.jpg")
        return photo and photo["size"] == len(data) and photo["width"] == 900

    await server.until(whole, SOON_SECONDS)
    photo = (await server.by_key())["slow.jpg"]
    save_photo(photos / "z.jpg", 5)
    rescan = (await server.ask("POST", "/rescan")).json
    assert photo["id"] not in rescan["updated"]


async def test_clock_jumps_and_restored_times_hide_nothing(server, photos, exiftool):
    """Edits with the time set back, ahead or restored show, as does a touch alone."""
    for number, stamp in enumerate((1, 4_000_000_000, -1, 2**33)):
        text = f"jump {number}"
        run(exiftool, photos / "a.jpg", f"-ImageDescription={text}", f"-XMP-dc:Description={text}")
        os.utime(photos / "a.jpg", (stamp, stamp))
        await described(server, "a.jpg", text)
    for number in range(3):
        text = f"same {number}"  # the same length, and the time restored
        old = (photos / "a.jpg").stat()
        run(
            exiftool,
            photos / "a.jpg",
            "-P",
            f"-ImageDescription={text}",
            f"-XMP-dc:Description={text}",
        )
        assert (photos / "a.jpg").stat().st_mtime == old.st_mtime
        await described(server, "a.jpg", text)
    etag = (await server.by_key())["a.jpg"]["etag"]
    for stamp in ("2001-02-03T04:05:06", "2038-01-19T03:14:08", "1970-01-01T00:00:00"):
        subprocess.run(["touch", "-d", f"{stamp}Z", str(photos / "a.jpg")], check=True)

        async def touched(stamp=stamp):
            return (await server.by_key())["a.jpg"]["last_modified"].startswith(stamp)

        await server.until(touched, SOON_SECONDS)
    answer = await server.describe(
        (await server.by_key())["a.jpg"]["id"], "now", headers={"If-Match": f'"{etag}"'}
    )
    print("If-Match after a touch:", answer.status)  # noqa: T201


def run(exiftool, path, *arguments):
    """Edit a file by exiftool."""
    subprocess.run([exiftool, "-overwrite_original", "-q", "-m", *arguments, str(path)], check=True)


async def test_renames_of_every_kind_keep_ids(server, photos):
    """Case-only renames, swaps of two names and rings of three keep every id with its picture."""
    save_photo(photos / "d.jpg", 21)
    before = await server.until_keys("a.jpg", "c.gif", "d.jpg", "sub/b.jpg")
    texts = {}
    for key in ("a.jpg", "d.jpg", "sub/b.jpg"):
        texts[key] = f"this was {key}"
        assert (await server.describe(before[key]["id"], texts[key])).status == 200

    async def arrangement(**wanted):
        async def holds():
            now = await server.by_key()
            return all(now.get(k, {}).get("id") == before[v]["id"] for k, v in wanted.items())

        await server.until(holds, SOON_SECONDS)
        now = await server.by_key()
        for key, was in wanted.items():
            assert now[key]["metadata"]["description"] == texts[was]

    (photos / "a.jpg").rename(photos / "A.JPG")
    await arrangement(**{"A.JPG": "a.jpg"})
    (photos / "A.JPG").rename(photos / "a.jpg")
    await arrangement(**{"a.jpg": "a.jpg"})
    for _ in range(5):
        swap(photos / "a.jpg", photos / "d.jpg")
        await arrangement(**{"a.jpg": "d.jpg", "d.jpg": "a.jpg"})
        swap(photos / "a.jpg", photos / "d.jpg")
        await arrangement(**{"a.jpg": "a.jpg", "d.jpg": "d.jpg"})
    swap(photos / "a.jpg", photos / "sub" / "b.jpg")
    swap(photos / "d.jpg", photos / "sub" / "b.jpg")
    await arrangement(**{"a.jpg": "sub/b.jpg", "d.jpg": "a.jpg", "sub/b.jpg": "d.jpg"})


def swap(one, other):
    """Let two files change names."""
    aside = one.with_name("aside.tmp")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


async def test_a_directory_becomes_a_file_and_back(server, photos):
    """A directory replaced by a photo of its name, and the other way round, shows as it is."""
    save_photo(photos / "plain.jpg", 61)
    shutil.rmtree(photos / "sub")
    (photos / "plain.jpg").rename(photos / "sub.jpg")
    await server.until_keys("a.jpg", "c.gif", "sub.jpg", seconds=SOON_SECONDS)
    (photos / "sub.jpg").unlink()
    (photos / "sub.jpg").mkdir()
    save_photo(photos / "sub.jpg" / "in.jpg", 62)
    await server.until_keys("a.jpg", "c.gif", "sub.jpg/in.jpg", seconds=SOON_SECONDS)


async def test_a_burst_of_edits_ends_with_the_last(server, photos, exiftool):
    """A hundred edits in a row by another program leave the API with the last one."""
    path = photos / "sub" / "b.jpg"
    run(exiftool, path, "-ImageDescription=n 000", "-XMP-dc:Description=n 000")
    data = path.read_bytes()
    for number in range(1, 301):
        fresh = data.replace(b"n 000", b"n %03d" % number)
        if number % 2:
            path.write_bytes(fresh)
        else:
            (photos / "sub" / "t").write_bytes(fresh)
            (photos / "sub" / "t").rename(path)
    await described(server, "sub/b.jpg", "n 300")


async def test_the_limit_of_watches_is_told_and_made_up_for(photos, tmp_path):
    """With no watch left for a new directory, health says so, and looking replaces events."""
    limit = "/proc/sys/user/max_inotify_watches"
    script = f'echo 20 > {limit} && exec "$@"'
    (tmp_path / "data").mkdir()
    server = Server(photos, tmp_path / "data")
    server.under = ["unshare", "--user", "--map-root-user", "sh", "-c", script, "sh"]
    if subprocess.run([*server.under, "true"], capture_output=True, check=False).returncode:
        pytest.skip("user namespaces are not possible here")
    try:
        await server.start()
        assert (await server.health())["watcher"]["mode"] == "notify"
        for number in range(40):
            (photos / f"d{number}").mkdir()

        async def told():
            watcher = (await server.health())["watcher"]
            return "max_user_watches" in (watcher["degraded"] or "") and watcher["mode"] == "poll"

        await server.until(told)
        save_photo(photos / "d39" / "new.jpg", 5)
        await server.until_keys("a.jpg", "c.gif", "sub/b.jpg", "d39/new.jpg")
    finally:
        await server.stop()
