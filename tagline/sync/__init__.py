"""Keeps the index equal to the disk: plan, reconcile, watch."""

from tagline.sync.looking import Look, observe_photo
from tagline.sync.options import WatchOptions
from tagline.sync.reconciler import Reconciler
from tagline.sync.stillness import Stillness
from tagline.sync.stray_table import Stray
from tagline.sync.strays import Strays
from tagline.sync.values import (
    Decoded,
    Observed,
    Progress,
    ReadError,
    ReadPhoto,
    ReconcileResult,
    Scope,
)
from tagline.sync.watcher import Watcher, WatcherStatus, WatchMode, WatchState

__all__ = [
    "Decoded",
    "Look",
    "Observed",
    "Progress",
    "ReadError",
    "ReadPhoto",
    "ReconcileResult",
    "Reconciler",
    "Scope",
    "Stillness",
    "Stray",
    "Strays",
    "WatchMode",
    "WatchOptions",
    "WatchState",
    "Watcher",
    "WatcherStatus",
    "observe_photo",
]
