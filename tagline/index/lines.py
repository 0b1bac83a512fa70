"""The journal's text: pure functions between transactions and lines.

A journal is a header line, then one line a transaction:
``["<checksum>",{"<table>":{"<document id>":{document} or null}}]``. A null document is one that was
removed, a null table one that was dropped. The checksum is the CRC-32 (ISO-HDLC, as in zlib) of the
rest of the line, line break included, continued from the line before it; so a changed, missing,
repeated or misplaced line is noticed.
"""

import zlib
from collections.abc import Mapping

import msgspec

FORMAT = "tagline-journal"
FORMAT_VERSION = 1

_Line = tuple[str, dict[str, dict[str, msgspec.Raw] | None]]

Rows = Mapping[str, bytes | None]
"""Encoded documents by id; ``None`` for a removed one."""

Changes = Mapping[str, Rows | None]
"""One transaction: changed rows by table; ``None`` for a dropped table."""

_NULL = b"null"
_PREFIX_LENGTH = len(b'["00000000",')
_LINE = msgspec.json.Decoder(_Line)
_ENCODER = msgspec.json.Encoder()


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line. ``content`` names the schema of the documents, for whoever opens the file."""

    format: str = FORMAT
    version: int = FORMAT_VERSION
    content: str


_HEADER = msgspec.json.Decoder(Header)


def encode_header(content: str) -> bytes:
    """The header line of a journal whose documents follow the schema ``content``."""
    return _ENCODER.encode(Header(content=content)) + b"\n"


def decode_header(line: bytes) -> Header | None:
    """The header, of whichever version; ``None`` when the line is none."""
    try:
        header = _HEADER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return header if header.format == FORMAT and line.endswith(b"\n") else None


def checksum_of(data: bytes, previous: int = 0) -> int:
    """The CRC-32 of ``data``, continued from ``previous``."""
    return zlib.crc32(data, previous)


def encode_body(changes: Changes) -> bytes:
    """A transaction without its place in the file: all of its line but the checksum."""
    tables = (b"%b:%b" % (_ENCODER.encode(t), _encode_rows(r)) for t, r in changes.items())
    return b"{%b}]\n" % b",".join(tables)


def _encode_rows(rows: Rows | None) -> bytes:
    if rows is None:
        return _NULL
    encode = _ENCODER.encode
    pairs = [b"%b:%b" % (encode(k), _NULL if v is None else v) for k, v in rows.items()]
    return b"{%b}" % b",".join(pairs)


def encode_line(body: bytes, previous: int) -> tuple[bytes, int]:
    """The line for ``body`` behind a line with checksum ``previous``, and its own checksum."""
    checksum = checksum_of(body, previous)
    return b'["%08x",%b' % (checksum, body), checksum


def decode_line(line: bytes, previous: int) -> tuple[Changes, int] | None:
    """The transaction of a line and its checksum; ``None`` when the line does not fit here.

    Ids that occur in several tables of a line are one object, which saves their memory.
    """
    if not line.endswith(b"\n"):
        return None
    checksum = zlib.crc32(memoryview(line)[_PREFIX_LENGTH:], previous)
    if not line.startswith(b'["%08x",' % checksum):
        return None
    try:
        tables = _LINE.decode(line)[1]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return _decode_tables(tables), checksum


def _decode_tables(tables: dict[str, dict[str, msgspec.Raw] | None]) -> Changes:
    known: dict[str, str] = {}
    return {name: _decode_rows(rows, known) for name, rows in tables.items()}


def _decode_rows(rows: dict[str, msgspec.Raw] | None, known: dict[str, str]) -> Rows | None:
    if rows is None:
        return None
    decoded: dict[str, bytes | None] = dict(
        zip(map(known.setdefault, rows, rows), map(bytes, rows.values()), strict=True)
    )
    if _NULL in decoded.values():
        return {k: None if v == _NULL else v for k, v in decoded.items()}
    return decoded


def is_torn(bad: bytes, following: bytes) -> bool:
    r"""Whether a line that does not fit is the end of a write that was cut off.

    ``following`` is the line behind it. A write that was cut off is the file's last, and lacks its
    line break or has blocks of zeros in it that never reached the disk (a NUL is never in a line:
    JSON escapes it, RFC 8259, 7). Everything else is damage.
    """
    if following.strip(b"\0"):
        return False
    return not bad.endswith(b"\n") or b"\0" in bad
