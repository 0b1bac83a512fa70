"""A photo of each format that is worth stopping in, and what of it must survive."""

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import Image


@dataclass(frozen=True)
class Specimen:
    """A whole file.

    ``stops`` are places to stop at: early in the head, amid the image, and in what comes last.
    ``kept`` are the parts that no edit of a description changes.
    """

    suffix: str
    data: bytes
    stops: tuple[int, int, int]
    kept: tuple[bytes, ...]

    def lost(self, found: bytes) -> list[str]:
        """Which parts are not in a file; none if it is whole."""
        return [
            f"part {number} of {len(part)} bytes"
            for number, part in enumerate(self.kept)
            if part not in found
        ]


def _noise(seed: int, length: int) -> bytes:
    # No zeros and no marker bytes: what is looked for is found in one place only.
    return bytes(byte % 200 + 20 for byte in random.Random(seed).randbytes(length))


def saved(seed: int, kind: str, size: tuple[int, int], **options: Any) -> bytes:
    """A picture of noise."""
    picture = Image.frombytes("RGB", size, random.Random(seed).randbytes(size[0] * size[1] * 3))
    target = BytesIO()
    picture.save(target, kind, **options)
    return target.getvalue()


def jpeg(seed: int) -> Specimen:
    """A plain JPEG."""
    data = saved(seed, "JPEG", (240, 180), quality=92)
    scan = data.index(b"\xff\xda")
    return Specimen(".jpg", data, (700, (scan + len(data)) // 2, len(data) - 2), (data[scan:],))


def motion_photo(seed: int) -> Specimen:
    """A JPEG whose XMP says how long the video behind its end is."""
    still = saved(seed, "JPEG", (160, 120), quality=92)
    media = _noise(seed + 1, 30_000)
    video = struct.pack(">I", 20) + b"ftypisom\0\0\2\0isom"
    video += struct.pack(">I", 8 + len(media)) + b"mdat" + media
    # What it holds comes last, as cameras write it.
    video += struct.pack(">I", 8 + len(media) // 10) + b"moov" + media[: len(media) // 10]
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        'xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" '
        'xmlns:Container="http://ns.google.com/photos/1.0/container/" '
        'xmlns:Item="http://ns.google.com/photos/1.0/container/item/" '
        'GCamera:MotionPhoto="1" GCamera:MotionPhotoVersion="1" GCamera:MicroVideo="1" '
        f'GCamera:MicroVideoVersion="1" GCamera:MicroVideoOffset="{len(video)}">'
        "<Container:Directory><rdf:Seq>"
        '<rdf:li rdf:parseType="Resource"><Container:Item Item:Mime="image/jpeg" '
        'Item:Semantic="Primary" Item:Length="0" Item:Padding="0"/></rdf:li>'
        '<rdf:li rdf:parseType="Resource"><Container:Item Item:Mime="video/mp4" '
        f'Item:Semantic="MotionPhoto" Item:Length="{len(video)}" Item:Padding="0"/></rdf:li>'
        "</rdf:Seq></Container:Directory></rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()
    body = b"http://ns.adobe.com/xap/1.0/\0" + packet
    # Behind JFIF's segment of 18 bytes, as cameras do.
    at = 20
    still = still[:at] + b"\xff\xe1" + struct.pack(">H", 2 + len(body)) + body + still[at:]
    scan = still.index(b"\xff\xda")
    stops = (700, (scan + len(still)) // 2, len(still) + 12_000)
    return Specimen(".jpeg", still + video, stops, (still[scan:] + video,))


def png(seed: int) -> Specimen:
    """A PNG."""
    data = saved(seed, "PNG", (120, 90))
    first = data.index(b"IDAT") - 4
    end = data.index(b"IEND") - 4
    return Specimen(".png", data, (700, (first + end) // 2, len(data) - 7), (data[first:end],))


def webp(seed: int) -> Specimen:
    """A lossless WebP with Exif behind the image."""
    exif = Image.Exif()
    exif[0x010F] = "Maker of cameras" * 8
    data = saved(seed, "WEBP", (120, 90), lossless=True, exif=exif)
    first = data.index(b"VP8L")
    length = struct.unpack_from("<I", data, first + 4)[0]
    image = data[first : first + 8 + length]
    return Specimen(".webp", data, (700, len(image) // 2, len(data) - 30), (image,))


def tiff(seed: int) -> Specimen:
    """An uncompressed TIFF, its directory in front."""
    data = saved(seed, "TIFF", (96, 64))
    at = len(data) - 96 * 64 * 3
    return Specimen(".tif", data, (700, len(data) // 2, len(data) - 40), (data[at:],))


def heic(seed: int) -> Specimen:
    """The boxes of an AVIF, under HEIC's brand, its data last."""
    data = saved(seed, "AVIF", (120, 90), quality=90).replace(b"ftypavif", b"ftypheic", 1)
    media = data.index(b"mdat") + 4
    stops = (700, (media + len(data)) // 2, len(data) - 50)
    return Specimen(".heic", data, stops, (data[media:],))


def gif(seed: int) -> Specimen:
    """A GIF with an extension behind the image."""
    data = saved(seed, "GIF", (120, 90))
    if data.startswith(b"GIF87a"):
        data = b"GIF89a" + data[6:]
    start = 13 + (3 << ((data[10] & 7) + 1) if data[10] & 0x80 else 0)
    data = data[:-1] + b"\x21\xfe\x40" + _noise(seed, 64) + b"\0;"
    return Specimen(".gif", data, (700, len(data) // 2, len(data) - 30), (data[start:],))


def raw(seed: int) -> Specimen:
    """A DNG, which is never written to."""
    exif = Image.Exif()
    exif[0x010F], exif[0xC612] = "Leica", bytes([1, 4, 0, 0])
    data = saved(seed, "TIFF", (96, 64), exif=exif)
    return Specimen(".dng", data, (700, len(data) // 2, len(data) - 40), (data,))


FORMATS: dict[str, Callable[[int], Specimen]] = {
    "JPEG": jpeg,
    "motion photo": motion_photo,
    "PNG": png,
    "WebP": webp,
    "TIFF": tiff,
    "HEIC": heic,
    "GIF": gif,
    "RAW": raw,
}
