"""Writing fields into a PNG: the eXIf chunk and XMP, each made where there is none.

New chunks go ahead of the image data, and of APNG's control chunks, so that readers that stop at
the image find them. PNG's own text chunk "Description" follows where it held the old text. Every
other chunk, and whatever follows the last one, stays byte for byte.
"""

import zlib
from typing import Final, NamedTuple

from tagline.errors import EditRefused
from tagline.metadata import png_words
from tagline.metadata.chunk_edit import edit_exif, edit_xmp_chunk
from tagline.metadata.content import Content, Extent, joined, steps
from tagline.metadata.field_types import Edits
from tagline.metadata.fields import describing
from tagline.metadata.png import SIGNATURE
from tagline.metadata.png_words import TextChunk
from tagline.metadata.proof_png import prove_png_fields

_CHUNK_LIMIT: Final = 1 << 16
_MAX_CHUNK_BYTES: Final = (1 << 31) - 1
_DESCRIPTION_LIMIT: Final = 8
# Apple's iDOT counts from itself to the image data, so nothing may come between the two.
_ANCHORS: Final = (b"iDOT", b"acTL", b"fcTL", b"IDAT")
_SEALS: Final = {
    b"caBX": "the file carries Content Credentials, which an edit would break",
    b"dSIG": "the file carries a digital signature, which an edit would break",
}


class _Chunk(NamedTuple):
    """A chunk: its type, and where in the file it begins and ends, length and CRC included."""

    kind: bytes
    start: int
    end: int


def embed(data: Content, text: str | None, old_text: str | None) -> Content:
    """The file with this description, or without one; see ``embed_fields``."""
    return embed_fields(data, (describing(text, old_text),))


def embed_fields(data: Content, edits: Edits) -> Content:
    """The file with these fields in every place that would otherwise contradict them.

    Args:
        data: the whole file.
        edits: the fields, each with the value that the file shows now: places that can say
            something else as well follow where they hold it, and so does PNG's text "Description".

    Returns:
        The new file, proven; equal to ``data`` when nothing has to change.

    Raises:
        EditRefused: it cannot be done provably safely.
    """
    edit = _PngEdit(data)
    edit.exif(edits)
    edit.xmp(edits)
    edit.descriptions(edits)
    result = edit.result()
    if result is not data:
        prove_png_fields(data, result, edits)
    return result


