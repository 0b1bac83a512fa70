"""Opening TinyDB databases and the photo index."""

from pathlib import Path

from tagline.index.journal import JournalStorage
from tagline.index.photos import TinyPhotoIndex
from tagline.index.rows import CONTENT
from tagline.index.table import JournalDatabase

FILE_NAME = "photos.jsonl"


def open_database(
    path: Path | None, *, durable: bool, content: str = "documents 1"
) -> JournalDatabase:
    """A TinyDB in one file, made (mode 0600) when it is not there; in memory without a path.

    ``JournalStorage`` says what ``durable`` and ``content`` mean.

    Raises:
        IndexLocked: another process has it open.
        IndexDamaged: it is durable, and the file cannot be trusted.
        IndexUnavailable: the file cannot be opened, read or made.
    """
    if path is None:
        return JournalDatabase()
    return JournalDatabase(path, content=content, durable=durable, storage=JournalStorage)


def open_index(directory: Path | None) -> TinyPhotoIndex:
    """The photo index in ``photos.jsonl`` of a directory, made (mode 0700) when it is not there.

    Without a directory, it is in memory.

    Raises:
        IndexLocked: another process has it open.
        IndexUnavailable: the file cannot be opened, read or made.
    """
    path = directory / FILE_NAME if directory is not None else None
    return TinyPhotoIndex(open_database(path, durable=False, content=CONTENT))
