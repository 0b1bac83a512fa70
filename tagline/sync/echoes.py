"""Events of what the index has already, most of them of Tagline's own writes.

To look at what an event names takes listing its directory. In a large one that is dear, and sooner
told from the files of the row, each of which is looked at.
"""

from collections.abc import Iterable, Mapping, Sequence

from tagline.errors import ObjectError
from tagline.index.protocol import PhotoIndex
from tagline.metadata.registry import is_photo
from tagline.metadata.strays import suffix_of
from tagline.model import IndexedFile
from tagline.model.keys import join
from tagline.storage.provider import PhotoStorageProvider
from tagline.sync.values import Scope

Files = Mapping[str, Sequence[IndexedFile]]
"""The files of rows, by the key of each of them."""


def files_named(index: PhotoIndex, scopes: Iterable[Scope]) -> Files:
    """The files of the rows whose photo, or its own sidecar, is named in scopes.

    Rows that have to do with sidecars elsewhere are left out: more than their files tells of those.
    """
    found: dict[str, Sequence[IndexedFile]] = {}
    for scope in scopes:
        for name in scope.names or ():
            row = index.by_key(join(scope.directory, _photo_of(name)))
            if row is not None and not row.adopted and not row.stale:
                found.update((file.object_key, row.files) for file in row.files)
    return found


def without_echoes(
    storage: PhotoStorageProvider, scopes: Iterable[Scope], rows: Files
) -> list[Scope]:
    """The scopes but for those in which every name is that of a file as its row has it; blocks.

    Where one name is news the others stay: a file system may find one file by both.

    Raises:
        StorageUnavailable: the photo directory is gone.
    """
    return [scope for scope in scopes if not _is_echo(storage, scope, rows)]


def _is_echo(storage: PhotoStorageProvider, scope: Scope, rows: Files) -> bool:
    keys = [join(scope.directory, name) for name in scope.names or ()]
    if not keys or not all(key in rows for key in keys):
        return False
    files = {file for key in keys for file in rows[key]}
    try:
        return all(storage.stat(file.object_key).state == file.state for file in files)
    except ObjectError:
        return False


def _photo_of(name: str) -> str:
    """The photo whose name is in this file's: itself, or that of its own sidecar."""
    suffix = suffix_of(name)
    return name[: -len(suffix)] if suffix and not is_photo(name) else name
