"""A generated photo library: the same files for the same seed, every one a valid JPEG of its own.

    python -m benchmarks.library DIR --photos 10000 [--profile bare] [--bytes 65536] [--seed 1]

What is real and what is not:

- Every picture decodes. It is put together from a pool of 256 strips of noise (JPEG restart
  intervals rendered by Pillow), and no two photos begin and end with the same strips: so no two
  have the same image data, nor the same content fingerprint.
- A file is brought to its size by repeating one row of strips: the picture grows taller. Its bytes
  therefore compress well, which nothing measured here makes use of.
- ``full`` photos carry what cameras and programs write: Exif of 40 tags, a maker note of 20 to
  40 KB in every third, a thumbnail of 5 to 10 KB, GPS in every other, XMP in every third, IPTC in
  every tenth, a description in every fifth. Maker notes are noise.
- ``bare`` photos have 200 bytes of Exif and a picture of two rows: for listing and start-up.
"""

import argparse
import json
import os
import random
from collections.abc import Iterator
from functools import cached_property
from io import BytesIO
from pathlib import Path

from PIL import Image

from benchmarks.blocks import (
    PER_MONTH,
    WIDTH,
    XMP_ID,
    bare_exif,
    full_exif,
    photoshop,
    segment,
    xmp,
)

ROW_STRIPS = 8
STRIP_UNITS = 4
POOL_ROWS = 32
NOTE = ".library.json"
WORDS = ("Grossmutter", "am Meer", "1962", "mit Hund", "Åse", "im Garten", "Prag", "日本", "Regen")


