"""What a sidecar that is kept apart from its photo hides, told by what that says and not by where.

Of each field that was edited apart, the sidecar notes digests of what the hidden ones say. So they
are known again where others moved them, and one that says something new since is told from them.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from hashlib import blake2b

from tagline.metadata import sidecar_json, sidecar_xmp
from tagline.metadata.field_types import Field
from tagline.metadata.fields import FIELDS
from tagline.metadata.values import (
    Container,
    Embedded,
    ExifValues,
    FieldValue,
    IptcValues,
    Sidecar,
    SidecarFile,
    XmpValues,
    is_blank,
)

Notes = Mapping[str, tuple[str, ...]]
"""Digests of what hidden sidecars say, by the names of the fields that were edited."""

_DIGEST_BYTES = 8
_NOTHING = Embedded(container=Container(), exif=ExifValues(), xmp=XmpValues(), iptc=IptcValues())


def notes_of(files: Iterable[SidecarFile], names: Collection[str]) -> Notes:
    """The notes about these fields of sidecars that are hidden."""
    hidden = [_said(file) for file in files]
    return {
        field.name: tuple(
            sorted({_digest(field, v) for said in hidden for v in _values(field, said)})
        )
        for field in FIELDS
        if field.name in names
    }


def names_said(files: Iterable[SidecarFile]) -> set[str]:
    """The fields of which sidecars say something."""
    hidden = [_said(file) for file in files]
    return {field.name for field in FIELDS if any(_values(field, said) for said in hidden)}


def is_hidden(file: SidecarFile, notes: Notes) -> bool:
    """Whether all that a sidecar says of the fields noted is what was hidden; never raises."""
    said = _said(file)
    return all(
        _digest(field, value) in notes[field.name]
        for field in FIELDS
        if field.name in notes
        for value in _values(field, said)
    )


def _said(file: SidecarFile) -> Sidecar:
    if file.name.lower().endswith(".xmp"):
        return Sidecar(xmp=sidecar_xmp.read(file.data))
    return Sidecar(json=sidecar_json.read(file.data))


def _values(field: Field, said: Sidecar) -> list[FieldValue]:
    return [value for _, value in field.places(_NOTHING, said) if not is_blank(value)]


def _digest(field: Field, value: FieldValue) -> str:
    text = json.dumps(field.show(value))
    return blake2b(text.encode(), digest_size=_DIGEST_BYTES).hexdigest()
