"""Reading values from XMP packets."""

from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.metadata import xmp
from tagline.metadata.values import XmpValues
from tagline.metadata.xmp_text import PACKET_MAX_BYTES

Packet = Callable[..., bytes]


def li(text: str, language: str | None = "x-default") -> str:
    """An item of an array."""
    return (
        f'<rdf:li xml:lang="{language}">{text}</rdf:li>' if language else f"<rdf:li>{text}</rdf:li>"
    )


def alt(*items: str) -> str:
    """A dc:description with these items."""
    return f"<dc:description><rdf:Alt>{''.join(items)}</rdf:Alt></dc:description>"


@pytest.mark.parametrize(
    ("inside", "text"),
    [
        (alt(li("All"), li("Alle", "de")), "All"),
        (alt(li("Alle", "de"), li("All")), "All"),
        (alt(li("Alle", "de"), li("Tous", "fr")), "Alle"),
        (alt(li("All", "X-Default")), "All"),
        (alt(li("", "x-default"), li("Alle", "de")), "Alle"),
        (alt(li("bare", None)), "bare"),
        (alt(), None),
        ("<dc:description>plain</dc:description>", "plain"),
        ("<dc:description/>", None),
        ("<dc:description><rdf:Seq><rdf:li>s</rdf:li></rdf:Seq></dc:description>", "s"),
        (alt("<rdf:li xml:lang='x-default'><![CDATA[<&>]]></rdf:li>"), "<&>"),
        (alt(li("a&#xD;\r\n b &amp; c")), "a\r\n b & c"),
        (
            alt(
                "<rdf:li xml:lang='x-default'> <rdf:value>in</rdf:value> <exif:x>q</exif:x>"
                "</rdf:li>"
            ),
            "in",
        ),
    ],
)
def test_the_shown_language_is_read(packet: Packet, inside: str, text: str | None) -> None:
    """dc:description gives its x-default item, else its first that is not empty."""
    assert xmp.read(packet(inside)).description == text


def test_properties_may_be_attributes(packet: Packet) -> None:
    """A property reads the same as an attribute of rdf:Description."""
    attributes = ' dc:description="as &lt;attribute&gt;" tiff:Make="ACME" tiff:Orientation="6"'
    values = xmp.read(packet("", attributes))
    assert (values.description, values.make, values.orientation) == ("as <attribute>", "ACME", 6)


def test_namespaces_count_and_prefixes_do_not() -> None:
    """Any prefix, or none, may stand for a namespace, and a known prefix for a strange one."""
    data = (
        '<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="urn:other">'
        "<r:Description><dc:description>wrong</dc:description>"
        '<description xmlns="http://purl.org/dc/elements/1.1/">right</description>'
        "</r:Description></r:RDF>"
    )
    assert xmp.read(data.encode()).description == "right"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"]
)
@pytest.mark.parametrize("wrapped", [True, False])
def test_every_encoding_reads(packet: Packet, encoding: str, wrapped: bool) -> None:
    """UTF-8, UTF-16 and UTF-32 read alike, marked, wrapped, padded or not."""
    text = packet(alt(li("Grüße 日本")), wrapped=wrapped).decode()
    data = text.encode(encoding)
    assert xmp.read(data).description == "Grüße 日本"
    assert xmp.read(data + b"\0" * 64).description == "Grüße 日本"


def test_bytes_that_are_not_utf_8_read_as_latin_1(packet: Packet) -> None:
    """A stray Latin-1 byte beside valid UTF-8 spoils neither."""
    data = packet(alt(li("é @"))).replace(b"@", b"\xe9")
    assert xmp.read(data).description == "é é"


def test_a_declared_latin_1_is_heeded(packet: Packet) -> None:
    """A sidecar that declares ISO-8859-1 reads in it."""
    data = b'<?xml version="1.0" encoding="ISO-8859-1"?>' + packet(alt(li("@"))).replace(
        b"@", b"\xe9"
    )
    assert xmp.read(data).description == "é"


def test_all_values_are_found(packet: Packet) -> None:
    """Each value of XmpValues comes from its property."""
    inside = (
        alt(li("d"))
        + f"<tiff:ImageDescription><rdf:Alt>{li('t')}</rdf:Alt></tiff:ImageDescription>"
        + f"<exif:UserComment><rdf:Alt>{li('u')}</rdf:Alt></exif:UserComment>"
        + "<tiff:Make>ACME </tiff:Make><tiff:Model>One</tiff:Model>"
        + "<tiff:Orientation>8</tiff:Orientation>"
        + '<aux:Lens xmlns:aux="http://ns.adobe.com/exif/1.0/aux/">50mm</aux:Lens>'
        + "<exif:DateTimeOriginal>2019-07-05T10:00:01.25+02:00</exif:DateTimeOriginal>"
        + "<exif:GPSLatitude>47,30.0000N</exif:GPSLatitude>"
        + "<exif:GPSLongitude>8,15,36W</exif:GPSLongitude>"
        + "<exif:GPSAltitude>1001/2</exif:GPSAltitude><exif:GPSAltitudeRef>1</exif:GPSAltitudeRef>"
        + '<t:Fingerprint xmlns:t="urn:tagline:xmp:1.0/">1:ab</t:Fingerprint>'
    )
    values = xmp.read(packet(inside))
    assert (values.description, values.tiff_description, values.user_comment) == ("d", "t", "u")
    assert (values.make, values.model, values.lens, values.orientation) == (
        "ACME",
        "One",
        "50mm",
        8,
    )
    assert values.taken_at is not None
    assert values.taken_at.local == datetime(2019, 7, 5, 10, 0, 1, 250000)
    assert values.taken_at.offset_minutes == 120
    assert values.gps is not None
    assert (values.gps.latitude, values.gps.longitude) == pytest.approx((47.5, -8.26))
    assert values.gps.altitude == -500.5
    assert values.fingerprint == "1:ab"


