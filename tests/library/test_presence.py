"""Whether the photo directory is there, and answers."""

import asyncio
import threading

import pytest

from tagline.errors import StorageUnavailable
from tagline.library import presence
from tagline.library.presence import Presence


async def test_a_directory_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a look hangs there is a problem, no second look begins, and the answer ends it."""
    monkeypatch.setattr(presence, "CHECK_SECONDS", 0.0)
    told: asyncio.Queue[str | None] = asyncio.Queue()
    looks, answer = 0, threading.Event()

    def check() -> None:
        nonlocal looks
        looks += 1
        assert answer.wait(10)

    seen = Presence(check, lambda: told.put_nowait(seen.problem), patience_seconds=0.01)
    watching = asyncio.create_task(seen.watch())
    async with asyncio.timeout(10):
        assert "does not answer" in (await told.get() or "")
        assert looks == 1
        answer.set()
        assert await told.get() is None
    watching.cancel()
    await asyncio.wait([watching])


async def test_a_directory_that_is_gone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the storage says is the problem, once, until it is there again."""
    monkeypatch.setattr(presence, "CHECK_SECONDS", 0.0)
    told: asyncio.Queue[str | None] = asyncio.Queue()
    answers = iter([None, "gone", "gone", None, None])

    def check() -> None:
        if (said := next(answers, None)) is not None:
            raise StorageUnavailable(said)

    seen = Presence(check, lambda: told.put_nowait(seen.problem))
    watching = asyncio.create_task(seen.watch())
    async with asyncio.timeout(10):
        assert [await told.get(), await told.get()] == ["gone", None]
    assert told.empty()
    watching.cancel()
    await asyncio.wait([watching])


async def test_who_found_it_gone_is_believed_before_an_older_look() -> None:
    """A look that began before somebody found it gone takes nothing back; the next one does."""
    told: asyncio.Queue[str | None] = asyncio.Queue()
    began, answer = threading.Semaphore(0), threading.Semaphore(0)

    def check() -> None:
        began.release()
        assert answer.acquire(timeout=10)

    seen = Presence(check, lambda: told.put_nowait(seen.problem))
    watching = asyncio.create_task(seen.watch())
    assert await asyncio.to_thread(began.acquire, timeout=10)
    seen.missed(StorageUnavailable("gone"))
    assert told.get_nowait() == "gone"
    answer.release()
    assert await asyncio.to_thread(began.acquire, timeout=10)
    assert told.empty()
    assert seen.problem == "gone"
    answer.release()
    async with asyncio.timeout(10):
        assert await told.get() is None
    watching.cancel()
    answer.release(2)
    await asyncio.wait([watching])
