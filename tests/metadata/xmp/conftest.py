"""Packets to read and edit: real ones, and small ones in every form that XMP allows."""

from collections.abc import Callable
from pathlib import Path

import pytest

XMP_ID = b"http://ns.adobe.com/xap/1.0/\0"


def packets_of(data: bytes) -> list[bytes]:
    """The main XMP packets of a JPEG, in file order."""
    found: list[bytes] = []
    position = 2
    while data[position : position + 1] == b"\xff" and data[position + 1] not in (0xDA, 0xD9):
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        payload = data[position + 4 : position + 2 + length]
        if data[position + 1] == 0xE1 and payload.startswith(XMP_ID):
            found.append(payload[len(XMP_ID) :])
        position += 2 + length
    return found


@pytest.fixture(scope="session")
def corpus_packets(corpus: list[Path]) -> list[bytes]:
    """Every main XMP packet of the corpus's JPEGs."""
    jpegs = (path.read_bytes() for path in corpus if path.suffix.lower() == ".jpg")
    return [packet for data in jpegs for packet in packets_of(data)]


@pytest.fixture(scope="session")
def packet() -> Callable[..., bytes]:
    """Makes a packet around the inside of an rdf:Description and its attributes."""

    def make(inside: str = "", attributes: str = "", *, wrapped: bool = False) -> bytes:
        xml = (
            '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Somebody 1.0">\n'
            ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
            '  <rdf:Description rdf:about=""\n'
            '    xmlns:dc="http://purl.org/dc/elements/1.1/"\n'
            '    xmlns:tiff="http://ns.adobe.com/tiff/1.0/"\n'
            '    xmlns:exif="http://ns.adobe.com/exif/1.0/"\n'
            '    xmlns:xmp="http://ns.adobe.com/xap/1.0/"\n'
            f'    xmp:Rating="3"{attributes}>\n   <xmp:Label>Red</xmp:Label>{inside}\n'
            "  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>"
        )
        if not wrapped:
            return xml.encode()
        begin = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        return (begin + xml + "\n" + (" " * 99 + "\n") * 10 + '<?xpacket end="w"?>').encode()

    return make
