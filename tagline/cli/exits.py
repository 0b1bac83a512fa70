"""Exit codes: what a service manager or a script can tell without reading."""

from tagline.config.loading import SettingsError
from tagline.errors import ConfigurationError, IndexLocked, TaglineError

DONE = 0
FAILED = 1
WRONG_USAGE = 2
MISSING = 3
FORBIDDEN = 4
TAKEN = 5
LOCKED = 6

_CAUSES = {"missing": MISSING, "forbidden": FORBIDDEN, "taken": TAKEN, None: WRONG_USAGE}


def exit_code(error: TaglineError) -> int:
    """The code of an error; of several mistakes the one that they share, else 2."""
    if isinstance(error, SettingsError):
        codes = {_CAUSES[fault.cause] for fault in error.faults}
        return codes.pop() if len(codes) == 1 else WRONG_USAGE
    if isinstance(error, ConfigurationError):
        return _CAUSES[error.cause]
    return LOCKED if isinstance(error, IndexLocked) else FAILED
