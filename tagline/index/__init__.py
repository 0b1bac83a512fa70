"""The photo index: TinyDB behind the ``PhotoIndex`` protocol."""

from tagline.index.history import TinyHistory
from tagline.index.ledger import HistoryLimits
from tagline.index.opening import open_database, open_history, open_index
from tagline.index.photos import TinyPhotoIndex
from tagline.index.protocol import IndexedState, IndexListener, PhotoIndex, RowChange
from tagline.index.table import JournalDatabase

__all__ = [
    "HistoryLimits",
    "IndexListener",
    "IndexedState",
    "JournalDatabase",
    "PhotoIndex",
    "RowChange",
    "TinyHistory",
    "TinyPhotoIndex",
    "open_database",
    "open_history",
    "open_index",
]
