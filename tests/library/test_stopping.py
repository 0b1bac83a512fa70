"""What was begun when the library stops."""

import asyncio
import threading
from pathlib import Path

import pytest

from tagline.index import open_history, open_index
from tagline.library import read_observed
from tagline.model import MetadataChange, Precondition
from tagline.storage import LocalStorage
from tagline.sync import Reconciler
from tests.api.real_library import picture
from tests.composing import compose


async def test_an_edit_that_nobody_waits_for_is_ended_and_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopping waits for the file, the history and the index, though the request was cut off."""
    photos, data = tmp_path / "photos", tmp_path / "data"
    photos.mkdir()
    (photos / "a.jpg").write_bytes(picture(1))
    storage, index = LocalStorage(photos), open_index(data)
    reconciler = Reconciler(storage, index, read_observed)
    library = compose(storage, index, reconciler, history=open_history(data))
    (photo_id,) = (await library.rescan()).imported
    replace, begun, release = storage.replace, threading.Event(), threading.Event()

    def wait_and_replace(*arguments, **options):
        begun.set()
        assert release.wait(10)
        return replace(*arguments, **options)

    monkeypatch.setattr(storage, "replace", wait_and_replace)
    change = MetadataChange(description="kept")
    request = asyncio.create_task(library.edit(photo_id, change, Precondition()))
    assert await asyncio.to_thread(begun.wait, 10)
    request.cancel()
    stopping = asyncio.create_task(library.stop())
    await asyncio.wait([request])
    _, waiting = await asyncio.wait([stopping], timeout=0.1)
    release.set()
    assert waiting
    await stopping
    history, index = open_history(data), open_index(data)
    assert history.page(photo_id, 9, 0).total == 1
    row = index.get(photo_id)
    assert row is not None
    assert row.photo.metadata.description == "kept"
    history.close()
    index.close()
