"""Reading and editing photo metadata: bytes in, bytes out, no files, no clock."""

from tagline.metadata.completeness import why_incomplete, why_incomplete_sidecar
from tagline.metadata.content import Content, Pieces
from tagline.metadata.edit import (
    Edit,
    EditRequest,
    accepted,
    apply_to_sidecars,
    bound,
    carrying,
    edit_photo,
    edits_of,
)
from tagline.metadata.field_types import Field
from tagline.metadata.fields import FIELDS
from tagline.metadata.pairing import SidecarNames, pair, photos_of_sidecar, sidecars_of
from tagline.metadata.reading import NO_SIDECARS, is_sidecar, read_photo
from tagline.metadata.registry import HEAD_BYTES, Format, codec_of, format_of, is_photo
from tagline.metadata.resolve import timestamp_of
from tagline.metadata.values import FieldValue, PhotoReading, SidecarFile, SidecarFiles, TakenAt

__all__ = [
    "FIELDS",
    "HEAD_BYTES",
    "NO_SIDECARS",
    "Content",
    "Edit",
    "EditRequest",
    "Field",
    "FieldValue",
    "Format",
    "PhotoReading",
    "Pieces",
    "SidecarFile",
    "SidecarFiles",
    "SidecarNames",
    "TakenAt",
    "accepted",
    "apply_to_sidecars",
    "bound",
    "carrying",
    "codec_of",
    "edit_photo",
    "edits_of",
    "format_of",
    "is_photo",
    "is_sidecar",
    "pair",
    "photos_of_sidecar",
    "read_photo",
    "sidecars_of",
    "timestamp_of",
    "why_incomplete",
    "why_incomplete_sidecar",
]
