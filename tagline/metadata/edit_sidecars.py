"""New content of a photo's sidecars when its fields change.

Sidecars that are there always follow; where the photo itself is not edited, both are made.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec
from msgspec import UNSET

from tagline.errors import EditRefused
from tagline.metadata import hiding, sidecar_json, sidecar_xmp
from tagline.metadata.field_types import FieldEdit
from tagline.metadata.resolve import timestamp_of
from tagline.metadata.values import (
    FieldValue,
    JsonSidecarValues,
    PhotoReading,
    SidecarFile,
    SidecarFiles,
    TakenAt,
    XmpValues,
)
from tagline.metadata.xmp_text import check_text

Changes = dict[str, bytes | None]
"""New content by file name; None to delete the file."""

_TAKEN_AT = "taken_at"


class Job(NamedTuple):
    """The photo whose sidecars change; ``hidden`` as in ``EditRequest``.

    ``make`` asks for both, made where they are missing, since the photo itself is not edited;
    ``refusal`` is why. Else those that are there follow an edit of the photo. What is written
    beside a ``damaged`` photo does not say what its image data are: they are not all there.
    """

    name: str
    before: SidecarFiles
    reading: PhotoReading
    edits: Sequence[FieldEdit]
    hidden: tuple[SidecarFile, ...] | None = None
    make: bool = False
    refusal: str | None = None
    damaged: bool = False

    @property
    def fingerprint(self) -> str | None:
        """What the sidecars say of the image data."""
        return None if self.damaged else self.reading.fingerprint


def changes_of(job: Job) -> Changes:
    """The sidecars that change.

    Raises:
        EditRefused: a sidecar cannot be edited safely, or is another photo's.
    """
    before, stale = job.before, job.reading.stale_sidecars
    if job.make and any(file and file.name in stale for file in (before.xmp, before.json)):
        raise EditRefused("a sidecar of another photo has this photo's name; move it away first")
    changes: Changes = {}
    for file in (before.xmp, before.stem_xmp):
        if file and file.name not in stale:
            changes[file.name] = _edited(job, file, _xmp)
    if before.json and before.json.name not in stale:
        changes[before.json.name] = _edited(job, before.json, _json)
    if job.make and before.xmp is None:
        changes[f"{job.name}.xmp"] = _xmp(job, None)
    outlived = _is_outlived(before) and any(edit.removes for edit in job.edits)
    if (job.make or outlived or job.hidden) and before.json is None:
        changes[f"{job.name}.json"] = _json(job, None)
    old = {f.name: f.data for f in (before.xmp, before.stem_xmp, before.json) if f}
    # What was not there and is not to be there (None both times) is no change either.
    return {name: data for name, data in changes.items() if old.get(name) != data}


def _edited(
    job: Job, file: SidecarFile, write: Callable[[Job, SidecarFile | None], bytes | None]
) -> bytes | None:
    """The new content of a sidecar that is there; None when it would say nothing.

    Beside an edited photo a file that nothing can be read of contradicts nothing, and stays.

    Raises:
        EditRefused: it says something, or is needed, and cannot be edited; its name is told.
    """
    try:
        return write(job, file)
    except EditRefused as error:
        readable = sidecar_json.read(file.data) or sidecar_xmp.read(file.data) != XmpValues()
        if not job.make and not readable:
            return file.data
        told = f"{file.name} cannot be edited: {error.reason}; mend it, or move it away"
        raise EditRefused(told) from error


def _xmp(job: Job, file: SidecarFile | None) -> bytes | None:
    """The XMP sidecar's new content; None when it would say nothing.

    A text that XML cannot hold is in the JSON sidecar alone; no XMP may contradict it.
    """
    edits = [
        edit if _fits_xml(edit.new) else msgspec.structs.replace(edit, new=None)
        for edit in job.edits
    ]
    data = file.data if file else None
    is_copy = file is not None and file.name in {hidden.name for hidden in job.hidden or ()}
    return sidecar_xmp.write_fields(data, edits, fingerprint=job.fingerprint, is_copy=is_copy)


def _json(job: Job, file: SidecarFile | None) -> bytes | None:
    """The JSON sidecar's new content; None when it would say nothing.

    Where the photo's own value cannot be removed, a sidecar stays to say that there is none.
    """
    known = (sidecar_json.read(file.data) if file else None) or JsonSidecarValues()
    edited = {edit.field.name: edit.new for edit in job.edits}
    values = JsonSidecarValues(
        title=job.name,
        description=_description(edited),
        taken_timestamp=timestamp_of(_taken(job, edited)),
        fingerprint=job.fingerprint,
        damaged=job.damaged,
        removed=_removed(job, known, file),
        not_embedded=job.refusal,
        hides=_hides(job, known, edited),
        said=known.said | {n: value for n, value in edited.items() if n != "description"},
    )
    if file and not job.make and not _says_anew(known, values, edited):
        return file.data
    data = sidecar_json.write(file.data if file else None, values)
    removes = any(edit.removes for edit in job.edits)
    return None if removes and sidecar_json.is_own_and_empty(data) else data


def _description(edited: dict[str, FieldValue]) -> str | msgspec.UnsetType | None:
    if "description" not in edited:
        return UNSET
    text = edited["description"]
    return text if isinstance(text, str) else None


def _taken(job: Job, edited: dict[str, FieldValue]) -> TakenAt | None:
    """The moment for Takeout's own member: the corrected one, else what the photo shows."""
    moment = edited.get(_TAKEN_AT, job.reading.taken)
    return moment if isinstance(moment, TakenAt) else None


