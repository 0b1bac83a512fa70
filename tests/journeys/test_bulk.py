"""Many photos changed at once and undone again, by a real server, seen by other programs."""

import asyncio
import json
import signal

import aiohttp
import pytest


async def ask(server, method, path, status=200, **more):
    """The JSON of an answer that has to have a status."""
    async with server.session.request(method, path, **more) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def edit_many(server, changes):
    """Change many photos; all have to succeed."""
    answer = await ask(server, "PATCH", "/photos/metadata", json={"changes": changes})
    assert answer["refused"] == 0, answer
    return answer["results"]


async def undo(server, photo_id):
    """Undo the newest change of a photo."""
    newest = (await ask(server, "GET", f"/photos/{photo_id}/history?limit=1"))["items"][0]
    return await ask(server, "POST", f"/photos/{photo_id}/history/{newest['n']}/restore")


async def test_many_are_changed_seen_by_exiftool_and_undone(server, photos, exiftool):
    """Every format gets all fields in one request; undone, each file is what it was before."""
    shown = await server.photos_by_key()
    before = {key: (photos / key).read_bytes() for key in shown}
    changes = [
        {
            "id": photo["id"],
            "description": f"Über {key}",
            "title": "T",
            "keywords": ["a", "b"],
            "rating": 5,
            "if_match": photo["etag"],
        }
        for key, photo in shown.items()
    ]
    results = await edit_many(server, changes)
    now = await server.photos_by_key()
    assert [r["etag"] for r in results] == [now[key]["etag"] for key in shown]
    tags = exiftool(photos / "plain.jpg")
    assert tags["IFD0:ImageDescription"] == "Über plain.jpg"
    assert tags["XMP-dc:Subject"] == ["a", "b"]
    assert exiftool(photos / "phone.avif.xmp")["XMP-dc:Description"] == "Über phone.avif"
    for photo in shown.values():
        await undo(server, photo["id"])
    after = {key: (photos / key).read_bytes() for key in shown}
    assert {key for key in shown if after[key] != before[key]} <= {"2019/scan.tif"}  # it is longer
    assert not list(photos.rglob("*.xmp"))
    again = await server.photos_by_key()
    assert all(again[key]["metadata"] == shown[key]["metadata"] for key in shown)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
async def test_history_survives_the_end_of_the_process(server, photos, start_server, how):
    """After a graceful end or a kill, what was acknowledged can be undone, also after a rename."""
    photo = (await server.photos_by_key())["plain.jpg"]
    for text in ("one", "two"):
        await server.describe(photo["id"], text)
    await server.stop(how)
    (photos / "plain.jpg").rename(photos / "2019" / "renamed.jpg")
    again = await start_server(photos)
    assert (await undo(again, photo["id"]))["metadata"]["description"] == "one"
    history = await ask(again, "GET", f"/photos/{photo['id']}/history")
    assert [c["before"]["description"] for c in history["items"]] == ["two", "one", None]


async def test_a_client_that_goes_away_stops_nothing(server):
    """Every change of a request whose client hung up is made."""
    shown = await server.photos_by_key()
    ids = [photo["id"] for photo in shown.values()]
    changes = [{"id": i, "description": str(n)} for n in range(20) for i in ids]
    body = json.dumps({"changes": changes}).encode()
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = (
        "PATCH /photos/metadata HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
        f"Authorization: {server.session.headers['Authorization']}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    await writer.drain()

    async def begun():
        return any(p["metadata"]["description"] for p in (await server.photos_by_key()).values())

    await server.until(begun)
    writer.close()

    async def done():
        now = (await server.photos_by_key()).values()
        return {p["metadata"]["description"] for p in now} == {"19"}

    await server.until(done)


async def test_the_end_of_the_server_cuts_no_change_off(server, photos, start_server):
    """SIGTERM in the middle of 360 changes: each photo's history is what its file has been through.

    What was begun is finished and recorded; what was not, is not.
    """
    shown = await server.photos_by_key()
    ids = [photo["id"] for photo in shown.values()]
    changes = [{"id": i, "description": str(n)} for i in ids for n in range(40)]
    work = asyncio.create_task(edit_many(server, changes))

    async def begun():
        return any(p["metadata"]["description"] for p in (await server.photos_by_key()).values())

    await server.until(begun)
    assert server.process is not None
    server.process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(server.process.wait, 30) == 0
    server.process = None
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    assert isinstance(
        work.exception() if not work.cancelled() else None, aiohttp.ClientError | None
    )
    again = await start_server(photos)
    for photo in (await again.photos_by_key()).values():
        past = (await ask(again, "GET", f"/photos/{photo['id']}/history"))["items"]
        text = past[0]["after"]["description"] if past else None
        assert photo["metadata"]["description"] == text
