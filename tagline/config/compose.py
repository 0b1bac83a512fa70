"""From settings to the parts of a library, and to the library itself."""

import logging
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import msgspec

from tagline.auth import TokenStore
from tagline.config.credentials import make_password, open_tokens, password_of, sessions_of
from tagline.config.datafiles import why_data_unusable
from tagline.config.mirroring import is_sidecar_name, mirrored_storage
from tagline.config.settings import Settings
from tagline.errors import ConfigurationError
from tagline.index import TinyHistory, TinyPhotoIndex, open_history, open_index
from tagline.library import Library, Parts, read_observed
from tagline.pictures.caches import DiskCache, MemoryCache
from tagline.pictures.jobs import Limits
from tagline.pictures.pool import WorkerPool
from tagline.pictures.service import Pictures
from tagline.storage import BACKENDS, PhotoStorageProvider, open_storage
from tagline.sync import Reconciler, Stillness, Watcher, WatchOptions

_logger = logging.getLogger(__name__)

PICTURES_DIRECTORY = "pictures"
RECENT_PICTURES_BYTES = 16 * 1024 * 1024
"""What pictures asked for a moment ago may take in memory."""

_MEGABYTE = 1024 * 1024


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """A library, and the password that was made for this run where none was configured."""

    library: Library
    made_password: str | None


def storage_of(settings: Settings) -> PhotoStorageProvider:
    """The photo storage that the settings name."""
    return mirrored_storage(settings) or open_storage(
        settings.photo_storage_backend,
        settings.photo_storage_path,
        settings.ignore,
        is_sidecar=is_sidecar_name,
        probe_writers=settings.others_write,
    )


def index_of(settings: Settings) -> TinyPhotoIndex:
    """The photo index that the settings name.

    Raises:
        ConfigurationError: its directory, or a file there, belongs to somebody else.
        IndexLocked: another process has it open.
        IndexUnavailable: its file cannot be read or made.
    """
    directory = settings.database_directory
    if directory is not None and (fault := why_data_unusable(directory)):
        raise ConfigurationError("DATABASE_URL", fault, "forbidden")
    return open_index(directory)


def reconciler_of(
    settings: Settings, storage: PhotoStorageProvider, index: TinyPhotoIndex
) -> Reconciler:
    """What makes this index equal to this storage."""
    read = partial(read_observed, mode=settings.write_mode)
    return Reconciler(storage, index, read, stillness=Stillness(settings.settle_seconds))


def build_library(settings: Settings) -> Built:
    """The library that the settings describe; nothing runs yet. Call it on the event loop.

    Raises:
        ConfigurationError: a file of the settings cannot be used.
        IndexLocked: another process serves this index.
        IndexDamaged: the token file cannot be trusted.
    """
    with ExitStack() as opened:
        index = index_of(settings)
        opened.callback(index.close)
        if index.recovered is not None:
            _logger.warning("the index: %s", index.recovered)
        configured = password_of(settings)
        password = configured or make_password()
        tokens = open_tokens(settings)
        opened.callback(tokens.close)
        storage = storage_of(settings)
        reconciler = reconciler_of(settings, storage, index)
        history = _history(settings)
        opened.callback(history.close)
        parts = Parts(
            storage=storage,
            index=index,
            reconciler=reconciler,
            watcher=_watcher(settings, reconciler),
            sessions=sessions_of(settings, TokenStore(tokens), password, made=configured is None),
            pictures=_pictures(settings),
            write_mode=settings.write_mode,
            history=history,
            close=opened.pop_all().close,  # closes each, whatever becomes of the others
        )
    return Built(library=Library(parts), made_password=password if configured is None else None)


def _history(settings: Settings) -> TinyHistory:
    history = open_history(settings.database_directory)
    for told in filter(None, (history.recovered, history.problem)):
        _logger.warning("the history of changes: %s", told)
    return history


def _pictures(settings: Settings) -> Pictures:
    limits = Limits(
        max_pixels=settings.max_pixels,
        memory_bytes=settings.picture_memory_megabytes * _MEGABYTE,
    )
    directory = _in(settings, PICTURES_DIRECTORY)
    limit_bytes = settings.picture_cache_megabytes * _MEGABYTE
    kept = DiskCache(directory, limit_bytes) if directory is not None else None
    pool = WorkerPool(settings.picture_workers, limits)
    return Pictures(pool, MemoryCache(RECENT_PICTURES_BYTES), kept)


def _in(settings: Settings, name: str) -> Path | None:
    directory = settings.database_directory
    return directory / name if directory is not None else None


def _watcher(settings: Settings, reconciler: Reconciler) -> Watcher:
    needs_path = BACKENDS[settings.photo_storage_backend].needs_path
    root = settings.photo_storage_path if needs_path else None
    options = WatchOptions(mode=settings.watch, reconcile_seconds=settings.reconcile_seconds)
    sidecars = (settings.sidecar_path,) if settings.sidecar_path else ()
    return Watcher(reconciler, root, options, beside=sidecars)
