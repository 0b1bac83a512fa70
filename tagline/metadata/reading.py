"""From the bytes of a photo and its sidecars to all that they say."""

from tagline.metadata import exif, fingerprint, iptc, registry, sidecar_json, sidecar_xmp, xmp
from tagline.metadata.field_types import Field
from tagline.metadata.fields import FIELDS
from tagline.metadata.resolve import (
    NOTHING_BESIDE,
    Places,
    descriptions,
    taken,
    taken_places,
    timestamp_of,
)
from tagline.metadata.strays import with_adopted
from tagline.metadata.values import (
    Container,
    Embedded,
    ExifValues,
    Found,
    IptcValues,
    PhotoReading,
    Sidecar,
    SidecarFile,
    SidecarFiles,
    XmpValues,
    is_blank,
)
from tagline.model import ByteSource

_NO_EXIF = ExifValues()
_NO_XMP = XmpValues()
_NO_IPTC = IptcValues()
_NOWHERE = Found(value=None, agrees=True, embedded=False)
NO_SIDECARS = SidecarFiles()


def read_photo(source: ByteSource, name: str, sidecars: SidecarFiles = NO_SIDECARS) -> PhotoReading:
    """Read a photo with its sidecars; whatever the bytes are, this gives a result.

    Args:
        source: the photo's bytes; only a few small pieces are read.
        name: the photo's file name; its extension chooses the codec where the bytes do not.
        sidecars: the sidecars that pairing found for it.
    """
    container = registry.read_container(source, name)
    embedded = _read_embedded(container)
    mark = fingerprint.fingerprint(source, container.image_data)
    sidecar, stale, adopted = NOTHING_BESIDE, (), ()
    if sidecars is not NO_SIDECARS:
        own, stale = _read_sidecars(sidecars, mark, embedded)
        sidecar, adopted = with_adopted(own, sidecars, mark)
    places = {field.name: field.places(embedded, sidecar) for field in FIELDS}
    description, sources = descriptions(places["description"])
    values = embedded.exif
    sizes = ((container.width, container.height), (values.width, values.height))
    width, height = next((size for size in sizes if all(size)), (None, None))
    return PhotoReading(
        description=description,
        sources=sources,
        fingerprint=mark,
        width=width,
        height=height,
        orientation=container.orientation or values.orientation or embedded.xmp.orientation,
        taken=taken(embedded, places["taken_at"]),
        make=values.make or embedded.xmp.make,
        model=values.model or embedded.xmp.model,
        lens=values.lens or embedded.xmp.lens,
        gps=values.gps or embedded.xmp.gps,
        problem=container.problem,
        stale_sidecars=stale,
        found={field.name: _found(field, places[field.name]) for field in FIELDS},
        not_embedded=sidecar.json.not_embedded if sidecar.json else None,
        damaged=sidecar.json is not None and sidecar.json.damaged,
        adopted=adopted,
    )


def _found(field: Field, places: Places) -> Found:
    """A field as the places that hold it show it."""
    if not places:
        return _NOWHERE
    shown = places[0][1]
    agrees, embedded = True, False
    for place, value in places:
        agrees = agrees and field.agrees(place, value, shown)
        embedded = embedded or not place.endswith("_sidecar")
    return Found(value=None if is_blank(shown) else shown, agrees=agrees, embedded=embedded)


def is_sidecar(name: str, data: bytes) -> bool:
    """Whether a file is a photo's sidecar, going by its name and content."""
    if name.lower().endswith(".xmp"):
        return True
    values = sidecar_json.read(data)
    return values is not None and (values.fingerprint or values.taken_timestamp) is not None


def _read_embedded(container: Container) -> Embedded:
    return Embedded(
        container=container,
        exif=_NO_EXIF if container.exif is None else exif.read(container.exif),
        xmp=_NO_XMP if container.xmp is None else xmp.read(container.xmp),
        iptc=_NO_IPTC if container.iptc is None else iptc.read(container.iptc),
    )


def _read_sidecars(
    files: SidecarFiles, mark: str, embedded: Embedded
) -> tuple[Sidecar, tuple[str, ...]]:
    """The sidecars that belong to this image data, and the names of those that do not.

    A sidecar that carries another fingerprint was written for another photo of the same name,
    unless it names the very second in which this one was taken: then the pixels of its photo were
    edited since (rotated, retouched).
    """
    json = sidecar_json.read(files.json.data) if files.json else None
    stamp = timestamp_of(taken(embedded, taken_places(embedded, NOTHING_BESIDE)))
    retouched = json is not None and bool(stamp) and json.taken_timestamp == stamp
    accepted = {mark, json.fingerprint if json and retouched else mark}
    stale: list[str] = []

    def belongs(file: SidecarFile | None, written_for: str | None) -> bool:
        if file is None or written_for is None or written_for in accepted:
            return file is not None
        stale.append(file.name)
        return False

    own, stem = _read_xmp(files.xmp), _read_xmp(files.stem_xmp)
    sidecar = Sidecar(
        xmp=own if own and belongs(files.xmp, own.fingerprint) else None,
        stem_xmp=stem if stem and belongs(files.stem_xmp, stem.fingerprint) else None,
        json=json if json and belongs(files.json, json.fingerprint) else None,
    )
    return sidecar, tuple(stale)


def _read_xmp(file: SidecarFile | None) -> XmpValues | None:
    return sidecar_xmp.read(file.data) if file else None
