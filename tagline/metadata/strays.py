"""Sidecars that are a photo's by the fingerprint in them, wherever they lie.

A stray is a sidecar that no photo of its directory has by its name, or that one has for which it
was not written: its photo was renamed or moved without it.
"""

from typing import Final

from tagline.errors import EditRefused
from tagline.metadata import hiding, sidecar_json, sidecar_xmp, xmp_compare
from tagline.metadata import xmp_names as names
from tagline.metadata.values import (
    JsonSidecarValues,
    Sidecar,
    SidecarFile,
    SidecarFiles,
    XmpValues,
)
from tagline.metadata.xmp_packet import TOOLKIT

SUFFIXES: Final = (".xmp", ".json")
"""How sidecars' names end, in any case."""

_MARK_DIGITS = 8
_OWN_XMP = frozenset(
    {
        names.DC_DESCRIPTION,
        names.TIFF_DESCRIPTION,
        names.DC_TITLE,
        names.DC_SUBJECT,
        names.XMP_RATING,
        names.PHOTOSHOP_CREATED,
        names.EXIF_TAKEN_AT,
        names.EXIF_EX_OFFSET,
        names.FINGERPRINT,
    }
)


def suffix_of(name: str) -> str | None:
    """``.xmp`` or ``.json`` where the name ends like a sidecar's, in lower case."""
    end = name[-5:].lower()
    return next((suffix for suffix in SUFFIXES if end.endswith(suffix)), None)


def fingerprint_in(name: str, data: bytes) -> str | None:
    """The fingerprint that a sidecar carries, None for any other file. Never raises.

    Nearly all files that are no sidecars of Tagline's are told by a search, without parsing.
    """
    if b"ingerprint" not in data:
        return None
    if suffix_of(name) == ".json":
        said = sidecar_json.read(data)
        return said.fingerprint if said else None
    return sidecar_xmp.read(data).fingerprint


def was_apart(name: str, data: bytes) -> bool:
    """Whether a sidecar is a JSON that was written apart from its photo. Never raises."""
    return suffix_of(name) == ".json" and is_apart(sidecar_json.read(data))


def is_own(name: str, data: bytes) -> bool:
    """Whether Tagline made the sidecar, and nobody has said more in it since. Never raises."""
    if suffix_of(name) == ".json":
        return sidecar_json.is_own(data)
    try:
        said = xmp_compare.properties(data)
        made = xmp_compare.toolkit(data).startswith(TOOLKIT)
    except EditRefused:
        return False
    return made and not xmp_compare.without(said, _OWN_XMP)


def proper_name(photo_name: str, suffix: str) -> str:
    """The name of the sidecar that a photo has by its own name."""
    return f"{photo_name}{suffix}"


def name_aside(photo_name: str, fingerprint: str, suffix: str, number: int) -> str:
    """A name for a sidecar that stands in the way of another photo's; ``number`` counts from 1."""
    digits = fingerprint.rpartition(":")[2]
    mark = "".join(c for c in digits if c.isalnum())[:_MARK_DIGITS]
    again = f".{number}" if number > 1 else ""
    return f"{photo_name}.{mark}{again}{suffix}"


def with_adopted(own: Sidecar, files: SidecarFiles, mark: str) -> tuple[Sidecar, tuple[str, ...]]:
    """The sidecars with the strays that carry the photo's fingerprint, and the names of those used.

    A stray is used only where no sidecar of the photo's own carries a fingerprint: one that does is
    what was written last. A stray XMP does not go before words that another program's JSON has.

    What a stray JSON that was kept apart hides stays hidden, unless the photo has such a JSON of
    its own, which is newer.
    """
    stray_xmp, stray_json = _xmp_of(files.adopted_xmp, mark), _json_of(files.adopted_json, mark)
    notes = stray_json.hides if stray_json and not is_apart(own.json) else None
    if notes is not None:
        own = _seen(own, files, notes)
    xmp, json = own.xmp, own.json
    if not any(said.fingerprint for said in (xmp, own.stem_xmp, json) if said):
        if xmp is None and own.stem_xmp is None and not _has_words(json):
            xmp = stray_xmp
        if json is None:
            json = stray_json
    # What was kept apart comes home as a whole, though another program said something new since.
    used = [
        file.name
        for file, stray, said in (
            (files.adopted_xmp, stray_xmp, xmp),
            (files.adopted_json, stray_json, json),
        )
        if file and stray and (said is stray or notes is not None)
    ]
    return Sidecar(xmp=xmp, stem_xmp=own.stem_xmp, json=json), tuple(used)


def is_apart(json: JsonSidecarValues | None) -> bool:
    """Whether a JSON sidecar was written apart from its photo."""
    if json is None or json.hides is None:
        return False
    return json.damaged or json.fingerprint is not None


def _seen(own: Sidecar, files: SidecarFiles, notes: hiding.Notes) -> Sidecar:
    """The photo's own sidecars but for those that are hidden."""

    def shows(file: SidecarFile | None) -> bool:
        return file is not None and not hiding.is_hidden(file, notes)

    return Sidecar(
        xmp=own.xmp if shows(files.xmp) else None,
        stem_xmp=own.stem_xmp if shows(files.stem_xmp) else None,
        json=own.json if shows(files.json) else None,
    )


def _has_words(json: JsonSidecarValues | None) -> bool:
    return json is not None and bool(json.said or json.description)


def _xmp_of(file: SidecarFile | None, mark: str) -> XmpValues | None:
    said = sidecar_xmp.read(file.data) if file else None
    return said if said and said.fingerprint == mark else None


def _json_of(file: SidecarFile | None, mark: str) -> JsonSidecarValues | None:
    said = sidecar_json.read(file.data) if file else None
    return said if said and said.fingerprint == mark else None
