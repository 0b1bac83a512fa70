"""Writing a description to every place that would otherwise contradict it.

The result is a set of new file contents; nothing is written here. Whatever is returned has been
read again and shows the new text: an edit of the photo itself that does not is given up, and the
text goes to sidecars.
"""

import msgspec

from tagline.errors import EditRefused
from tagline.metadata import registry, sidecar_json, sidecar_xmp
from tagline.metadata.reading import read_photo
from tagline.metadata.resolve import timestamp_of
from tagline.metadata.values import JsonSidecarValues, PhotoReading, SidecarFile, SidecarFiles
from tagline.metadata.xmp_text import check_text
from tagline.model import ByteSource, BytesSource

_PLACES = 5
"""Places inside a file that can hold descriptions of their own."""


class EditRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A photo as it is, and the description it is to have.

    ``source`` gives the photo's bytes. ``data`` is the whole of them, or None where the photo is
    not to be edited; ``refusal`` then says why. ``text`` is None to remove the description.
    """

    name: str
    source: ByteSource
    reading: PhotoReading
    sidecars: SidecarFiles
    text: str | None
    data: bytes | None = None
    refusal: str | None = None


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """New file contents.

    ``photo`` is the photo's new content, None when it stays. ``sidecars`` gives the new content of
    each sidecar by file name, None to delete it. ``not_embedded`` says why the text is not in the
    photo itself, None when it is.
    """

    photo: bytes | None = None
    sidecars: dict[str, bytes | None] = {}
    not_embedded: str | None = None


def is_noop(reading: PhotoReading, text: str | None) -> bool:
    """Whether every place says already what is asked for."""
    return reading.description == text and all(source.agrees for source in reading.sources)


def edit_description(request: EditRequest) -> Edit:
    """Content of every file that has to change for the photo to show the text everywhere.

    Raises:
        EditRefused: the text can be written neither into the photo nor beside it, with the reason.
    """
    if is_noop(request.reading, request.text):
        return Edit()
    refusal = request.refusal
    if request.data is not None and refusal is None:
        try:
            return _embed(request, request.data)
        except EditRefused as error:
            refusal = error.reason
    return _beside(request, refusal)


def _embed(request: EditRequest, data: bytes) -> Edit:
    """The photo's own content edited, and the sidecars that are there already."""
    embed = registry.embedder_of(data, request.name)
    if embed is None:
        raise EditRefused("this format is not edited in place")
    after = embed(data, request.text, request.reading.description)
    for _ in range(_PLACES if request.text is None else 0):
        # Beneath a removed text another one may show: of a comment, say. It goes as well.
        shown = read_photo(BytesSource(after), request.name).description
        if shown is None:
            break
        after = embed(after, None, shown)
    sidecars = _sidecars(request, create=False)
    edit = Edit(photo=None if after == data else after, sidecars=sidecars)
    _check(request, edit, BytesSource(after))
    return edit


def _beside(request: EditRequest, refusal: str | None) -> Edit:
    """Both sidecars; the photo itself stays as it is."""
    edit = Edit(sidecars=_sidecars(request, create=True, refusal=refusal), not_embedded=refusal)
    _check(request, edit, request.source)
    return edit


def _check(request: EditRequest, edit: Edit, photo: ByteSource) -> None:
    """Read the result as if from disk.

    Raises:
        EditRefused: it does not show the text, or is another photo by its fingerprint.
    """
    files = apply_to_sidecars(request.name, request.sidecars, edit.sidecars)
    after = read_photo(photo, request.name, files)
    if after.description != request.text:
        raise EditRefused("proof: the text does not read back")
    if after.fingerprint != request.reading.fingerprint:
        raise EditRefused("proof: the image data would change")


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
    )


def _sidecars(
    request: EditRequest, *, create: bool, refusal: str | None = None
) -> dict[str, bytes | None]:
    """New content of the sidecars that are there, and of the standard two where asked for."""
    before, stale = request.sidecars, request.reading.stale_sidecars
    changes: dict[str, bytes | None] = {}
    if create and any(file and file.name in stale for file in (before.xmp, before.json)):
        raise EditRefused("a sidecar of another photo has this photo's name; move it away first")
    for file in (before.xmp, before.stem_xmp):
        if file and file.name not in stale:
            changes[file.name] = _xmp(request, file)
    if before.json and before.json.name not in stale:
        changes[before.json.name] = _json(request, before.json, create=create, refusal=refusal)
    if create and before.xmp is None:
        changes[f"{request.name}.xmp"] = _xmp(request, None)
    if create and before.json is None:
        changes[f"{request.name}.json"] = _json(request, None, create=create, refusal=refusal)
    return _only_changes(before, changes)


def _xmp(request: EditRequest, file: SidecarFile | None) -> bytes | None:
    """The XMP sidecar's new content; None when it would say nothing.

    A text that XML cannot hold is in the JSON sidecar alone; no XMP may contradict it.
    """
    return sidecar_xmp.write(
        file.data if file else None,
        description=request.text if _fits_xml(request.text) else None,
        fingerprint=request.reading.fingerprint,
    )


def _json(
    request: EditRequest, file: SidecarFile | None, *, create: bool, refusal: str | None
) -> bytes | None:
    """The JSON sidecar's new content; None when it would say nothing.

    Where the photo's own text cannot be removed, an empty sidecar stays to say that there is none.
    """
    says_removed = create and request.text is None and request.reading.embedded
    values = JsonSidecarValues(
        title=request.name,
        description=request.text,
        taken_timestamp=timestamp_of(request.reading.taken),
        fingerprint=request.reading.fingerprint,
        removed=("description",) if says_removed else (),
        not_embedded=refusal if create else None,
    )
    data = sidecar_json.write(file.data if file else None, values)
    if request.text is None and not says_removed and sidecar_json.is_own_and_empty(data):
        return None
    return data


def _fits_xml(text: str | None) -> bool:
    try:
        check_text(text or "")
    except EditRefused:
        return False
    return True


def _only_changes(
    before: SidecarFiles, changes: dict[str, bytes | None]
) -> dict[str, bytes | None]:
    old = {f.name: f.data for f in (before.xmp, before.stem_xmp, before.json) if f}
    # What was not there and is not to be there (None both times) is no change either.
    return {name: data for name, data in changes.items() if old.get(name) != data}
