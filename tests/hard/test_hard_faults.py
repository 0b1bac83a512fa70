"""A disk that answers with input/output errors or stale handles, on a real mount."""

import asyncio
import errno
import os
import re
import signal
from functools import partial

import aiohttp
import pytest

from tests.hard.faults import MANY
from tests.hard.processes import PASSWORD, save_photo

pytestmark = pytest.mark.slow

ERRORS = pytest.mark.parametrize("error", [errno.EIO, errno.ESTALE], ids=["EIO", "ESTALE"])
KEYS = ("a.jpg", "c.gif", "sub/b.jpg")
MOST_OPERATIONS = 400


@pytest.fixture
def disk(faulty_disk):
    """The disk, with three photos."""
    (faulty_disk.source / "sub").mkdir()
    for seed, key in enumerate(KEYS):
        save_photo(faulty_disk.source / key, seed)
    return faulty_disk


@pytest.fixture
async def server(disk, start_server):
    """A server over the disk, which does not look around by itself meanwhile."""
    return await start_server(disk.point, TAGLINE_WATCH="off")


def texts_on_disk(path):
    """Every text of a photo and of the sidecars beside it, in whatever place.

    A disk that failed for good while the photo was aside has it under its hidden name until then.
    """
    aside = path.parent.glob(f".tagline-*-{path.name}")
    places = (*aside, path, path.with_name(f"{path.name}.xmp"), path.with_name(f"{path.name}.json"))
    return {
        text
        for place in places
        if place.exists()
        for text in re.findall(rb"text \d+", place.read_bytes())
    }


async def is_described(server, photo_id, text):
    """Whether a PATCH succeeds; after an error the server may still be looking for its disk."""
    answer = await server.describe(photo_id, text)
    assert answer.status in {200, 503}, answer
    return answer.status == 200


async def is_health(server, status):
    """Whether health answers this."""
    return (await server.ask("GET", "/health")).status == status


async def has_met(disk):
    """Whether what was ordered has come."""
    return bool(disk.met)


def unreadable(error):
    """What is said of a photo whose disk fails, in the system's words for the error."""
    advice = "check its disk and try again"
    if error == errno.ESTALE:
        advice = "another program replaced it meanwhile, try again"
    return f"The file cannot be read: {os.strerror(error)}; {advice}."


def named(number):
    """The text of this number as it is in a file."""
    return b"text %d" % number


@pytest.mark.parametrize(
    ("key", "error", "times"),
    [
        pytest.param("a.jpg", errno.EIO, 1, id="jpeg-EIO-once"),
        pytest.param("c.gif", errno.EIO, 1, id="sidecars-EIO-once"),
        pytest.param("a.jpg", errno.ESTALE, MANY, id="jpeg-ESTALE-from-then-on"),
        pytest.param("c.gif", errno.EIO, MANY, id="sidecars-EIO-from-then-on"),
    ],
)
@pytest.mark.timeout(300)
async def test_an_error_at_any_step_of_a_write_harms_nothing(
    disk, server, start_server, key, error, times
):
    """Whichever call of a PATCH fails: whole texts on disk, no false success, and then a retry."""
    photo_id = (await server.by_key())[key]["id"]
    assert (await server.describe(photo_id, "text 0")).status == 200
    outcomes = {}
    passed, number, met = 0, 0, "not yet"
    while met and passed < MOST_OPERATIONS:
        before, number = number, number + 1
        disk.fail("*", error=error, passed=passed, times=times)
        answer = await server.describe(photo_id, f"text {number}")
        met = disk.met or ("not asked" if answer.status == 503 else "")
        passed += 0 if met == "not asked" else 1 if times == 1 else 3
        disk.heal()
        texts = texts_on_disk(disk.source / key)
        outcomes.setdefault((answer.status, len(texts)), []).append(re.sub(r"-\w+", "", met))
        assert answer.status in {200, 404, 500, 503}, (met, answer)
        assert answer.status != 500 or answer.json["detail"] == unreadable(error), (met, answer)
        assert str(disk.point) not in answer.body.decode()
        if answer.status == 200:
            assert texts == {named(number)}, met
        else:
            assert texts
            assert texts <= {named(before), named(number)}, (met, answer)
            await server.until(partial(is_described, server, photo_id, f"text {number}"))
            assert texts_on_disk(disk.source / key) == {named(number)}
    for (status, texts), operations in sorted(outcomes.items()):
        print(status, f"{texts} texts", len(operations), sorted(set(operations)))  # noqa: T201
    assert not met
    assert (await server.photo(photo_id))["metadata"]["description"] == f"text {number}"
    # What could not be removed goes with the process whose locks it bears.
    await server.stop(signal.SIGTERM)
    await start_server(disk.point)
    assert not list(disk.source.rglob(".tagline*"))


