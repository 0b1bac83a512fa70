"""Writing fields into IPTC that is there already; every other byte stays.

Texts are written in UTF-8, cut between characters to the bytes that IIM gives each. The digest
(Photoshop resource 0x0425) is renewed where it was right before; where it was stale or absent it
stays so, since it speaks of every field: a digest that suddenly fits would tell readers that the
XMP is newer than what another program has since written to the IPTC.
"""

from collections.abc import Collection, Sequence
from hashlib import md5

from tagline.errors import EditRefused
from tagline.metadata import iptc, photoshop
from tagline.metadata.field_types import Edits, IptcPlace
from tagline.metadata.fields import describing
from tagline.metadata.iptc import CODED_CHARACTER_SET, DataSets
from tagline.metadata.photoshop import Resource

_TEXT_RECORDS = range(2, 7)
_NOT_TEXT = frozenset({(2, 0), (2, 125), (2, 202)})

Key = tuple[int, int]


def edit_app13(payload: bytes, text: str | None) -> bytes:
    """The image resources with this caption, or without one; see ``edit_fields``."""
    return edit_fields(payload, (describing(text, None),))


def edit_fields(payload: bytes, edits: Edits) -> bytes:
    """The image resources with these fields in their IPTC as they are to be.

    ``payload`` may begin with the ``Photoshop 3.0`` header. Resources without IPTC are returned
    as they are: fields go only where IPTC is already.

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
    new = edit_data_sets(old, edits)
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
    """The data sets with this caption, or without one; see ``edit_data_sets``."""
    return edit_data_sets(iim, (describing(text, None),))


def edit_data_sets(iim: bytes, edits: Edits) -> bytes:
    """The data sets with these fields as they are to be.

    Raises:
        EditRefused: damaged data sets, a field there twice that may be there once, or texts in
            another character set.
    """
    sets = iptc.data_sets(iim)
    if not sets.whole:
        raise EditRefused("the IPTC data sets are damaged")
    wanted: dict[Key, Sequence[str]] = {}
    for edit in edits:
        for place in edit.field.iptc:
            if not place.repeats and len(sets.values_of(place.key)) > 1:
                raise EditRefused(f"there is more than one IPTC {place.what}")
            texts = _fitted(place, place.encode(edit.new))
            if _texts(sets, place.key) != texts:
                wanted[place.key] = texts
    if any(not text.isascii() for texts in wanted.values() for text in texts):
        iim = _declared_utf_8(iim, sets, wanted.keys())
    for key, texts in wanted.items():
        iim = _with(iim, key, [text.encode() for text in texts])
    after = iptc.data_sets(iim)
    if any(_texts(after, key) != texts for key, texts in wanted.items()):
        raise EditRefused("the IPTC does not read back")
    return iim


def _fitted(place: IptcPlace, texts: Sequence[str]) -> list[str]:
    """The texts cut to what the data set holds, those left out that are one another's then."""
    return list(dict.fromkeys(iptc.cut(text, place.limit) for text in texts))


def _texts(sets: DataSets, key: Key) -> list[str]:
    """What the data sets of a key say, closing NULs apart."""
    charset = next(iter(sets.values_of(CODED_CHARACTER_SET)), None)
    return [iptc.decode(value, charset).rstrip("\0") for value in sets.values_of(key)]


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


def _declared_utf_8(iim: bytes, sets: DataSets, replaced: Collection[Key]) -> bytes:
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
        is_other = item.key[0] in _TEXT_RECORDS and item.key not in {*_NOT_TEXT, *replaced}
        if is_other and not _stays(item.value, declared[0] if declared else None):
            raise EditRefused("the IPTC is in another character set")
    return _with(iim, CODED_CHARACTER_SET, [iptc.UTF_8])


def _stays(value: bytes, charset: bytes | None) -> bool:
    """Whether the value reads the same once UTF-8 is declared."""
    if charset is not None:
        return value.isascii()
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _with(iim: bytes, key: Key, values: Sequence[bytes]) -> bytes:
    """The data sets with these values in place of the old ones, or put where the key belongs."""
    sets = iptc.data_sets(iim)
    raw = b"".join(bytes([0x1C, *key]) + len(v).to_bytes(2, "big") + v for v in values)
    old = [item for item in sets.items if item.key == key]
    behind = (item.start for item in sets.items if item.key > key)
    position = old[0].start if old else next(behind, sets.end)
    for item in reversed(old):
        iim = iim[: item.start] + iim[item.end :]
    return iim[:position] + raw + iim[position:]
