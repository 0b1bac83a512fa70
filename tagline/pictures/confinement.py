"""What a worker process gives up before it touches a file that a stranger may have made.

Only the worker process loads this.
"""

import os
import resource
from contextlib import suppress
from pathlib import Path

import pi_heif  # pyright: ignore[reportMissingTypeStubs] - it has none
import PIL

from tagline.pictures.landlock import give_up_all_but

_NICENESS = 10
_FIRST_TO_GO = "1000"
_OPEN_FILES = 64


def confine(memory_bytes: int) -> None:
    """Limit this process for good: its memory; writing files, and starting programs, not at all.

    Where the kernel has Landlock, it can open no file but those of Python and of the decoders, make
    no connection, and neither watch nor signal the server.

    It also steps behind the server where processors or memory are short (proc(5),
    ``oom_score_adj``): the kernel ends it before the server.
    """
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO, "ascii")
    with suppress(OSError):
        os.nice(_NICENESS)
    for what, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
    ):
        _, hard = resource.getrlimit(what)
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (limit, limit))
    give_up_all_but(Path(module).parent for module in (os.__file__, PIL.__file__, pi_heif.__file__))


def allow_seconds(seconds: int) -> None:
    """Let the kernel end this process after so many more seconds of processor time."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(used.ru_utime + used.ru_stime) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    wanted = spent + seconds
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))