@ERRORS
async def test_a_disk_that_answers_only_errors_comes_back_by_itself(disk, server, error):
    """While every call fails photos answer 503 with Retry-After; then all is as it was."""
    before = await server.by_key()
    photo_id = before["a.jpg"]["id"]
    assert (await server.describe(photo_id, "before")).status == 200
    disk.fail("*", error=error)
    for answer in (
        await server.ask("GET", f"/photos/{photo_id}/image"),
        await server.describe(photo_id, "meanwhile"),
        await server.ask("POST", "/rescan"),
    ):
        assert answer.status == 503, answer
        assert int(answer.headers["Retry-After"]) > 0
    await server.until(partial(is_health, server, 503))
    disk.heal()
    await server.until(partial(is_health, server, 200))
    after = await server.by_key()
    assert {k: p["id"] for k, p in after.items()} == {k: p["id"] for k, p in before.items()}
    assert after["a.jpg"]["metadata"]["description"] == "before"
    assert (await server.describe(photo_id, "after")).status == 200


@pytest.mark.timeout(180)
async def test_a_share_that_hangs_keeps_nobody_else_waiting(disk, start_server):
    """While every call hangs people log in and look; the photos are told to be away; none is lost.

    Clients that ask for more than there are threads wait for as long as the share does.
    """
    server = await start_server(disk.point)
    before = await server.by_key()
    photo_id = before["a.jpg"]["id"]
    disk.hang()
    waiting = [
        asyncio.create_task(server.ask("GET", f"/photos/{photo['id']}/image"))
        for photo in (*before.values(),) * 10
    ]
    edits = [asyncio.create_task(server.describe(photo_id, f"text {n}")) for n in range(3)]
    async with asyncio.timeout(25):
        for _ in range(10):
            login = await server.ask("POST", "/login", json={"password": PASSWORD})
            assert login.status == 200, login
            assert (await server.ask("GET", "/photos")).status in {200, 503}
            assert (await server.ask("GET", "/metrics")).status == 200
            assert (await server.ask("GET", "/health/live")).status == 200
    await server.until(partial(is_health, server, 503), 60)
    assert "does not answer" in (await server.health())["storage"]["problem"]
    refused = await server.describe(photo_id, "not asked for")
    assert (refused.status, "Retry-After" in refused.headers) == (503, True), refused
    assert not any(task.done() for task in (*waiting, *edits))
    disk.go_on()
    assert {answer.status for answer in await asyncio.gather(*waiting)} == {200}
    assert {answer.status for answer in await asyncio.gather(*edits)} == {200}
    await server.until(partial(is_health, server, 200))
    after = await server.by_key()
    assert {k: p["id"] for k, p in after.items()} == {k: p["id"] for k, p in before.items()}
    text = after["a.jpg"]["metadata"]["description"]
    assert texts_on_disk(disk.source / "a.jpg") == {text.encode()}


@pytest.mark.timeout(120)
async def test_a_share_that_hangs_while_an_original_is_sent_keeps_nobody_else_waiting(
    disk, start_server
):
    """What is on its way waits, and arrives whole when the share goes on; all others are served."""
    content = (disk.source / "a.jpg").read_bytes() + bytes(64 << 20)
    (disk.source / "long.jpg").write_bytes(content)
    server = await start_server(disk.point)
    photo_id = (await server.by_key())["long.jpg"]["id"]
    async with server.session.get(f"/photos/{photo_id}/image") as answer:
        begun = await answer.content.readexactly(1 << 20)
        disk.hang()
        try:
            rest = asyncio.create_task(answer.content.read())
            async with asyncio.timeout(20):
                for _ in range(20):
                    assert (await server.ask("GET", "/health/live")).status == 200
                login = await server.ask("POST", "/login", json={"password": PASSWORD})
                assert login.status == 200, login
            assert not rest.done()
        finally:
            disk.go_on()
        assert begun + await rest == content


