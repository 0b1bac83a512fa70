"""Opening TinyDB databases and the photo index."""

from pathlib import Path

from tagline.errors import IndexFailure
from tagline.index.history import CONTENT as HISTORY_CONTENT
from tagline.index.history import TinyHistory
from tagline.index.journal import JournalStorage
from tagline.index.photos import TinyPhotoIndex
from tagline.index.rows import CONTENT
from tagline.index.table import JournalDatabase

FILE_NAME = "photos.jsonl"
HISTORY_FILE_NAME = "history.jsonl"


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


def open_history(directory: Path | None) -> TinyHistory:
    """The history in ``history.jsonl`` of a directory, made when it is not there.

    Without a directory, or where the file cannot be used, it is in memory, and in the latter case
    ``problem`` says so: nothing about the history keeps a server from starting. A file that is
    damaged or of another version is set aside.
    """
    if directory is None:
        return TinyHistory(JournalDatabase())
    try:
        return TinyHistory(
            JournalDatabase(
                directory / HISTORY_FILE_NAME,
                content=HISTORY_CONTENT,
                durable=False,
                precious=True,
                storage=JournalStorage,
            )
        )
    except IndexFailure as error:
        told = f"{error} Until Tagline is started again, changes are remembered in memory only."
        return TinyHistory(JournalDatabase(), problem=told)