@pytest.mark.parametrize(
    ("text", "local", "offset"),
    [
        ("2019-07-05T10:00:00Z", datetime(2019, 7, 5, 10), 0),
        ("2019-07-05T10:00-05:30", datetime(2019, 7, 5, 10), -330),
        ("2019-07-05", datetime(2019, 7, 5), None),
        ("2019:07:05 10:00:00", datetime(2019, 7, 5, 10), None),
    ],
)
def test_dates(packet: Packet, text: str, local: datetime, offset: int | None) -> None:
    """XMP's dates read with and without seconds, time and zone."""
    inside = f"<exif:DateTimeOriginal>{text}</exif:DateTimeOriginal>"
    taken = xmp.read(packet(inside)).taken_at
    assert taken is not None
    assert (taken.local, taken.offset_minutes) == (local, offset)


@pytest.mark.parametrize("text", ["2019", "2019-07", "2019-13-01", "soon", "2019-07-05T25:00", "0"])
def test_what_is_no_day_is_no_date(packet: Packet, text: str) -> None:
    """A year or month alone, or an impossible date, gives no moment."""
    inside = f"<exif:DateTimeOriginal>{text}</exif:DateTimeOriginal>"
    assert xmp.read(packet(inside)).taken_at is None


def test_the_date_created_stands_in(packet: Packet) -> None:
    """photoshop:DateCreated is the moment where exif:DateTimeOriginal is missing or bad."""
    inside = (
        "<exif:DateTimeOriginal>bad</exif:DateTimeOriginal>"
        '<p:DateCreated xmlns:p="http://ns.adobe.com/photoshop/1.0/">2004-02-26</p:DateCreated>'
    )
    taken = xmp.read(packet(inside)).taken_at
    assert taken is not None
    assert taken.local == datetime(2004, 2, 26)


@pytest.mark.parametrize("latitude", ["91,0N", "47,30E", "47,30", "N", "1e5", "-47.5x", "9" * 400])
def test_impossible_positions_are_none(packet: Packet, latitude: str) -> None:
    """A coordinate out of range or of no known form gives no position."""
    inside = (
        f"<exif:GPSLatitude>{latitude}</exif:GPSLatitude>"
        "<exif:GPSLongitude>8,15W</exif:GPSLongitude>"
    )
    assert xmp.read(packet(inside)).gps is None


def test_decimal_degrees_are_understood(packet: Packet) -> None:
    """Plain decimal degrees, which some programs write, read with their sign."""
    inside = "<exif:GPSLatitude>-12.5</exif:GPSLatitude><exif:GPSLongitude>99</exif:GPSLongitude>"
    gps = xmp.read(packet(inside)).gps
    assert gps is not None
    assert (gps.latitude, gps.longitude, gps.altitude) == (-12.5, 99.0, None)


def test_entities_are_never_expanded() -> None:
    """A document type declaration ends the reading before any entity can grow."""
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    data = f'<!DOCTYPE x [<!ENTITY e0 "ha">{entities}]><description>&e9;</description>'
    assert xmp.read(data.encode()) == XmpValues()


@pytest.mark.parametrize(
    "data",
    [
        b"<a description='" * 200_000,
        b"<description>" * 300_000,
        b"<rdf:description " + b"a='b' " * 600_000,
        b"<" * PACKET_MAX_BYTES + b"description",
        b"\xff" * PACKET_MAX_BYTES,
    ],
)
def test_hostile_packets_end_soon(data: bytes) -> None:
    """Megabytes of nesting, attributes or junk give no values, and in a moment."""
    assert xmp.read(data) == XmpValues()


def test_what_stands_before_a_fault_counts(packet: Packet) -> None:
    """A packet that breaks off still gives what it said before."""
    whole = packet(alt(li("early")))
    assert xmp.read(whole[: whole.index(b"</rdf:Description>")]).description == "early"


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_give_values(data: bytes) -> None:
    """No bytes whatsoever make the reader raise."""
    assert isinstance(xmp.read(b"<rdf:RDF description" + data), XmpValues)
    assert isinstance(xmp.read(data + b"description"), XmpValues)


@pytest.mark.parametrize(
    ("offset", "minutes"), [("+02:00", 120), ("Z", 0), ("-0930", -570), ("later", None)]
)
def test_the_offset_may_stand_apart(packet: Packet, offset: str, minutes: int | None) -> None:
    """exifEX:OffsetTimeOriginal gives the zone of a date that has none."""
    inside = (
        "<exif:DateTimeOriginal>2019-07-05T10:00:00</exif:DateTimeOriginal>"
        '<e:OffsetTimeOriginal xmlns:e="http://cipa.jp/exif/1.0/">'
        f"{offset}</e:OffsetTimeOriginal>"
    )
    taken = xmp.read(packet(inside)).taken_at
    assert taken is not None
    assert taken.offset_minutes == minutes


@pytest.mark.parametrize(
    ("altitude", "metres"), [("12.5", 12.5), ("25/2", 12.5), ("1/0", None), ("high", None)]
)
def test_altitudes(packet: Packet, altitude: str, metres: float | None) -> None:
    """An altitude is a rational or a plain number; anything else is unknown."""
    inside = (
        "<exif:GPSLatitude>1,0S</exif:GPSLatitude><exif:GPSLongitude>1,0E</exif:GPSLongitude>"
        f"<exif:GPSAltitude>{altitude}</exif:GPSAltitude>"
    )
    gps = xmp.read(packet(inside)).gps
    assert gps is not None
    assert gps.altitude == metres