@pytest.mark.timeout(120)
async def test_a_share_that_hangs_does_not_keep_the_server_from_ending(disk, start_server):
    """SIGTERM in the middle of an edit ends it, and says so; what was acknowledged is there."""
    server = await start_server(disk.point)
    photo_id = (await server.by_key())["a.jpg"]["id"]
    assert (await server.describe(photo_id, "text 1")).status == 200
    disk.hang_after("write")
    asked = asyncio.create_task(server.describe(photo_id, "text 2"))
    await server.until(partial(has_met, disk))
    server.process.send_signal(signal.SIGTERM)
    try:
        assert await asyncio.to_thread(server.process.wait, 40) == 1
    finally:
        disk.go_on()
    assert "does not answer" in server.log.read_text()
    with pytest.raises(aiohttp.ClientError):
        await asked
    await server.stop()
    again = await start_server(disk.point)
    assert (await again.by_key())["a.jpg"]["metadata"]["description"] == "text 1"
    assert texts_on_disk(disk.source / "a.jpg") == {b"text 1"}
    assert not list(disk.source.rglob(".tagline*"))


@ERRORS
async def test_a_photo_on_a_bad_sector_keeps_what_is_known(disk, server, error):
    """A file that cannot be read loses neither row nor id, takes no other along, and comes back."""
    before = await server.by_key()
    photo_id = before["a.jpg"]["id"]
    assert (await server.describe(photo_id, "kept")).status == 200
    disk.fail("open", "read", error=error, name="a.jpg")
    # So that it is to be read again.
    (disk.source / "a.jpg").touch()
    rescan = await server.ask("POST", "/rescan")
    assert rescan.status == 200, rescan
    assert [fault["object_key"] for fault in rescan.json["errors"]] == ["a.jpg"], rescan
    image = await server.ask("GET", f"/photos/{photo_id}/image")
    assert (image.status, image.json["detail"]) == (500, unreadable(error)), image
    refused = await server.describe(photo_id, "lost")
    assert (refused.status, refused.json["detail"]) == (500, unreadable(error)), refused
    beside = await server.describe(before["c.gif"]["id"], "beside")
    assert beside.status == 200
    shown = (await server.by_key())["a.jpg"]
    assert (shown["id"], shown["metadata"]["description"]) == (photo_id, "kept")
    disk.heal()
    assert (await server.ask("POST", "/rescan")).status == 200
    assert (await server.describe(photo_id, "and again")).status == 200


@pytest.mark.parametrize("faulty_disk", [("--flush",)], ids=[""], indirect=True)
@pytest.mark.parametrize("error", [errno.EIO, errno.EINVAL], ids=["EIO", "EINVAL"])
async def test_an_error_of_close_after_reading_is_no_fault_of_the_library(disk, server, error):
    """Some mounts fail to close a file that was only read: every photo is read and described."""
    before = await server.by_key()
    disk.fail("flush", error=error, name="a.jpg")
    (disk.source / "a.jpg").touch()
    save_photo(disk.source / "new.jpg", 9)
    for _ in range(2):
        rescan = await server.ask("POST", "/rescan")
        assert rescan.status == 200, rescan
        assert {fault["object_key"] for fault in rescan.json["errors"]} <= {"a.jpg"}, rescan
    shown = await server.until_keys(*before, "new.jpg")
    assert {key: shown[key]["id"] for key in before} == {k: p["id"] for k, p in before.items()}
    for key in ("new.jpg", "c.gif", "sub/b.jpg"):
        answer = await server.describe(shown[key]["id"], "beside")
        assert answer.status == 200, answer
    image = await server.ask("GET", f"/photos/{shown['a.jpg']['id']}/image")
    assert image.body == (disk.source / "a.jpg").read_bytes()
    assert (await server.health())["storage"]["problem"] is None
    disk.heal()
    again = (await server.ask("POST", "/rescan")).json
    assert again["errors"] == []
    assert (await server.describe(shown["a.jpg"]["id"], "healed")).status == 200


