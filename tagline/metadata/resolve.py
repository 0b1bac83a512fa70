"""Which of a photo's many texts and dates is the one to show: precedence, and nothing else.

Sidecars come before the file: they are what a person wrote where the file could not be edited.
Inside the file the order is that of MWG 2.0, 5.2: EXIF, then IPTC when its digest says that it
was edited after XMP, then XMP, then IPTC; then the places of single vendors.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import md5

from tagline.metadata import iptc
from tagline.metadata.defaults import is_default
from tagline.metadata.values import (
    BLANK,
    Container,
    Embedded,
    FieldValue,
    Sidecar,
    TakenAt,
    XmpValues,
)
from tagline.model import DescriptionSource

Places = list[tuple[str, FieldValue]]
"""Places that hold a field, each with what it says, in order of precedence."""

NOTHING_BESIDE = Sidecar()
"""Sidecars that are not there: told by identity, which spares most photos looking at them."""
_SECOND = timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - UTC by subtraction


def taken(embedded: Embedded, places: Places) -> TakenAt | None:
    """The moment to show: when the photo was taken, else when it was digitized, or None.

    ``places`` are the ``taken_places``. A sidecar's date counts as a correction where it differs
    by a second or more; where it is the same moment, the file's own is finer (sub-seconds, UTC
    offset).
    """
    digitized = embedded.exif.digitized_at
    shown = places[0][1] if places else None
    if not isinstance(shown, TakenAt):
        return digitized
    is_finer = places[0][0] == "xmp_sidecar" and digitized and _same_second(digitized, shown)
    return digitized if is_finer else shown


def timestamp_of(moment: TakenAt | None) -> int | None:
    """The moment in Unix seconds; local time counts as UTC where no offset is known."""
    if moment is None:
        return None
    offset = timedelta(minutes=moment.offset_minutes or 0)
    return (moment.local - _EPOCH - offset) // timedelta(seconds=1)


def descriptions(
    places: Sequence[tuple[str, FieldValue]],
) -> tuple[str | None, tuple[DescriptionSource, ...]]:
    """The description, and every place that holds one, the winner first.

    ``places`` are the ``description_places``.
    """
    found = [(place, text) for place, text in places if isinstance(text, str)]
    if not found:
        return None, ()
    winner = found[0][1]
    sources = tuple([_source(place, text, winner) for place, text in found])
    if not winner:
        return None, tuple(source for source in sources if not source.agrees)
    return winner, sources


def description_places(embedded: Embedded, sidecar: Sidecar) -> Places:
    """Every place that holds a description."""
    return [*_sidecar_texts(sidecar), *_embedded_texts(embedded)]


def description_agrees(place: str, text: FieldValue, shown: FieldValue) -> bool:
    """Whether the place says the description, as far as IPTC's 2,000 bytes reach."""
    is_cut = place == "iptc" and isinstance(text, str) and isinstance(shown, str)
    return text == shown or (is_cut and iptc.agrees(str(text), str(shown)))


def title_places(embedded: Embedded, sidecar: Sidecar) -> Places:
    """Every place that holds a title."""
    xmp, name = embedded.xmp.title, embedded.iptc.title
    by_xmp: tuple[str, FieldValue] = ("xmp", xmp)
    by_iptc: tuple[str, FieldValue] = ("iptc", name)
    # A name that is but the beginning of the title in XMP is no newer one (MWG 2.0, 3.3.1).
    newer = _iptc_is_newer(embedded.container) and not title_agrees("iptc", name, xmp)
    in_order = (by_iptc, by_xmp) if newer else (by_xmp, by_iptc)
    in_file = (*in_order, ("xp_title", embedded.exif.xp_title))
    return [*_beside(sidecar, "title", lambda said: said.title), *_said(in_file)]


def title_agrees(place: str, text: FieldValue, shown: FieldValue) -> bool:
    """Whether the place says the title, as far as IPTC's 64 bytes reach."""
    if place == "iptc" and isinstance(text, str) and isinstance(shown, str):
        return iptc.agrees(text, shown, iptc.TITLE_MAX_BYTES)
    return text == shown


def keywords_places(embedded: Embedded, sidecar: Sidecar) -> Places:
    """Every place that holds keywords."""
    xmp, words = embedded.xmp.keywords, embedded.iptc.keywords
    by_xmp: tuple[str, FieldValue] = ("xmp", xmp)
    by_iptc: tuple[str, FieldValue] = ("iptc", words)
    newer = _iptc_is_newer(embedded.container) and not keywords_agree("iptc", words, xmp)
    in_order = (by_iptc, by_xmp) if newer else (by_xmp, by_iptc)
    in_file = (*in_order, ("xp_keywords", embedded.exif.xp_keywords))
    return [*_beside(sidecar, "keywords", lambda said: said.keywords), *_said(in_file)]


