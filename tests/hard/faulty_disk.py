"""A file system in user space over a directory, with failures to order: ``fuse(4)``, no library.

Run as ``python faulty_disk.py SOURCE POINT ORDER``; mounts, says ``mounted``, and serves until it
is unmounted. ORDER is a file of JSON that says what fails from when it is changed: ``operations``
(names, or ``*``), ``error`` (errno; 0: it succeeds, then all stands still until SIGCONT), ``name``
(a part of the path), ``passed`` (so many operations succeed before), ``times`` (so many fail). What
failed last is told in ORDER with ``.met``. With ``--flush``, what close(2) answers is what
``flush`` does; without it the kernel does not ask, so that a process whose disk hangs can end.
Extended attributes and exchanging renames are missing, as on many network mounts. The wire format
is that of the kernel's ``include/uapi/linux/fuse.h``.
"""

import ctypes
import errno
import json
import os
import signal
import stat
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

HEADER = struct.Struct("<IIQQIIIHH")
ATTRIBUTES = struct.Struct("<QQQQQQIIIIIIIIII")
LONGEST_WRITE = 128 << 10
SILENT = {2, 36, 42}  # FORGET, INTERRUPT, BATCH_FORGET are not answered
CHANGES_MODE, CHANGES_UID, CHANGES_GID, CHANGES_SIZE, CHANGES_ATIME, CHANGES_MTIME = (
    *(1, 2, 4, 8, 16, 32),
)


