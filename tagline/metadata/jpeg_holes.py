"""Runs of zeros inside a JPEG's scans: a part that is not there yet, or a plain area?

Zeros are what a plain area of one colour looks like where the Huffman tables were made for the
picture: the most frequent code is all zeros (T.81, annex C), and the most frequent symbols say that
nothing changes. With the tables of T.81, annex K, which most cameras use, zeros mean something else
and no picture holds 4,096 of them. Where they can be a picture, a run is a hole if it covers more
than the whole picture, or begins and ends where a copier's blocks do.
"""

from typing import Final, NamedTuple

from tagline.metadata.bulk import Bulk
from tagline.metadata.holes import HOLE_BYTES, Run, on_blocks
from tagline.metadata.jpeg_parts import SOS, Picture, Segment, tables_before
from tagline.metadata.jpeg_read import SOF_MARKERS

_RUN_LIMIT: Final = 64
_DHT: Final = 0xC4
_BASELINE: Final = frozenset({0xC0, 0xC1})
_PROGRESSIVE: Final = 0xC2
_ZERO_RUN: Final = 0xF0


class _Code(NamedTuple):
    """The code of a Huffman table that is all zeros: its length in bits, and its symbol."""

    bits: int
    symbol: int


class _Frame(NamedTuple):
    """What a frame header says (B.2.2): marker, lines, samples a line, sampling by component."""

    marker: int
    height: int
    width: int
    sampling: dict[int, tuple[int, int]]


class _Scan(NamedTuple):
    """What a scan header says (B.2.3), and the tables in force by class and number."""

    parts: list[tuple[int, int, int]]
    first: int
    high: int
    codes: dict[tuple[int, int], _Code]


def has_hole(bulk: Bulk, picture: Picture, start: int, end: int) -> bool:
    """Whether zeros stand where a part of a JPEG should be that reaches from ``start`` to ``end``.

    Segments ahead of the scans may hold zeros of any number, but not from block to block.
    """
    if any(on_blocks(run) for run in bulk.holes(start, picture.scan_at)):
        return True
    for number, run in enumerate(bulk.holes(picture.scan_at, end)):
        if not _is_padding(bulk, run) and _is_hole(bulk, picture, run):
            return True
        if number >= _RUN_LIMIT:
            break
    return False


def _is_padding(bulk: Bulk, run: Run) -> bool:
    """Whether zeros stand between an end of image and what may well begin there."""
    is_behind = bulk.take(run[0] - 2, 2) == b"\xff\xd9"
    return is_behind and (run[1] % HOLE_BYTES != 0 or bulk.take(run[1], 2) == b"\xff\xd8")


def _is_hole(bulk: Bulk, picture: Picture, run: Run) -> bool:
    frame, scan = _in_force(bulk, tables_before(bulk, picture, run[0]))
    if frame is None or scan is None:
        return on_blocks(run)
    if frame.marker in _BASELINE:
        bits = _plain_bits(frame, scan)
        return bits is None or (run[1] - run[0]) * 8 > bits or on_blocks(run)
    if frame.marker == _PROGRESSIVE and not scan.high and not _progressive_is_plain(scan):
        return True
    return on_blocks(run)


def _plain_bits(frame: _Frame, scan: _Scan) -> int | None:
    """Bits of a scan of a plain picture that are all zeros; None where zeros mean anything else."""
    widest = max((h for h, _ in frame.sampling.values()), default=1)
    highest = max((v for _, v in frame.sampling.values()), default=1)
    units = -(-frame.width // (8 * widest)) * -(-frame.height // (8 * highest))
    bits = 0
    for component, dc, ac in scan.parts:
        across, down = frame.sampling.get(component, (1, 1))
        codes = scan.codes.get((0, dc)), scan.codes.get((1, ac))
        if codes[0] is None or codes[1] is None or codes[0].symbol or codes[1].symbol:
            return None
        bits += across * down * (codes[0].bits + codes[1].bits)
    return units * bits


def _progressive_is_plain(scan: _Scan) -> bool:
    """Whether zeros say in a first scan of a progressive JPEG that nothing changes (G.1.2)."""
    for _, dc, ac in scan.parts:
        code = scan.codes.get((1, ac) if scan.first else (0, dc))
        if (
            code is None
            or code.symbol == _ZERO_RUN
            or code.symbol & 15
            or (not scan.first and code.symbol)
        ):
            return False
    return True


def _in_force(bulk: Bulk, segments: list[Segment]) -> tuple[_Frame | None, _Scan | None]:
    """The frame, and the last scan with its tables."""
    frame: _Frame | None = None
    scan: _Scan | None = None
    codes: dict[tuple[int, int], _Code] = {}
    for segment in segments:
        if segment.marker not in SOF_MARKERS and segment.marker not in (_DHT, SOS):
            continue
        payload = bulk.take(segment.start, segment.end - segment.start)
        if segment.marker == _DHT:
            codes |= _zero_codes(payload)
        elif segment.marker == SOS:
            scan = _scan(payload, codes)
        else:
            frame = _frame(segment.marker, payload)
    return frame, scan


def _frame(marker: int, payload: bytes) -> _Frame | None:
    if len(payload) < 6:
        return None
    rows = [payload[at : at + 3] for at in range(6, len(payload) - 2, 3)]
    sampling = {row[0]: (row[1] >> 4 or 1, row[1] & 15 or 1) for row in rows}
    size = int.from_bytes(payload[1:3], "big"), int.from_bytes(payload[3:5], "big")
    return _Frame(marker, *size, sampling)


def _scan(payload: bytes, codes: dict[tuple[int, int], _Code]) -> _Scan | None:
    count = payload[0] if payload else 0
    if not count or len(payload) < 4 + 2 * count:
        return None
    pairs = zip(payload[1 : 1 + 2 * count : 2], payload[2 : 2 + 2 * count : 2], strict=True)
    parts = [(component, tables >> 4, tables & 15) for component, tables in pairs]
    first, _, bits = payload[1 + 2 * count : 4 + 2 * count]
    return _Scan(parts, first, bits >> 4, dict(codes))


def _zero_codes(payload: bytes) -> dict[tuple[int, int], _Code]:
    """The code of only zeros in each table of a segment: the first one of the shortest (C.2)."""
    found: dict[tuple[int, int], _Code] = {}
    at = 0
    while at + 17 < len(payload):
        counts = payload[at + 1 : at + 17]
        bits = next((length for length, count in enumerate(counts, 1) if count), 0)
        if bits:
            key = payload[at] >> 4, payload[at] & 15
            found[key] = _Code(bits, payload[at + 17])
        at += 17 + sum(counts)
    return found
