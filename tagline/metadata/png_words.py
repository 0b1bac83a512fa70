"""PNG's own text chunks, as far as an edit has to understand them (ISO/IEC 15948, 11.3.3)."""

from typing import Final, NamedTuple

from tagline.errors import EditRefused
from tagline.metadata.png_text import TEXT_CHUNKS, inflate
from tagline.metadata.window import Malformed

XMP_KEYWORD: Final = b"XML:com.adobe.xmp"
"""The keyword of the iTXt chunk with XMP (XMP specification part 3, 1.1.5)."""

HEAD_BYTES: Final = 128
"""So much of a chunk holds its keyword, which has at most 79 bytes."""

_LEGACY: Final = b"raw profile type "
_LEGACY_KINDS: Final = frozenset({b"exif", b"app1", b"xmp", b"iptc", b"8bim"})
_DESCRIPTION: Final = b"description"
_PLAIN: Final = b"\0\0"


class TextChunk(NamedTuple):
    """A text chunk: its type, keyword, what stands between that and the text, and the text.

    ``middle`` is, of an iTXt chunk, the language tag and translated keyword with their zeros.
    """

    kind: bytes
    keyword: bytes
    middle: bytes
    raw: bytes

    @property
    def is_xmp(self) -> bool:
        """Whether it holds an XMP packet in the standard's way."""
        return self.kind == b"iTXt" and self.keyword == XMP_KEYWORD

    @property
    def is_legacy(self) -> bool:
        """Whether it holds EXIF, IPTC or XMP in some other way, as a "raw profile" for one."""
        keyword = self.keyword.lower()
        if keyword == XMP_KEYWORD.lower():
            return not self.is_xmp
        return keyword.startswith(_LEGACY) and keyword[len(_LEGACY) :] in _LEGACY_KINDS

    @property
    def is_description(self) -> bool:
        """Whether it is PNG's own description of the image."""
        return self.keyword.lower() == _DESCRIPTION

    def text(self) -> str | None:
        """The text; None where it cannot be told."""
        try:
            return self.raw.decode("utf-8" if self.kind == b"iTXt" else "latin-1")
        except UnicodeDecodeError:
            return None

    def with_text(self, text: str) -> tuple[bytes, bytes]:
        """Type and payload of an uncompressed chunk with another text.

        tEXt holds Latin-1 alone; where that is not enough the chunk becomes an iTXt.
        """
        if self.kind == b"tEXt":
            try:
                return b"tEXt", self.keyword + b"\0" + text.encode("latin-1")
            except UnicodeEncodeError:
                pass
        return b"iTXt", self.international(text.encode())

    def international(self, raw: bytes) -> bytes:
        """Payload of an uncompressed iTXt chunk with this text."""
        return self.keyword + b"\0" + _PLAIN + (self.middle or _PLAIN) + raw


def outline(kind: bytes, head: bytes) -> TextChunk | None:
    """The text chunk that begins so, without its text; None when it is none.

    Args:
        kind: its type.
        head: its first ``HEAD_BYTES``, or all of its payload.
    """
    keyword, zero, _ = head.partition(b"\0")
    return TextChunk(kind, keyword, b"", b"") if kind in TEXT_CHUNKS and zero else None


def parse(kind: bytes, payload: bytes) -> TextChunk | None:
    """The text chunk of this type and payload; None when it is none, or without a keyword.

    Only texts that an edit may change are expanded.

    Raises:
        EditRefused: such a text cannot be expanded.
    """
    keyword, zero, rest = payload.partition(b"\0")
    if kind not in TEXT_CHUNKS or not zero:
        return None
    middle = b""
    packed = kind == b"zTXt"
    if kind == b"zTXt":
        rest = rest[1:]
    elif kind == b"iTXt":
        packed, rest = rest[:1] == b"\1", rest[2:]
        language, _, rest = rest.partition(b"\0")
        translated, _, rest = rest.partition(b"\0")
        middle = language + b"\0" + translated + b"\0"
    chunk = TextChunk(kind, keyword, middle, rest)
    return _expanded(chunk) if packed and (chunk.is_xmp or chunk.is_description) else chunk


def _expanded(chunk: TextChunk) -> TextChunk:
    try:
        return chunk._replace(raw=inflate(chunk.raw))
    except Malformed as fault:
        raise EditRefused("a compressed text of the PNG file is damaged") from fault