def attributes(status: os.stat_result) -> bytes:
    """A ``fuse_attr``."""
    times = [status.st_atime_ns, status.st_mtime_ns, status.st_ctime_ns]
    return ATTRIBUTES.pack(
        *(status.st_ino, status.st_size, status.st_blocks),
        *(time // 10**9 for time in times),
        *(time % 10**9 for time in times),
        *(status.st_mode, status.st_nlink, status.st_uid, status.st_gid, 0, 4096, 0),
    )


class Order:
    """What fails now; read again whenever its file is another one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._text = ""
        self._what: dict[str, Any] = {}
        self._met = 0
        self.stands_still = False

    def demand(self, operation: str, name: Callable[[], str]) -> None:
        """Raise ``OSError`` when this operation is to fail."""
        text = self._path.read_text()
        if text != self._text:
            self._text, self._what, self._met = text, json.loads(text), 0
        what = self._what
        if not {operation, "*"}.intersection(what["operations"]):
            return
        if what["name"] and what["name"] not in name():
            return
        self._met += 1
        if what["passed"] < self._met <= what["passed"] + what["times"]:
            self._path.with_suffix(".met").write_text(f"{operation} {Path(name()).name}")
            if what["error"] == 0:
                self.stands_still = True
                return
            raise OSError(what["error"], "by order")


class Disk:
    """Passes everything on to a directory. A node is an ``O_PATH`` descriptor."""

    def __init__(self, source: Path, order: Order) -> None:
        self._order = order
        root = os.open(source, os.O_PATH)
        self._nodes: dict[int, list[int]] = {1: [root, 1]}  # descriptor, times looked up
        self._ids: dict[tuple[int, int], int] = {}
        self._last = 1
        self._listed: dict[int, list[tuple[bytes, int, int]]] = {}

    def serve(self, device: int) -> None:
        """Answer the kernel until it unmounts."""
        while True:
            try:
                request = os.read(device, LONGEST_WRITE + 65536)
            except InterruptedError:
                continue
            except OSError as error:
                if error.errno == errno.ENODEV:
                    return
                if error.errno == errno.ENOENT:  # the request was interrupted
                    continue
                raise
            _, code, unique, node, *_ = HEADER.unpack_from(request)
            answer = self._answer(code, node, request[HEADER.size :])
            if code in SILENT:
                continue
            fault, body = answer if isinstance(answer, tuple) else (0, answer)
            try:
                os.write(device, struct.pack("<IiQ", 16 + len(body), -fault, unique) + body)
            except OSError as error:
                if error.errno != errno.ENOENT:
                    raise
            if self._order.stands_still:
                # Between two requests: who waits for one that was taken up cannot even be killed.
                self._order.stands_still = False
                os.kill(os.getpid(), signal.SIGSTOP)

    def _answer(self, code: int, node: int, body: bytes) -> bytes | tuple[int, bytes]:
        operation = OPERATIONS.get(code)
        if operation is None:
            return errno.ENOSYS, b""
        name = operation.__name__
        try:
            if name not in {"init", "forget", "batch_forget", "interrupt", "release", "releasedir"}:
                self._order.demand(name, lambda: self._path(node, name, body))
            return operation(self, node, body)
        except OSError as error:
            return error.errno or errno.EIO, b""

    def _path(self, node: int, name: str, body: bytes) -> str:
        path = str(Path(self._at(node)).readlink())
        if name in {"lookup", "unlink"}:
            path += "/" + os.fsdecode(body.rstrip(b"\0"))
        return path

    def _at(self, node: int) -> str:
        return f"/proc/self/fd/{self._nodes[node][0]}"

    def _fd(self, node: int) -> int:
        return self._nodes[node][0]

    def _entry(self, parent: int, name: bytes) -> bytes:
        found = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=self._fd(parent))
        status = os.fstat(found)
        key = status.st_dev, status.st_ino
        node = self._ids.get(key)
        if node is None:
            self._last = node = self._last + 1
            self._ids[key] = node
            self._nodes[node] = [found, 0]
        else:  # known by the name that it was found by last
            os.close(self._nodes[node][0])
            self._nodes[node][0] = found
        self._nodes[node][1] += 1
        return struct.pack("<QQQQII", node, 0, 0, 0, 0, 0) + attributes(status)

    def init(self, _node: int, _body: bytes) -> bytes:
        return struct.pack("<IIIIHHIIHHI7I", 7, 31, 65536, 0, 12, 9, LONGEST_WRITE, 1, *[0] * 10)

    def lookup(self, node: int, body: bytes) -> bytes:
        return self._entry(node, body.rstrip(b"\0"))

    def forget(self, node: int, body: bytes) -> bytes:
        self._forget(node, struct.unpack_from("<Q", body)[0])
        return b""

    def batch_forget(self, _node: int, body: bytes) -> bytes:
        for number in range(struct.unpack_from("<I", body)[0]):
            self._forget(*struct.unpack_from("<QQ", body, 8 + 16 * number))
        return b""

    def _forget(self, node: int, times: int) -> None:
        known = self._nodes[node]
        known[1] -= times
        if known[1] <= 0 and node != 1:
            status = os.fstat(known[0])
            del self._ids[status.st_dev, status.st_ino], self._nodes[node]
            os.close(known[0])

    def getattr(self, node: int, _body: bytes) -> bytes:
        return struct.pack("<QII", 0, 0, 0) + attributes(os.fstat(self._fd(node)))

    def setattr(self, node: int, body: bytes) -> bytes:
        valid, _, _, size, _, atime, mtime, _, atime_ns, mtime_ns, _, mode, _, uid, gid, _ = (
            struct.unpack("<IIQQQQQQIIIIIIII", body)
        )
        path = self._at(node)
        if valid & CHANGES_SIZE:
            os.truncate(path, size)
        if valid & (CHANGES_UID | CHANGES_GID):
            wanted = uid if valid & CHANGES_UID else -1, gid if valid & CHANGES_GID else -1
            os.chown(path, *wanted)
        if valid & CHANGES_MODE:
            os.chmod(path, stat.S_IMODE(mode))  # noqa: PTH101 - a descriptor's name
        if valid & (CHANGES_ATIME | CHANGES_MTIME):
            old = os.fstat(self._fd(node))
            times = (
                atime * 10**9 + atime_ns if valid & CHANGES_ATIME else old.st_atime_ns,
                mtime * 10**9 + mtime_ns if valid & CHANGES_MTIME else old.st_mtime_ns,
            )
            os.utime(path, ns=times)
        return self.getattr(node, b"")

    def mkdir(self, node: int, body: bytes) -> bytes:
        name = body[8:].rstrip(b"\0")
        os.mkdir(name, struct.unpack_from("<I", body)[0], dir_fd=self._fd(node))
        return self._entry(node, name)

    def unlink(self, node: int, body: bytes) -> bytes:
        os.unlink(body.rstrip(b"\0"), dir_fd=self._fd(node))
        return b""

    def rmdir(self, node: int, body: bytes) -> bytes:
        os.rmdir(body.rstrip(b"\0"), dir_fd=self._fd(node))
        return b""

    def rename(self, node: int, body: bytes) -> bytes:
        old, new = body[8:].split(b"\0")[:2]
        into = self._fd(struct.unpack_from("<Q", body)[0])
        os.rename(old, new, src_dir_fd=self._fd(node), dst_dir_fd=into)
        return b""

    def link(self, node: int, body: bytes) -> bytes:
        old, name = self._at(struct.unpack_from("<Q", body)[0]), body[8:].rstrip(b"\0")
        os.link(old, name, dst_dir_fd=self._fd(node), follow_symlinks=True)
        return self._entry(node, name)

    def open(self, node: int, body: bytes) -> bytes:
        flags = struct.unpack_from("<I", body)[0] & ~os.O_NOFOLLOW & ~os.O_CREAT & ~os.O_EXCL
        return struct.pack("<QII", os.open(self._at(node), flags), 0, 0)

    def create(self, node: int, body: bytes) -> bytes:
        flags, mode = struct.unpack_from("<II", body)
        name = body[16:].rstrip(b"\0")
        made = os.open(name, flags | os.O_NOFOLLOW | os.O_CREAT, mode, dir_fd=self._fd(node))
        return self._entry(node, name) + struct.pack("<QII", made, 0, 0)

    def read(self, _node: int, body: bytes) -> bytes:
        handle, offset, size = struct.unpack_from("<QQI", body)
        return os.pread(handle, size, offset)

    def write(self, _node: int, body: bytes) -> bytes:
        handle, offset, size = struct.unpack_from("<QQI", body)
        return struct.pack("<II", os.pwrite(handle, body[40 : 40 + size], offset), 0)

    def statfs(self, _node: int, _body: bytes) -> bytes:
        found = os.fstatvfs(self._fd(1))
        return struct.pack(
            "<5Q10I",
            *(found.f_blocks, found.f_bfree, found.f_bavail, found.f_files, found.f_ffree),
            *(found.f_bsize, 255, found.f_frsize, 0, 0, 0, 0, 0, 0, 0),
        )

    def release(self, _node: int, body: bytes) -> bytes:
        os.close(struct.unpack_from("<Q", body)[0])
        return b""

    def fsync(self, _node: int, body: bytes) -> bytes:
        os.fsync(struct.unpack_from("<Q", body)[0])
        return b""

    def flush(self, _node: int, _body: bytes) -> bytes:
        return b""

    def opendir(self, node: int, _body: bytes) -> bytes:
        handle = os.open(self._at(node), os.O_RDONLY | os.O_DIRECTORY)
        with os.scandir(handle) as entries:
            self._listed[handle] = [
                (os.fsencode(e.name), e.inode(), e.stat(follow_symlinks=False).st_mode >> 12)
                for e in entries
            ]
        return struct.pack("<QII", handle, 0, 0)

    def readdir(self, _node: int, body: bytes) -> bytes:
        handle, offset, size = struct.unpack_from("<QQI", body)
        told = b""
        for number, (name, inode, kind) in enumerate(self._listed[handle][offset:], offset + 1):
            entry = struct.pack("<QQII", inode, number, len(name), kind) + name
            entry += bytes(-len(entry) % 8)
            if len(told) + len(entry) > size:
                break
            told += entry
        return told

    def releasedir(self, _node: int, body: bytes) -> bytes:
        handle = struct.unpack_from("<Q", body)[0]
        del self._listed[handle]
        os.close(handle)
        return b""

    def fsyncdir(self, node: int, body: bytes) -> bytes:
        return self.fsync(node, body)

    def readlink(self, node: int, _body: bytes) -> bytes:
        return os.fsencode(os.readlink("", dir_fd=self._fd(node)))


FLUSH = 25
OPERATIONS: dict[int, Callable[[Disk, int, bytes], bytes]] = {
    1: Disk.lookup,
    2: Disk.forget,
    3: Disk.getattr,
    4: Disk.setattr,
    5: Disk.readlink,
    9: Disk.mkdir,
    10: Disk.unlink,
    11: Disk.rmdir,
    12: Disk.rename,
    13: Disk.link,
    14: Disk.open,
    15: Disk.read,
    16: Disk.write,
    17: Disk.statfs,
    18: Disk.release,
    20: Disk.fsync,
    FLUSH: Disk.flush,
    26: Disk.init,
    27: Disk.opendir,
    28: Disk.readdir,
    29: Disk.releasedir,
    30: Disk.fsyncdir,
    35: Disk.create,
    42: Disk.batch_forget,
}


def main(source: str, point: str, order: str, flush: str = "") -> None:
    """Mount, and serve."""
    if not flush:
        del OPERATIONS[FLUSH]
    os.umask(0)
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions"
    mount = ctypes.CDLL(None, use_errno=True).mount
    if mount(b"tagline-test", point.encode(), b"fuse", 0, options.encode()):
        raise OSError(ctypes.get_errno(), "mount(2)")
    sys.stdout.write("mounted\n")
    sys.stdout.flush()
    Disk(Path(source), Order(Path(order))).serve(device)


if __name__ == "__main__":
    main(*sys.argv[1:])
