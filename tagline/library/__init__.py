"""The use cases: the only place where storage, metadata, index and auth meet."""

from tagline.auth import ApiToken, NewApiToken, Principal, Scope, TokenPair
from tagline.library.beside import WriteMode
from tagline.library.events import Event, Hub, Opening, Reader
from tagline.library.figures import Figures
from tagline.library.health import (
    Health,
    RescanError,
    RescanProgress,
    RescanResult,
    ScanState,
    Status,
    WatcherHealth,
)
from tagline.library.history import PhotoEdit
from tagline.library.library import Library, Parts
from tagline.library.reading import read_alone, read_observed, strays_in
from tagline.library.repairing import Moved, Repairer
from tagline.library.rest import Patience, Rest
from tagline.library.sessions import Sessions
from tagline.library.verifying import Finding, verify
from tagline.library.writing import PhotoWriter, Target, Written

__all__ = [
    "ApiToken",
    "Event",
    "Figures",
    "Finding",
    "Health",
    "Hub",
    "Library",
    "Moved",
    "NewApiToken",
    "Opening",
    "Parts",
    "Patience",
    "PhotoEdit",
    "PhotoWriter",
    "Principal",
    "Reader",
    "Repairer",
    "RescanError",
    "RescanProgress",
    "RescanResult",
    "Rest",
    "ScanState",
    "Scope",
    "Sessions",
    "Status",
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
