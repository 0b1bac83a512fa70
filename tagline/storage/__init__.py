"""Photo files: the storage protocol and its providers."""

from tagline.storage.backends import BACKENDS, Backend, open_storage
from tagline.storage.faults import open_elsewhere
from tagline.storage.local import LocalStorage
from tagline.storage.memory import MemoryStorage
from tagline.storage.mirror import Mirror
from tagline.storage.mirrored import MirroredStorage
from tagline.storage.provider import OpenObject, PhotoStorageProvider, StoredObject

__all__ = [
    "BACKENDS",
    "Backend",
    "LocalStorage",
    "MemoryStorage",
    "Mirror",
    "MirroredStorage",
    "OpenObject",
    "PhotoStorageProvider",
    "StoredObject",
    "open_elsewhere",
    "open_storage",
]
