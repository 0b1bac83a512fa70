"""The metadata blocks that hang on a TIFF directory's tags (XMP specification part 3, 1.1.4)."""

from tagline.metadata import photoshop
from tagline.metadata.draft import PHOTOSHOP_LIMIT, Draft, block
from tagline.metadata.tiff_ifd import Directory, Tiff
from tagline.metadata.window import Malformed

XMP = 0x02BC
IPTC = 0x83BB
PHOTOSHOP = 0x8649

_IPTC_MARK = 0x1C
_LONG = 4


def take_blocks(tiff: Tiff, directory: Directory, draft: Draft) -> None:
    """Put the XMP packet, the IPTC data sets and their digest into the draft.

    A block outside the file is noted and passed over.
    """
    draft.xmp = draft.xmp or _blob(tiff, directory, draft, XMP)
    resources = _blob(tiff, directory, draft, PHOTOSHOP)
    if resources is not None:
        found = photoshop.find_iptc(resources[:PHOTOSHOP_LIMIT])
        draft.iptc, draft.iptc_digest = found.iptc, found.digest
    own = _blob(tiff, directory, draft, IPTC)
    if own:
        draft.iptc = _in_order(own, tiff, directory)


def _blob(tiff: Tiff, directory: Directory, draft: Draft, tag: int) -> bytes | None:
    entry = directory.entries.get(tag)
    if entry is None:
        return None
    try:
        return block(tiff.window, draft, entry.offset, entry.length)
    except Malformed as fault:
        draft.note(str(fault))
        return None


def _in_order(data: bytes, tiff: Tiff, directory: Directory) -> bytes:
    """IPTC data sets in their own order.

    Many writers give the tag the type LONG; some of them then write each four bytes the wrong way
    round on machines whose byte order is not IPTC's.
    """
    swapped = data[0] != _IPTC_MARK and data[3:4] == bytes([_IPTC_MARK])
    if directory.entries[IPTC].kind != _LONG or not swapped or tiff.dialect.order != "<":
        return data
    return b"".join(data[i : i + 4][::-1] for i in range(0, len(data), 4))
