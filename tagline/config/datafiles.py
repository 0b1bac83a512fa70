"""The data directory: whether this user may use it, and what another one left in it."""

from pathlib import Path

from tagline.config.access import why_closed, why_unusable
from tagline.config.values import shown
from tagline.index.opening import FILE_NAME

TOKENS_FILE = "tokens.jsonl"
# The history may be closed to this user: it is told, and keeps nothing from starting.
_NEEDED = tuple(name for file in (FILE_NAME, TOKENS_FILE) for name in (file, f"{file}.lock"))


def why_data_unusable(directory: Path) -> str | None:
    """Why the data directory cannot be used by this user, as a sentence about a path in it.

    None when it can be; it may have to be made first.
    """
    if fault := why_unusable(directory):
        return f"{shown(directory)} {fault}"
    for path in (directory / name for name in _NEEDED):
        if fault := why_closed(path):
            return f"{shown(path)} {fault}"
    return None
