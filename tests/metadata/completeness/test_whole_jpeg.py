"""JPEGs that are all there and that are not: scans, thumbnails, what follows the image."""

from io import BytesIO
from struct import pack

import pytest
from PIL import Image

from tagline.metadata import why_incomplete
from tagline.model import BytesSource
from tests.metadata.containers.samples import box
from tests.metadata.containers.samples_common import noise

EOI = b"\xff\xd9"
CONTAINER = "http://ns.google.com/photos/1.0/container/"
VIDEO = (
    box(b"ftyp", b"mp42\0\0\0\0isom") + box(b"mdat", noise(5, 9000)) + box(b"moov", noise(6, 99))
)


def saved(picture: Image.Image, **options: object) -> bytes:
    """A picture as Pillow writes it."""
    target = BytesIO()
    picture.save(target, "JPEG", **options)
    return target.getvalue()


def photo(width: int = 480, height: int = 320, **options: object) -> bytes:
    """A picture of noise."""
    return saved(Image.frombytes("RGB", (width, height), noise(1, width * height * 3)), **options)


def with_segment(data: bytes, marker: int, payload: bytes) -> bytes:
    """A JPEG with a further segment behind its first marker."""
    return data[:2] + bytes((0xFF, marker)) + pack(">H", len(payload) + 2) + payload + data[2:]


RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
CAMERA = "http://ns.google.com/photos/1.0/camera/"


def xmp(inside: str) -> bytes:
    """An XMP segment's payload."""
    packet = (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}"><rdf:Description '
        f'rdf:about="" xmlns:GCamera="{CAMERA}" xmlns:Container="{CONTAINER}" '
        f'xmlns:Item="{CONTAINER}item/" {inside}</rdf:Description></rdf:RDF></x:xmpmeta>'
    )
    return b"http://ns.adobe.com/xap/1.0/\0" + packet.encode()


def micro_video(data: bytes, video: bytes = VIDEO) -> bytes:
    """A motion photo of the first kind."""
    said = xmp(f'GCamera:MicroVideo="1" GCamera:MicroVideoOffset="{len(video)}">')
    return with_segment(data, 0xE1, said) + video


def motion_photo(data: bytes, gain_map: bytes = b"", video: bytes = VIDEO) -> bytes:
    """A motion photo of the second kind, an Ultra HDR one if it has a gain map."""
    items = '<rdf:li><Container:Item Item:Mime="image/jpeg" Item:Semantic="Primary"/></rdf:li>'
    if gain_map:
        items += (
            '<rdf:li><Container:Item Item:Semantic="GainMap" Item:Mime="image/jpeg" '
            f'Item:Length="{len(gain_map)}"/></rdf:li>'
        )
    items += (
        '<rdf:li rdf:parseType="Resource"><Container:Item rdf:parseType="Resource"><Item:Mime>'
        "video/mp4</Item:Mime><Item:Semantic>MotionPhoto</Item:Semantic>"
        f"<Item:Length>{len(video)}</Item:Length></Container:Item></rdf:li>"
    )
    said = xmp(f"><Container:Directory><rdf:Seq>{items}</rdf:Seq></Container:Directory>")
    return with_segment(data, 0xE1, said) + gain_map + video


def multi_picture(data: bytes, further: bytes, order: str = "<") -> bytes:
    """A JPEG of the multi-picture format (CIPA DC-007) with one further picture."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + pack(order + "I", 8)
    whole = len(data) + 4 + 4 + len(head) + 2 + 12 + 4 + 32
    directory = pack(order + "HHHII", 1, 0xB002, 7, 32, len(head) + 18) + bytes(4)
    first = pack(order + "IIIHH", 0x030000, whole, 0, 0, 0)
    second = pack(order + "IIIHH", 0x010001, len(further), whole - 10, 0, 0)
    return with_segment(data, 0xE2, b"MPF\0" + head + directory + first + second) + further


def samsung(data: bytes) -> bytes:
    """A JPEG with Samsung's trailer of one block."""
    name = b"Image_UTC_Data"
    block = b"\0\0\1\x0a" + pack("<I", len(name)) + name + b"1609459200000"
    listed = b"SEFH" + pack("<III", 107, 1, 0x0A010000) + pack("<II", len(block), len(block))
    return data + block + listed + pack("<I", len(listed)) + b"SEFT"


def fault(data: bytes) -> str | None:
    """What is missing of a JPEG."""
    return why_incomplete(BytesSource(data), "a.jpg")


KINDS = {
    "baseline": photo(),
    "optimised": photo(optimize=True),
    "progressive": photo(progressive=True),
    "with restart markers": photo(restart_marker_blocks=3),
    "grey": saved(Image.frombytes("L", (300, 200), noise(1, 60000))),
    "micro video": micro_video(photo(96, 64)),
    "motion photo": motion_photo(photo(96, 64)),
    "Ultra HDR motion photo": motion_photo(photo(96, 64), photo(48, 32)),
    "multi-picture": multi_picture(photo(96, 64), photo(200, 150)),
    "multi-picture, big-endian": multi_picture(photo(96, 64), photo(200, 150), ">"),
    "Samsung's trailer": samsung(photo(96, 64)),
    "a preview right behind": photo(96, 64) + photo(200, 150),
    "a preview behind padding": photo(96, 64) + bytes(6000) + photo(200, 150),
    "a video right behind": photo(96, 64) + VIDEO,
    "fill bytes": photo(96, 64)[:2] + b"\xff" * 90 + photo(96, 64)[2:],
    "junk between segments": photo(96, 64)[:20] + bytes(50) + photo(96, 64)[20:],
}
each_kind = pytest.mark.parametrize("data", KINDS.values(), ids=KINDS)


