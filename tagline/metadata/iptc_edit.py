"""Writing 2:120 Caption-Abstract into IPTC that is there already; every other byte stays.

The caption is written in UTF-8, cut between characters to the 2,000 bytes that IIM gives it. The
digest (Photoshop resource 0x0425) is renewed where it was right before; where it was stale or
absent it stays so, since it speaks of every field: a digest that suddenly fits would tell readers
that the XMP is newer than the keywords another program has since written to the IPTC.
"""

from hashlib import md5

from tagline.errors import EditRefused
from tagline.metadata import iptc, photoshop
from tagline.metadata.iptc import CAPTION, CODED_CHARACTER_SET, DataSet, DataSets
from tagline.metadata.photoshop import Resource

_TEXT_RECORDS = range(2, 7)
_NOT_TEXT = frozenset({(2, 0), (2, 125), (2, 202)})


def edit_app13(payload: bytes, text: str | None) -> bytes:
    """The image resources with the caption set, or removed where ``text`` is None or empty.

    ``payload`` may begin with the ``Photoshop 3.0`` header. Resources without IPTC are returned
    as they are: a caption goes only where IPTC is already.

    Raises:
        EditRefused: damaged resources or data sets, more than one IPTC resource, or texts in
            another character set beside which UTF-8 cannot stand.
    """
    found = photoshop.resources(payload)
    blocks = found.all_of(photoshop.IPTC)
    block = next(iter(blocks), None)
    if block is None:
        return payload
    if not found.whole:
        raise EditRefused("the Photoshop image resources are damaged")
    if len(blocks) > 1:
        raise EditRefused("there is more than one IPTC resource")
    old = payload[block.data_start : block.data_end]
    new = edit_iim(old, text)
    if new == old:
        return payload
    changes = [(block, new)]
    changes += (
        (digest, _digest(new))
        for digest in found.all_of(photoshop.IPTC_DIGEST)
        if payload[digest.data_start : digest.data_end] == _digest(old)
    )
    return _replaced(payload, sorted(changes, key=lambda change: change[0].start))


def edit_iim(iim: bytes, text: str | None) -> bytes:
    """The data sets with 2:120 set, or removed where ``text`` is None or empty.

    Raises:
        EditRefused: damaged data sets, more than one caption, or texts in another character set.
    """
    sets = iptc.data_sets(iim)
    if not sets.whole:
        raise EditRefused("the IPTC data sets are damaged")
    if len(sets.values_of(CAPTION)) > 1:
        raise EditRefused("there is more than one IPTC caption")
    if not text:
        return _without(iim, sets, CAPTION)
    if iptc.read(iim).description == iptc.caption_bytes(text).decode():
        return iim
    if not text.isascii():
        iim = _declared_utf_8(iim, sets)
    new = _with(iim, CAPTION, iptc.caption_bytes(text))
    if iptc.read(new).description != iptc.caption_bytes(text).decode():
        raise EditRefused("the IPTC caption does not read back")
    return new


def _digest(iim: bytes) -> bytes:
    return md5(iim, usedforsecurity=False).digest()


def _replaced(payload: bytes, changes: list[tuple[Resource, bytes]]) -> bytes:
    parts: list[bytes] = []
    position = 0
    for block, data in changes:
        parts += payload[position : block.data_start - 4], len(data).to_bytes(4, "big"), data
        parts.append(b"\0" * (len(data) % 2))
        position = block.end
    parts.append(payload[position:])
    return b"".join(parts)


def _declared_utf_8(iim: bytes, sets: DataSets) -> bytes:
    """The data sets with UTF-8 declared in 1:90, where no other text reads differently by it.

    Raises:
        EditRefused: another text is neither ASCII nor UTF-8, so it would have to be rewritten.
    """
    declared = sets.values_of(CODED_CHARACTER_SET)
    if declared == (iptc.UTF_8,):
        return iim
    if len(declared) > 1:
        raise EditRefused("the IPTC declares more than one character set")
    for item in sets.items:
        if _is_other_text(item) and not _stays(item.value, declared[0] if declared else None):
            raise EditRefused("the IPTC is in another character set")
    return _with(iim, CODED_CHARACTER_SET, iptc.UTF_8)


def _is_other_text(item: DataSet) -> bool:
    return item.key[0] in _TEXT_RECORDS and item.key not in _NOT_TEXT and item.key != CAPTION


def _stays(value: bytes, charset: bytes | None) -> bool:
    """Whether the value reads the same once UTF-8 is declared."""
    if charset is not None:
        return value.isascii()
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _without(iim: bytes, sets: DataSets, key: tuple[int, int]) -> bytes:
    for item in reversed(sets.items):
        if item.key == key:
            iim = iim[: item.start] + iim[item.end :]
    return iim


def _with(iim: bytes, key: tuple[int, int], value: bytes) -> bytes:
    """The data sets with one value in place of the old one, or put where its number belongs."""
    sets = iptc.data_sets(iim)
    raw = bytes([0x1C, *key]) + len(value).to_bytes(2, "big") + value
    for item in sets.items:
        if item.key == key:
            return iim[: item.start] + raw + iim[item.end :]
    position = next((item.start for item in sets.items if item.key > key), sets.end)
    return iim[:position] + raw + iim[position:]
