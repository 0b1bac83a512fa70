"""Writing fields to every place that would otherwise contradict them.

The result is a set of new file contents; nothing is written here. Whatever is returned has been
read again and shows the new values: an edit of the photo itself that does not is given up, and the
values go to sidecars.
"""

from collections.abc import Mapping

import msgspec

from tagline.errors import EditRefused, InvalidValue
from tagline.metadata import edit_sidecars, registry
from tagline.metadata.content import Content, same_content
from tagline.metadata.field_types import Edits, FieldEdit
from tagline.metadata.fields import BY_NAME
from tagline.metadata.reading import read_photo
from tagline.metadata.values import FieldValue, PhotoReading, SidecarFile, SidecarFiles, is_blank
from tagline.model import ByteSource, source_of

_PLACES = 5
"""Places inside a file that can hold descriptions of their own."""


class EditRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A photo as it is, and the fields as they are to be.

    ``source`` gives the photo's bytes. ``data`` is the whole of them, or None where the photo is
    not to be edited; ``refusal`` then says why. ``hidden`` are the sidecars among the photos for
    which new ones, kept apart, stand or will stand; None where sidecars lie beside their photos.
    ``damaged`` says that the photo is not whole: what its sidecars say holds for its name.
    """

    name: str
    source: ByteSource
    reading: PhotoReading
    sidecars: SidecarFiles
    edits: tuple[FieldEdit, ...]
    data: Content | None = None
    refusal: str | None = None
    hidden: tuple[SidecarFile, ...] | None = None
    damaged: bool = False


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """New file contents.

    ``photo`` is the photo's new content, None when it stays. ``sidecars`` gives the new content of
    each sidecar by file name, None to delete it. ``not_embedded`` says why the values are not in
    the photo itself, None when they are. ``reading`` is what photo and sidecars say then.
    """

    photo: Content | None = None
    sidecars: dict[str, bytes | None] = {}
    not_embedded: str | None = None
    reading: PhotoReading | None = None


def accepted(wanted: Mapping[str, object]) -> dict[str, FieldValue]:
    """The values asked for, by field, as they are stored; None removes a field.

    Raises:
        InvalidValue: there is no such field, or it cannot hold such a value.
    """
    values: dict[str, FieldValue] = {}
    for name, asked in wanted.items():
        field = BY_NAME.get(name)
        if field is None:
            raise InvalidValue(name, "there is no such field")
        values[name] = None if asked is None else field.accept(asked)
    return values


def edits_of(
    reading: PhotoReading, values: Mapping[str, FieldValue], *, anew: bool = False
) -> tuple[FieldEdit, ...]:
    """What has to be edited; fields of which every place says already what is asked for are not.

    With ``anew`` they are as well, since a place may be missing.
    """
    found = [(name, value, reading.found[name]) for name, value in values.items()]
    return tuple(
        FieldEdit(field=BY_NAME[name], old=was.value, new=value)
        for name, value, was in found
        if anew or not (was.agrees and _same(was.value, value))
    )


def carrying(request: EditRequest) -> EditRequest:
    """The request, with edits that let its sidecars say all that its reading shows."""
    home = read_photo(request.source, request.name, request.sidecars)
    wanted = {name: was.value for name, was in request.reading.found.items()}
    wanted |= {edit.field.name: edit.new for edit in request.edits}
    return msgspec.structs.replace(request, edits=edits_of(home, wanted))


def edit_photo(request: EditRequest) -> Edit:
    """Content of every file that has to change for the photo to show the values everywhere.

    Raises:
        EditRefused: they can be written neither into the photo nor beside it, with the reason.
    """
    if not request.edits:
        return Edit()
    refusal = request.refusal
    if request.data is not None and refusal is None:
        try:
            return _embed(request, request.data)
        except EditRefused as error:
            refusal = error.reason
    return _beside(request, refusal)


def bound(request: EditRequest) -> Edit:
    """Sidecars of a photo that was damaged when they were written, and is whole now.

    They say what they said, and which photo they are of; edits in the request are not looked at.

    Raises:
        EditRefused: they cannot be edited.
    """
    request = msgspec.structs.replace(request, edits=())
    job = _job(request)._replace(refusal="the file was not whole when this was written")
    edit = Edit(sidecars=edit_sidecars.changes_of(job))
    return _checked(request, edit, request.source)


def _embed(request: EditRequest, data: Content) -> Edit:
    """The photo's own content edited, and the sidecars that are there already."""
    embed = registry.embedder_of(data, request.name)
    if embed is None:
        raise EditRefused("this format is not edited in place")
    after = data
    for edits in _rounds(data, request):
        after = embed(after, edits)
    for _ in range(_PLACES):
        # Beneath a removed text another one may show: of a comment, say. It goes as well.
        left = _left(after, request)
        if not left:
            break
        after = embed(after, left)
    sidecars = edit_sidecars.changes_of(_job(request))
    edit = Edit(photo=None if same_content(after, data) else after, sidecars=sidecars)
    return _checked(request, edit, source_of(after))


