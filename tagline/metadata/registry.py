"""The one table of formats: what is a photo, who reads it, who may write into it.

``docs/architecture.md`` lists what else a new format needs.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from tagline.metadata import (
    boxes_whole,
    chunks_whole,
    gif,
    heif,
    jpeg,
    jpeg_edit,
    jpeg_whole,
    jxl,
    png,
    png_edit,
    raw,
    raw_cr3,
    raw_raf,
    raw_x3f,
    sections_whole,
    tiff,
    tiff_edit,
    tiff_whole,
    webp,
    webp_edit,
)
from tagline.metadata.content import Content
from tagline.metadata.field_types import Edits
from tagline.metadata.magic import HEAD_BYTES, kind_of
from tagline.metadata.values import Container
from tagline.model import ByteSource

Embed = Callable[[Content, Edits], Content]
"""``embed(data, edits)``: the file with its fields as they are to be, proven; see the codecs."""


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of photo.

    ``extensions`` are lower-case and without the dot. ``kind`` is what the first bytes can tell:
    RAW files built on TIFF share it with TIFF. ``unfinished`` says what is missing of a file that
    is not all there (``completeness``). ``embed`` writes fields into the file, None
    where sidecars alone are safe. ``browser`` says whether browsers show it.
    """

    name: str
    extensions: tuple[str, ...]
    media_type: str
    kind: str
    read: Callable[[ByteSource], Container]
    unfinished: Callable[[ByteSource], str | None]
    embed: Embed | None = None
    browser: bool = False

    @property
    def embeds(self) -> bool:
        """Whether fields may be written into the file itself."""
        return self.embed is not None


FORMATS: tuple[Format, ...] = (
    Format(
        name="JPEG",
        extensions=("jpg", "jpeg", "jpe", "jfif"),
        media_type="image/jpeg",
        kind="jpeg",
        read=jpeg.read,
        unfinished=jpeg_whole.why_incomplete,
        embed=jpeg_edit.embed_fields,
        browser=True,
    ),
    Format(
        name="TIFF",
        extensions=("tif", "tiff"),
        media_type="image/tiff",
        kind="tiff",
        read=tiff.read,
        unfinished=tiff_whole.why_incomplete,
        embed=tiff_edit.embed_fields,
    ),
    Format(
        name="PNG",
        extensions=("png",),
        media_type="image/png",
        kind="png",
        read=png.read,
        unfinished=chunks_whole.png_fault,
        embed=png_edit.embed_fields,
        browser=True,
    ),
    Format(
        name="WebP",
        extensions=("webp",),
        media_type="image/webp",
        kind="webp",
        read=webp.read,
        unfinished=chunks_whole.webp_fault,
        embed=webp_edit.embed_fields,
        browser=True,
    ),
    Format(
        name="GIF",
        extensions=("gif",),
        media_type="image/gif",
        kind="gif",
        read=gif.read,
        unfinished=chunks_whole.gif_fault,
        browser=True,
    ),
    Format(
        name="HEIC",
        extensions=("heic", "hif"),
        media_type="image/heic",
        kind="heif",
        read=heif.read,
        unfinished=boxes_whole.heif_fault,
    ),
    Format(
        name="HEIF",
        extensions=("heif",),
        media_type="image/heif",
        kind="heif",
        read=heif.read,
        unfinished=boxes_whole.heif_fault,
    ),
    Format(
        name="AVIF",
        extensions=("avif",),
        media_type="image/avif",
        kind="avif",
        read=heif.read,
        unfinished=boxes_whole.heif_fault,
        browser=True,
    ),
    Format(
        name="JPEG XL",
        extensions=("jxl",),
        media_type="image/jxl",
        kind="jxl",
        read=jxl.read,
        unfinished=boxes_whole.jxl_fault,
    ),
    Format(
        name="DNG",
        extensions=("dng",),
        media_type="image/x-adobe-dng",
        kind="tiff",
        read=raw.read,
        unfinished=tiff_whole.why_incomplete,
    ),
    Format(
        name="Canon CR2",
        extensions=("cr2",),
        media_type="image/x-canon-cr2",
        kind="tiff",
        read=raw.read,
        unfinished=tiff_whole.why_incomplete,
    ),
    Format(
        name="Canon CR3",
        extensions=("cr3",),
        media_type="image/x-canon-cr3",
        kind="cr3",
        read=raw_cr3.read,
        unfinished=boxes_whole.cr3_fault,
    ),
    Format(
        name="Nikon NEF",
        extensions=("nef",),
        media_type="image/x-nikon-nef",
        kind="tiff",
        read=raw.read,
        unfinished=tiff_whole.why_incomplete,
    ),
    Format(
        name="Nikon NRW",
        extensions=("nrw",),
        media_type="image/x-nikon-nrw",
        kind="tiff",
        read=raw.read,
        unfinished=tiff_whole.why_incomplete,
    ),
    Format(
        name="Sony ARW",
        extensions=("arw",),
        media_type="image/x-sony-arw",
        kind="tiff",
        read=raw.read,
        unfinished=tiff_whole.why_incomplete,
    ),
    Format(
        name="Olympus ORF",
        extensions=("orf",),
        media_type="image/x-olympus-orf",
        kind="tiff",
        read=raw.read,
        unfinished=tiff_whole.why_incomplete,
    ),
    Format(
        name="Panasonic RW2",
        extensions=("rw2",),
        media_type="image/x-panasonic-rw2",
        kind="tiff",
        read=raw.read,
        unfinished=tiff_whole.why_incomplete,
    ),
    Format(
        name="Fujifilm RAF",
        extensions=("raf",),
        media_type="image/x-fuji-raf",
        kind="raf",
        read=raw_raf.read,
        unfinished=sections_whole.raf_fault,
    ),
    Format(
        name="Pentax PEF",
        extensions=("pef",),
        media_type="image/x-pentax-pef",
        kind="tiff",
        read=raw.read,
        unfinished=tiff_whole.why_incomplete,
    ),
    Format(
        name="Samsung SRW",
        extensions=("srw",),
        media_type="image/x-samsung-srw",
        kind="tiff",
        read=raw.read,
        unfinished=tiff_whole.why_incomplete,
    ),
    Format(
        name="Sigma X3F",
        extensions=("x3f",),
        media_type="image/x-sigma-x3f",
        kind="x3f",
        read=raw_x3f.read,
        unfinished=sections_whole.x3f_fault,
    ),
)

