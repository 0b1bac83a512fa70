"""Editing XMP packets: the text reads back, everything else stays."""

from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tagline.errors import EditRefused
from tagline.metadata import xmp, xmp_compare, xmp_edit
from tagline.metadata import xmp_names as names
from tagline.metadata.xmp_text import PACKET_MAX_BYTES

# What an edit of the description may change.
TOUCHED = (names.DC_DESCRIPTION, names.TIFF_DESCRIPTION, names.EXIF_USER_COMMENT)

Packet = Callable[..., bytes]

XML_TEXT = st.text(
    st.one_of(
        st.sampled_from("\t\n\r <>&\"']]>é日😀"),
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
    ),
    min_size=1,
    max_size=60,
)
ALT = "<dc:description><rdf:Alt>{}</rdf:Alt></dc:description>"
LI = '<rdf:li xml:lang="{}">{}</rdf:li>'


def rest(packet: bytes) -> dict[str, str]:
    """All that an edit must leave as it is."""
    return xmp_compare.without(xmp_compare.properties(packet), TOUCHED)


def listing(packet: bytes) -> dict[str, str]:
    """Every property of the packet."""
    return xmp_compare.properties(packet)


def edited(packet: bytes | None, text: str | None, old_text: str | None = None) -> bytes:
    """The packet after an edit that leaves one."""
    result = xmp_edit.edit(packet, text, old_text=old_text)
    assert result is not None
    return result


FORMS = [
    "",
    ALT.format(LI.format("x-default", "old")),
    ALT.format(LI.format("x-default", "")),
    ALT.format(LI.format("de", "old") + LI.format("fr", "vieux")),
    ALT.format(""),
    "<dc:description><rdf:Alt/></dc:description>",
    ALT.format('<rdf:li xml:lang="x-default"/>'),
    "<dc:description/>",
    "<dc:description>old</dc:description>",
    "<dc:description><rdf:Seq><rdf:li>old</rdf:li></rdf:Seq></dc:description>",
    "<dc:description><rdf:Alt><rdf:li>old</rdf:li></rdf:Alt></dc:description>",
    ALT.format("<rdf:li xml:lang='x-default'><![CDATA[old]]></rdf:li>"),
    ALT.format(LI.format("x-default", "old")) * 2,
]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(FORMS), st.booleans(), st.booleans(), XML_TEXT)
@example(FORMS[0], True, False, "]]>")
@example(FORMS[3], True, True, " \r\n ")
def test_text_reads_back_and_the_rest_stays(
    packet: Packet, form: str, wrapped: bool, attribute: bool, text: str
) -> None:
    """Whatever form the description has, the text reads back and nothing else changes."""
    attributes = " dc:description='old'" if attribute else ""
    before = packet(form, attributes, wrapped=wrapped)
    after = edited(before, text)
    assert xmp.read(after).description == text
    assert rest(after) == rest(before)
    assert edited(after, text) == after
    gone = edited(after, None)
    assert xmp.read(gone).description is None
    assert rest(gone) == rest(before)


@settings(max_examples=60, deadline=None)
@given(XML_TEXT)
def test_adding_and_removing_restores_the_bytes(packet: Packet, text: str) -> None:
    """A description that was added and removed again leaves the very bytes that were there."""
    before = packet()
    assert edited(edited(before, text), None) == before


@pytest.mark.parametrize(
    "node",
    [
        '<rdf:Description rdf:about=""/>',
        '<rdf:Description rdf:about="" />',
        '<rdf:Description rdf:about="" xmlns:q="urn:q" q:a="&gt;\'>"/>',
        '<rdf:Description rdf:about="">\n</rdf:Description>',
        '<rdf:Description xmlns:q="urn:q"><q:a>b</q:a></rdf:Description>',
        "",
    ],
)
@pytest.mark.parametrize("space", ["", "\n  ", "\r\n\t"])
def test_any_place_takes_a_description(node: str, space: str) -> None:
    """Self-closing, empty and missing rdf:Description take it, and are themselves again after."""
    rdf = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    before = f"<rdf:RDF {rdf}>{space}{node}{space}</rdf:RDF>".encode()
    after = edited(before, "new")
    assert xmp.read(after).description == "new"
    assert edited(after, None) == before


def test_a_self_closing_rdf_is_opened() -> None:
    """An rdf:RDF that closes itself takes an rdf:Description."""
    before = b'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>'
    assert xmp.read(edited(before, "new")).description == "new"