class Library:
    """The photos of one seed, by number; ``profile`` is ``full`` or ``bare``."""

    def __init__(self, seed: int = 1, profile: str = "full", size_bytes: int = 65536) -> None:
        self.seed = seed
        self.profile = profile
        self.size_bytes = size_bytes
        self._random = random.Random(seed)

    @cached_property
    def _pool(self) -> tuple[bytes, list[bytes]]:
        """What stands from the tables to the scan's header, and the strips."""
        head, strips = b"", list[bytes]()
        sigma = 4 if self.profile == "bare" else 24
        for number in range(POOL_ROWS):
            data = _saved(_noise(self._random, (WIDTH, 16), sigma + number % 12), STRIP_UNITS)
            scan = data.index(b"\xff\xda")
            scan_data = scan + 2 + int.from_bytes(data[scan + 2 : scan + 4], "big")
            # all between JFIF and the scan: tables, frame, restart interval, scan header
            head = data[20:scan_data]
            strips += _strips(data[scan_data:-2])
        self._random.shuffle(strips)
        return head, strips

    @cached_property
    def _thumbnails(self) -> list[bytes]:
        return [_saved(_noise(self._random, (160, 120), 40 + 3 * n), 0) for n in range(16)]

    @cached_property
    def _maker_notes(self) -> list[bytes]:
        sizes = [self._random.randrange(20_000, 40_000) for _ in range(16)]
        return [self._random.randbytes(size) for size in sizes]

    @staticmethod
    def key(number: int) -> str:
        """Where photo ``number`` is: by year and month, 500 to a directory."""
        month = number // PER_MONTH
        year = 1990 + month // 12
        return f"{year}/{year}-{month % 12 + 1:02d}/IMG_{number:07d}.jpg"

    def photo(self, number: int) -> bytes:
        """The whole file of photo ``number``."""
        draw = random.Random(self.seed << 32 | number)
        segments = self._segments(number, draw)
        return b"".join([b"\xff\xd8", *segments, *self._picture(number, segments)])

    def _segments(self, number: int, draw: random.Random) -> list[bytes]:
        if self.profile == "bare":
            return [segment(0xE1, b"Exif\0\0" + bare_exif(number))]
        text = " ".join(draw.sample(WORDS, 3)) if number % 5 == 0 else None
        note = self._maker_notes[draw.randrange(16)] if number % 3 == 0 else b""
        block = full_exif(number, draw, (text, note, self._thumbnails[draw.randrange(16)]))
        segments = [segment(0xE1, b"Exif\0\0" + block)]
        if number % 3 == 1:
            segments.append(segment(0xE1, XMP_ID + xmp(number, text)))
        if number % 10 == 0:
            segments.append(segment(0xED, photoshop(text or f"Film {number}")))
        return segments

    def _picture(self, number: int, before: list[bytes]) -> Iterator[bytes]:
        head, strips = self._pool
        digits = [number >> shift & 0xFF for shift in (0, 8, 16, 24)]
        first = [strips[d] for d in (*digits[:2], 1, 2, 3, 4, 5, 6)]
        middle = [strips[(number * 31 + k) % len(strips)] for k in range(ROW_STRIPS)]
        last = [strips[d] for d in (6, 5, 4, 3, 2, 1, *digits[2:])]
        rows = [_row(first), _row(middle), _row(last)[:-2]]
        free = self.size_bytes - sum(map(len, before)) - len(head) - len(rows[0]) - len(rows[2])
        repeats = max(0, free // len(rows[1])) if self.profile == "full" else 0
        yield _taller(head, 16 * (2 + repeats))
        yield rows[0] + rows[1] * repeats + rows[2] + b"\xff\xd9"

    def write(self, directory: Path, photos: int) -> None:
        """Make the library below a directory, unless it is there already."""
        note = {"seed": self.seed, "profile": self.profile, "bytes": self.size_bytes}
        note |= {"photos": photos}
        mark = directory / NOTE
        if mark.exists() and json.loads(mark.read_text("utf-8")) == note:
            return
        made = ""
        for number in range(photos):
            key = self.key(number)
            if (parent := key.rpartition("/")[0]) != made:
                (directory / parent).mkdir(parents=True, exist_ok=True)
                made = parent
            file = os.open(directory / key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            os.write(file, self.photo(number))
            os.close(file)
        mark.write_text(json.dumps(note), "utf-8")


def _noise(draw: random.Random, size: tuple[int, int], sigma: int) -> Image.Image:
    """A gradient of some colour under noise, for Pillow's own noise knows no seed."""
    width, height = size
    base = [draw.randrange(40, 200) for _ in range(3)]
    pixels = bytearray()
    for place in range(width * height):
        shade = place % width * 40 // width + draw.randrange(-sigma, sigma + 1)
        pixels += bytes(min(255, max(0, tone + shade)) for tone in base)
    return Image.frombytes("RGB", size, bytes(pixels))


def _saved(image: Image.Image, strip_units: int) -> bytes:
    target = BytesIO()
    image.save(target, "JPEG", quality=70, subsampling=2, restart_marker_blocks=strip_units)
    return target.getvalue()


def _strips(scan: bytes) -> Iterator[bytes]:
    """The restart intervals of a scan, without their markers (T.81, B.2.1)."""
    start = 0
    for at in range(len(scan) - 1):
        if scan[at] == 0xFF and 0xD0 <= scan[at + 1] <= 0xD7:
            yield scan[start:at]
            start = at + 2
    yield scan[start:]


def _row(strips: list[bytes]) -> bytes:
    """Eight strips, each with the restart marker that follows it."""
    return b"".join(strip + bytes((0xFF, 0xD0 + k)) for k, strip in enumerate(strips))


def _taller(head: bytes, height: int) -> bytes:
    at = head.index(b"\xff\xc0") + 5
    return head[:at] + height.to_bytes(2, "big") + head[at + 2 :]


def main() -> None:
    """Make a library."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--profile", choices=("full", "bare"), default="full")
    parser.add_argument("--bytes", type=int, default=65536, dest="size_bytes")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    library = Library(options.seed, options.profile, options.size_bytes)
    library.write(options.directory, options.photos)


if __name__ == "__main__":
    main()