_BY_EXTENSION: Mapping[str, Format] = MappingProxyType(
    {extension: row for row in FORMATS for extension in row.extensions}
)

# The first row of a kind is the one that the bytes alone can vouch for.
_BY_KIND: Mapping[str, Format] = MappingProxyType({row.kind: row for row in reversed(FORMATS)})


def format_of(name: str) -> Format | None:
    """The format that a file's name announces by its extension; None when it is no photo's."""
    stem, dot, extension = name.rpartition(".")
    return _BY_EXTENSION.get(extension.lower()) if stem and dot else None


def is_photo(name: str) -> bool:
    """Whether a file of this name is a photo; upper and lower case are one."""
    return format_of(name) is not None


def sniff(head: bytes) -> Format | None:
    """The format that a file's first ``HEAD_BYTES`` show; None when they show none.

    RAW files built on TIFF look like TIFF here.
    """
    kind = kind_of(head)
    return _BY_KIND[kind] if kind is not None else None


def codec_of(name: str, head: bytes) -> Format | None:
    """The format by whose rules a file is read: its name's, unless its bytes show another kind."""
    named, kind = format_of(name), kind_of(head)
    if kind is None or (named is not None and named.kind == kind):
        return named
    return _BY_KIND[kind]


def read_container(source: ByteSource, name: str) -> Container:
    """The metadata blocks of a photo; whatever the bytes are, this gives a result."""
    row = codec_of(name, source.read_at(0, HEAD_BYTES))
    if row is None:
        return Container(problem="This is no kind of photo that Tagline knows.")
    return row.read(source)


def embedder_of(data: Content, name: str) -> Embed | None:
    """What writes fields into such a file; None where only sidecars are safe."""
    row = codec_of(name, data[:HEAD_BYTES])
    return row.embed if row is not None else None
