"""The content fingerprint: what makes a photo the same photo, whatever its metadata says.

Recipe, version 1. The extents of image data, clipped to the file, in their order, are regarded as
one run of bytes. Where there are none, the run is the whole file. The fingerprint is ``1:`` and
the lower-case hex digits of a BLAKE2b (RFC 7693) of 16 bytes, without key or salt, personalised
with ``tagline/image`` (``tagline/file`` where the run is the whole file for want of extents), over

1. the length of the run in bytes, as 8 bytes, little-endian;
2. the whole run when it is at most 32 KiB, else four pieces of 2 KiB each, whose first bytes are
   at ``i * (length - 2048) // 3`` for ``i`` from 0 to 3: so the first and the last bytes are in.
   A piece ends early behind the 256th extent that it touches.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from hashlib import blake2b
from itertools import accumulate

from tagline.model import FINGERPRINT_VERSION, ByteSource

PIECE_BYTES = 2 * 1024
PIECES = 4
WHOLE_LIMIT = 32 * 1024
PARTS_LIMIT = 256

_IMAGE = b"tagline/image"
_FILE = b"tagline/file"
_SPAN_LIMIT = 4 * WHOLE_LIMIT

_Extents = Sequence[tuple[int, int]]


def fingerprint(source: ByteSource, image_data: _Extents) -> str:
    """The fingerprint of a photo, from a few small reads.

    Args:
        source: the photo's file.
        image_data: extents (offset, length in bytes) that hold the image and no metadata; empty
            where the format is not understood.
    """
    size = source.size
    extents = _clipped(image_data, size)
    runs = extents or [(0, size)]
    total = runs[0][1] if len(runs) == 1 else sum(length for _, length in runs)
    person = _IMAGE if extents else _FILE
    digest = blake2b(total.to_bytes(8, "little"), digest_size=16, person=person)
    if len(runs) == 1:
        start = runs[0][0]
        for first, length in _pieces(total):
            digest.update(source.read_at(start + first, length))
    else:
        _digest_scattered(source, runs, digest.update)
    return f"{FINGERPRINT_VERSION}:{digest.hexdigest()}"


def _digest_scattered(
    source: ByteSource, runs: _Extents, update: Callable[[bytes], object]
) -> None:
    starts = [0, *accumulate(length for _, length in runs)]
    for first, length in _pieces(starts[-1]):
        for piece in _read(source, _cut(runs, starts, first, length)):
            update(piece)


def _pieces(total: int) -> list[tuple[int, int]]:
    if total <= WHOLE_LIMIT:
        return [(0, total)]
    last = total - PIECE_BYTES
    return [(i * last // (PIECES - 1), PIECE_BYTES) for i in range(PIECES)]


def _clipped(extents: _Extents, size: int) -> list[tuple[int, int]]:
    """Extents inside the file, those that touch made one."""
    runs: list[tuple[int, int]] = []
    for offset, length in extents:
        inside = min(length, size - offset)
        if offset < 0 or inside <= 0:
            continue
        if runs and sum(runs[-1]) == offset:
            runs[-1] = (runs[-1][0], runs[-1][1] + inside)
        else:
            runs.append((offset, inside))
    return runs


def _cut(runs: _Extents, starts: list[int], first: int, length: int) -> list[tuple[int, int]]:
    """The parts of the file that hold ``length`` bytes from ``first`` of all runs together."""
    parts: list[tuple[int, int]] = []
    index = bisect_right(starts, first) - 1
    while length > 0 and len(parts) < PARTS_LIMIT:
        offset, run = runs[index]
        skip = first - starts[index]
        taken = min(run - skip, length)
        parts.append((offset + skip, taken))
        first, length, index = first + taken, length - taken, index + 1
    return parts


def _read(source: ByteSource, parts: list[tuple[int, int]]) -> list[bytes]:
    """The parts' bytes, in one read where they lie close together."""
    if len(parts) == 1:
        return [source.read_at(*parts[0])]
    start = min(offset for offset, _ in parts)
    span = max(offset + length for offset, length in parts) - start
    if span > _SPAN_LIMIT:
        return [source.read_at(*part) for part in parts]
    near = source.read_at(start, span)
    return [near[offset - start : offset - start + length] for offset, length in parts]
