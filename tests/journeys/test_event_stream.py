"""A client that follows a real server over a real directory."""

import asyncio
import json
import time


class Follower:
    """An open stream."""

    def __init__(self, response):
        self.response, self.last_id = response, None

    async def next(self, *kinds):
        """The next event of one of these types: its type and data; None at the end."""
        event = {}
        async with asyncio.timeout(10):
            async for line in self.response.content:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    event[name] = value
                elif "event" in event:
                    self.last_id = event.get("id", self.last_id)
                    if event["event"] in kinds or not kinds:
                        return event["event"], json.loads(event["data"])
                    event = {}
        return None

    async def of_photo(self, photo_id, object_key):
        """What is told of a photo at a place; the events before it are shown if it never comes."""
        passed = []
        while (event := await self.next()) is not None:
            passed.append(event)
            kind, data = event
            if kind == "photo_changed" and data["id"] == photo_id:
                assert data["object_key"] == object_key, passed
                return data
            # The first scan's last news may still come when a stream is opened right after it.
            is_first = kind == "photo_created" and data["object_key"] == "plain.jpg"
            assert is_first or data.get("id") != photo_id, passed
        raise AssertionError(passed)


async def follow(server, last_id=""):
    """Open a stream."""
    response = await server.session.get("/events", headers={"Last-Event-ID": last_id})
    assert response.status == 200
    return Follower(response)


async def test_a_change_by_another_program_is_told(server, photos, exiftool):
    """And the photo is then, by the API, the one that the event names; a move keeps its id."""
    stream = await follow(server)
    assert await stream.next() == ("opened", {"resumed": False})
    photo = (await server.photos_by_key())["plain.jpg"]
    await asyncio.to_thread(exiftool, photos / "plain.jpg", "-ImageDescription=By another")
    told = await stream.of_photo(photo["id"], "plain.jpg")
    shown = await server.get(f"/photos/{photo['id']}")
    assert shown["metadata"]["description"] == "By another"
    assert told["etag"] == shown["etag"]
    (photos / "plain.jpg").rename(photos / "2019" / "moved.jpg")
    told = await stream.of_photo(photo["id"], "2019/moved.jpg")
    assert told["etag"] == (await server.get(f"/photos/{photo['id']}"))["etag"]
    stream.response.close()


async def test_a_server_with_open_streams_stops_at_once(photos, start_server):
    """It says so; after the new start the old id means a reload."""
    server = await start_server(photos)
    streams = [await follow(server) for _ in range(5)]
    for stream in streams:
        await stream.next("opened")
    session, server.session = server.session, None
    before = time.monotonic()
    stopping = asyncio.create_task(server.stop())
    for stream in streams:
        assert await stream.next("ended") == ("ended", {"reason": "shutdown"})
        assert await stream.next() is None
    assert await stopping == 0
    assert time.monotonic() - before < 4
    await session.close()
    await server.start()
    stream = await follow(server, streams[0].last_id)
    assert await stream.next() == ("reload", {"reason": "restarted"})
    stream.response.close()