def keywords_agree(place: str, words: FieldValue, shown: FieldValue) -> bool:
    """Whether the place has the same keywords in whatever order, as far as it can hold them.

    IPTC cuts each to 64 bytes; XPKeywords takes a semicolon inside one for the end of it.
    """
    if not isinstance(words, tuple) or not isinstance(shown, tuple):
        return words == shown
    if place == "iptc":
        shown = tuple(iptc.cut(word, iptc.TITLE_MAX_BYTES).strip() for word in shown)
    elif place == "xp_keywords":
        shown = tuple(word.replace(";", ",") for word in shown)
    return set(words) == set(shown)


def rating_places(embedded: Embedded, sidecar: Sidecar) -> Places:
    """Every place that holds a rating."""
    in_file = (("xmp", embedded.xmp.rating), ("exif", embedded.exif.rating))
    return [*_beside(sidecar, "rating", lambda said: said.rating), *_said(in_file)]


def equal(place: str, value: FieldValue, shown: FieldValue) -> bool:  # noqa: ARG001 - of one form
    """Whether the place says what is shown."""
    return value == shown


def taken_places(embedded: Embedded, sidecar: Sidecar) -> Places:
    """Every place that says when the photo was taken.

    An XMP sidecar's date comes first where it is another second than what is said elsewhere: a
    correction. Where it is the same, what is said elsewhere is finer. The time in Takeout's form
    counts last, where nothing else dates the photo.
    """
    in_file = _said(
        (
            ("exif", embedded.exif.taken_at),
            ("xmp", embedded.xmp.taken_at),
            ("iptc", embedded.iptc.taken_at),
        )
    )
    if sidecar is NOTHING_BESIDE:
        return in_file
    beside = _beside(sidecar, "taken_at", lambda said: said.taken_at)
    by_xmp = [item for item in beside if item[0] == "xmp_sidecar"]
    others = [*(item for item in beside if item not in by_xmp), *in_file]
    json = sidecar.json
    if not others and json and json.taken_timestamp and embedded.exif.digitized_at is None:
        others += _said([("json_sidecar", _from_timestamp(json.taken_timestamp))])
    first = by_xmp[0][1] if by_xmp else None
    corrects = not others or not taken_agrees("xmp_sidecar", first, others[0][1])
    return [*by_xmp, *others] if by_xmp and corrects else [*others, *by_xmp]


def taken_agrees(place: str, value: FieldValue, shown: FieldValue) -> bool:  # noqa: ARG001 - of one form
    """Whether two moments are the same second, as far as their zones are known."""
    if value == shown:
        return True
    return isinstance(value, TakenAt) and isinstance(shown, TakenAt) and _same_second(value, shown)


def _beside(
    sidecar: Sidecar, name: str, read: Callable[[XmpValues], FieldValue]
) -> list[tuple[str, FieldValue]]:
    """What sidecars say of a field; None where one says that it was removed."""
    if sidecar is NOTHING_BESIDE:
        return []
    found = _said(("xmp_sidecar", read(xmp)) for xmp in (sidecar.xmp, sidecar.stem_xmp) if xmp)
    json = sidecar.json
    if json and (name in json.said or name in json.removed):
        found.append(("json_sidecar", json.said.get(name)))
    return found


def _said(places: Iterable[tuple[str, FieldValue]]) -> list[tuple[str, FieldValue]]:
    return [item for item in places if item[1] not in BLANK]


def _source(place: str, text: str, winner: str) -> DescriptionSource:
    agrees = description_agrees(place, text, winner)
    return DescriptionSource(place=place, agrees=agrees, text=None if agrees else text)


def _sidecar_texts(sidecar: Sidecar) -> Iterator[tuple[str, str]]:
    for xmp in (sidecar.xmp, sidecar.stem_xmp):
        text = (xmp.description or xmp.tiff_description) if xmp else None
        if text and text.strip():
            yield "xmp_sidecar", text
            break
    json = sidecar.json
    if json is None or not isinstance(json.description, str):
        return
    # Where the file itself cannot be edited, its text is removed by a sidecar that says so.
    if json.description.strip() or "description" in json.removed:
        yield "json_sidecar", json.description


def _embedded_texts(embedded: Embedded) -> Iterator[tuple[str, str]]:
    exif, xmp, container = embedded.exif, embedded.xmp, embedded.container
    caption = ("iptc", embedded.iptc.description)
    by_xmp = xmp.description or xmp.tiff_description
    # A caption that is the cut of XMP's text is no newer text, whatever the digest says.
    is_cut = bool(by_xmp and caption[1] and iptc.agrees(caption[1], by_xmp))
    newer = _iptc_is_newer(container) and not is_cut
    in_order = (
        ("exif", exif.description),
        *((caption,) if newer else ()),
        ("xmp", by_xmp),
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
        return abs(a.local - b.local) < _SECOND
    apart = a.local - b.local - timedelta(minutes=a.offset_minutes - b.offset_minutes)
    return abs(apart) < _SECOND


def _from_timestamp(seconds: int) -> TakenAt | None:
    try:
        local = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    except (OverflowError, OSError, ValueError):
        return None
    return TakenAt(local=local, offset_minutes=0)
