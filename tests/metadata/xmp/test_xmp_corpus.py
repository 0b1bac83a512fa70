"""Real packets, whole and damaged, and what exiftool makes of them."""

import random
import subprocess
from pathlib import Path

import pytest

from tagline.errors import EditRefused
from tagline.metadata import xmp, xmp_compare, xmp_edit
from tagline.metadata import xmp_names as names
from tagline.metadata.values import XmpValues

# What an edit of the description may change.
TOUCHED = (names.DC_DESCRIPTION, names.TIFF_DESCRIPTION, names.EXIF_USER_COMMENT)

TEXT = 'Grüße aus Köln,\n"<&>" \u2028 😀'


@pytest.mark.shared
def test_every_real_packet_is_edited_or_refused(corpus_packets: list[bytes]) -> None:
    """Each packet of the corpus takes the text with all else the same; UTF-16 alone is refused."""
    reasons: list[str] = []
    for before in corpus_packets:
        assert isinstance(xmp.read(before), XmpValues)
        try:
            after = xmp_edit.edit(before, TEXT)
        except EditRefused as error:
            reasons.append(error.reason)
            continue
        assert after is not None
        assert xmp.read(after).description == TEXT
        assert xmp_compare.differences(before, after, TOUCHED) == ()
        gone = xmp_edit.edit(after, None)
        assert gone is not None
        assert xmp.read(gone).description is None
        assert xmp_compare.differences(before, gone, TOUCHED) == ()
    assert len(corpus_packets) > 10
    assert reasons == ["the XMP packet is not in UTF-8"]


def damaged(packet: bytes, chance: random.Random) -> bytes:
    """The packet with a few bytes changed, doubled or lost."""
    data = bytearray(packet)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data))
        kind = chance.randrange(4)
        if kind == 0:
            data[at] = chance.randrange(256)
        elif kind == 1:
            del data[at : at + chance.randint(1, 40)]
        elif kind == 2:
            data[at:at] = data[at : at + chance.randint(1, 60)]
        else:
            data[at:at] = chance.choice([b"<", b">", b"&", b'"', b"<!--", b"]]>", b"/>", b"\0"])
    return bytes(data)


@pytest.mark.shared
def test_damaged_packets_are_read_and_edited_or_refused(corpus_packets: list[bytes]) -> None:
    """However a packet is damaged, reading gives values, and an edit is right or refused."""
    chance = random.Random(20240229)
    edited = 0
    for round_number in range(600):
        packet = corpus_packets[round_number % len(corpus_packets)]
        if len(packet) > 8000:
            continue
        before = damaged(packet, chance)
        assert isinstance(xmp.read(before), XmpValues)
        for text in (TEXT, None):
            try:
                after = xmp_edit.edit(before, text)
            except EditRefused:
                continue
            if after is not None:
                edited += 1
                assert xmp.read(after).description == text
                assert xmp_compare.differences(before, after, TOUCHED) == ()
    assert edited > 20


@pytest.mark.shared
@pytest.mark.needs("exiftool")
def test_exiftool_reads_the_text(corpus_packets: list[bytes], tmp_path: Path) -> None:
    """Exiftool shows the new text in every packet that was edited or made."""
    paths: list[str] = []
    for number, before in enumerate([None, *corpus_packets]):
        try:
            after = xmp_edit.edit(before, "Grüße <&> 😀")
        except EditRefused:
            continue
        path = tmp_path / f"{number}.xmp"
        path.write_bytes(after or b"")
        paths.append(str(path))
    command = ["exiftool", "-charset", "UTF8", "-s3", "-q", "-XMP-dc:Description", *paths]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert shown.splitlines() == ["Grüße <&> 😀"] * len(paths)
