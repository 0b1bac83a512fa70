"""The text of XMP packets: their encodings, what XML can hold, and how it is escaped."""

import re

from tagline.errors import EditRefused

PACKET_MAX_BYTES = 4 * 1024 * 1024
"""Of a longer packet only so much is read, and it is not edited."""

NAMES_MAX_BYTES = 16 * 1024 * 1024
"""Bytes that the names of a packet may have with their namespaces written out.

Parsers write them out, and listings of properties repeat them with every property inside.
"""

_WIDE = (
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<\0", "utf-16-be"),
)
_DECLARED = re.compile(rb"<\?xml[^>]{1,100}?encoding\s*=\s*[\"']([\w.-]{1,40})[\"']")
_NAMESPACE = re.compile(rb"""xmlns(?::[^\s=:]*+)?\s*+=\s*+(?:"([^"]*+)"|'([^']*+)')""")
_LATIN = {"iso-8859-1": "latin-1", "iso8859-1": "latin-1", "windows-1252": "cp1252"}
_AS_LATIN_1 = {0xDC00 + byte: byte for byte in range(0x80, 0x100)}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def wide_encoding(packet: bytes) -> str | None:
    """The encoding of a packet in UTF-16 or UTF-32; None where it is neither."""
    for mark, encoding in _WIDE:
        if packet.startswith(mark):
            return encoding
    return None


def declared_encoding(packet: bytes) -> str:
    """The encoding that the XML declaration names, in lower case; ``utf-8`` where it names none."""
    declared = _DECLARED.search(packet[:200])
    return declared[1].decode("ascii", "replace").lower() if declared else "utf-8"


def to_utf_8(packet: bytes) -> bytes:
    """The packet from its first ``<`` on, in UTF-8, whatever encoding it is in.

    A byte that is not UTF-8 in a packet that otherwise is reads as Latin-1. A packet that is too
    long is cut.
    """
    packet = packet[:PACKET_MAX_BYTES]
    encoding = wide_encoding(packet)
    if encoding is not None:
        body = packet.decode(encoding, "replace").encode("utf-8", "replace")
    else:
        body = _from_narrow(packet)
    return body[max(body.find(b"<"), 0) :].rstrip(b"\0 \t\r\n")


def has_long_names(body: bytes) -> bool:
    """Whether the names of a packet are so long, or many, that no parser may be given them.

    That is told of the most that they could be: each name is of the longest namespace.
    """
    longest = max((len(m[1] or m[2] or b"") for m in _NAMESPACE.finditer(body)), default=0)
    most = body.count(b"<") - body.count(b"</") + body.count(b"=")
    return longest * most > NAMES_MAX_BYTES


def escape(text: str) -> bytes:
    """The text as XML character data, carriage returns kept (XML 1.0, 2.11)."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("\r", "&#xD;").encode()


def escape_attribute(text: str) -> bytes:
    """The text as the inside of an XML attribute in either quotes (XML 1.0, 3.3.3)."""
    escaped = escape(text).replace(b'"', b"&quot;").replace(b"'", b"&#39;")
    return escaped.replace(b"\n", b"&#xA;").replace(b"\t", b"&#x9;")


def check_text(text: str) -> None:
    """Say so if XML 1.0 has no way to hold the text (2.2: no control characters, no surrogates).

    Raises:
        EditRefused: it has none.
    """
    bad = _NOT_XML.search(text)
    if bad:
        raise EditRefused(f"XMP cannot hold the character U+{ord(bad.group()):04X}")


def _from_narrow(packet: bytes) -> bytes:
    latin = _LATIN.get(declared_encoding(packet))
    if latin is not None:
        return packet.decode(latin, "replace").encode()
    try:
        packet.decode("utf-8")
    except UnicodeDecodeError:
        text = packet.decode("utf-8", "surrogateescape")
        return text.translate(_AS_LATIN_1).encode()
    return packet