def test_default_namespaces_are_understood() -> None:
    """RDF without a prefix takes a description that declares its own."""
    before = (
        b'<RDF xmlns="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><Description>'
        b"</Description></RDF>"
    )
    assert xmp.read(edited(before, "new")).description == "new"
    bare = b'<RDF xmlns="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></RDF>'
    assert xmp.read(edited(bare, "new")).description == "new"


def test_a_prefix_bound_to_something_else_is_no_trap(packet: Packet) -> None:
    """Where ``dc`` means another namespace, the right one is declared on the element itself."""
    before = packet().replace(b'"http://purl.org/dc/elements/1.1/"', b'"urn:other"')
    assert xmp.read(edited(before, "new")).description == "new"


def test_twins_follow_and_translations_stay(packet: Packet) -> None:
    """Items with the shown words get the new ones; translations keep theirs."""
    items = LI.format("x-default", "old") + LI.format("en", "old") + LI.format("de", "alt")
    said = listing(edited(packet(ALT.format(items)), "new"))
    texts = [text for path, text in said.items() if "description[" in path and "@" not in path]
    assert texts == ["new", "new", "alt"]


def test_a_description_in_one_language_gets_an_x_default(packet: Packet) -> None:
    """Where no item is for everybody, one is put first, and the shown one says the new text too."""
    items = LI.format("de", "alt") + LI.format("fr", "vieux")
    after = edited(packet(ALT.format(items)), "new")
    order = '"x-default">new</rdf:li><rdf:li xml:lang="de">new</rdf:li><rdf:li xml:lang="fr">vieux'
    assert order.encode() in after


@pytest.mark.parametrize("name", ["tiff:ImageDescription", "exif:UserComment"])
@pytest.mark.parametrize(
    ("held", "old_text", "follows"),
    [("old", None, True), ("from exif", "from exif", True), ("its own", "from exif", False)],
)
def test_copies_of_the_old_text_follow(
    packet: Packet, name: str, held: str, old_text: str | None, follows: bool
) -> None:
    """tiff:ImageDescription and exif:UserComment follow where they held the old text, only then."""
    copy = f"<{name}><rdf:Alt>{LI.format('x-default', held)}</rdf:Alt></{name}>"
    before = packet(ALT.format(LI.format("x-default", "old")) + copy)
    values = xmp.read(edited(before, "new", old_text))
    shown = values.tiff_description if name.startswith("tiff") else values.user_comment
    assert shown == ("new" if follows else held)
    values = xmp.read(edited(before, None, old_text))
    shown = values.tiff_description if name.startswith("tiff") else values.user_comment
    goes = follows or name == "tiff:ImageDescription"
    assert shown == (None if goes else held)


def test_a_camera_s_default_text_is_no_description(packet: Packet) -> None:
    """Removing the description leaves a camera's default string in tiff:ImageDescription."""
    default = LI.format("x-default", "OLYMPUS DIGITAL CAMERA         ")
    copy = f"<tiff:ImageDescription><rdf:Alt>{default}</rdf:Alt></tiff:ImageDescription>"
    before = packet(copy)
    assert xmp_edit.edit(before, None) == before


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 900), min_size=1, max_size=6))
def test_padding_keeps_the_length(packet: Packet, sizes: list[int]) -> None:
    """Texts that fit the padding, one after the other, leave the packet's length as it was."""
    before = packet(wrapped=True)
    now = before
    for size in sizes:
        now = edited(now, "x" * size)
        assert len(now) == len(before)


def test_a_packet_grows_when_its_padding_is_used_up(packet: Packet) -> None:
    """A text longer than the padding uses it and grows the packet by no more than it must."""
    before = packet(wrapped=True)
    after = edited(before, "x" * 5000)
    assert len(after) - len(before) < 5000 + 200 - 900
    assert len(edited(after, "x")) == len(after)


def test_nul_padding_and_marks_stay(packet: Packet) -> None:
    """A byte order mark before and NULs behind the packet stay where they are."""
    before = b"\xef\xbb\xbf" + packet(wrapped=True) + b"\0" * 7
    after = edited(before, "new")
    assert after.startswith(b"\xef\xbb\xbf<?xpacket")
    assert after.endswith(b'"w"?>' + b"\0" * 7)
    assert xmp.read(after).description == "new"


def test_comments_and_read_only_packets_are_edited_in_place(packet: Packet) -> None:
    """Comments stay byte for byte, and a packet marked read-only is edited like any other."""
    before = packet("<!-- keep > me -->", wrapped=True).replace(b'end="w"', b"end='r'")
    after = edited(before, "new")
    assert b"<!-- keep > me -->" in after
    assert after.endswith(b"<?xpacket end='r'?>")
    assert len(after) == len(before)


