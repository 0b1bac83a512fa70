"""Which file systems report changes to this machine, and which only to the one that makes them."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

MOUNTINFO = Path("/proc/self/mountinfo")

_REMOTE = frozenset(
    {
        "9p",
        "acfs",
        "afs",
        "autofs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "davfs",
        "drvfs",
        "fhgfs",
        "fuse",
        "gfs",
        "gfs2",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "panfs",
        "prl_fs",
        "pvfs2",
        "smb2",
        "smb3",
        "smbfs",
        "vboxsf",
        "virtiofs",
        "vmhgfs",
        "webdavfs",
    }
)
_OCTAL = re.compile(r"\\([0-7]{3})")


def remote_file_system(directory: Path, mountinfo: str) -> str | None:
    """The type of the file system that keeps changes below a directory from being reported.

    That is a network share, a directory of a virtual machine's host or a file system in user space:
    changes that others make there are not told to ``inotify(7)`` here. None when there is no such
    mount at, above or below the directory.

    Args:
        directory: absolute, without symbolic links.
        mountinfo: content of ``/proc/self/mountinfo`` (proc_pid_mountinfo(5)).
    """
    depth, own = 0, ""
    for point, kind in _mounts(mountinfo):
        if point != directory and point.is_relative_to(directory):
            if _is_remote(kind):
                return kind
        elif directory.is_relative_to(point) and len(point.parts) >= depth:
            # Of two mounts at one place the later one is seen.
            depth, own = len(point.parts), kind
    return own if _is_remote(own) else None


def _mounts(mountinfo: str) -> Iterator[tuple[Path, str]]:
    for line in mountinfo.splitlines():
        place, separator, source = line.partition(" - ")
        fields = place.split(" ")
        if separator and len(fields) > 4:
            point = _OCTAL.sub(lambda match: chr(int(match[1], 8)), fields[4])
            yield Path(os.fsdecode(point.encode("latin-1"))), source.split(" ", 1)[0]


def _is_remote(kind: str) -> bool:
    # fuseblk is a disk of this machine (NTFS, exFAT) that is written through this mount.
    return kind in _REMOTE or kind.startswith("fuse.")
