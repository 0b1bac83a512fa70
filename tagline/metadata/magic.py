"""What a file's first bytes tell of its kind."""

from tagline.metadata import jxl, png, raw_raf, raw_x3f
from tagline.metadata.exif_ifd import DIALECTS

HEAD_BYTES = 32
"""Bytes of a file's beginning that tell its kind."""

_MARKS = (
    (b"\xff\xd8\xff", "jpeg"),
    (png.SIGNATURE, "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    *((mark, "tiff") for mark in DIALECTS),
    (jxl.CODESTREAM_MARK, "jxl"),
    (jxl.CONTAINER_MARK, "jxl"),
    (raw_raf.MARK, "raf"),
    (raw_x3f.MARK, "x3f"),
)

# Major brands of the file type box (ISO/IEC 14496-12, 4.3; 23008-12, 10; AVIF, 6).
_BRANDS = {
    b"avif": "avif",
    b"avis": "avif",
    b"crx ": "cr3",
    b"heic": "heif",
    b"heix": "heif",
    b"heim": "heif",
    b"heis": "heif",
    b"hevc": "heif",
    b"hevx": "heif",
    b"mif1": "heif",
    b"mif2": "heif",
    b"msf1": "heif",
}


def kind_of(head: bytes) -> str | None:
    """The kind, as in ``Format.kind``, of a file that begins with these bytes; None if unknown."""
    for mark, kind in _MARKS:
        if head.startswith(mark):
            return kind
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    return _BRANDS.get(head[8:12]) if head[4:8] == b"ftyp" else None


def begins_like_a_photo(start: bytes) -> bool:
    """Whether a file that holds no more than this ends within what would tell its kind."""
    if len(start) < 12 and (start[:4] == b"RIFF" or b"ftyp".startswith(start[4:8] or b"-")):
        return True
    if start[:3] == b"\0\0\0" and len(start) == 4:
        return True
    return any(mark.startswith(start) for mark, _ in (*_MARKS, (b"RIFF", "")))
