"""XMP sidecars, ``IMG.ext.xmp``: Tagline's own and those of other programs.

A sidecar says the description twice, in dc:description and in tiff:ImageDescription, since some
readers look at the one and some at the other. The fingerprint of the photo stands in sidecars that
Tagline made, or that hold one already; another program's file is given no property that was not
asked for.
"""

from tagline.metadata import xmp, xmp_compare, xmp_edit
from tagline.metadata import xmp_names as names
from tagline.metadata.values import XmpValues
from tagline.metadata.xmp_packet import TOOLKIT, new_packet
from tagline.metadata.xmp_text import check_text


def read(data: bytes) -> XmpValues:
    """What the sidecar says; never raises."""
    return xmp.read(data)


def write(old: bytes | None, *, description: str | None, fingerprint: str) -> bytes | None:
    """The sidecar with the description; None or empty removes it.

    Everything else in the file stays byte for byte. None comes back when nothing is left that
    Tagline did not make, so that the file may go.

    Raises:
        EditRefused: the file is not XMP in UTF-8 made the usual way, or the text has a character
            that XML cannot hold.
    """
    text = description or None
    if old is None or not old.strip(b"\0 \t\r\n"):
        return _new(text, fingerprint) if text else None
    before = xmp_compare.properties(old)
    ours = xmp_compare.toolkit(old).startswith(TOOLKIT) or names.FINGERPRINT in before
    wanted: dict[str, str | None] = dict.fromkeys(
        (names.DC_DESCRIPTION, names.TIFF_DESCRIPTION), text
    )
    if ours:
        wanted[names.FINGERPRINT] = fingerprint
    changed = xmp_edit.change(old, wanted)
    if text is None and ours and not xmp_compare.properties(changed).keys() - {names.FINGERPRINT}:
        return None
    return changed


def _new(text: str, fingerprint: str) -> bytes:
    check_text(text)
    said = {
        names.DC_DESCRIPTION: text,
        names.TIFF_DESCRIPTION: text,
        names.FINGERPRINT: fingerprint,
    }
    return new_packet(said, padded=False)
