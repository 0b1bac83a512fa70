"""What the index and its readers could not do."""

from tagline.errors.root import TaglineError


class IndexFailure(TaglineError):
    """The index or the token store did not do what was asked."""


class IndexLocked(IndexFailure):
    """Another process holds the file; ``holder`` describes it when that is known."""

    def __init__(self, name: str, holder: str | None) -> None:
        by = holder or "another process"
        super().__init__(f"{name} is in use by {by}; stop it, or choose another DATABASE_URL.")
        self.holder = holder


class IndexUnavailable(IndexFailure):
    """The file cannot be read or written; nothing was changed. ``reason`` says why."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} cannot be read or written: {reason}.")
        self.reason = reason


class IndexDamaged(IndexFailure):
    """The file on disk cannot be trusted; ``reason`` says what is wrong with it."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} is damaged: {reason}.")
        self.reason = reason


class EventsLost(TaglineError):
    """A reader of events was so slow that some are no longer kept."""

    def __init__(self) -> None:
        super().__init__("Events were lost: load again what is shown.")
