"""Which of a photo's texts and dates is shown."""

from datetime import datetime, timedelta
from hashlib import md5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagline.metadata import resolve
from tagline.metadata.defaults import is_default
from tagline.metadata.resolve import Embedded, Sidecar, timestamp_of
from tagline.metadata.values import (
    Container,
    ExifValues,
    IptcValues,
    JsonSidecarValues,
    TakenAt,
    XmpValues,
)

NOON = datetime(2019, 7, 5, 12)
TEXT = st.text(max_size=20)
MAYBE = st.none() | TEXT


def embedded(*, container=None, exif=None, xmp=None, iptc=None):
    """What a file says; silent unless told otherwise."""
    return Embedded(
        container=container or Container(),
        exif=exif or ExifValues(),
        xmp=xmp or XmpValues(),
        iptc=iptc or IptcValues(),
    )


def descriptions(file, sidecar):
    """The description, and every place that holds one."""
    return resolve.descriptions(resolve.description_places(file, sidecar))


def taken(file, sidecar):
    """The moment that is shown."""
    return resolve.taken(file, resolve.taken_places(file, sidecar))


IPTC_BLOCK = b"\x1c\x02\x78\x00\x01x"


@pytest.mark.parametrize(
    ("digest", "order"),
    [
        (None, ["exif", "xmp", "iptc", "user_comment", "xp_comment"]),
        (md5(IPTC_BLOCK).digest(), ["exif", "xmp", "iptc", "user_comment", "xp_comment"]),
        (b"another digest..", ["exif", "iptc", "xmp", "user_comment", "xp_comment"]),
    ],
)
def test_inside_the_file_the_order_is_that_of_mwg(digest, order):
    """EXIF comes first; IPTC before XMP only when its digest says that it is newer."""
    file = embedded(
        container=Container(iptc=IPTC_BLOCK, iptc_digest=digest),
        exif=ExifValues(description="e", user_comment="u", xp_comment="p"),
        xmp=XmpValues(description="x"),
        iptc=IptcValues(description="i"),
    )
    shown, sources = descriptions(file, Sidecar())
    assert shown == "e"
    assert [s.place for s in sources] == order


@pytest.mark.parametrize(
    "text",
    [
        *("", "   ", "\0\0", "OLYMPUS DIGITAL CAMERA", "OLYMPUS DIGITAL CAMERA         "),
        *("SONY DSC", "MINOLTA DIGITAL CAMERA", "<Digimax S500 / Kenox S500>", "dav_soft"),
        "Exif_JPEG_PICTURE",
    ],
)
def test_a_cameras_own_text_hides_nobodys(text):
    """A blank or default ImageDescription lets the text in XMP show."""
    file = embedded(exif=ExifValues(description=text), xmp=XmpValues(description="by a person"))
    shown, sources = descriptions(file, Sidecar())
    assert shown == "by a person"
    assert [s.place for s in sources] == ["xmp"]


@pytest.mark.parametrize(
    "text", ["Untitled", "My Olympus digital camera", "dav", "hdr at sea", "Sony DSC-W1 review"]
)
def test_peoples_words_are_no_defaults(text):
    """Only strings that no person writes count as a camera's own."""
    assert is_default(text) == (text == "dav")


def test_sidecars_come_before_the_file():
    """The XMP sidecar wins over the JSON sidecar, and both over the file itself."""
    file = embedded(exif=ExifValues(description="inside"))
    xmp, json = XmpValues(description="beside"), JsonSidecarValues(description="takeout")
    assert descriptions(file, Sidecar(xmp=xmp, json=json))[0] == "beside"
    assert descriptions(file, Sidecar(stem_xmp=xmp, json=json))[0] == "beside"
    assert descriptions(file, Sidecar(json=json))[0] == "takeout"


def test_an_empty_sidecar_of_another_program_says_nothing():
    """An empty description lets the file's own text show, unless it says that it was removed."""
    file = embedded(exif=ExifValues(description="inside"))
    foreign = Sidecar(json=JsonSidecarValues(description=""))
    own = Sidecar(json=JsonSidecarValues(description="", removed=("description",)))
    assert descriptions(file, foreign)[0] == "inside"
    shown, sources = descriptions(file, own)
    assert shown is None
    assert [(s.place, s.agrees, s.text) for s in sources] == [("exif", False, "inside")]


