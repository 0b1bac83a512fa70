"""What waits to be read, in which order, and how much of it is kept."""

import pytest

from tagline.sync.backlog import Backlog, Work


async def test_newest_directories_first_and_the_last_of_many_by_name_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Photos beyond the limit are forgotten but for their directory; what was read makes room."""
    monkeypatch.setattr("tagline.sync.backlog.KEPT", 10)
    monkeypatch.setattr("tagline.sync.backlog.CHUNK", 4)
    backlog, photos = Backlog(), [object() for _ in range(6)]
    backlog.add("old", photos, 1)
    backlog.add("new", photos, 2)
    assert await backlog.take() == Work("new", None)
    assert await backlog.take() == Work("old", photos[:4])
    backlog.add("newer", photos, 3)
    assert await backlog.take() == Work("old", photos[4:])
    assert await backlog.take() == Work("newer", photos[:4])
    backlog.close()
    backlog.add_next("again", photos[:1])
    assert [await backlog.take() for _ in range(3)] == [
        Work("newer", photos[4:]),
        Work("again", photos[:1]),
        None,
    ]