def _removed(job: Job, known: JsonSidecarValues, file: SidecarFile | None) -> tuple[str, ...]:
    """The fields that were removed and still stand where they cannot be taken out.

    That is in a photo that is not edited, in a sidecar elsewhere that stays for others, in one that
    is hidden, or as the time in another program's JSON.
    """
    edited = {edit.field.name for edit in job.edits}
    kept = [name for name in known.removed if name not in edited]
    hidden = hiding.names_said(job.hidden or ())
    is_foreign = file is not None and not sidecar_json.is_own(file.data)
    is_dated = is_foreign and known.taken_timestamp is not None
    for edit in job.edits:
        inside = job.make and job.reading.found[edit.field.name].embedded
        inside = inside or _is_outlived(job.before) or edit.field.name in hidden
        if edit.removes and (inside or (is_dated and edit.field.name == _TAKEN_AT)):
            kept.append(edit.field.name)
    return tuple(kept)


def _hides(
    job: Job, known: JsonSidecarValues, edited: Mapping[str, FieldValue]
) -> hiding.Notes | None:
    """The notes about what is hidden, of each field that was ever edited so."""
    if job.hidden is None:
        return None
    return hiding.notes_of(job.hidden, {*(known.hides or ()), *edited})


def _is_outlived(before: SidecarFiles) -> bool:
    """Whether a sidecar elsewhere stays, and would be shown where the photo has none of its own."""
    return before.adopted_xmp is not None or before.adopted_json is not None


def _says_anew(
    known: JsonSidecarValues, values: JsonSidecarValues, edited: dict[str, FieldValue]
) -> bool:
    """Whether a sidecar that just follows has anything to say of the fields that change."""
    if set(edited) & {"description", _TAKEN_AT} or known.removed != values.removed:
        return True
    if known.damaged != values.damaged:
        return True
    said = {name: value for name, value in values.said.items() if value}
    return said != known.said or known.not_embedded is not None or known.hides != values.hides


def _fits_xml(value: FieldValue) -> bool:
    texts = value if isinstance(value, tuple) else (value,)
    try:
        for text in texts:
            check_text(text if isinstance(text, str) else "")
    except EditRefused:
        return False
    return True
