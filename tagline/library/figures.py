"""What is counted in a library, for the figures of operators; totals are those since the start."""

from collections.abc import Mapping

import msgspec

from tagline.library.health import Health
from tagline.library.outcomes import EditOutcome
from tagline.sync import Progress


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one moment.

    ``last_full_reconcile`` is in Unix seconds. ``edits`` are numbers of edits by what came of them,
    ``logins`` and ``pictures`` alike; see ``outcomes`` and ``Pictures``.
    """

    health: Health
    scan: Progress
    last_full_reconcile: float | None
    index_bytes: int
    edits: Mapping[EditOutcome, int]
    logins: Mapping[str, int]
    pictures: Mapping[str, int]
