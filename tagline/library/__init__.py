"""The use cases: the only place where storage, metadata, index and auth meet."""

from tagline.auth import Claims, TokenPair
from tagline.library.health import (
    Health,
    RescanError,
    RescanProgress,
    RescanResult,
    WatcherHealth,
)
from tagline.library.library import Library, Parts
from tagline.library.reading import read_observed
from tagline.library.sessions import Sessions
from tagline.library.verifying import Finding, verify
from tagline.library.writing import PhotoWriter, Target, WriteMode, Written

__all__ = [
    "Claims",
    "Finding",
    "Health",
    "Library",
    "Parts",
    "PhotoWriter",
    "RescanError",
    "RescanProgress",
    "RescanResult",
    "Sessions",
    "Target",
    "TokenPair",
    "WatcherHealth",
    "WriteMode",
    "Written",
    "read_observed",
    "verify",
]
