"""Lines of the journal: whatever is written is read again, and nothing else is."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tagline.index.encoded import encode_document
from tagline.index.lines import (
    decode_header,
    decode_line,
    encode_body,
    encode_header,
    encode_line,
    is_torn,
)

documents = st.dictionaries(st.text(max_size=4), st.text() | st.integers(-(2**63), 2**63 - 1))
rows = st.dictionaries(st.text(), st.none() | documents.map(encode_document), max_size=4)
changes = st.dictionaries(st.text(), st.none() | rows, max_size=3)
checksums = st.integers(0, 2**32 - 1)


@given(changes, checksums)
def test_a_line_is_read_as_it_was_written(transaction, previous: int) -> None:
    """Any transaction comes back with the checksum that its writer knows."""
    line, checksum = encode_line(encode_body(transaction), previous)
    assert decode_line(line, previous) == (transaction, checksum)
    assert line.count(b"\n") == 1
    assert b"\0" not in line
    assert msgspec.json.decode(line)[0] == f"{checksum:08x}"


@given(changes, checksums, checksums)
def test_a_line_fits_behind_its_predecessor_only(transaction, previous: int, other: int) -> None:
    """Behind any other line than its own predecessor, a line is not accepted."""
    line, _ = encode_line(encode_body(transaction), previous)
    assert (decode_line(line, other) is not None) == (previous == other)


@given(changes, checksums, st.data())
def test_a_changed_byte_is_noticed(transaction, previous: int, data: st.DataObject) -> None:
    """A line with one byte changed is not accepted."""
    line, _ = encode_line(encode_body(transaction), previous)
    place = data.draw(st.integers(0, len(line) - 1))
    bit = data.draw(st.integers(0, 7))
    changed = bytearray(line)
    changed[place] ^= 1 << bit
    assert decode_line(bytes(changed), previous) is None


@given(changes, checksums, st.data())
def test_a_cut_off_line_is_torn(transaction, previous: int, data: st.DataObject) -> None:
    """Every beginning of a line is refused, and recognised as a write that was cut off."""
    line, _ = encode_line(encode_body(transaction), previous)
    part = line[: data.draw(st.integers(0, len(line) - 1))]
    assert decode_line(part, previous) is None
    assert is_torn(part, b"")
    assert is_torn(part + b"\0" * 9, b"")
    assert not is_torn(part + b"\n", b"") or b"\0" in part


@given(st.binary(), checksums)
def test_anything_may_be_read(line: bytes, previous: int) -> None:
    """Bytes that are no line and no header are refused without an exception."""
    decode_line(line, previous)
    decode_header(line)


def test_a_bad_line_with_others_behind_it_is_not_torn() -> None:
    """Only the last line can have been cut off."""
    assert not is_torn(b'["0000', b"x")
    assert not is_torn(b"bad\n", b"")
    assert is_torn(b"half\0\0\0\n", b"")
    assert is_torn(b"half", b"\0\0\0")


def test_a_right_checksum_over_no_transaction_is_refused() -> None:
    """A line that was made with a right checksum but holds no transaction is not accepted."""
    for body in (b"[1]]\n", b'{"t":3}]\n', b'{"t":{"1":}}]\n', b'{"\xff":{}}]\n', b"{}\n"):
        line, _ = encode_line(body, 0)
        assert decode_line(line, 0) is None


def test_ids_of_several_tables_are_one_object() -> None:
    """An id that occurs in two tables of a transaction is kept once."""
    body = encode_body({"a": {"id": b"{}"}, "b": {"id": b"{}"}})
    decoded = decode_line(encode_line(body, 0)[0], 0)
    assert decoded is not None
    first, second = (next(iter(rows)) for rows in decoded[0].values() if rows is not None)
    assert first is second


@given(st.text())
def test_header(content: str) -> None:
    """A header is read as it was written; a header of something else is none."""
    header = decode_header(encode_header(content))
    assert header is not None
    assert (header.version, header.content) == (1, content)
    assert decode_header(b'{"format":"other","version":1,"content":""}\n') is None
    assert decode_header(encode_header(content)[:-1]) is None
