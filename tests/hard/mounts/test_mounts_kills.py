"""kill -9 while photos on a real mount are described, at random and at every single call."""

import asyncio
import os
import signal
from collections import Counter

import aiohttp
import pytest

from tests.hard.mounts.real_mounts import MOUNTS
from tests.hard.mounts.test_mounts_edits import put_photos, whole
from tests.hard.writers.copying import SETTLED_SOON
from tests.machine import demand_fuse

KILLS = int(os.environ.get("TAGLINE_MOUNT_KILLS", "2"))
MOST_CALLS = 40
pytestmark = [pytest.mark.slow, pytest.mark.timeout(120 + 12 * KILLS)]


class Load:
    """Clients that count upwards in every photo; remembers what was acknowledged."""

    def __init__(self, keys):
        self.sent, self.acknowledged = dict.fromkeys(keys, 0), dict.fromkeys(keys, 0)
        self.unexpected = Counter()

    async def write(self, server, key, photo_id):
        """Describe one photo until the server is gone."""
        while True:
            self.sent[key] = number = self.sent[key] + 1
            answer = await server.describe(
                photo_id, f"{number} of {key}" + "." * (number * 37 % 300)
            )
            if answer.status == 200:
                self.acknowledged[key] = number
            else:
                self.unexpected[f"{key}: {answer.status} {answer.json['detail']}"] += 1

    async def until_killed(self, server, photos, seconds):
        """Write for so long, then kill the server in the middle of it."""
        writers = [
            asyncio.create_task(self.write(server, key, photo["id"]))
            for key, photo in photos.items()
        ]
        await asyncio.sleep(seconds)
        server.process.send_signal(signal.SIGKILL)
        for outcome in await asyncio.gather(*writers, return_exceptions=True):
            if not isinstance(outcome, aiohttp.ClientError | OSError):
                raise outcome

    def faults(self, shown):
        """Which photos say less than was acknowledged, or more than was sent."""
        for key, photo in shown.items():
            text = photo["metadata"]["description"]
            number = int(text.split()[0]) if text else 0
            if not self.acknowledged[key] <= number <= self.sent[key]:
                yield f"{key} says {text!r}; {self.acknowledged[key]} was acknowledged"
            self.acknowledged[key] = number


async def test_kills_on_a_real_mount_lose_nothing(mount, start_server, rng):
    """After each kill and start every file is there and whole, with what was acknowledged."""
    photos = put_photos(mount)
    load, ids, faults = Load(photos), None, []
    for kill in range(KILLS + 1):
        server = await start_server(mount.point, **SETTLED_SOON)
        await server.ask("POST", "/rescan")
        shown = await server.by_key()
        ids = ids or {key: photo["id"] for key, photo in shown.items()}
        if {key: photo["id"] for key, photo in shown.items()} != ids:
            faults.append(f"kill {kill}: other photos: {sorted(shown)}")
        faults += [
            f"kill {kill}: {fault}" for fault in (*load.faults(shown), *whole(mount, photos))
        ]
        if kill < KILLS:
            await load.until_killed(server, shown, rng.uniform(0.2, 0.8))
        await server.stop()
    faults += [f"{times} x {fault}" for fault, times in load.unexpected.items()]
    assert not faults, "\n".join(faults)


@pytest.fixture(params=["mergerfs", "exfat"])
def lesser_mount(request, tmp_path):
    """A mount without exchanging renames: one with links, and one without."""
    demand_fuse()
    with MOUNTS[request.param](tmp_path / request.param) as mounted:
        yield mounted


CALLS = ("rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat")


@pytest.mark.needs("strace")
@pytest.mark.parametrize("key", ["JPEG.jpg", "RAW.dng"])
async def test_a_kill_between_any_two_names_loses_nothing(lesser_mount, start_server, trace, key):
    """Killed as it is about to give or take each name in turn: the next start puts all right."""
    mount = lesser_mount
    photos = put_photos(mount)
    faults, killed, said = [], 0, None
    for number in range(1, MOST_CALLS):
        server = await start_server(mount.point, **SETTLED_SOON)
        await server.ask("POST", "/rescan")
        shown = await server.by_key()
        if set(shown) != set(photos):
            faults.append(f"call {killed}: only {sorted(shown)} are shown")
            break
        faults += [f"call {killed}: {fault}" for fault in whole(mount, photos)]
        now = shown[key]["metadata"]["description"]
        if now not in {said, f"text {number - 1}"}:
            faults.append(f"call {killed}: {now!r} after {said!r}")
        said = now
        tracer = await trace(server, *CALLS, injected=f"signal=KILL:when={number}")
        try:
            answer = await server.describe(shown[key]["id"], f"text {number}")
        except (aiohttp.ClientError, OSError):
            killed += 1
            await tracer.end()
            await server.stop()
            continue
        await tracer.end()
        await server.stop()
        assert answer.status == 200, answer
        break
    print(mount.name, key, f"killed at {killed} calls")  # noqa: T201 - figures
    assert not faults, "\n".join(faults)
    assert killed
