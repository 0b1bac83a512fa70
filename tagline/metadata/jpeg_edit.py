"""Writing fields into a JPEG: EXIF, XMP, and IPTC where that is there.

Nothing else changes: the other segments, the image data and whatever follows it stay byte for
byte. What cannot be done that way is refused as a whole, so that no place contradicts another.
"""

import re
from itertools import islice
from typing import Final

from tagline.errors import EditRefused
from tagline.metadata import iptc_edit, photoshop, xmp_edit
from tagline.metadata.content import Content, Extent, joined, matches
from tagline.metadata.exif_edit import edit_fields, edit_or_make
from tagline.metadata.exif_pointers import SOI, leaves_block
from tagline.metadata.field_types import Edits
from tagline.metadata.fields import describing
from tagline.metadata.jpeg_read import MAX_PHOTOSHOP, XMP_ID
from tagline.metadata.jpeg_segments import (
    EXIF_ID,
    MAX_PAYLOAD_BYTES,
    Jpeg,
    Segment,
    build,
    image_end,
    split,
)
from tagline.metadata.proof import FOLLOW_BYTES, prove_jpeg_fields

_APP1: Final = 0xE1
_APP11: Final = 0xEB
_APP13: Final = 0xED
_MIN_TRAILER_BYTES: Final = 64
_MAX_BLOCK_BYTES: Final = MAX_PAYLOAD_BYTES - len(EXIF_ID)
# AXS File Concatenation Protocol: the mark opens and closes a trailer full of absolute offsets.
_AFCP: Final = re.compile(rb"AXS[!*]")


def embed(data: Content, text: str | None, old_text: str | None) -> Content:
    """The file with this description, or without one; see ``embed_fields``."""
    return embed_fields(data, (describing(text, old_text),))


def embed_fields(data: Content, edits: Edits) -> Content:
    """The file with these fields in every place that would otherwise contradict them.

    Args:
        data: the whole file.
        edits: the fields, each with the value that the file shows now: places that can say
            something else as well follow where they hold it.

    Returns:
        The new file, proven; equal to ``data`` when nothing has to change.

    Raises:
        EditRefused: it cannot be done provably safely.
    """
    edit = _JpegEdit(data, split(data))
    edit.exif(edits)
    edit.xmp(edits)
    edit.iptc(edits)
    result = edit.result()
    if result is not data:
        prove_jpeg_fields(data, result, edits)
    return result


