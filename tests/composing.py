"""A library over a storage and an index of a test's own, with sessions that live in memory."""

import time
from collections.abc import Callable
from typing import Any

from tagline.auth import (
    ApiTokenService,
    FailureLimit,
    PasswordVerifier,
    TokenService,
    TokenStore,
)
from tagline.index import TinyPhotoIndex, open_database
from tagline.library import Library, Parts, Sessions
from tagline.pictures.caches import MemoryCache
from tagline.pictures.jobs import Limits
from tagline.pictures.pool import WorkerPool
from tagline.pictures.service import Pictures
from tagline.storage import PhotoStorageProvider
from tagline.sync import Reconciler, Watcher

PASSWORD = "a long password"


def compose(
    storage: PhotoStorageProvider,
    index: TinyPhotoIndex,
    reconciler: Reconciler,
    clock: Callable[[], float] = time.time,
    **more: Any,
) -> Library:
    """The library, which closes the index; ``more`` are parts that are not the usual ones."""
    tokens = open_database(None, durable=True)
    store = TokenStore(tokens)
    sessions = Sessions(
        PasswordVerifier(PASSWORD, time.monotonic),
        TokenService(store, "s" * 32, clock, 900, 2592000),
        ApiTokenService(store.api_tokens, clock),
        FailureLimit(time.monotonic),
    )
    history = more.get("history")

    def close() -> None:
        index.close()
        tokens.close()
        if history is not None:
            history.close()

    usual = {
        "watcher": Watcher(reconciler, None),
        "pictures": Pictures(WorkerPool(1, Limits()), MemoryCache(0), None),
        "write_mode": "embed",
    }
    parts = {"sessions": sessions, "close": close, **usual, **more}
    return Library(Parts(storage=storage, index=index, reconciler=reconciler, **parts))
