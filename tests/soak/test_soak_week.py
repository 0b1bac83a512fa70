"""A week of a household in minutes: what the server holds every night, and what it may.

``SOAK_MINUTES`` (10) is how long the week takes; ``SOAK_WRITE=1`` puts the plot and the table into
the documentation.
"""

import asyncio
import os
import time
from pathlib import Path

import pytest

from benchmarks.measuring import machine, percentile, table, write_section
from benchmarks.plot import Line, Panel, draw
from tagline.index.ledger import HistoryLimits
from tests.hard.processes import DEADLINE_SECONDS
from tests.soak.household import Household
from tests.soak.long_used import PICTURE_CACHE_MEGABYTES, fill_history, lose_rows
from tests.soak.vitals import Sample, keep_taking, take

pytestmark = pytest.mark.slow

MINUTES = float(os.environ.get("SOAK_MINUTES", "10"))
DAYS = 7
WARM_DAYS = 2
"""After so many days caches are filled, and every kind of worker has run."""
TOKEN_SECONDS = MINUTES * 60 / DAYS
"""A refresh token lives for a day of ours, so that what is never logged out is forgotten."""
JOURNAL_BYTES = 4 << 20
"""A journal is compacted beyond this size, and beyond three times what is alive in it."""
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def house(tmp_path, start_server, exiftool, rng):
    """A server that has been used for years over the photos of a household, and the household."""
    photos = tmp_path / "photos"
    photos.mkdir()
    household = Household("", photos, exiftool, rng)
    household.move_in()
    data = tmp_path / "data"
    data.mkdir()
    fill_history(data)
    server = await start_server(
        photos,
        TAGLINE_PICTURE_CACHE_MEGABYTES=str(PICTURE_CACHE_MEGABYTES),
        TAGLINE_ACCESS_TOKEN_SECONDS=str(max(2, int(TOKEN_SECONDS / 10))),
        TAGLINE_REFRESH_TOKEN_SECONDS=str(max(5, int(TOKEN_SECONDS))),
    )
    household.url = server.url
    await lose_rows(server)
    return server, household


async def at_rest(server, began):
    """What it holds when nobody is there: measured when nothing changes any more."""

    async def is_idle():
        health = await server.health()
        return health["ready"] and health["scan"]["state"] == "idle"

    await server.until(is_idle, DEADLINE_SECONDS)
    last = await take(server, began)
    end = time.monotonic() + 15
    while time.monotonic() < end:
        await asyncio.sleep(1)
        now = await take(server, began)
        if (now.descriptors, now.threads, now.photos) == (
            *(last.descriptors, last.threads, last.photos),
        ):
            return now
        last = now
    return last


@pytest.mark.timeout(MINUTES * 60 * 1.5 + 300)
async def test_a_week_of_a_household_stays_within_bounds(house):
    """Descriptors and threads are every night as before; memory and files grow within bounds."""
    server, household = house
    began = time.monotonic()
    samples: list[Sample] = []
    nights = [await at_rest(server, began)]
    sampler = asyncio.create_task(keep_taking(server, began, max(0.5, MINUTES / 5), samples.append))
    try:
        for _ in range(DAYS):
            await household.day(MINUTES * 60 / DAYS - 2)
            nights.append(await at_rest(server, began))
            assert not sampler.done(), sampler.result()
    finally:
        sampler.cancel()
    told = report(nights, samples, household)
    print(told)  # noqa: T201
    if os.environ.get("SOAK_WRITE"):
        write_section(ROOT / "docs" / "hard-days.md", "soak", told)
        (ROOT / "docs" / "soak.svg").write_text(plot(samples), "utf-8")
    judge(nights[WARM_DAYS:], samples)
    demand_busy(household.seen)
    assert "Traceback" not in server.log.read_text()
    await server.log_in_when_ready()
    assert await server.by_key() == await by_a_new_index(server)


def judge(nights, samples):
    """No night holds more than the one after which everything was warm, but for what is allowed."""
    first = nights[0]
    for night in nights[1:]:
        assert night.descriptors <= first.descriptors + 4, (first, night)
        assert night.threads <= first.threads + 2, (first, night)
        assert night.memory <= first.memory * 1.05 + (8 << 20), (first, night)
        assert night.index <= 2 * JOURNAL_BYTES, night
        assert night.history <= JOURNAL_BYTES + 3 * HistoryLimits().bytes, night
        assert night.tokens <= JOURNAL_BYTES, night
        assert night.pictures <= PICTURE_CACHE_MEGABYTES << 20, night
    assert percentile([sample.latency for sample in samples], 0.5) < 0.25


def demand_busy(seen):
    """Nothing was spared: everything that a household does was done again and again."""
    least = {
        "GET 200": 1000,
        "GET 206": 20,
        "GET 304": 20,
        "PATCH 200": 50,
        "POST 200": 50,
        "POST 204": 20,
        "events": 500,
    }
    found = {what: seen[what] for what in least}
    assert all(found[what] >= count * MINUTES / 10 for what, count in least.items()), found


async def by_a_new_index(server):
    """The photos as a server says that begins with no index."""
    (server.data / "again").mkdir()
    again = type(server)(server.photos, server.data / "again")
    try:
        await again.start(60)
        return await again.by_key()
    finally:
        await again.stop()


def report(nights, samples, household):
    """What was measured every night, as a table."""
    head = ("night", "photos", "MiB", "descriptors", "threads", "index, kB", "history, kB")
    rows = [
        (
            *("before" if number == 0 else number, night.photos, f"{night.memory / 2**20:.1f}"),
            *(night.descriptors, night.threads, night.index // 1000, night.history // 1000),
        )
        for number, night in enumerate(nights)
    ]
    latency = [sample.latency * 1e3 for sample in samples]
    answers = sum(count for what, count in household.seen.items() if what != "events")
    return (
        f"{table(head, rows)}\n{answers:,} requests and {household.seen['events']:,} events in "
        f"{MINUTES:g} minutes; `/health` answered by day within {percentile(latency, 0.5):.0f} ms "
        f"(median), {percentile(latency, 0.99):.0f} ms (p99), {max(latency):.0f} ms (longest), "
        "clients, exiftool and server sharing the machine.\n\n"
        f"Made by `make soak SOAK_MINUTES={MINUTES:g} SOAK_WRITE=1` on {machine()}; load average "
        f"at the end {os.getloadavg()[0]:.1f}.\n"
    )


def plot(samples):
    """Everything over the minutes."""

    def line(name, value):
        return Line(name, [(s.at / 60, value(s)) for s in samples])

    mega = 2**20
    panels = [
        Panel("memory of the server, MiB", [line("", lambda s: s.memory / mega)]),
        Panel("memory of picture workers, MiB", [line("", lambda s: s.workers / mega)]),
        Panel("file descriptors", [line("", lambda s: s.descriptors)]),
        Panel("threads", [line("", lambda s: s.threads)]),
        Panel(
            "files, MB",
            [
                line("index", lambda s: s.index / 1e6),
                line("history", lambda s: s.history / 1e6),
                line("tokens", lambda s: s.tokens / 1e6),
            ],
        ),
        Panel("/health, ms", [line("", lambda s: s.latency * 1e3)]),
    ]
    return draw(panels, "minutes (of a week)", linear=True, columns=3)
