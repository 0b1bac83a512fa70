"""Which of a photo's many texts and dates is the one to show: precedence, and nothing else.

Sidecars come before the file: they are what a person wrote where the file could not be edited.
Inside the file the order is that of MWG 2.0, 5.2: EXIF, then IPTC when its digest says that it
was edited after XMP, then XMP, then IPTC; then the places of single vendors.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import md5

import msgspec

from tagline.metadata import iptc
from tagline.metadata.defaults import is_default
from tagline.metadata.values import (
    Container,
    ExifValues,
    IptcValues,
    JsonSidecarValues,
    TakenAt,
    XmpValues,
)
from tagline.model import DescriptionSource


class Embedded(msgspec.Struct, frozen=True, kw_only=True):
    """What one file's own blocks say."""

    container: Container
    exif: ExifValues
    xmp: XmpValues
    iptc: IptcValues


class Sidecar(msgspec.Struct, frozen=True, kw_only=True):
    """What the sidecars that belong to the image data say; stale ones are left out."""

    xmp: XmpValues | None = None
    stem_xmp: XmpValues | None = None
    json: JsonSidecarValues | None = None


def taken(embedded: Embedded, sidecar: Sidecar) -> TakenAt | None:
    """The moment the photo was taken, or None.

    A sidecar's date counts as a correction where it differs by a second or more; where it is the
    same moment, the file's own is finer (sub-seconds, UTC offset).
    """
    own = (
        embedded.exif.taken_at
        or embedded.xmp.taken_at
        or embedded.iptc.taken_at
        or embedded.exif.digitized_at
    )
    corrections = (side.taken_at for side in (sidecar.xmp, sidecar.stem_xmp) if side)
    other = next(filter(None, corrections), None)
    if other and (own is None or not _same_second(own, other)):
        return other
    if own is None and sidecar.json and sidecar.json.taken_timestamp:
        return _from_timestamp(sidecar.json.taken_timestamp)
    return own


def timestamp_of(moment: TakenAt | None) -> int | None:
    """The moment in Unix seconds; local time counts as UTC where no offset is known."""
    if moment is None:
        return None
    utc = moment.local.replace(tzinfo=UTC) - timedelta(minutes=moment.offset_minutes or 0)
    return int(utc.timestamp())


def descriptions(
    embedded: Embedded, sidecar: Sidecar
) -> tuple[str | None, tuple[DescriptionSource, ...]]:
    """The description, and every place that holds one, the winner first."""
    found = [*_sidecar_texts(sidecar), *_embedded_texts(embedded)]
    if not found:
        return None, ()
    winner = found[0][1]
    sources = tuple(_source(place, text, winner) for place, text in found)
    if not winner:
        return None, tuple(source for source in sources if not source.agrees)
    return winner, sources


def embedded_texts(embedded: Embedded) -> list[tuple[str, str]]:
    """Place and text of every description inside the file, in order of precedence."""
    return list(_embedded_texts(embedded))


def _source(place: str, text: str, winner: str) -> DescriptionSource:
    agrees = text == winner or (place == "iptc" and iptc.agrees(text, winner))
    return DescriptionSource(place=place, agrees=agrees, text=None if agrees else text)


def _sidecar_texts(sidecar: Sidecar) -> Iterator[tuple[str, str]]:
    for xmp in (sidecar.xmp, sidecar.stem_xmp):
        text = (xmp.description or xmp.tiff_description) if xmp else None
        if text and text.strip():
            yield "xmp_sidecar", text
            break
    json = sidecar.json
    if json is None or json.description is None:
        return
    # Where the file itself cannot be edited, its text is removed by a sidecar that says so.
    if json.description.strip() or "description" in json.removed:
        yield "json_sidecar", json.description


def _embedded_texts(embedded: Embedded) -> Iterator[tuple[str, str]]:
    exif, xmp, container = embedded.exif, embedded.xmp, embedded.container
    caption = ("iptc", embedded.iptc.description)
    newer = _iptc_is_newer(container)
    in_order = (
        ("exif", exif.description),
        *((caption,) if newer else ()),
        ("xmp", xmp.description or xmp.tiff_description),
        *(() if newer else (caption,)),
        ("user_comment", exif.user_comment),
        ("xp_comment", exif.xp_comment),
    )
    for place, text in in_order:
        if text and not is_default(text):
            yield place, text


def _iptc_is_newer(container: Container) -> bool:
    """MWG 2.0, 3.3.1: the digest of the IPTC data as it was when XMP was last written."""
    if container.iptc is None or container.iptc_digest is None:
        return False
    return md5(container.iptc, usedforsecurity=False).digest() != container.iptc_digest


def _same_second(a: TakenAt, b: TakenAt) -> bool:
    if a.offset_minutes is None or b.offset_minutes is None:
        return abs(a.local - b.local) < timedelta(seconds=1)
    left = a.local - timedelta(minutes=a.offset_minutes)
    return abs(left - b.local + timedelta(minutes=b.offset_minutes)) < timedelta(seconds=1)


def _from_timestamp(seconds: int) -> TakenAt | None:
    try:
        local = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    except (OverflowError, OSError, ValueError):
        return None
    return TakenAt(local=local, offset_minutes=0)
