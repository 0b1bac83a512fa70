"""Whether a sidecar is all there: the object of a JSON file, the root element of an XMP file."""

import re
from typing import Final
from xml.parsers import expat
from xml.parsers.expat import errors

from tagline.metadata.unfinished import HOLE_IN_TEXT, TEXT_MISSING
from tagline.metadata.xmp_text import PACKET_MAX_BYTES, to_utf_8, wide_encoding

_BOM: Final = b"\xef\xbb\xbf"
_BLANKS: Final = b" \t\r\n"
_ZEROS: Final = bytes(64)
_NO_MARKS: Final = bytes(byte for byte in range(256) if byte not in b'"{}[]')
_ROOT: Final = re.compile(rb"<([A-Za-z_][\w.-]{0,40}:)?([A-Za-z_][\w.-]{0,80})")
_WRAPPER: Final = re.compile(rb"<\?xpacket\s+begin\s*=")
_WRAPPER_END: Final = re.compile(rb"<\?xpacket\s+end\s*=")
# What expat says of XML that ends too soon.
_EARLY: Final = frozenset(
    errors.codes[message]
    for message in (
        errors.XML_ERROR_NO_ELEMENTS,
        errors.XML_ERROR_UNCLOSED_TOKEN,
        errors.XML_ERROR_PARTIAL_CHAR,
        errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
)


class _Stop(Exception):
    """A document type declaration, behind which nothing is read."""


def json_fault(data: bytes) -> str | None:
    """Why a JSON file that is not empty is unfinished; anything but an object or a list is not."""
    text = data.removeprefix(_BOM).strip(_BLANKS).rstrip(b"\0" + _BLANKS)
    if text[0] == 0:
        return TEXT_MISSING
    if text[0] not in b"{[":
        return None
    # Where a string does not end, neither does what holds it.
    brackets = _brackets(text)
    opened = brackets.count(b"{") + brackets.count(b"[")
    if opened > brackets.count(b"}") + brackets.count(b"]"):
        return TEXT_MISSING
    return HOLE_IN_TEXT if _ZEROS in text else None


def _brackets(text: bytes) -> bytes:
    """The brackets of a JSON text outside its strings."""
    bare = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    return b"".join(bare.translate(None, _NO_MARKS).split(b'"')[::2])


def xmp_fault(data: bytes) -> str | None:
    """Why an XMP file that is not empty is unfinished."""
    if len(data) > PACKET_MAX_BYTES:
        return None
    if data.removeprefix(_BOM).lstrip(_BLANKS)[:1] not in (b"<", b"\0") and not wide_encoding(data):
        return None
    if wide_encoding(data) is None and _ZEROS in data.rstrip(b"\0" + _BLANKS):
        return HOLE_IN_TEXT
    text = to_utf_8(data)
    if _ends_early(text):
        return TEXT_MISSING
    is_open = _WRAPPER.match(text) and not _WRAPPER_END.search(text)
    return TEXT_MISSING if is_open else None


def _ends_early(text: bytes) -> bool:
    parser = expat.ParserCreate("utf-8")
    parser.StartDoctypeDeclHandler = _stop
    try:
        parser.Parse(text, True)  # noqa: FBT003 - its parameter has no name
    except _Stop:
        return not _closes(text)
    except expat.ExpatError as fault:
        return fault.code in _EARLY or not _closes(text)
    return False


def _stop(*_: object) -> None:
    raise _Stop


def _closes(text: bytes) -> bool:
    """Whether the end tag of the first element stands somewhere, or it needs none."""
    root = _ROOT.search(text)
    if root is None:
        return not text.rstrip(_BLANKS).endswith(b"<")
    end = text.find(b">", root.end())
    return text[end - 1 : end] == b"/" or b"</" + (root[1] or b"") + root[2] in text
