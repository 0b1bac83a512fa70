"""What the C library's allocator is told: to keep no memory for every thread by itself."""

import ctypes
import os

_M_ARENA_MAX = -8  # glibc, malloc.h
_ARENAS = 2


def limit_arenas() -> bool:
    """Have all threads allocate from two arenas; to be called before there are any.

    Threads that wait for disks need no arenas of their own: glibc would make eight for every
    processor, and what one of them has free is of no use to the others.

    Returns:
        Whether it was done: only glibc has arenas, and what the environment says of them goes
        before (mallopt(3)).
    """
    if "MALLOC_ARENA_MAX" in os.environ or "arena_max" in os.environ.get("GLIBC_TUNABLES", ""):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and mallopt(_M_ARENA_MAX, _ARENAS) == 1
