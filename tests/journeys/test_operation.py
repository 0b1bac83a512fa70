"""What an operator sees: start, shutdown, own writes, restart."""

import asyncio
import shutil
import signal

from PIL import Image


async def test_sigterm_ends_with_exit_code_zero(server):
    """SIGTERM ends the server in time with exit code 0."""
    assert await server.stop(signal.SIGTERM) == 0


async def test_sigterm_lets_a_write_under_way_finish(server, photos):
    """A PATCH that was accepted before SIGTERM is answered, and is on disk."""
    photo = (await server.photos_by_key())["plain.jpg"]
    requests = [
        asyncio.create_task(server.describe(p["id"], "last words"))
        for p in (await server.photos_by_key()).values()
    ]
    answers = 0
    for finished in asyncio.as_completed(requests):
        answer = await finished
        answers += 1
        if answers == 1:
            server.process.send_signal(signal.SIGTERM)
        assert answer["metadata"]["description"] == "last words"
    assert answers == 9
    assert await asyncio.to_thread(server.process.wait, 15) == 0
    assert photo["id"]


async def test_own_writes_cause_no_second_indexing(server):
    """After descriptions were written a rescan finds nothing to read again."""
    for photo in (await server.photos_by_key()).values():
        await server.describe(photo["id"], "mine")
    async with server.session.post("/rescan") as answer:
        result = await answer.json()
    assert (result["imported"], result["updated"], result["removed"]) == ([], [], [])
    assert result["skipped"] == 9


async def test_sessions_survive_a_restart(server, photos, start_server):
    """A refresh token of before a restart still works after it, once."""
    tokens = await server.login()
    await server.stop(signal.SIGKILL)
    again = await start_server(photos)
    body = {"refresh_token": tokens["refresh_token"]}
    async with again.session.post("/refresh", json=body) as answer:
        assert answer.status == 200
    async with again.session.post("/refresh", json=body) as answer:
        assert answer.status == 401


async def test_a_backup_that_is_restored_elsewhere_is_the_same_library(
    server, photos, tmp_path, start_server
):
    """Copies of photos and data go on with ids, texts, sessions, and changes that can be undone."""
    tokens = await server.login()
    for photo in (await server.photos_by_key()).values():
        await server.describe(photo["id"], "before the backup")
    before = await server.photos_by_key()
    await server.stop()
    shutil.copytree(photos, tmp_path / "restored")
    shutil.copytree(tmp_path / "data", tmp_path / "restored-data")
    again = await start_server(tmp_path / "restored", "restored-data")
    assert await again.photos_by_key() == before
    body = {"refresh_token": tokens["refresh_token"]}
    async with again.session.post("/refresh", json=body) as answer:
        assert answer.status == 200
    for photo in before.values():
        path = f"/photos/{photo['id']}/history"
        (change,) = (await again.get(path))["items"]
        async with again.session.post(f"{path}/{change['n']}/restore") as answer:
            assert answer.status == 200
            assert (await answer.json())["metadata"]["description"] is None


async def test_no_secret_is_ever_printed(photos, start_server):
    """Neither the password nor a token nor a description reaches the log."""
    server = await start_server(photos, TAGLINE_LOG_LEVEL="debug")
    tokens = await server.login()
    photo = (await server.photos_by_key())["plain.jpg"]
    await server.describe(photo["id"], "a private matter")
    await server.describe(photo["id"], "x" * 10_001, 422)
    await server.stop()
    log = server.log.read_text()
    for secret in (*tokens.values(), server.environment["BACKEND_PASSWORD"], "a private matter"):
        if isinstance(secret, str) and secret != "bearer":
            assert secret not in log


async def test_a_file_that_is_no_photo_is_still_listed(server, photos):
    """A broken file is listed with a problem, served as it is, and described beside."""
    (photos / "broken.jpg").write_bytes(b"this is no picture")
    Image.new("RGB", (8, 8)).save(photos / "good.jpg")

    async def seen():
        return (await server.photos_by_key()).get("broken.jpg")

    broken = await server.until(seen)
    assert broken["problem"]
    assert broken["width"] is None
    async with server.session.get(f"/photos/{broken['id']}/image") as answer:
        assert await answer.read() == b"this is no picture"
    changed = await server.describe(broken["id"], "not a picture")
    assert changed["metadata"]["description"] == "not a picture"
    assert (photos / "broken.jpg").read_bytes() == b"this is no picture"


async def test_what_is_no_http_is_a_line_in_the_log(photos, start_server):
    """A request that cannot be parsed is answered 400, and logged in a line with its address."""
    server = await start_server(photos, TAGLINE_LOG_LEVEL="info")
    for sent in (b"BAD METHOD! / HTTP/1.1\r\n\r\n", b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(sent)
        assert (await reader.readline()).startswith(b"HTTP/1.0 400 ")
        writer.close()
        await writer.wait_closed()

    async def logged():
        told = server.log.read_text()
        return told if told.count("status=400") == 2 else None

    told = await server.until(logged)
    assert told.count("address=127.0.0.1 status=400") == 2
    assert "Traceback" not in told
