"""The providers by the name that ``PHOTO_STORAGE_BACKEND`` gives them: one row each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tagline.errors import ConfigurationError
from tagline.storage.local import LocalStorage
from tagline.storage.memory import MemoryStorage
from tagline.storage.provider import PhotoStorageProvider


@dataclass(frozen=True)
class Backend:
    """A provider's row: how it is made of a path and globs, and whether it needs the path."""

    make: Callable[[Path, Sequence[str]], PhotoStorageProvider]
    needs_path: bool = True


BACKENDS: Mapping[str, Backend] = MappingProxyType(
    {
        "local": Backend(lambda path, ignore: LocalStorage(path, ignore=ignore)),
        "memory": Backend(lambda _path, ignore: MemoryStorage(ignore=ignore), needs_path=False),
    }
)


def open_storage(
    backend: str, path: Path | None, ignore: Sequence[str] = ()
) -> PhotoStorageProvider:
    """The provider with this name. It may be unavailable yet; ask ``check``.

    Raises:
        ConfigurationError: there is no such provider, or it needs a path.
    """
    row = BACKENDS.get(backend)
    if row is None:
        allowed = ", ".join(BACKENDS)
        raise ConfigurationError(
            "PHOTO_STORAGE_BACKEND", f"{backend!r} is no storage backend; allowed: {allowed}"
        )
    if row.needs_path and path is None:
        raise ConfigurationError("PHOTO_STORAGE_PATH", f"the {backend} backend needs a directory")
    return row.make(path or Path(), ignore)
