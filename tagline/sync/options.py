"""How to watch."""

from collections.abc import Callable
from contextlib import suppress
from typing import Literal

import msgspec

from tagline.sync.mounts import MOUNTINFO

POLL_SHARE = 20
"""Looking takes at most one part in so many of the time."""

Mode = Literal["auto", "notify", "poll", "off"]


def read_mountinfo() -> str:
    """What is mounted where; nothing where the system does not say."""
    with suppress(OSError):
        return MOUNTINFO.read_text("utf-8", "surrogateescape")
    return ""


class WatchOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to watch.

    Attributes:
        mode: ``notify`` by events, ``poll`` by looking, ``off`` not at all, ``auto`` by events
            unless the file system does not tell them.
        reconcile_seconds: time between two full reconciles, at most.
        poll_seconds: time between two looks, at least; looking takes at most 5 % of the time.
        check_seconds: time between two checks that the photo directory is there.
        doubt_seconds: time between two full reconciles until one proves that events are told.
        restarts: where events end so often within ``patience_seconds``, looking replaces them.
        patience_seconds: see ``restarts``; also for how long looking replaces events.
        mountinfo: gives the content of ``/proc/self/mountinfo``.
    """

    mode: Mode = "auto"
    reconcile_seconds: float = 300.0
    poll_seconds: float = 2.0
    check_seconds: float = 2.0
    doubt_seconds: float = 30.0
    restarts: int = 4
    patience_seconds: float = 600.0
    mountinfo: Callable[[], str] = read_mountinfo

    def pause_seconds(self, took_seconds: float) -> float:
        """Time between two looks, of which the last one took so long."""
        pause_seconds = max(self.poll_seconds, POLL_SHARE * took_seconds)
        return min(pause_seconds, self.reconcile_seconds)
