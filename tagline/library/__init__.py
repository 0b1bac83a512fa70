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
from tagline.library.reading import read_alone, read_observed, strays_in
from tagline.library.repairing import Moved, Repairer
from tagline.library.sessions import Sessions
from tagline.library.verifying import Finding, verify
from tagline.library.writing import PhotoWriter, Target, WriteMode, Written

__all__ = [
    "Claims",
    "Finding",
    "Health",
    "Library",
    "Moved",
    "Parts",
    "PhotoWriter",
    "Repairer",
    "RescanError",
    "RescanProgress",
    "RescanResult",
    "Sessions",
    "Target",
    "TokenPair",
    "WatcherHealth",
    "WriteMode",
    "Written",
    "read_alone",
    "read_observed",
    "strays_in",
    "verify",
]
