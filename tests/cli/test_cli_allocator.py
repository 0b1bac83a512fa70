"""The server's threads share arenas of the C library's allocator; asked of real processes."""

import os
import platform
import subprocess
import sys

import pytest

THREADS = 24
PROGRAM = f"""
import ctypes, threading
from tagline.cli.allocator import limit_arenas
print(limit_arenas())
here = threading.Barrier({THREADS})
def work():
    kept = [bytes(1000) for _ in range(100)]
    here.wait()
threads = [threading.Thread(target=work) for _ in range({THREADS})]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, out)
libc.fflush(out)
"""

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has arenas")


def arenas(**environment: str) -> tuple[bool, int]:
    """Whether the limit was set in a process with many threads, and how many arenas it has."""
    clean = {k: v for k, v in os.environ.items() if k not in {"MALLOC_ARENA_MAX", "GLIBC_TUNABLES"}}
    result = subprocess.run(
        [sys.executable, "-u", "-c", PROGRAM],
        env=clean | environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=30,
    )
    return result.stdout.startswith("True"), result.stdout.count("<heap nr=")


def test_many_threads_share_two_arenas():
    """However many threads allocate at once, there are two arenas."""
    assert arenas() == (True, 2)


@pytest.mark.parametrize(
    "environment",
    [{"MALLOC_ARENA_MAX": "5"}, {"GLIBC_TUNABLES": "glibc.malloc.arena_max=5"}],
)
def test_what_the_operator_says_goes_before(environment):
    """A limit in the environment is left alone."""
    assert arenas(**environment) == (False, 5)
