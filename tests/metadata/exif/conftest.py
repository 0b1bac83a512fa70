"""A builder of TIFF blocks, so that each test states the bytes it is about."""

from collections.abc import Callable, Mapping
from struct import pack

import pytest

Tags = Mapping[int, tuple[int, bytes]]
BuildTiff = Callable[..., bytes]

_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825


def _directory(order: str, at: int, tags: Tags, link: int) -> bytes:
    """One directory at an offset with its values behind it, padded to even length."""
    values_at = at + 2 + 12 * len(tags) + 4
    entries, values = b"", b""
    for tag, (kind, raw) in sorted(tags.items()):
        entries += pack(order + "HHI", tag, kind, len(raw) // _WIDTHS[kind])
        if len(raw) <= 4:
            entries += raw.ljust(4, b"\0")
        else:
            entries += pack(order + "I", values_at + len(values))
            values += raw + b"\0" * (len(raw) % 2)
    return pack(order + "H", len(tags)) + entries + pack(order + "I", link) + values


def build_tiff(
    ifd0: Tags,
    exif: Tags | None = None,
    gps: Tags | None = None,
    *,
    order: str = ">",
    pointer_kind: int = 4,
) -> bytes:
    """A TIFF block with these directories; tags map to TIFF type and raw value."""
    tags = dict(ifd0)
    subs = [(tag, sub) for tag, sub in ((_EXIF_IFD, exif), (_GPS_IFD, gps)) if sub is not None]
    for tag, _ in subs:
        tags[tag] = (pointer_kind, bytes(4))
    at = 8 + len(_directory(order, 8, tags, 0))
    tail = b""
    for tag, sub in subs:
        tags[tag] = (pointer_kind, pack(order + "I", at + len(tail)))
        tail += _directory(order, at + len(tail), sub, 0)
    header = (b"II*\0" if order == "<" else b"MM\0*") + pack(order + "I", 8)
    return header + _directory(order, 8, tags, 0) + tail


@pytest.fixture(scope="session")
def tiff() -> BuildTiff:
    """Builds a TIFF block from tags."""
    return build_tiff