def test_a_new_packet_is_wrapped_padded_and_vanishes_again() -> None:
    """A packet made from nothing is padded, names Tagline, and is dropped when emptied."""
    made = edited(None, "a < b")
    assert made.startswith(b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>')
    assert made.endswith(b'<?xpacket end="w"?>')
    assert 1000 < len(made) < 3000
    assert xmp.read(made).description == "a < b"
    assert len(edited(made, "x" * 900)) == len(made)
    assert xmp_edit.edit(made, None) is None
    assert xmp_edit.edit(edited(made, "y" * 4000), "") is None


def test_nothing_stays_nothing() -> None:
    """Without packet and text there is none; an empty block is as good as none."""
    assert xmp_edit.edit(None, None) is None
    assert xmp_edit.edit(b"\0\0", None) == b"\0\0"
    assert xmp.read(edited(b" \0", "new")).description == "new"


def test_a_packet_of_tagline_with_more_in_it_stays() -> None:
    """What another program has added since keeps the packet alive."""
    made = edited(None, "text").replace(
        b"  </rdf:Description>", b'<x:y xmlns:x="urn:x">1</x:y></rdf:Description>'
    )
    kept = edited(made, None)
    assert listing(kept) == {"urn:x y": "1"}


def test_removing_nothing_changes_nothing(packet: Packet) -> None:
    """Where no description is shown, removing it returns equal bytes."""
    for form in ("", "<dc:description/>", ALT.format(LI.format("x-default", ""))):
        before = packet(form, wrapped=True)
        assert xmp_edit.edit(before, None) == before


def test_an_own_rdf_description_goes_with_its_only_property() -> None:
    """An rdf:Description that held the description alone is not left behind as a shell."""
    node = '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">{}</rdf:Description>'
    other = '<rdf:Description rdf:about="" xmlns:q="urn:q" q:a="1"/>'
    head = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    text = ALT.format(LI.format("x-default", "old"))
    before = f"{head}\n {other}\n {node.format(text)}\n</rdf:RDF>"
    assert edited(before.encode(), None) == f"{head}\n {other}\n</rdf:RDF>".encode()


REFUSED = {
    "character": ("new\x01", b"<a/>"),
    "noncharacter": ("new\uffff", b"<a/>"),
    "UTF-8": ("new", "<a/>".encode("utf-16")),
    "declared": ("new", b'<?xml version="1.0" encoding="ISO-8859-1"?><a/>'),
    "well formed": ("new", b"<a><b></a>"),
    "document type": ("new", b"<!DOCTYPE a><a/>"),
    "no rdf": ("new", b"<a/>"),
    "large": ("new", b"<a>" + b" " * PACKET_MAX_BYTES + b"</a>"),
    "deep": ("new", b"<a>" * 200 + b"</a>" * 200),
    "two": (
        "new",
        b'<a xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><r:RDF/><r:RDF/></a>',
    ),
}


@pytest.mark.parametrize(("text", "data"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_edited_safely_is_refused(packet: Packet, text: str, data: bytes) -> None:
    """Packets out of the ordinary, and texts that XML cannot hold, are refused with a reason."""
    with pytest.raises(EditRefused) as caught:
        xmp_edit.edit(packet() if data == b"<a/>" and text != "new" else data, text)
    assert caught.value.reason


@pytest.mark.parametrize(
    "form",
    [
        "<dc:description rdf:parseType='Resource'><rdf:value>a</rdf:value></dc:description>",
        ALT.format("<rdf:li xml:lang='x-default'><rdf:value>a</rdf:value></rdf:li>"),
        ALT.format("<rdf:li xml:lang='x-default'>a<!-- b --></rdf:li>"),
        "<dc:description>a<?b c?></dc:description>",
        "<dc:description rdf:resource='urn:a'/>",
    ],
)
def test_markup_in_the_description_is_refused(packet: Packet, form: str) -> None:
    """A description with structure of its own is not overwritten."""
    with pytest.raises(EditRefused, match="markup"):
        xmp_edit.edit(packet(form), "new")


def test_carriage_returns_survive(packet: Packet) -> None:
    """Line ends of every kind read back as they were written, in elements and attributes."""
    text = "a\rb\r\nc\nd\te"
    assert xmp.read(edited(packet(), text)).description == text
    assert xmp.read(edited(packet("", ' dc:description="x"'), text)).description == text
