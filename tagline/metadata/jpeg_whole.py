"""Whether a JPEG is all there: its segments, its scans, its end, and what it names behind it."""

from tagline.metadata import jpeg_behind
from tagline.metadata.bulk import Bulk
from tagline.metadata.jpeg_holes import has_hole
from tagline.metadata.jpeg_parts import Picture, ends_with_mark, picture_at, picture_end
from tagline.metadata.unfinished import END_MISSING, HOLE
from tagline.model import ByteSource


def why_incomplete(source: ByteSource) -> str | None:
    """Why a JPEG is unfinished, as the end of a sentence; None where it is whole. Never raises."""
    bulk = Bulk(source)
    picture = picture_at(bulk, 0)
    if not isinstance(picture, Picture):
        return picture
    said = jpeg_behind.named(bulk, picture)
    if said is None and ends_with_mark(bulk, picture.scan_at + 2):
        # What is cut does not end so: behind a scan, the marker is found nowhere else.
        end = bulk.size
    else:
        end = picture_end(bulk, picture)
    if end is None:
        return END_MISSING
    if has_hole(bulk, picture, 0, min(end, bulk.content_end(picture.scan_at))):
        return HOLE
    return jpeg_behind.why_incomplete(bulk, end, said)