def _rounds(data: Content, request: EditRequest) -> tuple[Edits, ...]:
    """The edits; ahead of them the same as edits of what the file says, where sidecars hide that.

    Places that follow what they held hold the one or the other.
    """
    found = read_photo(source_of(data), request.name).found
    inside = ((edit, found[edit.field.name].value) for edit in request.edits)
    hidden = tuple(
        FieldEdit(field=edit.field, old=said, new=edit.new)
        for edit, said in inside
        if not is_blank(said) and not _same(said, edit.old)
    )
    return (hidden, request.edits) if hidden else (request.edits,)


def _left(data: Content, request: EditRequest) -> Edits:
    """The removals that have to be made again, each of what shows now."""
    removals = [edit.field for edit in request.edits if edit.removes]
    if not removals:
        return ()
    found = read_photo(source_of(data), request.name).found
    return tuple(
        FieldEdit(field=field, old=found[field.name].value, new=None)
        for field in removals
        if not is_blank(found[field.name].value)
    )


def _beside(request: EditRequest, refusal: str | None) -> Edit:
    """Both sidecars; the photo itself stays as it is."""
    changes = edit_sidecars.changes_of(_job(request)._replace(make=True, refusal=refusal))
    edit = Edit(sidecars=changes, not_embedded=refusal)
    return _checked(request, edit, request.source)


def _job(request: EditRequest) -> edit_sidecars.Job:
    return edit_sidecars.Job(
        request.name,
        request.sidecars,
        request.reading,
        request.edits,
        request.hidden,
        damaged=request.damaged,
    )


def _checked(request: EditRequest, edit: Edit, photo: ByteSource) -> Edit:
    """The edit with its result read as if from disk.

    Raises:
        EditRefused: it does not show what was asked for, shows another field differently, or is
            another photo by its fingerprint.
    """
    files = apply_to_sidecars(request.name, request.sidecars, edit.sidecars)
    after = read_photo(photo, request.name, files)
    wanted = {name: was.value for name, was in request.reading.found.items()}
    wanted |= {one.field.name: one.new for one in request.edits}
    for name, value in wanted.items():
        if not _same(after.found[name].value, value):
            raise EditRefused(f"proof: the {_NAMES.get(name, name)} does not read back")
    if after.fingerprint != request.reading.fingerprint:
        raise EditRefused("proof: the image data would change")
    return msgspec.structs.replace(edit, reading=after)


_NAMES = {"description": "text", "taken_at": "date"}


def _same(one: FieldValue, other: FieldValue) -> bool:
    return one == other or (is_blank(one) and is_blank(other))


def apply_to_sidecars(
    name: str, before: SidecarFiles, changes: dict[str, bytes | None]
) -> SidecarFiles:
    """The sidecars as they are after the changes."""

    def after(file: SidecarFile | None, default: str | None) -> SidecarFile | None:
        file_name = file.name if file else default
        if file_name is None or file_name not in changes:
            return file
        data = changes[file_name]
        return None if data is None else SidecarFile(name=file_name, data=data)

    return SidecarFiles(
        xmp=after(before.xmp, f"{name}.xmp"),
        stem_xmp=after(before.stem_xmp, None),
        json=after(before.json, f"{name}.json"),
        adopted_xmp=before.adopted_xmp,
        adopted_json=before.adopted_json,
    )
