"""Mode, owner and extended attributes: what makes a new file stand in for an old one."""

import errno
import os
import stat
from contextlib import suppress

_ACL = "system.posix_acl_access"

_BOUND_TO_CONTENT = frozenset({"security.capability", "security.ima", "security.evm"})
"""The kernel drops or recomputes these when a file's content changes; a copy would be wrong."""

_NO_ATTRIBUTES = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})

_PERMISSIONS = stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO


def take_over(source: int, target: int) -> None:
    """Give a file the mode, owner and extended attributes (with ACLs) of another.

    Owner and group are kept as far as the process may; the permission bits, the ``user.``
    attributes and the access ACL always. Set-uid, set-gid and sticky bits go, as they do when a
    program writes to a file in place (write(2)).

    Raises:
        OSError: what must be kept could not be.
    """
    take_access(source, target)
    wanted = _names(source, target) - _BOUND_TO_CONTENT - {_ACL}
    for name in sorted(wanted):
        _copy_attribute(source, target, name)


def take_access(source: int, target: int) -> None:
    """Give a file the mode, owner and access ACL of another, and no more.

    Raises:
        OSError: the mode or the ACL could not be set.
    """
    status = os.fstat(source)
    _take_owner(status, target)
    _take_acl(source, target)
    permissions = status.st_mode & _PERMISSIONS
    if stat.S_IMODE(os.fstat(target).st_mode) != permissions:
        os.fchmod(target, permissions)


def _take_owner(wanted: os.stat_result, target: int) -> None:
    status = os.fstat(target)
    if (status.st_uid, status.st_gid) == (wanted.st_uid, wanted.st_gid):
        return
    try:
        os.fchown(target, wanted.st_uid, wanted.st_gid)
    except OSError:
        # Only root gives files away, but the group may be one of ours.
        with suppress(OSError):
            os.fchown(target, -1, wanted.st_gid)


def _take_acl(source: int, target: int) -> None:
    """Copy the access ACL; where there is none, drop the one inherited from the directory."""
    if _ACL in _names(source, target):
        os.setxattr(target, _ACL, os.getxattr(source, _ACL))
    elif _ACL in _names(target, source):
        os.removexattr(target, _ACL)


def _copy_attribute(source: int, target: int, name: str) -> None:
    try:
        os.setxattr(target, name, os.getxattr(source, name))
    except OSError as error:
        if error.errno == errno.ENODATA:
            return  # gone since it was listed
        if name.startswith("user.") or error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise


def _names(file: int, other: int) -> set[str]:
    """The names of a file's attributes; none where the file system has none.

    Some say EIO then (mounts of rclone), and say it of any ``other`` file too.
    """
    names = _listed(file)
    if names is None and _listed(other) is not None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))
    return names or set()


def _listed(file: int) -> set[str] | None:
    """The names of a file's attributes, None after EIO."""
    try:
        return set(os.listxattr(file))
    except OSError as error:
        if error.errno == errno.EIO:
            return None
        if error.errno in _NO_ATTRIBUTES:
            return set()
        raise
