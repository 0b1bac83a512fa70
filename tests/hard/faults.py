"""A disk whose failures a test orders."""

import errno
import json
import signal
import subprocess
import sys
from pathlib import Path

MANY = 1 << 30


class FaultyDisk:
    """A mounted directory ``point`` over ``source``; what fails is by order.

    What is done in ``source`` nobody is told of at ``point``, as on a network share. ``more`` are
    further arguments of ``faulty_disk``.
    """

    def __init__(self, directory: Path, *more: str) -> None:
        self.source, self.point = directory / "source", directory / "disk"
        self.source.mkdir()
        self.point.mkdir()
        self._order = directory / "order"
        self._orders = 0
        self._met = self._order.with_suffix(".met")
        self.heal()
        program = Path(__file__).with_name("faulty_disk.py")
        self._process = subprocess.Popen(
            [
                sys.executable,
                str(program),
                *map(str, (self.source, self.point, self._order)),
                *more,
            ],
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self.mounted = self._process.stdout.readline() == b"mounted\n"

    def fail(
        self,
        *operations: str,
        error: int = errno.EIO,
        name: str = "",
        passed: int = 0,
        times: int = MANY,
    ) -> None:
        """Have operations fail (``*`` means all), see ``faulty_disk``."""
        what = {"operations": operations, "error": error, "name": name}
        self._write({**what, "passed": passed, "times": times})

    def heal(self) -> None:
        """Have everything succeed."""
        self._write({"operations": []})

    def hang(self) -> None:
        """Have everything wait, until ``go_on``."""
        self._process.send_signal(signal.SIGSTOP)

    def hang_after(self, operation: str, name: str = "") -> None:
        """Have everything wait behind the next such operation, which ``met`` tells of."""
        self.fail(operation, error=0, name=name, times=1)

    def go_on(self) -> None:
        """Answer what waits, and all that comes."""
        self._process.send_signal(signal.SIGCONT)

    @property
    def met(self) -> str:
        """What failed last since the order: the operation, and the file's name; empty: nothing."""
        return self._met.read_text() if self._met.exists() else ""

    def _write(self, order: dict[str, object]) -> None:
        self._met.unlink(missing_ok=True)
        new = self._order.with_suffix(".new")
        self._orders += 1
        new.write_text(json.dumps({"number": self._orders, **order}))
        new.replace(self._order)

    def end(self) -> None:
        """Unmount, and end the process."""
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.point)], check=False)
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