@each_kind
def test_a_whole_jpeg_is_whole_with_zeros_behind_it(data: bytes) -> None:
    """Programs and cameras pad files with zeros, few or many."""
    assert [fault(data + bytes(zeros)) for zeros in (0, 1, 45_000)] == [None] * 3


@each_kind
def test_a_jpeg_cut_at_any_place_is_incomplete(data: bytes) -> None:
    """Wherever it ends, if not right behind its image, where some say nothing of what follows."""
    image_end = data.rfind(EOI, 0, len(photo(96, 64)) + 1200) + 2
    silent = {image_end} if len(data) > image_end else set()
    cuts = [*range(1, len(data), 397), *range(len(data) - 40, len(data))]
    missed = [cut for cut in cuts if fault(data[:cut]) is None]
    assert [cut for cut in missed if data[cut:].strip(b"\0") and not _is_padded(data, cut)] in (
        [],
        sorted(silent),
    )


def _is_padded(data: bytes, cut: int) -> bool:
    """Whether a part ends in the padding between two pictures."""
    return data[:cut].rstrip(b"\0").endswith(EOI)


@each_kind
def test_a_jpeg_that_is_filled_from_the_front_is_incomplete(data: bytes) -> None:
    """Zeros from any place to the end are a part that is not there yet, ahead of the last bytes."""
    for cut in range(1, len(data) - 4096, 997):
        if not _is_padded(data, cut):
            assert fault(data[:cut] + bytes(len(data) - cut)) is not None, cut


@each_kind
def test_a_hole_that_a_copier_left_is_found(data: bytes) -> None:
    """Blocks of zeros anywhere in the file are a part that is not there yet."""
    for start in range(4096, len(data) - 8192, 4096):
        holed = data[:start] + bytes(4096) + data[start + 4096 :]
        if holed != data:
            assert fault(holed) is not None, start


@pytest.mark.parametrize("name", ["micro video", "motion photo", "multi-picture"])
def test_a_jpeg_that_lacks_all_that_it_names_is_incomplete(name: str) -> None:
    """A file that ends with its image, while it names what follows, is incomplete."""
    data = KINDS[name]
    image_end = data.index(EOI, data.index(b"\xff\xda")) + 2
    assert fault(data[:image_end]) is not None


def test_an_index_of_another_image_says_nothing() -> None:
    """A program that saved the image anew and kept the index left the further pictures out."""
    turned = multi_picture(photo(96, 64), photo(200, 150))
    head_end = turned.index(b"\xff\xdb")
    again = photo(80, 64)
    assert fault(turned[:head_end] + again[again.index(b"\xff\xdb") :]) is None


def test_a_thumbnail_in_a_segment_is_no_end() -> None:
    """The end of a thumbnail's image inside an application segment does not count."""
    data = with_segment(photo(), 0xE1, b"Exif\0\0" + photo(48, 32))
    scan = data.index(b"\xff\xda", data.index(EOI))
    assert fault(data) is None
    assert fault(data[: scan + 500]) is not None
    assert fault(data[: data.index(EOI) + 2]) is not None


def test_a_comment_between_scans_is_no_end() -> None:
    """Bytes like an end of image inside a segment between two scans do not count."""
    data = KINDS["progressive"]
    second = data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)
    comment = b"\xff\xfe\0\x06" + EOI + b"??"
    data = data[:second] + comment + data[second:]
    assert fault(data) is None
    assert fault(data[: second + len(comment) + 900]) is not None


def test_a_video_of_another_length_than_named_is_incomplete() -> None:
    """What is inside the file and named, but is not where it should be, was cut."""
    data = photo(96, 64) + noise(3, 5000)
    said = xmp(f'GCamera:MicroVideo="1" GCamera:MicroVideoOffset="{len(VIDEO)}">')
    whole = with_segment(data, 0xE1, said) + VIDEO
    assert fault(whole) is None
    assert fault(whole[:-3000]) is not None


@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"progressive": True}])
@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (90, 140, 200)])
def test_a_plain_picture_is_whole(options: dict[str, bool], colour: tuple[int, int, int]) -> None:
    """A picture of one colour, or with a large plain area, may be coded as thousands of zeros."""
    plain = Image.new("RGB", (2400, 2000), colour)
    part = plain.copy()
    part.paste(Image.frombytes("RGB", (200, 200), noise(1, 120_000)), (1100, 900))
    for picture in (plain, part):
        data = saved(picture, **options)
        assert fault(data) is None
        assert fault(data[:-2]) is not None


def test_a_hole_in_a_plain_picture_is_found() -> None:
    """Zeros that would be more than the whole picture are none of it."""
    data = saved(Image.new("RGB", (1600, 1200), (255, 255, 255)), optimize=True)
    assert b"\0" * 4096 in data
    end = len(data) - 2
    assert fault(data[:end] + bytes(3 * len(data)) + data[end:]) is not None
