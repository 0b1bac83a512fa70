"""JPEG as one format among others: its reader, and where its image ends."""

import msgspec

from tagline.metadata import jpeg_read
from tagline.metadata.jpeg_trailers import without_trailers
from tagline.metadata.values import Container
from tagline.metadata.window import Malformed
from tagline.model import ByteSource

_END_OF_IMAGE = b"\xff\xd9"


def read(source: ByteSource) -> Container:
    """The metadata blocks of a JPEG, its image data without metadata trailers. Never raises."""
    container = jpeg_read.read(source)
    if not container.image_data or source.read_at(source.size - 2, 2) == _END_OF_IMAGE:
        return container
    try:
        end = without_trailers(source, container)
    except Malformed:
        return container
    if end == source.size:
        return container
    start, _ = container.image_data[-1]
    image = (*container.image_data[:-1], (start, end - start))
    return msgspec.structs.replace(container, image_data=image)
