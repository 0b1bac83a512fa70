"""The providers by the name that ``PHOTO_STORAGE_BACKEND`` gives them: one row each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tagline.errors import ConfigurationError
from tagline.storage.local import LocalStorage, no_sidecar
from tagline.storage.memory import MemoryStorage
from tagline.storage.provider import IsSidecar, PhotoStorageProvider

_Make = Callable[[Path, Sequence[str], IsSidecar, bool], PhotoStorageProvider]


@dataclass(frozen=True)
class Backend:
    """A provider's row: how it is made of what ``open_storage`` takes, and if it needs the path."""

    make: _Make
    needs_path: bool = True


def _make_local(
    path: Path,
    ignore: Sequence[str],
    is_sidecar: IsSidecar,
    probe_writers: bool,  # noqa: FBT001 - one of a row
) -> LocalStorage:
    return LocalStorage(path, ignore=ignore, is_sidecar=is_sidecar, probe_writers=probe_writers)


def _make_in_memory(
    _path: Path,
    ignore: Sequence[str],
    _is_sidecar: IsSidecar,
    probe_writers: bool,  # noqa: FBT001 - one of a row
) -> MemoryStorage:
    return MemoryStorage(ignore=ignore, probe_writers=probe_writers)


BACKENDS: Mapping[str, Backend] = MappingProxyType(
    {
        "local": Backend(_make_local),
        "memory": Backend(_make_in_memory, needs_path=False),
    }
)


def open_storage(
    backend: str,
    path: Path | None,
    ignore: Sequence[str] = (),
    *,
    is_sidecar: IsSidecar = no_sidecar,
    probe_writers: bool = True,
) -> PhotoStorageProvider:
    """The provider with this name. It may be unavailable yet; ask ``check``.

    Args:
        backend: its name.
        path: the photo directory, where one is needed.
        ignore: globs of names and keys to hide.
        is_sidecar: see ``LocalStorage``, as is ``probe_writers``.
        probe_writers: whether other programs may be writing to the files.

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
    return row.make(path or Path(), ignore, is_sidecar, probe_writers)
