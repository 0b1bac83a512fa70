"""Proof that edited Photoshop resources differ from the old ones in the IPTC caption alone."""

from collections.abc import Iterator

from tagline.errors import EditRefused

_IPTC, _DIGEST = 0x0404, 0x0425
_CAPTION, _CHARACTER_SET = (2, 120), (1, 90)
_UTF_8 = b"\x1b%G"
# A caption holds at most 2,000 bytes (IIM 4.2), cut between characters.
_LEAST_CUT_BYTES = 1990


def prove_app13(before: bytes, after: bytes, text: str | None) -> None:
    """Prove that only 2:120, 1:90 and the digest changed, and that the caption is the text.

    Both are image resources without the header of their segment.

    Raises:
        EditRefused: something else changed, or the caption does not read back.
    """
    if before == after and not any(kind == _IPTC for kind, _, _ in _resources(before)):
        return
    old, new = list(_resources(before)), list(_resources(after))
    if [r[:2] for r in old] != [r[:2] for r in new]:
        raise EditRefused("proof: a Photoshop resource was lost or added")
    for (kind, _, was), (_, _, now) in zip(old, new, strict=True):
        if kind == _IPTC:
            _prove_iptc(was, now, text)
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


def _prove_iptc(before: bytes, after: bytes, text: str | None) -> None:
    old, new = list(_data_sets(before)), list(_data_sets(after))
    kept = [s for s in old if s[0] not in (_CAPTION, _CHARACTER_SET)]
    if kept != [s for s in new if s[0] not in (_CAPTION, _CHARACTER_SET)]:
        raise EditRefused("proof: another IPTC data set changed")
    charsets = [value for key, value in new if key == _CHARACTER_SET]
    if charsets != [v for key, v in old if key == _CHARACTER_SET] and charsets != [_UTF_8]:
        raise EditRefused("proof: the character set of the IPTC changed")
    captions = [value for key, value in new if key == _CAPTION]
    if text is None:
        if captions:
            raise EditRefused("proof: the IPTC caption is still there")
        return
    wanted = text.encode()
    if len(captions) != 1 or not wanted.startswith(captions[0]):
        if not _reads_as(captions, charsets, text):
            raise EditRefused("proof: the IPTC caption does not read back")
    elif len(captions[0]) < len(wanted) and len(captions[0]) < _LEAST_CUT_BYTES:
        raise EditRefused("proof: the IPTC caption was cut short")


def _reads_as(captions: list[bytes], charsets: list[bytes], text: str) -> bool:
    """Whether a caption left as it was says the text in a character set of its own."""
    if len(captions) != 1 or charsets == [_UTF_8]:
        return False
    return any(_decoded(captions[0], codec) == text for codec in ("cp1252", "latin-1"))


def _decoded(raw: bytes, codec: str) -> str:
    return raw.decode(codec, "replace")


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
