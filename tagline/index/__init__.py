"""The photo index: TinyDB behind the ``PhotoIndex`` protocol."""

from tagline.index.opening import open_database, open_index
from tagline.index.photos import TinyPhotoIndex
from tagline.index.protocol import IndexedState, PhotoIndex

__all__ = ["IndexedState", "PhotoIndex", "TinyPhotoIndex", "open_database", "open_index"]
