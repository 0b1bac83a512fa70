"""The processes that tests start, and where their servers listen."""

import socket
from contextlib import suppress
from pathlib import Path


def children(pid: int | str = "self") -> set[int]:
    """Every child process, dead ones that nobody waited for among them.

    A thread that ends while this looks hands its children to another, which may have been passed.
    """
    found: set[int] = set()
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            found.update(map(int, (thread / "children").read_text().split()))
    return found


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
