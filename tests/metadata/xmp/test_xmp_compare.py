"""The listing of properties that edits are proven by."""

from collections.abc import Callable

import pytest

from tagline.errors import EditRefused
from tagline.metadata import xmp_compare

Packet = Callable[..., bytes]


def test_a_listing_names_every_value(packet: Packet) -> None:
    """Texts, arrays, structures, languages and attributes each have a path."""
    inside = (
        '<xmp:Thumbnails><rdf:Alt><rdf:li rdf:parseType="Resource"><xmp:w>1</xmp:w></rdf:li>'
        "</rdf:Alt></xmp:Thumbnails>"
        '<dc:title><rdf:Alt><rdf:li xml:lang="de">T</rdf:li></rdf:Alt></dc:title>'
        '<exif:Flash exif:Fired="True"/>'
        "<dc:source><rdf:Description><dc:a>b</dc:a></rdf:Description></dc:source>"
        "<dc:rights>1</dc:rights><dc:rights>2</dc:rights>"
    )
    xmp, dc = "http://ns.adobe.com/xap/1.0/", "http://purl.org/dc/elements/1.1/"
    rdf, exif = "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "http://ns.adobe.com/exif/1.0/"
    lang = "http://www.w3.org/XML/1998/namespace lang"
    assert xmp_compare.properties(packet(inside)) == {
        f"{xmp} Rating": "3",
        f"{xmp} Label": "Red",
        f"{xmp} Thumbnails": f"{rdf} Alt",
        f"{xmp} Thumbnails[1]": "",
        f"{xmp} Thumbnails[1]/@{rdf} parseType": "Resource",
        f"{xmp} Thumbnails[1]/{xmp} w": "1",
        f"{dc} title": f"{rdf} Alt",
        f"{dc} title[1]": "T",
        f"{dc} title[1]/@{lang}": "de",
        f"{exif} Flash": "",
        f"{exif} Flash/@{exif} Fired": "True",
        f"{dc} source": "",
        f"{dc} source/{dc} a": "b",
        f"{dc} rights": "1",
        f"{dc} rights#2": "2",
    }


def test_differences_name_what_changed(packet: Packet) -> None:
    """A changed text, a lost and a new property are each told, excluded ones are not."""
    before = packet("<dc:a>1</dc:a><dc:b><rdf:Bag><rdf:li>x</rdf:li></rdf:Bag></dc:b>")
    after = packet("<dc:a>2</dc:a><dc:c>3</dc:c>")
    dc = "http://purl.org/dc/elements/1.1/"
    told = (f"{dc} a", f"{dc} b", f"{dc} b[1]", f"{dc} c")
    assert xmp_compare.differences(before, after) == told
    assert xmp_compare.differences(before, after, {f"{dc} b", f"{dc} c"}) == (f"{dc} a",)
    assert xmp_compare.differences(before, before) == ()


def test_attribute_and_element_are_the_same_property(packet: Packet) -> None:
    """A simple property is the same as an attribute and as an element."""
    before = packet("<dc:format>image/jpeg</dc:format>")
    after = packet("", ' dc:format="image/jpeg"')
    assert xmp_compare.differences(before, after) == ()


def test_the_toolkit_is_read(packet: Packet) -> None:
    """The program that wrote the packet is named."""
    assert xmp_compare.toolkit(packet()) == "Somebody 1.0"


def test_what_cannot_be_compared_is_refused() -> None:
    """A packet that is not well formed has no listing."""
    with pytest.raises(EditRefused):
        xmp_compare.properties(b"<a>")
