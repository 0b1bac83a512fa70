"""What all samples share: size, words, noise, and the blocks that hold the words."""

import random

from PIL import Image

WIDTH, HEIGHT = 96, 64
WORDS = b"described"


def noise(seed: int, length: int) -> bytes:
    """Bytes that are the same for the same seed and different for another."""
    return random.Random(seed).randbytes(length)


def image(seed: int, mode: str = "RGB") -> Image.Image:
    """A picture that no other seed gives."""
    return Image.frombytes(mode, (WIDTH, HEIGHT), noise(seed, WIDTH * HEIGHT * len(mode)))


def xmp_packet(words: str) -> bytes:
    """An XMP packet with a description."""
    return (
        b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        b'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description><rdf:Alt>'
        b'<rdf:li xml:lang="x-default">'
        + words.encode()
        + b"</rdf:li></rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta>"
        b'<?xpacket end="w"?>'
    )


def exif_block(words: str = "described", orientation: int | None = None) -> bytes:
    """A TIFF block with an ImageDescription."""
    exif = Image.Exif()
    exif[0x010E] = words
    if orientation is not None:
        exif[0x0112] = orientation
    return exif.tobytes().removeprefix(b"Exif\0\0")
