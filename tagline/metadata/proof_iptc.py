"""Proof that edited Photoshop resources differ from the old ones in the fields asked for alone."""

from collections.abc import Iterator, Sequence

from tagline.errors import EditRefused
from tagline.metadata.field_types import Edits
from tagline.metadata.fields import describing
from tagline.metadata.proof_fields import RULES, IptcRule
from tagline.metadata.values import FieldValue, TakenAt

_IPTC, _DIGEST = 0x0404, 0x0425
_CHARACTER_SET = (1, 90)
_UTF_8 = b"\x1b%G"


def prove_app13(before: bytes, after: bytes, text: str | None) -> None:
    """Prove that only the caption changed, and is the text now; see ``prove_fields``."""
    prove_fields(before, after, (describing(text, None),))


def prove_fields(before: bytes, after: bytes, edits: Edits) -> None:
    """Prove that only the fields' data sets, 1:90 and the digest changed, and say what they are to.

    Both are image resources without the header of their segment.

    Raises:
        EditRefused: something else changed, or a value does not read back.
    """
    if before == after and not any(kind == _IPTC for kind, _, _ in _resources(before)):
        return
    old, new = list(_resources(before)), list(_resources(after))
    if [r[:2] for r in old] != [r[:2] for r in new]:
        raise EditRefused("proof: a Photoshop resource was lost or added")
    for (kind, _, was), (_, _, now) in zip(old, new, strict=True):
        if kind == _IPTC:
            _prove_iptc(was, now, edits)
        elif was != now and kind != _DIGEST:
            raise EditRefused("proof: another Photoshop resource changed")


def _resources(payload: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Identifier, signature with name, and data of each resource, what is no resource last."""
    at = 0
    while at + 12 <= len(payload) and payload[at : at + 4].isalnum():
        name_end = at + 7 + payload[at + 6]
        name_end += (name_end - at) % 2
        size = int.from_bytes(payload[name_end : name_end + 4], "big")
        start = name_end + 4
        if start + size > len(payload):
            break
        identifier = int.from_bytes(payload[at + 4 : at + 6], "big")
        yield identifier, payload[at:name_end], payload[start : start + size]
        at = start + size
        at += size % 2 and payload[at : at + 4] not in (b"8BIM", b"PHUT", b"AgHg", b"MeSa", b"DCSR")
    yield -1, b"", payload[at:].rstrip(b"\0")


def _prove_iptc(before: bytes, after: bytes, edits: Edits) -> None:
    rules = [(rule, edit.new) for edit in edits for rule in RULES[edit.field.name].iptc]
    free = {_CHARACTER_SET, *(rule.key for rule, _ in rules)}
    old, new = list(_data_sets(before)), list(_data_sets(after))
    if [s for s in old if s[0] not in free] != [s for s in new if s[0] not in free]:
        raise EditRefused("proof: another IPTC data set changed")
    charsets = [value for key, value in new if key == _CHARACTER_SET]
    if charsets != [v for key, v in old if key == _CHARACTER_SET] and charsets != [_UTF_8]:
        raise EditRefused("proof: the character set of the IPTC changed")
    for rule, value in rules:
        found = [raw for key, raw in new if key == rule.key]
        _prove_texts(found, _expected(rule, value), rule.limit, charsets)


def _expected(rule: IptcRule, value: FieldValue) -> Sequence[str]:
    """What the data sets are to say, before they are cut."""
    if isinstance(value, TakenAt):
        t, zone = value.local, value.offset_minutes
        if rule.key == (2, 55):
            return (f"{t.year:04}{t.month:02}{t.day:02}",)
        hours, minutes = divmod(abs(zone or 0), 60)
        sign = "-" if (zone or 0) < 0 else "+"
        offset = "" if zone is None else f"{sign}{hours:02}{minutes:02}"
        return (f"{t.hour:02}{t.minute:02}{t.second:02}{offset}",)
    if isinstance(value, tuple):
        return value
    return (value,) if isinstance(value, str) and value else ()


def _prove_texts(
    found: Sequence[bytes], texts: Sequence[str], limit: int, charsets: Sequence[bytes]
) -> None:
    """Each text is there in its order, cut where it must be; texts that are equal then, once."""
    expected = list(dict.fromkeys(_cut(text.encode(), limit) for text in texts))
    if list(found) != expected and [raw.rstrip(b"\0") for raw in found] != expected:
        if expected and _reads_as(found, charsets, texts):
            return
        raise EditRefused("proof: the IPTC does not read back")


def _cut(raw: bytes, limit: int) -> bytes:
    """As many of the bytes as fit, with no part of a character at the end."""
    while len(raw) > limit or (raw and not _is_whole(raw)):
        raw = raw[: min(len(raw) - 1, limit)]
    return raw


def _is_whole(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _reads_as(found: Sequence[bytes], charsets: Sequence[bytes], texts: Sequence[str]) -> bool:
    """Whether values left as they were say the texts in a character set of their own."""
    if list(charsets) == [_UTF_8]:
        return False
    read = ([raw.decode(codec, "replace") for raw in found] for codec in ("cp1252", "latin-1"))
    return any(one == list(texts) for one in read)


def _data_sets(iim: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    """Record, number and value of each data set, what is no data set last."""
    at = 0
    while at + 5 <= len(iim) and iim[at] == 0x1C:
        size = int.from_bytes(iim[at + 3 : at + 5], "big")
        start = at + 5
        if size & 0x8000:
            wide = size & 0x7FFF
            size = int.from_bytes(iim[start : start + wide], "big")
            start += wide
        if start + size > len(iim):
            break
        yield (iim[at + 1], iim[at + 2]), iim[start : start + size]
        at = start + size
    yield (-1, -1), iim[at:].rstrip(b"\0")
