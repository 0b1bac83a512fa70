"""Whether a file is all there, or ends early because a program still writes it or it was cut.

This tells from the bytes alone; ``docs/architecture.md`` says what that cannot tell. A file that is
damaged in another way is not unfinished, and neither is one of no known kind.
"""

from typing import Final

from tagline.metadata import sidecar_whole
from tagline.metadata.magic import HEAD_BYTES, begins_like_a_photo, kind_of
from tagline.metadata.registry import codec_of
from tagline.metadata.strays import suffix_of
from tagline.metadata.unfinished import BEGINNING_MISSING, EMPTY
from tagline.model import ByteSource

_FILE_TYPE: Final = b"ftyp"
# Blanks, zeros, and the bytes of UTF-8's byte order mark.
_NOTHING: Final = b"\0 \t\r\n\xef\xbb\xbf"


def why_incomplete(source: ByteSource, name: str) -> str | None:
    """What is missing of a photo, in words for the end of a sentence; None where nothing is.

    The content decides what kind of file it is, the name only among kinds that look alike. A file
    of no known kind is judged by its first bytes alone: it is unfinished where they are zeros or
    too few to tell, and not where it is, say, a text. Never raises, and reads of RAW, TIFF and HEIF
    files only small pieces.

    Args:
        source: the photo's bytes.
        name: its file name.
    """
    head = source.read_at(0, HEAD_BYTES)
    if not head:
        return EMPTY
    row = codec_of(name, head)
    if row is None or not (kind_of(head) or head[4:8] == _FILE_TYPE):
        is_start = not head.strip(b"\0") or begins_like_a_photo(head.rstrip(b"\0"))
        return BEGINNING_MISSING if is_start else None
    return row.unfinished(source)


def why_incomplete_sidecar(name: str, data: bytes) -> str | None:
    """What is missing of a sidecar, in words for the end of a sentence; None where nothing is.

    A JSON file is unfinished that ends before its object does, an XMP file whose XML ends early;
    both where zeros stand for what is not there yet. What is ill formed in another way, or no
    sidecar at all, is not unfinished. Never raises.

    Args:
        name: the sidecar's file name.
        data: all its bytes.
    """
    if not data.strip(_NOTHING):
        return EMPTY
    is_json = suffix_of(name) == ".json"
    return sidecar_whole.json_fault(data) if is_json else sidecar_whole.xmp_fault(data)
