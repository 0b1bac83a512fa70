"""Keeps the index equal to the disk: plan, reconcile, watch."""

from tagline.sync.looking import observe_photo
from tagline.sync.options import WatchOptions
from tagline.sync.reconciler import Reconciler
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
from tagline.sync.watcher import Watcher, WatcherStatus

__all__ = [
    "Decoded",
    "Observed",
    "Progress",
    "ReadError",
    "ReadPhoto",
    "ReconcileResult",
    "Reconciler",
    "Scope",
    "Stray",
    "Strays",
    "WatchOptions",
    "Watcher",
    "WatcherStatus",
    "observe_photo",
]
