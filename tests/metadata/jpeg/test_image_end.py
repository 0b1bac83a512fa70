"""Where the image of a JPEG ends, against a walk that visits every byte."""

from hypothesis import example, given
from hypothesis import strategies as st

from tagline.metadata.jpeg_segments import Jpeg, Segment, image_end

BARE = {0x01, *range(0xD0, 0xDA)}
PIECES = [
    b"\xff",
    b"\x00",
    b"\xd9",
    b"\xd0",
    b"\xda\x00\x04ab",
    b"\xc4\x00\x03",
    b"ab",
    b"\xff\xd9",
]
MPF = Segment(0xE2, b"\xff\xe2\x00\x06MPF\0", 0, 4, 8)


def walked(data: bytes, scan_at: int) -> int:
    """The end of the image, marker by marker."""
    at = scan_at
    while at + 1 < len(data):
        marker = data[at + 1]
        if data[at] != 0xFF or marker in {0x00, 0xFF} or 0xD0 <= marker <= 0xD7:
            at += 1
        elif marker == 0xD9:
            return at + 2
        else:
            at += 2
            if marker not in BARE:
                at += int.from_bytes(data[at : at + 2], "big")
    return len(data)


@given(st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join), st.booleans())
@example(b"\xff\xc4\x00\x04\xff\xd9", False)
@example(b"ab\xff\xd9cd\xff\xd9", False)
@example(b"ab\xff\xff\xd9", True)
def test_the_image_ends_behind_the_first_end_marker_that_no_segment_hides(
    scan: bytes, is_multiple: bool
) -> None:
    """Whatever stands in the image data, and whether the file has an index of images or not."""
    head = b"\xff\xd9"  # what stands ahead of the scan does not count
    jpeg = Jpeg((MPF,) if is_multiple else (), len(head))
    assert image_end(head + b"\xff\xda" + scan, jpeg) == walked(head + b"\xff\xda" + scan, 2)