@pytest.mark.parametrize("operation", ["open", "read", "getattr"])
async def test_a_stale_handle_of_a_replaced_photo_is_no_broken_disk(disk, server, operation):
    """Another machine replaced the file: it is looked at again, and nothing is said of the disk.

    The kernel itself asks a second time where a name or an open file is stale.
    """
    before = await server.by_key()
    photo_id = before["a.jpg"]["id"]
    for times in (1, 2, 3):
        disk.fail(operation, error=errno.ESTALE, name="a.jpg", times=times)
        (disk.source / "a.jpg").touch()
        rescan = await server.ask("POST", "/rescan")
        assert rescan.status == 200, rescan
        assert rescan.json["removed"] == []
        disk.fail(operation, error=errno.ESTALE, name="a.jpg", times=times)
        answer = await server.describe(photo_id, f"text {times}")
        assert answer.status in {200, 409}, (times, answer)
        image = await server.ask("GET", f"/photos/{photo_id}/image")
        assert image.status == 200, image
        disk.heal()
        assert (await server.ask("POST", "/rescan")).json["errors"] == []
        assert (await server.describe(photo_id, f"text {times} again")).status == 200
    assert texts_on_disk(disk.source / "a.jpg") == {b"text 3"}


@ERRORS
async def test_a_directory_that_cannot_be_listed_keeps_its_photos(disk, server, error):
    """What lies in a directory that answers errors stays known, and is not taken for deleted."""
    before = await server.by_key()
    disk.fail("opendir", "readdir", error=error, name="/sub")
    rescan = await server.ask("POST", "/rescan")
    assert rescan.status == 200, rescan
    assert rescan.json["removed"] == []
    assert [fault["object_key"] for fault in rescan.json["errors"]] == ["sub/b.jpg"]
    assert set(await server.by_key()) == set(before)
    disk.heal()
    again = (await server.ask("POST", "/rescan")).json
    assert (again["imported"], again["removed"], again["errors"]) == ([], [], [])


async def test_what_others_do_on_a_share_shows_by_looking(disk, start_server):
    """Changes that nobody reports show within the interval, and health says that it looks."""
    server = await start_server(disk.point, TAGLINE_RECONCILE_SECONDS="5")
    watcher = (await server.health())["watcher"]
    assert (watcher["mode"], bool(watcher["degraded"])) == ("poll", True)
    before = (await server.by_key())["a.jpg"]["id"]
    (disk.source / "a.jpg").rename(disk.source / "sub" / "z.jpg")
    (disk.source / "c.gif").unlink()
    save_photo(disk.source / "new.jpg", 9)
    now = await server.until_keys("new.jpg", "sub/b.jpg", "sub/z.jpg", seconds=15)
    assert now["sub/z.jpg"]["id"] == before


@ERRORS
@pytest.mark.parametrize("operations", [("write",), ("fsync",)], ids=lambda names: names[0])
async def test_a_data_disk_that_fails_writes_nothing_untrue(
    faulty_disk, photos, start_server, error, operations
):
    """Index, tokens and history cannot be written: told, the photos are right, and it recovers."""
    server = await start_server(photos, faulty_disk.point)
    photo_id = (await server.by_key())["a.jpg"]["id"]
    assert (await server.describe(photo_id, "text 0")).status == 200
    faulty_disk.fail(*operations, error=error)
    for number in range(1, 6):
        answer = await server.describe(photo_id, f"text {number}")
        assert answer.status in {200, 503}, answer
        texts = texts_on_disk(photos / "a.jpg")
        assert texts == {named(number)} or (answer.status == 503 and len(texts) == 1)
    refused = await server.ask("POST", "/login", json={"password": PASSWORD})
    assert (refused.status, refused.headers.get("Retry-After") is None) == (503, False), refused
    health = await server.health()
    assert health["history"]["problem"]
    faulty_disk.heal()
    await server.until(partial(is_described, server, photo_id, "text 9"))
    await server.until(partial(is_health, server, 200))
    login = await server.ask("POST", "/login", json={"password": PASSWORD})
    assert login.status == 200
    assert (await server.photo(photo_id))["metadata"]["description"] == "text 9"
    assert (await server.health())["history"]["problem"] is None
    await server.stop()
    again = await start_server(photos, faulty_disk.point)
    assert (await again.photo(photo_id))["metadata"]["description"] == "text 9"
    health = await again.health()
    assert (health["index"]["recovered"], health["history"]["recovered"]) == (None, None)
    again.session.headers["Authorization"] = f"Bearer {login.json['access_token']}"
    assert (await again.ask("GET", "/photos")).status == 200, "what was acknowledged is kept"