class _JpegEdit:
    """The segments of a file under change."""

    def __init__(self, data: Content, jpeg: Jpeg) -> None:
        self._data = data
        self._jpeg = jpeg
        segments = jpeg.segments
        self._changed: dict[int, bytes] = {}
        self._ahead: dict[int, list[bytes]] = {}
        self._exif = [k for k, segment in enumerate(segments) if segment.is_exif]
        self._xmp = [k for k, segment in enumerate(segments) if segment.is_xmp]
        self._photoshop = [k for k, segment in enumerate(segments) if segment.is_photoshop]
        mpf = [k for k, segment in enumerate(segments) if segment.is_mpf]
        self._mpf = mpf[0] if mpf else len(segments)
        # New segments go behind all leading APP0 (JFIF, JFXX, CIFF), where readers expect Exif.
        self._lead = next((k for k, s in enumerate(segments) if s.marker != 0xE0), len(segments))
        self._refuse_what_would_break()
        self._fixed = self._points_out()

    def _refuse_what_would_break(self) -> None:
        if len(self._exif) > 1:
            raise EditRefused("the file has more than one Exif segment")
        if len(self._xmp) > 1:
            raise EditRefused("the file has more than one XMP packet")
        for segment in self._jpeg.segments:
            if segment.marker == _APP11 and b"c2pa" in segment.raw:
                raise EditRefused("the file carries Content Credentials, which an edit would break")
        self._end = image_end(self._data, self._jpeg)
        if len(list(islice(matches(_AFCP, self._data, self._end), 2))) > 1:
            raise EditRefused("the file has an AFCP trailer, which holds offsets in the file")

    def _points_out(self) -> bool:
        """Whether the Exif block holds addresses behind it, so that no length ahead may change."""
        if not self._exif:
            return False
        segment = self._jpeg.segments[self._exif[0]]
        at = segment.offset + segment.header + len(EXIF_ID)
        end = segment.end
        has_trailer = len(self._data) - self._end >= _MIN_TRAILER_BYTES
        if not has_trailer and self._data.find(SOI, end, self._jpeg.scan_at) < 0:
            return False
        return leaves_block(self._data, at, end - at, self._end)

    def _is_fixed(self, index: int) -> bool:
        # MPF addresses count from its own segment, so only what lies behind it must stay put.
        return self._fixed or index > self._mpf

    def exif(self, edits: Edits) -> None:
        """Edit the Exif segment; make one where there is none and a field needs one."""
        if not self._exif:
            block = edit_or_make(None, edits, room=_MAX_BLOCK_BYTES)
            if block is not None:
                self._insert(self._lead, build(_APP1, EXIF_ID + block, "the text"))
            return
        index = self._exif[0]
        segment = self._jpeg.segments[index]
        if not segment.payload.startswith(EXIF_ID):
            raise EditRefused("the Exif segment does not begin as it has to")
        block = segment.payload[len(EXIF_ID) :]
        follow = self._data[segment.end : segment.end + FOLLOW_BYTES]
        if self._is_fixed(index):
            new = edit_fields(block, edits, room=len(block), follow=follow)
        else:
            new = edit_or_make(block, edits, room=_MAX_BLOCK_BYTES, follow=follow)
        self._replace(index, None if new is None else EXIF_ID + new, "the EXIF block")

    def xmp(self, edits: Edits) -> None:
        """Edit the XMP packet; make one where there is none and a field has a value."""
        if self._xmp:
            index = self._xmp[0]
            packet = self._jpeg.segments[index].payload[len(XMP_ID) :]
            new = xmp_edit.edit_fields(packet, edits)
            if new is not None and self._is_fixed(index):
                # White space may follow the packet (ISO 16684-1, 7.3.2).
                new = new.ljust(len(packet))
            self._replace(index, None if new is None else XMP_ID + new, "the XMP packet")
        elif any(not edit.removes for edit in edits):
            if self._fixed:
                raise EditRefused("the maker note points behind the image: XMP cannot be added")
            packet = xmp_edit.edit_fields(None, edits) or b""
            behind_exif = self._exif[0] + 1 if self._exif else self._lead
            index = behind_exif if behind_exif <= self._mpf else self._lead
            self._insert(index, build(_APP1, XMP_ID + packet, "the XMP packet"))

    def iptc(self, edits: Edits) -> None:
        """Edit the IPTC data where there is any."""
        if len(self._photoshop) > MAX_PHOTOSHOP:
            raise EditRefused("the file has too many Photoshop segments")
        payloads = [self._jpeg.segments[k].payload for k in self._photoshop]
        joined = b"".join(payload.removeprefix(photoshop.HEADER) for payload in payloads)
        if photoshop.find_iptc(joined).iptc is None or not any(e.field.iptc for e in edits):
            return
        if len(payloads) > 1:
            raise EditRefused("the file has IPTC in several Photoshop segments")
        new = iptc_edit.edit_fields(payloads[0], edits)
        if self._is_fixed(self._photoshop[0]):
            new = new.ljust(len(payloads[0]), b"\0")
        self._replace(self._photoshop[0], new, "the IPTC data")

    def _replace(self, index: int, payload: bytes | None, what: str) -> None:
        """Give a segment a new payload, or take it out."""
        segment: Segment = self._jpeg.segments[index]
        if payload == segment.payload:
            return
        if self._is_fixed(index) and (payload is None or len(payload) != len(segment.payload)):
            raise EditRefused(f"something in the file points past {what}, which must not grow")
        fill = segment.raw[: segment.header - 4]
        new = b"" if payload is None else fill + build(segment.marker, payload, what)
        self._changed[index] = new

    def _insert(self, index: int, raw: bytes) -> None:
        """Put a new segment ahead of the one at this place."""
        self._ahead.setdefault(index, []).append(raw)

    def result(self) -> Content:
        """The file as it is now."""
        if not self._ahead and not self._changed:
            return self._data
        segments = self._jpeg.segments
        parts: list[bytes | Extent] = []
        done = 0
        for index in sorted({*self._ahead, *self._changed}):
            start = segments[index].offset if index < len(segments) else self._jpeg.scan_at
            parts += [(done, start), *self._ahead.get(index, ())]
            done = start
            if index in self._changed:
                parts.append(self._changed[index])
                done = segments[index].end
        return joined(self._data, [*parts, (done, len(self._data))])
