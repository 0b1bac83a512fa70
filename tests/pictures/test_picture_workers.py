"""Worker processes: what they may cost, and what happens when they fail."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from tests_pictures_samples import png_bomb, saved, scene, slow_jpeg

from tagline.errors import PictureRefused, PicturesBusy
from tagline.pictures import pool as pools
from tagline.pictures.jobs import Job, Limits
from tagline.pictures.pool import WorkerPool
from tagline.pictures.process import WorkerFailed
from tests.processes import children

GOOD = saved(scene(), "PNG")
SLOW = slow_jpeg()


@pytest.fixture
def descriptors():
    """Makes descriptors of bytes."""
    made = []

    def descriptor(data: bytes) -> int:
        made.append(os.memfd_create("test"))
        os.write(made[-1], data)
        return made[-1]

    yield descriptor
    for file in made:
        os.close(file)


async def begun(before: set[int]) -> int:
    """Wait until a worker has been started beside these children; its process id."""
    async with asyncio.timeout(20):
        while not (started := children() - before):  # noqa: ASYNC110 - a thread sets no event
            await asyncio.sleep(0.001)
    return started.pop()


@pytest.fixture
async def pool():
    """Two workers with little time."""
    before = children()
    made = WorkerPool(2, Limits(seconds=1))
    yield made
    await made.close()
    assert children() <= before


def job_of(data: bytes, **more) -> Job:
    """The job of making a small picture."""
    members = {
        "kind": "png",
        "offset": 0,
        "length": len(data),
        "orientation": 1,
        "stored": None,
        "edge": 64,
        "media_type": "image/jpeg",
        "max_pixels": 10_000_000_000,
        "seconds": 20,
    }
    return Job(**members | more)


async def test_endless_decoding_is_ended_by_the_kernel(pool, descriptors):
    """A file of a few kilobytes that takes minutes is given up, and others are served after it."""
    assert len(SLOW) < 1_000_000
    slow = job_of(SLOW, kind="jpeg", seconds=1)
    with pytest.raises(PictureRefused) as caught:
        await pool.render(slow, descriptors(SLOW))
    assert caught.value.reason == "too_costly"
    assert await pool.render(job_of(GOOD), descriptors(GOOD))


async def test_a_hungry_picture_is_refused_and_the_worker_replaced(descriptors):
    """More pixels than fit into the memory allowed are a reason, not a crash."""
    pool = WorkerPool(1, Limits(memory_bytes=300 * 1024 * 1024))
    hungry = png_bomb(12_000, 12_000, 420)
    assert await pool.render(job_of(GOOD), descriptors(GOOD))
    with pytest.raises(PictureRefused) as caught:
        await pool.render(job_of(hungry), descriptors(hungry))
    assert caught.value.reason == "too_costly"
    assert await pool.render(job_of(GOOD), descriptors(GOOD))
    await pool.close()


async def test_a_dead_worker_is_replaced_before_anybody_notices(pool, descriptors):
    """Whether it died while idle, or is killed at work by what came before."""
    before = children()
    assert await pool.render(job_of(GOOD), descriptors(GOOD))
    (worker,) = children() - before
    os.kill(worker, signal.SIGKILL)
    assert await pool.render(job_of(GOOD), descriptors(GOOD))
    (other,) = children() - before
    assert other != worker


async def test_a_worker_that_cannot_start_is_a_reason_to_wait(monkeypatch, descriptors):
    """No photo is blamed for a server that lacks memory for a process."""
    pool = WorkerPool(1, Limits())
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(PicturesBusy):
        await pool.render(job_of(GOOD), descriptors(GOOD))
    monkeypatch.setattr("sys.executable", "/nonexistent")
    with pytest.raises(PicturesBusy):
        await pool.render(job_of(GOOD), descriptors(GOOD))
    await pool.close()


async def test_work_goes_to_as_many_processes_as_are_allowed(pool, descriptors):
    """Three pictures at once keep two processes busy, and no more."""
    file, before = descriptors(GOOD), children()

    async def one() -> bytes:
        async with pool.slot() as slot:
            return await slot.render(job_of(GOOD), file)

    made = await asyncio.gather(*(one() for _ in range(12)))
    assert len(set(made)) == 1
    assert len(children() - before) == 2


async def test_who_waits_too_long_is_sent_away():
    """With the seconds to wait."""
    pool = WorkerPool(1, Limits(), wait_seconds=0.01)
    async with pool.slot():
        with pytest.raises(PicturesBusy) as caught:
            async with pool.slot():
                pass
    assert caught.value.retry_after.total_seconds() > 0
    async with pool.slot():
        pass
    await pool.close()


async def test_only_so_many_may_wait(monkeypatch):
    """One more is sent away at once."""
    monkeypatch.setattr(pools, "MOST_WAITING", 1)
    pool = WorkerPool(1, Limits())

    async def enter() -> None:
        async with pool.slot():
            pass

    async with pool.slot():
        waiting = asyncio.create_task(enter())
        await asyncio.sleep(0)
        with pytest.raises(PicturesBusy):
            await enter()
    await waiting
    await pool.close()


async def test_closing_ends_what_is_under_way(descriptors):
    """At once, without a zombie; and nothing begins after it."""
    before = children()
    pool = WorkerPool(1, Limits(seconds=60))
    file = descriptors(SLOW)
    work = asyncio.create_task(pool.render(job_of(SLOW, kind="jpeg", seconds=60), file))
    await begun(before)
    await pool.close()
    with pytest.raises(PicturesBusy):
        await work
    with pytest.raises(PicturesBusy):
        await pool.render(job_of(GOOD), descriptors(GOOD))
    assert children() <= before
    await pool.close()


async def test_who_gives_up_waits_for_the_file_to_be_let_go(pool, descriptors):
    """A descriptor is not closed, nor given to another file, while a worker is told of it."""
    before = children()
    work = asyncio.create_task(pool.render(job_of(GOOD), descriptors(GOOD)))
    worker = await begun(before)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    # It is done with that picture: the next one is made by the same worker, alone.
    assert await pool.render(job_of(GOOD), descriptors(GOOD))
    assert children() - before == {worker}


def test_a_worker_can_write_no_file_and_knows_no_secret(maker_within, monkeypatch):
    """Its limits and its environment, as the kernel tells them."""
    monkeypatch.setenv("BACKEND_PASSWORD", "hush-hush")
    maker = maker_within(memory_bytes=512 * 1024 * 1024)
    maker(GOOD, kind="png")
    process = Path(f"/proc/{maker.worker.process_id}")
    limits = {
        line[:25].strip(): line[26:46].strip()
        for line in (process / "limits").read_text().splitlines()
    }
    assert limits["Max file size"] == "0"
    assert limits["Max core file size"] == "0"
    assert limits["Max address space"] == str(512 * 1024 * 1024)
    assert int(limits["Max cpu time"]) < 60
    assert b"hush-hush" not in (process / "environ").read_bytes()
    assert (process / "oom_score_adj").read_text().strip() == "1000"
    opened = [str(path.readlink()) for path in (process / "fd").iterdir()]
    assert not [target for target in opened if "memfd" in target]


def test_a_worker_ends_with_its_server(maker_within):
    """When the socket closes there is nothing left to do."""
    maker = maker_within()
    maker(GOOD, kind="png")
    maker.worker._channel.close()
    assert maker.worker._process.wait(10) == 0


def test_a_worker_that_answers_nonsense_has_failed(maker_within, descriptors):
    """What a process says that may have been taken over is not believed."""
    maker = maker_within()
    maker(GOOD, kind="png")
    worker = maker.worker
    ours, theirs = __import__("socket").socketpair()
    worker._channel.close()
    worker._channel = ours
    for said in (b"P\xff\xff\xff\xff", b"R\0\0\0\x03abc", b"R\0\0\0\x02\xff\xff"):
        theirs.sendall(said)
        with pytest.raises(WorkerFailed):
            worker.render(job_of(GOOD), descriptors(GOOD))
    theirs.close()
    with pytest.raises(WorkerFailed):
        worker.render(job_of(GOOD), descriptors(GOOD))
