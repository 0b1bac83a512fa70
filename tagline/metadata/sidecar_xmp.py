"""XMP sidecars, ``IMG.ext.xmp``: Tagline's own and those of other programs.

A sidecar says the description twice, in dc:description and in tiff:ImageDescription, since some
readers look at the one and some at the other. The fingerprint of the photo stands in sidecars that
Tagline made, copied to keep it apart, or that hold one already; another program's file is given no
property that was not asked for.
"""

from tagline.metadata import xmp, xmp_compare, xmp_edit
from tagline.metadata import xmp_names as names
from tagline.metadata.field_types import Edits
from tagline.metadata.fields import describing
from tagline.metadata.values import XmpValues
from tagline.metadata.xmp_packet import TOOLKIT, new_packet
from tagline.metadata.xmp_text import check_text


def read(data: bytes) -> XmpValues:
    """What the sidecar says; never raises."""
    return xmp.read(data)


def write(old: bytes | None, *, description: str | None, fingerprint: str) -> bytes | None:
    """The sidecar with this description, or without one; see ``write_fields``."""
    return write_fields(old, (describing(description, None),), fingerprint=fingerprint)


def write_fields(
    old: bytes | None, edits: Edits, *, fingerprint: str | None, is_copy: bool = False
) -> bytes | None:
    """The sidecar with these fields as they are to be; ``is_copy`` of one that stays as it is.

    A sidecar without a ``fingerprint`` belongs to the photo of its name, whatever that shows.
    Everything else in the file stays byte for byte. None comes back when nothing is left that
    Tagline did not make, so that the file may go.

    Raises:
        EditRefused: the file is not XMP in UTF-8 made the usual way, or a value has a character
            that XML cannot hold.
    """
    if old is None or not old.strip(b"\0 \t\r\n"):
        return _new(edits, fingerprint)
    before = xmp_compare.properties(old)
    ours = xmp_compare.toolkit(old).startswith(TOOLKIT) or names.FINGERPRINT in before
    wanted = xmp_edit.sidecar_properties(old, edits)
    if ours or is_copy:
        wanted[names.FINGERPRINT] = fingerprint
    changed = xmp_edit.change(old, wanted)
    removes = any(edit.removes for edit in edits)
    if removes and ours and not xmp_compare.properties(changed).keys() - {names.FINGERPRINT}:
        return None
    return changed


def _new(edits: Edits, fingerprint: str | None) -> bytes | None:
    wanted = xmp_edit.new_properties(edits, in_sidecar=True)
    said = {name: words for name, words in wanted.items() if words}
    if not said:
        return None
    for words in said.values():
        for text in words if isinstance(words, tuple) else (words,):
            check_text(text)
    if fingerprint is not None:
        said[names.FINGERPRINT] = fingerprint
    return new_packet(said, padded=False)