class _PngEdit:
    """The chunks of a file under change."""

    def __init__(self, data: Content) -> None:
        self._data = data
        self._chunks = _split(data)
        self._changed: dict[int, bytes] = {}
        self._added: list[bytes] = []
        kinds = [chunk.kind for chunk in self._chunks]
        if b"IDAT" not in kinds:
            raise EditRefused("the PNG file holds no image")
        for kind, reason in _SEALS.items():
            if kind in kinds:
                raise EditRefused(reason)
        self._anchor = next(k for k, kind in enumerate(kinds) if kind in _ANCHORS)
        self._exif = [k for k, kind in enumerate(kinds) if kind == b"eXIf"]
        self._texts = self._find_texts()
        self._xmp = [k for k, chunk in self._texts.items() if chunk.is_xmp]
        self._refuse_what_is_unclear()

    def _find_texts(self) -> dict[int, TextChunk]:
        found: dict[int, TextChunk] = {}
        for k, chunk in enumerate(self._chunks):
            if chunk.kind not in (b"tEXt", b"zTXt", b"iTXt"):
                continue
            start = chunk.start + 8
            head = self._data[start : min(start + png_words.HEAD_BYTES, chunk.end - 4)]
            text = png_words.outline(chunk.kind, head)
            if text is None:
                continue
            if text.is_legacy:
                raise EditRefused("the file keeps its metadata in an old way: a raw profile")
            if text.is_xmp or text.is_description:
                found[k] = png_words.parse(chunk.kind, self._payload(k)) or text
            if len(found) > _DESCRIPTION_LIMIT:
                raise EditRefused("the file has too many descriptions")
        return found

    def _refuse_what_is_unclear(self) -> None:
        if len(self._exif) > 1:
            raise EditRefused("the file has more than one EXIF chunk")
        if len(self._xmp) > 1:
            raise EditRefused("the file has more than one XMP packet")

    def _payload(self, index: int) -> bytes:
        chunk = self._chunks[index]
        return self._data[chunk.start + 8 : chunk.end - 4]

    def exif(self, edits: Edits) -> None:
        """Edit the eXIf chunk; make one where there is none and a field needs one."""
        old = self._payload(self._exif[0]) if self._exif else None
        new = edit_exif(old, edits)
        self._store(self._exif, old, b"eXIf", new)

    def xmp(self, edits: Edits) -> None:
        """Edit the XMP packet; make one where there is none and a field has a value.

        A changed packet is written uncompressed, so that programs find it by scanning the file.
        """
        chunk = self._texts[self._xmp[0]] if self._xmp else None
        old = chunk.raw if chunk else None
        packet = edit_xmp_chunk(old, edits, create=True)
        if packet == old:
            return
        frame = chunk or TextChunk(b"iTXt", png_words.XMP_KEYWORD, b"", b"")
        new = None if packet is None else frame.international(packet)
        self._store(self._xmp, old, b"iTXt", new)

    def descriptions(self, edits: Edits) -> None:
        """Have PNG's own text "Description" follow where it held the old text."""
        for edit in edits:
            if edit.field.name == "description" and isinstance(edit.old, str):
                self._describe(str(edit.new) if edit.new else None, edit.old)

    def _describe(self, text: str | None, old_text: str) -> None:
        for index, chunk in self._texts.items():
            found = chunk.text() if chunk.is_description else None
            if found is None or not old_text or found.strip() != old_text.strip():
                continue
            if text is None:
                self._change(index, b"")
            elif found != text:
                self._change(index, _chunk(*chunk.with_text(text)))

    def _store(self, at: list[int], old: bytes | None, kind: bytes, new: bytes | None) -> None:
        """Put a payload into the chunk that is there (or drop that), or into a new one."""
        if new == old:
            return
        raw = b"" if new is None else _chunk(kind, new)
        if at:
            self._change(at[0], raw)
        elif raw:
            self._added.append(raw)

    def _change(self, index: int, raw: bytes) -> None:
        kinds = [chunk.kind for chunk in self._chunks]
        last = len(kinds) - 1 - kinds[::-1].index(b"IDAT")
        if b"iDOT" in kinds and kinds.index(b"iDOT") < index < last:
            raise EditRefused("the iDOT chunk counts the bytes up to the image, which must stay")
        self._changed[index] = raw

    def result(self) -> Content:
        """The file as it is now."""
        if not self._changed and not self._added:
            return self._data
        parts: list[bytes | Extent] = []
        done = 0
        for index in sorted({self._anchor, *self._changed}):
            chunk = self._chunks[index]
            parts.append((done, chunk.start))
            done = chunk.start
            if index == self._anchor:
                parts += self._added
            if index in self._changed:
                parts.append(self._changed[index])
                done = chunk.end
        return joined(self._data, [*parts, (done, len(self._data))])


def _chunk(kind: bytes, payload: bytes) -> bytes:
    """A chunk with its length and CRC (ISO/IEC 15948, 5.3)."""
    crc = zlib.crc32(payload, zlib.crc32(kind))
    return len(payload).to_bytes(4, "big") + kind + payload + crc.to_bytes(4, "big")


def _split(data: Content) -> list[_Chunk]:
    """The chunks from IHDR to IEND, every CRC verified.

    Raises:
        EditRefused: the file is damaged, or not laid out as it has to be.
    """
    if not data.startswith(SIGNATURE):
        raise EditRefused("the file has no PNG signature")
    chunks: list[_Chunk] = []
    at = len(SIGNATURE)
    while not chunks or chunks[-1].kind != b"IEND":
        length = int.from_bytes(data[at : at + 4], "big")
        end = at + 12 + length
        if end > len(data) or length > _MAX_CHUNK_BYTES:
            raise EditRefused("the PNG file ends in the middle of a chunk")
        crc = 0
        for step in steps(data, at + 4, end - 4):
            crc = zlib.crc32(step, crc)
        if crc != int.from_bytes(data[end - 4 : end], "big"):
            raise EditRefused("a checksum in the PNG file is wrong")
        if len(chunks) >= _CHUNK_LIMIT:
            raise EditRefused("the PNG file has too many chunks")
        chunks.append(_Chunk(data[at + 4 : at + 8], at, end))
        at = end
    if chunks[0].kind != b"IHDR":
        raise EditRefused("the PNG file does not begin with its header")
    return chunks
