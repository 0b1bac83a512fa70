"""The one way in which a container reader runs: a draft is filled until the file is at fault."""

from collections.abc import Callable

from tagline.metadata.values import Container
from tagline.metadata.window import Malformed, Window
from tagline.model import ByteSource

BLOCK_LIMIT = 4 * 1024 * 1024
"""Bytes of the largest metadata block that is read."""

PHOTOSHOP_LIMIT = 1024 * 1024
"""Bytes of Photoshop's image resources that are searched for IPTC."""

_TIFF_MARKS = (b"II*\0", b"MM\0*")
_EXIF_PREFIX = b"Exif\0\0"


class Draft:
    """What has been found of a ``Container`` so far; the members are those of ``Container``."""

    __slots__ = (
        "exif",
        "extents",
        "height",
        "iptc",
        "iptc_digest",
        "orientation",
        "problem",
        "width",
        "xmp",
    )

    def __init__(self) -> None:
        self.width: int | None = None
        self.height: int | None = None
        self.orientation: int | None = None
        self.exif: bytes | ByteSource | None = None
        self.xmp: bytes | None = None
        self.iptc: bytes | None = None
        self.iptc_digest: bytes | None = None
        self.extents: list[tuple[int, int]] = []
        self.problem: str | None = None

    def note(self, sentence: str) -> None:
        """Keep the first problem; it is the one closest to the cause."""
        self.problem = self.problem or sentence

    def add_image(self, offset: int, length: int) -> None:
        """Append an extent of image data."""
        self.extents.append((offset, length))

    def set_size(self, width: int, height: int) -> None:
        """Set the pixel size; sizes of zero are no sizes."""
        if width > 0 and height > 0:
            self.width, self.height = width, height

    def borrow(self, other: Container) -> None:
        """Take the metadata blocks of an embedded image, where there are none yet."""
        self.exif = self.exif or other.exif
        self.xmp = self.xmp or other.xmp
        if self.iptc is None:
            self.iptc, self.iptc_digest = other.iptc, other.iptc_digest

    def container(self, size: int) -> Container:
        """The finished value; extents are clipped to the file's size in bytes."""
        return Container(
            width=self.width,
            height=self.height,
            orientation=self.orientation,
            exif=self.exif,
            xmp=self.xmp,
            iptc=self.iptc,
            iptc_digest=self.iptc_digest,
            image_data=tuple(
                (offset, min(length, size - offset))
                for offset, length in self.extents
                if 0 <= offset < size and length > 0
            ),
            problem=self.problem,
        )


def read_with(source: ByteSource, parse: Callable[[Window, Draft], None]) -> Container:
    """Run a parser over a source; what it found before a fault is kept, the fault is noted."""
    draft = Draft()
    try:
        parse(Window(source), draft)
    except Malformed as fault:
        draft.note(str(fault))
    return draft.container(source.size)


def block(window: Window, draft: Draft, offset: int, length: int) -> bytes | None:
    """A metadata block, or None with a note when it is too large to be one."""
    if length > BLOCK_LIMIT:
        draft.note("A metadata block is too large to be read.")
        return None
    return window.at(offset, length)


def tiff_block(data: bytes | None) -> bytes | None:
    """The TIFF part of an Exif block, without the prefix that some writers put before it."""
    if data is None:
        return None
    data = data.removeprefix(_EXIF_PREFIX)
    return data if data.startswith(_TIFF_MARKS) else None
