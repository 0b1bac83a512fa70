"""Whether a photo can be edited: in the file itself, or only in sidecars, which need a place."""

from typing import Literal

from tagline.metadata import Format
from tagline.storage import OpenObject

WriteMode = Literal["embed", "sidecar"]

EDITED_MAX_BYTES = 256 * 1024 * 1024
"""A larger file is not written anew for a description: its fields go to sidecars."""

SIDECAR_MODE = "TAGLINE_WRITE_MODE is sidecar"
NOT_IN_PLACE = "this format is not edited in place"
UNWRITABLE = "the photo cannot be written"
MANY_LINKS = "the file has more than one hard link"
TOO_LARGE = "the file is too large to be edited in place"
"""Why a photo itself is not edited, whatever it holds."""


def why_beside(opened: OpenObject, row: Format | None) -> str | None:
    """Why an edit of a photo goes to sidecars whoever asks; None where it may go into the file.

    ``row`` is the format by whose rules the photo is read.
    """
    if row is None or not row.embeds:
        return NOT_IN_PLACE
    if opened.links > 1:
        # A rename would split the names of one file into two files.
        return MANY_LINKS
    return TOO_LARGE if opened.size > EDITED_MAX_BYTES else None


def is_editable(opened: OpenObject, row: Format | None, mode: WriteMode) -> bool:
    """Whether a description could be written now, as far as it can be told before that is tried."""
    may_embed = mode == "embed" and why_beside(opened, row) is None
    return opened.editable if may_embed else opened.takes_sidecars
