"""What this process may do in the photo directory, told in a phrase to whoever starts it."""

import os
import stat
from pathlib import Path


def why_unlistable(directory: Path) -> str | None:
    """Why the directory must not be listed, as a phrase; None when it may be."""
    if os.access(directory, os.R_OK | os.X_OK, effective_ids=True):
        return None
    return f"must not be read: {_who_may(directory)}"


def why_read_only(directory: Path) -> str | None:
    """Why nothing can be written directly in the directory, as a phrase; None when it can be."""
    if os.access(directory, os.W_OK | os.X_OK, effective_ids=True):
        return None
    if os.statvfs(directory).f_flag & os.ST_RDONLY:
        return "is mounted read-only"
    return f"must not be written: {_who_may(directory)}"


def why_unusable(directory: Path) -> str | None:
    """Why files cannot be made in the directory, which itself may have to be made first."""
    existing = next(path for path in (directory, *directory.parents) if _is_directory(path))
    fault = why_read_only(existing)
    if fault is None or existing == directory:
        return fault
    return f"does not exist, and {str(existing)!a} {fault}"


def why_unreadable(file: Path) -> str | None:
    """Why this user may not read the file, as a phrase; None when it may be read."""
    if os.access(file, os.R_OK, effective_ids=True):
        return None
    return f"must not be read: {_who_may(file)}"


def why_closed(file: Path) -> str | None:
    """Why this user may not read and write the file, as a phrase; None when it is not there."""
    if os.access(file, os.R_OK | os.W_OK, effective_ids=True) or not file.exists():
        return None
    return f"must not be read and written: {_who_may(file)}"


def _is_directory(path: Path) -> bool:
    """Whether it is known to be one: what lies behind a closed directory is not."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _who_may(path: Path) -> str:
    status = path.stat()
    return (
        f"it belongs to user {status.st_uid} and group {status.st_gid} with mode "
        f"{stat.S_IMODE(status.st_mode):04o}, and this is user {os.geteuid()} in group "
        f"{os.getegid()}"
    )
