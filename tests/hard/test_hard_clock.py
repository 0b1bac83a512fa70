"""A wall clock that is set back or ahead while the server runs, by libfaketime(1)."""

import os
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from tests.hard.processes import PASSWORD, save_photo
from tests.machine import library

pytestmark = pytest.mark.slow

DAY = 86400


class WallClock:
    """The wall clock of processes that have its environment; the monotonic one is the machine's."""

    def __init__(self, library, file):
        self._file = file
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # The times of files are the disk's, as on a share of another machine.
            "NO_FAKE_STAT": "1",
        }
        self.set(0)

    def set(self, seconds):
        """So many seconds ahead of the machine's."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{seconds:+d}s\n")
        new.replace(self._file)


@pytest.fixture
def clock(tmp_path):
    """A clock for servers."""
    return WallClock(library("*/faketime/libfaketimeMT.so.1"), tmp_path / "clock")


async def served_at(server):
    """The date that the server answers with."""
    answer = await server.ask("GET", "/health")
    told = datetime.strptime(answer.headers["Date"], "%a, %d %b %Y %H:%M:%S GMT")  # noqa: DTZ007
    return told.replace(tzinfo=UTC)


@pytest.mark.parametrize("jump", [-40 * DAY, -3600, 300], ids=["40 days", "an hour", "ahead"])
async def test_a_clock_that_jumps_ends_no_session_and_hides_nothing(
    photos, start_server, clock, jump
):
    """Tokens, refreshing, edits, history, events and moves survive a clock that is set."""
    server = await start_server(photos, **clock.environment)
    before = await server.by_key()
    photo_id = before["a.jpg"]["id"]
    assert (await server.describe(photo_id, "before")).status == 200
    clock.set(jump)
    wanted = datetime.now(UTC) + timedelta(seconds=jump)
    assert abs(await served_at(server) - wanted) < timedelta(seconds=30)
    assert (await server.ask("GET", "/photos")).status == 200, "the access token is good"
    refreshed = await server.ask(
        "POST", "/refresh", json={"refresh_token": server.tokens["refresh_token"]}
    )
    assert refreshed.status == 200, refreshed
    server.session.headers["Authorization"] = f"Bearer {refreshed.json['access_token']}"
    stolen = await server.ask(
        "POST", "/refresh", json={"refresh_token": server.tokens["refresh_token"]}
    )
    assert stolen.status == 401, "a used token stays used"
    login = await server.ask("POST", "/login", json={"password": PASSWORD})
    assert login.status == 200
    server.session.headers["Authorization"] = f"Bearer {login.json['access_token']}"
    assert (await server.describe(photo_id, "after")).status == 200
    history = (await server.ask("GET", f"/photos/{photo_id}/history")).json
    assert [change["after"]["description"] for change in history["items"]] == ["after", "before"]
    (photos / "a.jpg").rename(photos / "sub" / "moved.jpg")
    save_photo(photos / "new.jpg", 99)
    now = await server.until_keys("sub/moved.jpg", "new.jpg", "c.gif", "sub/b.jpg", seconds=5)
    assert now["sub/moved.jpg"]["id"] == photo_id
    shutil.copy(photos / "new.jpg", photos / "copy.jpg")
    # A file from the future is nothing odd either.
    os.utime(photos / "copy.jpg", (4e9, 4e9))
    await server.until_keys("sub/moved.jpg", "new.jpg", "copy.jpg", "c.gif", "sub/b.jpg", seconds=5)
    known = await server.by_key()
    again = await start_server(photos, "again")
    assert await again.by_key() == known


async def test_a_start_with_the_clock_set_back_keeps_what_was_written(photos, start_server, clock):
    """Restarted in 1970, as a board without a battery is, all is there and can be changed."""
    server = await start_server(photos, **clock.environment)
    photo_id = (await server.by_key())["c.gif"]["id"]
    assert (await server.describe(photo_id, "kept")).status == 200
    await server.stop()
    clock.set(-int(datetime.now(UTC).timestamp()) + 100)
    server = await start_server(photos, **clock.environment)
    assert (await served_at(server)).year == 1970
    assert (await server.photo(photo_id))["metadata"]["description"] == "kept"
    assert (await server.describe(photo_id, "in 1970")).status == 200
    clock.set(0)
    login = await server.ask("POST", "/login", json={"password": PASSWORD})
    assert login.status == 200
    server.session.headers["Authorization"] = f"Bearer {login.json['access_token']}"
    assert (await server.photo(photo_id))["metadata"]["description"] == "in 1970"
    history = (await server.ask("GET", f"/photos/{photo_id}/history")).json
    texts = [change["after"]["description"] for change in history["items"]]
    assert texts == ["in 1970", "kept"]
