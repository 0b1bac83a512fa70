"""A seeded mutator, the limits that every input has to keep, and a loop until time is up.

``TAGLINE_FUZZ_SECONDS`` (60) is the time that all fuzzers together may take, ``TAGLINE_FUZZ_SEED``
(0) what they begin from. A failure names its input as ``seed/target/number``: the same three give
the same bytes again, on the same corpus; ``TAGLINE_FUZZ_ONLY`` runs just that one.
"""

import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

T = TypeVar("T")

SECONDS = float(os.environ.get("TAGLINE_FUZZ_SECONDS", "60"))
SEED = os.environ.get("TAGLINE_FUZZ_SEED", "0")
ONLY = os.environ.get("TAGLINE_FUZZ_ONLY", "")
"""An input to run alone."""

TIME_LIMIT_SECONDS = 1.0
MEMORY_LIMIT_BYTES = 100 << 20
INPUT_MAX_BYTES = 300_000

SPECIAL = (
    *(b"\0", b"\xff", b"\0\0", b"\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff"),
    *(
        b"\x80\0\0\0",
        b"\0\0\0\x80",
        b"\xff\xff\xff\x7f",
        b"\0\1",
        b"\1\0",
        b"\0\0\0\1",
        b"\1\0\0\0",
    ),
    *(b"\xff\xd8", b"\xff\xd9", b"\xff\xda", b"\xff\xe1", b"\xff\xed\xff\xff", b"Exif\0\0"),
    *(b"II*\0", b"MM\0*", b"II+\0", b"\x69\x87", b"\x87\x69", b"\x0e\x01", b"\x01\x0e", b"8BIM"),
    *(b"\x1c\x02\x78", b"\x1c\x01\x5a\0\3\x1b%G", b"IEND", b"IDAT", b"eXIf", b"VP8X", b"EXIF"),
    *(b"<", b">", b"&", b"</", b"]]>", b"<!DOCTYPE", b"xml:lang", b"x-default", b"rdf:li", b'"'),
    *(b"{", b"}", b"[", b"null", b"1e999", b"\xed\xa0\x80", b"\xc3", b"\xe2\x80\xa8", b"meta"),
)


class Failed(AssertionError):
    """An input broke a promise; the message begins with its name."""


class Input(NamedTuple):
    """One input and what it is called."""

    name: str
    data: bytes
    draw: random.Random


def mutated(draw: random.Random, originals: Sequence[bytes]) -> bytes:
    """One of the originals after a few changes, more often near its start than behind."""
    data = bytearray(draw.choice(originals)[:INPUT_MAX_BYTES])
    for _ in range(draw.choice((1, 1, 2, 3, 5, 8, 20))):
        _change(draw, data, originals)
    return bytes(data[:INPUT_MAX_BYTES])


def _change(draw: random.Random, data: bytearray, originals: Sequence[bytes]) -> None:
    at = _place(draw, len(data))
    length = draw.choice((1, 2, 4, 8, 32, 200, 4000))
    match draw.randrange(9):
        case 0 | 1:
            new = draw.choice(SPECIAL)
            data[at : at + len(new)] = new
        case 2:
            data[at:at] = draw.choice(SPECIAL)
        case 3:
            data[at : at + 1] = bytes((draw.randrange(256),))
        case 4:
            del data[at : at + length]
        case 5:
            data[at:at] = data[at : at + length] * draw.choice((1, 1, 2, 30))
        case 6:
            other = draw.choice(originals)
            start = _place(draw, len(other))
            data[at : at + draw.choice((0, length))] = other[start : start + length]
        case 7:
            data[at : at + length] = draw.randbytes(length)
        case _:
            if draw.randrange(4) == 0:
                del data[at:]
            else:
                number = draw.choice((0, 1, 7, 255, len(data), len(data) - at, 1 << 16, 1 << 31))
                width = draw.choice((2, 4))
                order = draw.choice(("big", "little"))
                data[at : at + width] = (number % (1 << 8 * width)).to_bytes(width, order)


def _place(draw: random.Random, length: int) -> int:
    reach = draw.choice((64, 600, 4000, length))
    return draw.randrange(max(1, min(reach, length)))


def inputs(target: str, originals: Sequence[bytes], share: float) -> Iterator[Input]:
    """Mutated originals until this target's share of the time is up."""
    if ONLY:
        seed, name, number = ONLY.split("/")
        if name == target:
            yield _input(seed, target, int(number), originals)
        return
    end = time.monotonic() + SECONDS * share
    number = 0
    while time.monotonic() < end:
        yield _input(SEED, target, number, originals)
        number += 1


def _input(seed: str, target: str, number: int, originals: Sequence[bytes]) -> Input:
    name = f"{seed}/{target}/{number}"
    draw = random.Random(name)
    return Input(name, mutated(draw, originals), draw)


def within_limits(name: str, work: Callable[[], T], *, copies: int = 0) -> T:
    """The result of the work; ``copies`` are bytes of memory that it may take besides.

    Raises:
        Failed: it took longer than a second of processor time or more than 100 MiB of memory.
    """
    base = _forget_peak()
    started = time.process_time()
    result = work()
    taken = time.process_time() - started
    grown = _status("VmHWM") - base
    if taken > TIME_LIMIT_SECONDS:
        raise Failed(f"{name}: took {taken:.1f} s")
    if base and grown > MEMORY_LIMIT_BYTES + copies:
        raise Failed(f"{name}: took {grown >> 20} MiB")
    return result


def _forget_peak() -> int:
    """Let the kernel count the peak of resident memory from now on; what is in use now.

    0 where that cannot be asked for: memory then goes unchecked.
    """
    try:
        Path("/proc/self/clear_refs").write_text("5", "ascii")
    except OSError:
        return 0
    return _status("VmRSS")


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    return 0
