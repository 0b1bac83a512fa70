"""From settings to the parts of a library, and to the library itself."""

import secrets
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from pydantic import SecretStr

from tagline.auth import PasswordVerifier, TokenService, TokenStore, load_or_create_secret
from tagline.config.access import why_unusable
from tagline.config.logs import register_secret
from tagline.config.settings import Settings
from tagline.config.values import shown
from tagline.errors import ConfigurationError, IndexDamaged
from tagline.index import TinyPhotoIndex, open_database, open_index
from tagline.library import Library, Parts, Sessions, read_observed
from tagline.pictures.caches import DiskCache, MemoryCache
from tagline.pictures.jobs import Limits
from tagline.pictures.pool import WorkerPool
from tagline.pictures.service import Pictures
from tagline.storage import BACKENDS, PhotoStorageProvider, open_storage
from tagline.sync import Reconciler, Watcher, WatchOptions

TOKENS_FILE = "tokens.jsonl"
SECRET_FILE = "jwt-secret"  # noqa: S105 - the name of a file
GENERATED_PASSWORD_BYTES = 12
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
    return open_storage(
        settings.photo_storage_backend, settings.photo_storage_path, settings.ignore
    )


def index_of(settings: Settings) -> TinyPhotoIndex:
    """The photo index that the settings name.

    Raises:
        ConfigurationError: its directory must not be written.
        IndexLocked: another process has it open.
        IndexUnavailable: its file cannot be read or made.
    """
    directory = settings.database_directory
    if directory is not None and (fault := why_unusable(directory)):
        raise ConfigurationError("DATABASE_URL", f"{shown(directory)} {fault}")
    return open_index(directory)


def reconciler_of(storage: PhotoStorageProvider, index: TinyPhotoIndex) -> Reconciler:
    """What makes this index equal to this storage."""
    return Reconciler(storage, index, read_observed)


def build_library(settings: Settings) -> Built:
    """The library that the settings describe; nothing runs yet. Call it on the event loop.

    Raises:
        ConfigurationError: a file of the settings cannot be used.
        IndexLocked: another process serves this index.
        IndexDamaged: the token file cannot be trusted.
    """
    index = index_of(settings)
    try:
        password, made = _password(settings.backend_password)
        with _advice_on_tokens():
            tokens = open_database(_in(settings, TOKENS_FILE), durable=True)
        storage = storage_of(settings)
        reconciler = reconciler_of(storage, index)

        def close() -> None:
            index.close()
            tokens.close()

        parts = Parts(
            storage=storage,
            index=index,
            reconciler=reconciler,
            watcher=_watcher(settings, reconciler),
            sessions=_sessions(settings, TokenStore(tokens), password, made=made),
            pictures=_pictures(settings),
            write_mode=settings.write_mode,
            close=close,
        )
    except BaseException:
        index.close()
        raise
    return Built(library=Library(parts), made_password=password if made else None)


@contextmanager
def _advice_on_tokens() -> Generator[None]:
    """Add to damage of the token file what a person may do about it."""
    try:
        yield
    except IndexDamaged as error:
        advice = "restore it, or delete it, which ends all sessions"
        raise IndexDamaged(TOKENS_FILE, f"{error.reason}; {advice}") from error


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


def _sessions(settings: Settings, store: TokenStore, password: str, *, made: bool) -> Sessions:
    secret = _secret(settings)
    for hidden in (password, secret):
        register_secret(hidden)
    service = TokenService(
        store, secret, time.time, settings.access_token_seconds, settings.refresh_token_seconds
    )
    if not made:
        # A changed password ends every session; one made for this run is another at every start.
        service.bind_password(password)
    return Sessions(PasswordVerifier(password, time.monotonic), service)


def _password(configured: SecretStr | None) -> tuple[str, bool]:
    if configured is not None and configured.get_secret_value():
        return configured.get_secret_value(), False
    return secrets.token_urlsafe(GENERATED_PASSWORD_BYTES), True


def _secret(settings: Settings) -> str:
    if settings.jwt_secret is not None:
        return settings.jwt_secret.get_secret_value()
    path = _in(settings, SECRET_FILE)
    return load_or_create_secret(path) if path else secrets.token_urlsafe(48)


def _in(settings: Settings, name: str) -> Path | None:
    directory = settings.database_directory
    return directory / name if directory is not None else None


def _watcher(settings: Settings, reconciler: Reconciler) -> Watcher:
    needs_path = BACKENDS[settings.photo_storage_backend].needs_path
    root = settings.photo_storage_path if needs_path else None
    options = WatchOptions(mode=settings.watch, reconcile_seconds=settings.reconcile_seconds)
    return Watcher(reconciler, root, options)
