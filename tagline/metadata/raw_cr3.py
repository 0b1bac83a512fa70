"""Canon CR3: boxes with the sensor's data as one track among previews, and Exif cut in four.

The boxes CMT1, CMT2 and CMT4 in Canon's own box are whole TIFF blocks with the entries of IFD0, the
Exif directory and the GPS directory. One TIFF block is made of them, as in any other file.
"""

from struct import pack, unpack
from uuid import UUID

from tagline.metadata.bmff import Box, boxes, find
from tagline.metadata.draft import Draft, block, read_with
from tagline.metadata.tiff_ifd import Directory, Entry, Tiff
from tagline.metadata.values import Container
from tagline.metadata.window import Malformed, Window
from tagline.model import ByteSource, BytesSource

CANON = UUID("85c0b687-820f-11e0-8111-f4ce462b6a48").bytes
XMP = UUID("be7acfcb-97a9-42e8-9c71-999491e3afac").bytes

_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_HEADER_BYTES = 8
_VALUE_LIMIT = 64 * 1024
_LONG = 4

_Part = tuple[Tiff, Directory]


def read(source: ByteSource) -> Container:
    """The metadata blocks of a CR3. Never raises."""
    return read_with(source, _parse)


def _parse(window: Window, draft: Draft) -> None:
    if window.size < 12 or window.at(4, 8) != b"ftypcrx ":
        raise Malformed("This is no CR3 file: its file type box is missing.")
    for box in boxes(window, 0, window.size):
        if box.kind == b"moov":
            _movie(window, draft, box)
        elif box.kind == b"uuid" and box.length > 16 and window.at(box.start, 16) == XMP:
            draft.xmp = draft.xmp or block(window, draft, box.start + 16, box.length - 16)
        elif box.kind == b"mdat":
            draft.add_image(box.start, box.length)


def _movie(window: Window, draft: Draft, moov: Box) -> None:
    area = 0
    for box in boxes(window, moov.start, moov.end, 4096):
        if box.kind == b"uuid" and box.length > 16 and window.at(box.start, 16) == CANON:
            inside = boxes(window, box.start + 16, box.end, 16 * 1024)
            draft.exif = _joined(window, draft, {each.kind: each for each in inside})
        elif box.kind == b"trak":
            width, height = _track_size(window, box)
            if width * height > area:
                area = width * height
                draft.set_size(width, height)


def _track_size(window: Window, trak: Box) -> tuple[int, int]:
    """Size in a track's visual sample entry (14496-12, 12.1.3); zeros for other tracks."""
    table = find(window, trak, b"mdia", b"minf", b"stbl", b"stsd")
    if table is None or table.length < 8 + 8 + 28:
        return 0, 0
    head = window.at(table.start + 8, 36)
    if head[4:8] != b"CRAW":
        return 0, 0
    return int.from_bytes(head[32:34], "big"), int.from_bytes(head[34:36], "big")


def first_sample(window: Window, trak: Box) -> tuple[int, int] | None:
    """Offset and length in bytes of a track's first sample (14496-12, 8.7.3 and 8.7.5).

    Raises:
        Malformed: the track's boxes are damaged.
    """
    table = find(window, trak, b"mdia", b"minf", b"stbl")
    if table is None:
        return None
    sizes, places = find(window, table, b"stsz"), find(window, table, b"co64")
    if sizes is None or places is None or sizes.length < 12 or places.length < 16:
        return None
    _, same, count = unpack(">III", window.at(sizes.start, 12))
    if not same and count and sizes.length >= 16:
        same = int.from_bytes(window.at(sizes.start + 12, 4), "big")
    return int.from_bytes(window.at(places.start + 8, 8), "big"), same


def _joined(window: Window, draft: Draft, parts: dict[bytes, Box]) -> bytes | None:
    """One TIFF block: header, subdirectories, and IFD0 behind them, which points at them."""
    main, exif, gps = (_part(window, draft, parts.get(k)) for k in (b"CMT1", b"CMT2", b"CMT4"))
    if main is None:
        return None
    order = main[0].dialect.order
    behind = b""
    links: dict[int, int] = {}
    for tag, part in ((_EXIF_IFD, exif), (_GPS_IFD, gps)):
        if part is not None and part[0].dialect.order == order:
            links[tag] = _HEADER_BYTES + len(behind)
            behind += _written(part, links[tag], {})
    start = _HEADER_BYTES + len(behind)
    return main[0].mark + pack(order + "I", start) + behind + _written(main, start, links)


def _written(part: _Part, start: int, links: dict[int, int]) -> bytes:
    """A directory as it stands at ``start``, its values behind it, with links to others."""
    tiff, directory = part
    order = tiff.dialect.order
    rows = {tag: _value(tiff, entry) for tag, entry in directory.entries.items()}
    rows |= {tag: (_LONG, 1, pack(order + "I", offset)) for tag, offset in links.items()}
    kept = sorted((tag, row) for tag, row in rows.items() if row is not None)
    values = b""
    values_start = start + 2 + 12 * len(kept) + 4
    table = pack(order + "H", len(kept))
    for tag, (kind, count, value) in kept:
        if len(value) > 4:
            inline = pack(order + "I", values_start + len(values))
            values += value + b"\0" * (len(value) & 1)
        else:
            inline = value.ljust(4, b"\0")
        table += pack(order + "HHI", tag, kind, count) + inline
    return table + b"\0\0\0\0" + values


def _value(tiff: Tiff, entry: Entry) -> tuple[int, int, bytes] | None:
    """An entry's type, count and bytes; None where they are outside the block or beyond bounds."""
    if not 0 < entry.length <= _VALUE_LIMIT or entry.offset + entry.length > tiff.window.size:
        return None
    return entry.kind, entry.count, tiff.window.at(entry.offset, entry.length)


def _part(window: Window, draft: Draft, box: Box | None) -> _Part | None:
    """A TIFF block and its first directory; None, with a note, where it is damaged."""
    data = block(window, draft, box.start, box.length) if box is not None else None
    if data is None:
        return None
    try:
        tiff = Tiff(Window(BytesSource(data)))
        return tiff, tiff.directory(tiff.first_offset())
    except Malformed as fault:
        draft.note(str(fault))
        return None
