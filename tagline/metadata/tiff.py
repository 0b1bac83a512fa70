"""TIFF and BigTIFF: size, image data, XMP and IPTC; the file itself is the Exif block."""

from tagline.metadata.draft import Draft, read_with
from tagline.metadata.tiff_ifd import Tiff
from tagline.metadata.tiff_metadata import take_blocks
from tagline.metadata.tiff_page import chain, page
from tagline.metadata.values import Container
from tagline.metadata.window import Window
from tagline.model import ByteSource

PAGE_LIMIT = 16
"""Pages that are looked at, and that make the fingerprint."""


def read(source: ByteSource) -> Container:
    """The metadata blocks of a TIFF or BigTIFF. Never raises."""

    def parse(window: Window, draft: Draft) -> None:
        tiff = Tiff(window)
        draft.exif = source
        directories = chain(tiff, PAGE_LIMIT)
        take_blocks(tiff, directories[0], draft)
        for directory in directories:
            image = page(tiff, directory)
            if draft.width is None:
                draft.set_size(image.width, image.height)
            draft.extents.extend(image.extents)

    return read_with(source, parse)
