"""The PNG text chunks that hold metadata blocks (ISO/IEC 15948, 11.3.3).

XMP has a keyword of its own (XMP specification part 3, 1.1.5). ImageMagick's "raw profiles" are
older than the eXIf chunk and still met: a name, a length and hexadecimal digits, one to a line.
"""

import zlib
from collections import Counter
from collections.abc import Callable, Mapping

from tagline.metadata import photoshop
from tagline.metadata.draft import BLOCK_LIMIT, PHOTOSHOP_LIMIT, Draft, block, tiff_block
from tagline.metadata.window import Malformed, Window

TEXT_CHUNKS = (b"iTXt", b"zTXt", b"tEXt")

KEYWORD_LIMIT = 80
"""Bytes of the longest keyword with its closing zero."""

_XMP_PREFIX = b"http://ns.adobe.com/xap/1.0/\0"


class TextChunks:
    """Puts the metadata blocks of text chunks into a draft; the first of each kind stays."""

    __slots__ = ("_draft", "_met")

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._met: Counter[bytes] = Counter()

    def take(self, window: Window, kind: bytes, offset: int, length: int) -> None:
        """Look at a chunk whose payload of ``length`` bytes is at ``offset``.

        A damaged chunk is noted in the draft and stops nothing. A keyword counts twice at most
        (APP1 profiles hold either Exif or XMP), so that expanding them all stays cheap.

        Raises:
            Malformed: the chunk is not inside the file.
        """
        head = window.at(offset, min(length, KEYWORD_LIMIT))
        keyword = head.partition(b"\0")[0]
        taker = _TAKERS.get(keyword.lower())
        self._met[keyword.lower()] += taker is not None
        if taker is None or self._met[keyword.lower()] > 2:
            return
        data = block(window, self._draft, offset, length)
        if data is not None:
            try:
                taker(self._draft, _text(kind, data))
            except Malformed as fault:
                self._draft.note(str(fault))


def inflate(data: bytes) -> bytes:
    """Expand zlib data to at most ``BLOCK_LIMIT`` bytes.

    Raises:
        Malformed: the data is damaged, or larger.
    """
    machine = zlib.decompressobj()
    try:
        text = machine.decompress(data, BLOCK_LIMIT)
    except zlib.error as error:
        raise Malformed("A compressed metadata block is damaged.") from error
    if machine.unconsumed_tail:
        raise Malformed("A metadata block is too large to be read.")
    return text


def _text(kind: bytes, data: bytes) -> bytes:
    """The expanded text of a chunk."""
    rest = data.partition(b"\0")[2]
    if kind == b"tEXt":
        return rest
    if kind == b"zTXt":
        return inflate(rest[1:])
    text = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    return inflate(text) if rest[:1] == b"\1" else text


def _raw_profile(text: bytes) -> bytes:
    parts = text.split(None, 2)
    digits = parts[2] if len(parts) == 3 else b""
    try:
        return bytes.fromhex(digits.decode("ascii"))
    except ValueError as error:
        raise Malformed("A raw profile is not written in hexadecimal digits.") from error


def _take_xmp(draft: Draft, text: bytes) -> None:
    draft.xmp = draft.xmp or text


def _take_xmp_profile(draft: Draft, text: bytes) -> None:
    draft.xmp = draft.xmp or _raw_profile(text)


def _take_app1_profile(draft: Draft, text: bytes) -> None:
    profile = _raw_profile(text)
    if profile.startswith(_XMP_PREFIX):
        draft.xmp = draft.xmp or profile[len(_XMP_PREFIX) :]
    else:
        draft.exif = draft.exif or tiff_block(profile)


def _take_photoshop_profile(draft: Draft, text: bytes) -> None:
    if draft.iptc is None:
        found = photoshop.find_iptc(_raw_profile(text)[:PHOTOSHOP_LIMIT])
        draft.iptc, draft.iptc_digest = found.iptc, found.digest


_TAKERS: Mapping[bytes, Callable[[Draft, bytes], None]] = {
    b"xml:com.adobe.xmp": _take_xmp,
    b"raw profile type xmp": _take_xmp_profile,
    b"raw profile type exif": _take_app1_profile,
    b"raw profile type app1": _take_app1_profile,
    b"raw profile type iptc": _take_photoshop_profile,
    b"raw profile type 8bim": _take_photoshop_profile,
}