def test_a_caption_cut_at_the_limit_of_iptc_agrees():
    """IPTC holds 2,000 bytes: the beginning of a longer text is the same description."""
    whole = "é" * 1500
    cut = whole.encode()[:2000].decode()
    file = embedded(exif=ExifValues(description=whole), iptc=IptcValues(description=cut))
    assert all(source.agrees for source in descriptions(file, Sidecar())[1])


@given(exif=MAYBE, xmp=MAYBE, iptc=MAYBE, user=MAYBE, xp=MAYBE, side=MAYBE, json=MAYBE)
def test_the_shown_text_is_one_of_the_texts(exif, xmp, iptc, user, xp, side, json):
    """The answer is a text that some place holds, and each source says truly whether it agrees."""
    file = embedded(
        exif=ExifValues(description=exif, user_comment=user, xp_comment=xp),
        xmp=XmpValues(description=xmp),
        iptc=IptcValues(description=iptc),
    )
    sidecar = Sidecar(xmp=XmpValues(description=side), json=JsonSidecarValues(description=json))
    shown, sources = descriptions(file, sidecar)
    assert shown in {None, exif, xmp, iptc, user, xp, side, json}
    assert shown != ""
    assert (shown is None) == (not sources)
    for source in sources:
        assert source.agrees == (source.text is None)
        assert source.text != shown


def test_a_sidecars_date_corrects_the_files():
    """A sidecar's date wins where it is another second; the file's finer one where it is not."""
    fine = TakenAt(local=NOON + timedelta(milliseconds=250), offset_minutes=120)
    file = embedded(exif=ExifValues(taken_at=fine))
    same = Sidecar(xmp=XmpValues(taken_at=TakenAt(local=NOON)))
    other = TakenAt(local=NOON + timedelta(hours=1))
    assert taken(file, same) == fine
    assert taken(file, Sidecar(xmp=XmpValues(taken_at=other))) == other


def test_the_date_falls_back_place_by_place():
    """EXIF original, XMP, IPTC, EXIF digitized, Takeout: the first that is there."""
    moments = [TakenAt(local=NOON + timedelta(days=n)) for n in range(4)]
    original, by_xmp, by_iptc, digitized = moments
    exif = ExifValues(taken_at=original, digitized_at=digitized)
    xmp, iptc = XmpValues(taken_at=by_xmp), IptcValues(taken_at=by_iptc)
    assert taken(embedded(exif=exif, xmp=xmp, iptc=iptc), Sidecar()) == original
    late = ExifValues(digitized_at=digitized)
    assert taken(embedded(exif=late, xmp=xmp, iptc=iptc), Sidecar()) == by_xmp
    assert taken(embedded(exif=late, iptc=iptc), Sidecar()) == by_iptc
    assert taken(embedded(exif=late), Sidecar()) == digitized
    takeout = Sidecar(json=JsonSidecarValues(taken_timestamp=1_562_328_000))
    assert timestamp_of(taken(embedded(), takeout)) == 1_562_328_000
    absurd = Sidecar(json=JsonSidecarValues(taken_timestamp=10**30))
    assert taken(embedded(), absurd) is None


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)), st.integers(-840, 840))
def test_a_timestamp_is_that_of_the_moment(local, offset):
    """Unix seconds count from UTC, by the offset where there is one."""
    moment = TakenAt(local=local, offset_minutes=offset)
    shifted = TakenAt(local=local - timedelta(minutes=offset))
    assert timestamp_of(moment) == timestamp_of(shifted)


def test_a_cut_caption_is_no_newer_text():
    """A stale digest does not let IPTC's cut beginning of XMP's text be shown in its stead."""
    whole = "é" * 1500
    cut = whole.encode()[:2000].decode()
    file = embedded(
        container=Container(iptc=IPTC_BLOCK, iptc_digest=b"another digest.."),
        xmp=XmpValues(description=whole),
        iptc=IptcValues(description=cut),
    )
    assert descriptions(file, Sidecar())[0] == whole
