"""Limits of the machine: descriptors run out, files are huge, the process stands still."""

import asyncio
import os
import resource
import shutil
import signal

import pytest

from tests.hard.processes import save_photo

pytestmark = pytest.mark.slow


def limit_descriptors(server, count):
    """Allow the server so many open descriptors."""
    hard = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (count, hard))


@pytest.mark.parametrize("spare", [0, 1, 2, 3, 5, 8])
async def test_running_out_of_descriptors_forgets_nothing(tmp_path, start_server, spare):
    """Without descriptors requests fail in words or wait; afterwards all photos are as before."""
    photos = tmp_path / "photos"
    for number in range(30):
        (photos / f"d{number % 5}").mkdir(parents=True, exist_ok=True)
        save_photo(photos / f"d{number % 5}" / f"{number}.jpg", number)
    server = await start_server(photos)
    before = await server.by_key()
    allowed = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)[0]
    used = len(os.listdir(f"/proc/{server.process.pid}/fd"))  # noqa: PTH208
    limit_descriptors(server, used + spare)
    some = list(before.values())[:10]
    requests = [
        *(server.ask("GET", f"/photos/{photo['id']}/image") for photo in some[:5]),
        *(server.describe(photo["id"], "no descriptors") for photo in some[5:]),
        server.ask("POST", "/rescan"),
    ]
    tasks = [asyncio.create_task(request) for request in requests]
    (photos / "d0" / "0.jpg").rename(photos / "d1" / "moved.jpg")
    shutil.copy(photos / "d2" / "2.jpg", photos / "d2" / "copy.jpg")
    done, _ = await asyncio.wait(tasks, timeout=3)
    for task in done:
        answer = task.result()
        assert answer.status in {200, 404, 409, 500, 503}, answer
        if answer.status == 500:
            assert answer.json["detail"].startswith("The file cannot be read: Too many open files")
        assert str(tmp_path) not in answer.body.decode("latin-1")
    limit_descriptors(server, allowed)
    answers = await asyncio.gather(*tasks)
    written = {a.json["object_key"] for a in answers[5:10] if a.status == 200}

    async def ready():
        return (await server.ask("GET", "/health")).status == 200

    await server.until(ready)
    wanted = set(before) - {"d0/0.jpg"} | {"d1/moved.jpg", "d2/copy.jpg"}
    assert (await server.ask("POST", "/rescan")).status == 200
    now = await server.until_keys(*wanted)
    assert now["d1/moved.jpg"]["id"] == before["d0/0.jpg"]["id"]
    for key in set(before) - {"d0/0.jpg", "d2/2.jpg"}:
        assert now[key]["id"] == before[key]["id"]
        shown = now[key]["metadata"]["description"]
        assert shown == "no descriptors" if key in written else shown in {None, "no descriptors"}
    assert not list(photos.rglob(".tagline*"))


async def test_huge_files_cost_neither_memory_nor_time(photos, server):
    """Sparse files of 50 GB of every kind are listed within seconds, and read by ranges."""
    kinds = ("jpg", "png", "webp", "tif", "gif", "avif", "dng")
    for seed, suffix in enumerate(kinds):
        path = photos / f"huge.{suffix}"
        save_photo(photos / f"part.{suffix}", seed + 20)
        with (photos / f"part.{suffix}").open("r+b") as file:
            file.truncate(50 << 30)
        (photos / f"part.{suffix}").rename(path)
    for suffix in ("cr2", "raf", "heic", "jxl", "x3f", "orf", "cr3"):
        with (photos / f"huge2.{suffix}").open("wb") as file:
            file.truncate(50 << 30)
    names = [p.name for p in photos.iterdir() if p.is_file()]
    shown = await server.until_keys(*names, "sub/b.jpg", seconds=15)
    for name in names:
        if name.startswith("huge"):
            assert shown[name]["size"] == 50 << 30
            answer = await server.ask(
                "GET", f"/photos/{shown[name]['id']}/image", headers={"Range": "bytes=-10"}
            )
            assert (answer.status, answer.body) == (206, bytes(10))
    for name in ("huge.jpg", "huge.png", "huge2.heic"):
        answer = await server.describe(shown[name]["id"], "huge")
        assert answer.status == 200, (name, answer)
        assert answer.json["stored_in"] == ["xmp_sidecar", "json_sidecar"]
    with open(f"/proc/{server.process.pid}/status") as file:  # noqa: ASYNC230, PTH123
        peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
    assert peak < 400 * 1024
    print(f"peak memory {peak // 1024} MiB")  # noqa: T201


async def test_a_process_that_stood_still_catches_up(photos, server):
    """Stopped while files come, go and change, the server shows all of it when it goes on."""
    photo = (await server.by_key())["a.jpg"]
    server.process.send_signal(signal.SIGSTOP)
    for number in range(50):
        save_photo(photos / "sub" / f"{number}.jpg", 100 + number)
    (photos / "a.jpg").rename(photos / "sub" / "z.jpg")
    (photos / "c.gif").unlink()
    server.process.send_signal(signal.SIGCONT)
    now = await server.until_keys(
        "sub/b.jpg", "sub/z.jpg", *(f"sub/{number}.jpg" for number in range(50)), seconds=3
    )
    assert now["sub/z.jpg"]["id"] == photo["id"]
