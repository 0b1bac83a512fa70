"""Mounts as people have them: pools, binds, foreign disks, other machines, clouds."""

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.machine import program
from tests.processes import free_port

DEADLINE_SECONDS = 20.0


@dataclass
class RealMount:
    """A mounted file system: ``point`` is where it is seen, ``below`` where its files really lie.

    ``below`` is empty where nobody can get at them but through the mount.
    """

    name: str
    point: Path
    below: list[Path] = field(default_factory=list)


@contextmanager
def _running(*command: str | Path, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is gone at the end."""
    process = subprocess.Popen([str(word) for word in command], **more)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def _unmounting(point: Path) -> Iterator[None]:
    """Unmount at the end; lazily where it is still in use."""
    try:
        yield
    finally:
        for command in (["umount"], ["umount", "-l"]):
            if not _is_mounted(point):
                break
            subprocess.run([*command, str(point)], check=False, capture_output=True)


def _is_mounted(point: Path) -> bool:
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return any(line.split(" ")[1] == str(point) for line in lines)


def _wait(is_there: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + DEADLINE_SECONDS
    while not is_there():
        assert time.monotonic() < end, f"{what} did not come up"
        time.sleep(0.02)


def _directories(where: Path, *names: str) -> list[Path]:
    made = [where / name for name in names]
    for directory in made:
        directory.mkdir(parents=True)
    return made


@contextmanager
def _mounting(*command: str | Path, point: Path, **more: Any) -> Iterator[None]:
    """A file system whose process stays in front, mounted, and gone at the end."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **more}
    with _running(*command, **quiet) as process, _unmounting(point):
        _wait(lambda: process.poll() is not None or _is_mounted(point), str(command[0]))
        assert process.poll() is None, f"{command[0]} ended at once"
        yield


@contextmanager
def mergerfs(where: Path) -> Iterator[RealMount]:
    """A pool of two branches; what is new goes to the first that has its directory."""
    one, two, point = _directories(where, "one", "two", "pool")
    options = "allow_other,use_ino,category.create=ff"
    command = (program("mergerfs"), "-f", "-o", options, f"{one}:{two}", point)
    with _mounting(*command, point=point):
        yield RealMount("mergerfs", point, [one, two])


@contextmanager
def bindfs(where: Path) -> Iterator[RealMount]:
    """A directory seen at another place."""
    source, point = _directories(where, "source", "bound")
    with _mounting(program("bindfs"), "-f", source, point, point=point):
        yield RealMount("bindfs", point, [source])


@contextmanager
def ntfs(where: Path) -> Iterator[RealMount]:
    """A disk from another system, by ntfs-3g."""
    (point,) = _directories(where, "ntfs")
    image = _image(where)
    made = [program("mkntfs"), "-F", "-q", str(image)]
    subprocess.run(made, check=True, capture_output=True)
    with _mounting(program("ntfs-3g"), "-o", "no_detach", image, point, point=point):
        yield RealMount("ntfs-3g", point)


@contextmanager
def exfat(where: Path) -> Iterator[RealMount]:
    """A memory card, by exfat-fuse, which has neither links nor exchanging renames."""
    (point,) = _directories(where, "exfat")
    image = _image(where)
    subprocess.run([program("mkfs.exfat"), str(image)], check=True, capture_output=True)
    asked = [program("losetup"), "-f", "--show", str(image)]
    device = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    try:
        with _mounting(program("mount.exfat-fuse"), "-d", device, point, point=point):
            yield RealMount("exfat", point)
    finally:
        subprocess.run([program("losetup"), "-d", device], check=False)


def _image(where: Path) -> Path:
    image = where / "image"
    with image.open("wb") as file:
        file.truncate(64 << 20)
    return image


@contextmanager
def sshfs(where: Path) -> Iterator[RealMount]:
    """Another machine's directory, over a pair of sockets in place of ssh."""
    source, point = _directories(where, "source", "far")
    ours, theirs = socket.socketpair()
    server = "/usr/lib/openssh/sftp-server"
    with ours, theirs, _running(server, stdin=theirs, stdout=theirs):
        command = (program("sshfs"), f":{source}", point, "-f", "-o", "passive,allow_other")
        with _mounting(*command, point=point, stdin=ours, stdout=ours):
            yield RealMount("sshfs", point, [source])


@contextmanager
def seaweedfs(where: Path) -> Iterator[RealMount]:
    """A cloud of one's own: a whole SeaweedFS on loopback, mounted by ``weed mount``."""
    weed, data, cache, point = program("weed"), *_directories(where, "data", "cache", "cloud")
    ports = {name: (free_port(), free_port()) for name in ("master", "volume", "filer")}
    told = [f"-{name}.port={http}" for name, (http, _) in ports.items()]
    told += [f"-{name}.port.grpc={grpc}" for name, (_, grpc) in ports.items()]
    told += ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-volume.max=400"]
    http, grpc = ports["filer"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = (weed, "server", f"-dir={data}", "-volume.preStopSeconds=1", *told)
    with ExitStack() as stack:
        stack.enter_context(_running(*server, **quiet, cwd=where))
        _wait(lambda: _answers(f"http://127.0.0.1:{http}/"), "SeaweedFS")
        command = (weed, "mount", f"-filer=127.0.0.1:{http}.{grpc}", f"-dir={point}")
        stack.enter_context(
            _mounting(*command, "-filer.path=/", f"-cacheDir={cache}", point=point, cwd=where)
        )
        _wait(lambda: _takes_files(point), "the volumes of SeaweedFS")
        yield RealMount("seaweedfs", point)


def _answers(url: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(url, timeout=2) as answer:
        return answer.status == 200
    return False


def _takes_files(point: Path) -> bool:
    """Whether a file can be written and read again."""
    first = point / f".first-{time.monotonic_ns()}"
    with suppress(OSError):
        first.write_bytes(b"!")
        with first.open("rb") as file:
            os.fsync(file.fileno())
            return file.read() == b"!"
    return False


MOUNTS: dict[str, Callable[[Path], AbstractContextManager[RealMount]]] = {
    "mergerfs": mergerfs,
    "bindfs": bindfs,
    "ntfs-3g": ntfs,
    "exfat": exfat,
    "sshfs": sshfs,
    "seaweedfs": seaweedfs,
}
