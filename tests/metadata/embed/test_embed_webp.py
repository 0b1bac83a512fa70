"""WebP: the extended header, its flags and size, and the frame around the chunks."""

import pytest

from tagline.errors import EditRefused
from tagline.metadata import xmp_edit
from tagline.metadata.webp_edit import embed
from tests.metadata.embed.samples_embed import SAMPLES, camera_exif, noise, pixels, saved, shown

PLAIN = SAMPLES["webp lossy RGB"]


def chunks(data):
    """Code and payload of every chunk."""
    found, at = [], 12
    end = 8 + int.from_bytes(data[4:8], "little")
    while at < end:
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        found.append((data[at : at + 4], data[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    assert at == end
    return found


def riff(*parts):
    """A WebP of these raw chunks."""
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("webp lossy RGB", 0x08),
        ("webp lossless RGB", 0x08),
        ("webp lossless RGBA", 0x18),
        ("webp lossy RGBA", 0x18),
        ("webp animated", 0x0A),
        ("webp exif", 0x28),
    ],
)
def test_the_header_says_what_is_there(name, flags):
    """VP8X has the flags of metadata, alpha, animation and profile, and the canvas's size."""
    found = chunks(embed(SAMPLES[name], "text", None))
    kind, header = found[0]
    assert kind == b"VP8X"
    assert header[0] == flags
    assert int.from_bytes(header[4:7], "little") + 1 == 61
    assert int.from_bytes(header[7:10], "little") + 1 == 43
    assert [k for k, _ in found[1:]].count(b"EXIF") == 1
    assert b"XMP " not in [k for k, _ in found]


def test_every_other_chunk_stays():
    """Profile, animation and frames are byte for byte what they were, in their order."""
    for name in ("webp animated", "webp exif", "webp lossy RGBA"):
        before, after = (
            [c for c in chunks(d) if c[0] not in (b"VP8X", b"EXIF", b"XMP ")]
            for d in (SAMPLES[name], embed(SAMPLES[name], "text", None))
        )
        assert before == after


def test_what_follows_the_container_stays():
    """Trailing bytes are kept, and not counted in."""
    before = SAMPLES["webp trailer"]
    after = embed(before, "text", None)
    assert after.endswith(b"trailing bytes")
    assert 8 + int.from_bytes(after[4:8], "little") == len(after) - len(b"trailing bytes")


def test_a_prefix_stays(webp_chunk):
    """An EXIF chunk that begins as in a JPEG goes on doing so."""
    frame = chunks(PLAIN)[0]
    header = bytes((8, 0, 0, 0)) + (60).to_bytes(3, "little") + (42).to_bytes(3, "little")
    block = camera_exif().tobytes()
    before = riff(webp_chunk(b"VP8X", header), webp_chunk(*frame), webp_chunk(b"EXIF", block))
    after = embed(before, "text", None)
    assert dict(chunks(after))[b"EXIF"].startswith(b"Exif\0\0MM\0*")
    assert shown("webp", after)["exif"] == "text"


def test_a_header_that_says_more_stays(webp_chunk):
    """An emptied file keeps an extended header where an unknown chunk needs it."""
    frame = chunks(PLAIN)[0]
    header = bytes(4) + (60).to_bytes(3, "little") + (42).to_bytes(3, "little")
    before = riff(webp_chunk(b"VP8X", header), webp_chunk(*frame), webp_chunk(b"mine", b"odd"))
    assert embed(embed(before, "text", None), None, "text") == before


def test_a_missing_padding_byte_is_made_up(webp_chunk):
    """A last chunk of odd length without its padding gets it when others follow."""
    frame = chunks(PLAIN)[0]
    before = riff(webp_chunk(*frame), b"mine\3\0\0\0odd")
    after = embed(before, "text", None)
    assert (b"mine", b"odd") in chunks(after)
    assert pixels(after) == pixels(PLAIN)


def test_a_misspelt_chunk_that_is_silent_stays(webp_chunk):
    """XMP under a wrong code stands in the way only where it holds a description."""
    packet = xmp_edit.edit(None, "old")
    frame = webp_chunk(*chunks(PLAIN)[0])
    silent = webp_chunk(b"XMP\0", packet.replace(b"dc:description", b"dc:title......"))
    assert silent in embed(riff(frame, silent), "text", None)
    with pytest.raises(EditRefused, match="misspelt"):
        embed(riff(frame, webp_chunk(b"XMP\0", packet)), "text", None)


def test_what_is_unclear_is_refused(webp_chunk):
    """No header where one is needed, a chunk twice, a seal, an odd frame: not touched."""
    frame = webp_chunk(*chunks(PLAIN)[0])
    header = webp_chunk(b"VP8X", bytes(10))
    block = webp_chunk(b"EXIF", camera_exif().tobytes()[6:])
    for before, reason in (
        (riff(block, frame), "begin"),
        (riff(header), "no image"),
        (riff(header, header, frame), "twice"),
        (riff(header, frame, block, block), "twice"),
        (riff(header, frame, webp_chunk(b"C2PA", b"x")), "Content Credentials"),
        (riff(frame, webp_chunk(b"ALPH", b"x")), "needs a header"),
        (riff(frame, frame), "needs a header"),
        (riff(webp_chunk(b"VP8X", bytes(12)), frame), "unknown length"),
        (riff(webp_chunk(b"VP8 ", b"no frame")), "does not begin"),
        (riff(webp_chunk(b"VP8 ", b"abc\x9d\x01\x2a" + bytes(4))), "no size"),
        (riff(frame, b"mine\xff\0\0\0"), "leaves"),
        (riff(frame, webp_chunk(b"exif", b"x")), "misspelt"),
        (PLAIN[:-2], "cut short"),
    ):
        with pytest.raises(EditRefused, match=reason):
            embed(before, "text", None)


def test_a_simple_file_is_simple_again():
    """The header that only the description needed goes with it."""
    for name in ("webp lossy RGB", "webp lossless RGBA", "webp trailer"):
        before = SAMPLES[name]
        assert chunks(before)[0][0] != b"VP8X"
        assert embed(embed(before, "text", None), None, "text") == before
    other = saved(noise("RGB"), "WEBP", exif=camera_exif())
    assert chunks(embed(embed(other, "text", None), None, "text"))[0][0] == b"VP8X"
