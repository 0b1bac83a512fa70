"""Reading a journal: one loop for snapshot and history alike."""

from collections.abc import Callable
from typing import BinaryIO

import msgspec

from tagline.index.lines import (
    FORMAT_VERSION,
    Changes,
    checksum_of,
    decode_header,
    decode_line,
    encode_header,
    is_torn,
)


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """What a file held: ``size_bytes`` of it are good, the last line with ``checksum``.

    What lies behind them was never acknowledged. With a ``fault``, none of it is to be used.
    """

    size_bytes: int = 0
    checksum: int = 0
    fault: str | None = None
    outdated: bool = False


def load(file: BinaryIO, content: str, apply: Callable[[Changes], None]) -> Loaded:
    """Apply every transaction of a journal whose documents follow the schema ``content``."""
    try:
        return _load_header(file, content) or _load_lines(file, content, apply)
    except OSError as error:
        return Loaded(fault=f"it cannot be read ({error.strerror})")


def _load_header(file: BinaryIO, content: str) -> Loaded | None:
    """A verdict, when the header decides all."""
    line = file.readline(1 << 16)
    expected = encode_header(content)
    if line == expected:
        return None
    if expected.startswith(line.rstrip(b"\0")) and not file.read(1):
        return Loaded()  # new, or cut off while it was made
    header = decode_header(line)
    if header is None:
        return Loaded(fault="it does not begin as a journal does")
    if header.version != FORMAT_VERSION:
        return Loaded(fault=f"its format version is {header.version}", outdated=True)
    return Loaded(fault=f"it holds {header.content!r}, not {content!r}", outdated=True)


def _load_lines(file: BinaryIO, content: str, apply: Callable[[Changes], None]) -> Loaded:
    header = encode_header(content)
    size_bytes, checksum = len(header), checksum_of(header)
    for line in file:
        decoded = decode_line(line, checksum)
        if decoded is None:
            if is_torn(line, file.readline()):
                break
            return Loaded(fault=f"the line at byte {size_bytes} is not what was written")
        changes, checksum = decoded
        apply(changes)
        size_bytes += len(line)
    return Loaded(size_bytes=size_bytes, checksum=checksum)
