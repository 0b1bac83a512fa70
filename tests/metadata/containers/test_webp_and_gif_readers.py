"""What the WebP and GIF readers promise beyond the contract."""

from io import BytesIO
from struct import pack

import pytest
from PIL import Image

from tagline.metadata import gif, webp
from tagline.model import BytesSource
from tests.metadata.containers.samples import gif as gif_sample
from tests.metadata.containers.samples import saved
from tests.metadata.containers.samples_common import exif_block, image, noise, xmp_packet
from tests.metadata.containers.sources import CountingSource, within

XMP = xmp_packet("described")


def chunk(kind: bytes, data: bytes) -> bytes:
    """A RIFF chunk, padded to even length."""
    return kind + pack("<I", len(data)) + data + b"\0" * (len(data) & 1)


def riff(*chunks: bytes) -> bytes:
    """A WebP of these chunks."""
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + pack("<I", len(body)) + body


@pytest.mark.parametrize("options", [{"quality": 50}, {"lossless": True}])
@pytest.mark.parametrize("size", [(1, 1), (17, 333), (1000, 2)])
def test_simple_webp_sizes(options: dict[str, object], size: tuple[int, int]) -> None:
    """Lossy and lossless images without an extended header give their size."""
    target = BytesIO()
    Image.new("RGB", size, "red").save(target, "WEBP", **options)  # type: ignore[arg-type]
    assert b"VP8X" not in target.getvalue()
    container = webp.read(BytesSource(target.getvalue()))
    assert (container.width, container.height) == size
    assert container.problem is None


def test_animated_webp_with_metadata_at_its_end() -> None:
    """Frames are image data; the blocks behind them are found."""
    target = BytesIO()
    frames = [image(seed) for seed in range(5)]
    frames[0].save(
        target, "WEBP", save_all=True, append_images=frames[1:], exif=exif_block(), xmp=XMP
    )
    container = webp.read(BytesSource(target.getvalue()))
    assert len(container.image_data) == 5
    assert container.exif == exif_block()
    assert container.xmp == XMP


def test_alpha_is_image_data() -> None:
    """A lossy image with transparency has two parts."""
    container = webp.read(BytesSource(saved(1, "WEBP", "RGBA", quality=50)))
    assert len(container.image_data) == 2


def test_an_exif_prefix_is_taken_off() -> None:
    """Some writers put a JPEG's prefix before the Exif block."""
    parts = chunk(b"VP8X", bytes(10)), chunk(b"VP8L", b"\x2f" + bytes(5))
    data = riff(*parts, chunk(b"EXIF", b"Exif\0\0" + exif_block()))
    assert webp.read(BytesSource(data)).exif == exif_block()


@pytest.mark.parametrize(
    "data", [riff(), riff(chunk(b"VP8X", bytes(10))), b"RIFF\0\0\0\0WAVE", b"RIFF"]
)
def test_a_webp_without_image_is_a_problem(data: bytes) -> None:
    """No image, or another kind of RIFF: a sentence."""
    assert webp.read(BytesSource(data)).problem is not None


def test_a_webp_of_empty_chunks_ends() -> None:
    """Millions of empty chunks are not walked to the end."""
    with within(1):
        container = webp.read(BytesSource(riff(chunk(b"none", b"") * 1_000_000)))
    assert container.problem is not None


def test_gif_without_extensions() -> None:
    """A plain GIF has a size, image data and nothing else."""
    container = gif.read(BytesSource(saved(1, "GIF", "P")))
    assert (container.width, container.height) == (96, 64)
    assert container.xmp is None
    assert container.problem is None


@pytest.mark.parametrize("length", [0, 1, 200, 5000, 300_000])
def test_gif_xmp_of_any_length(length: int) -> None:
    """A packet of any length is found whole, whatever block lengths its bytes look like."""
    packet = XMP + b" " * length
    assert gif.read(BytesSource(gif_sample(1, packet))).xmp == packet


def test_gif_xmp_behind_the_image() -> None:
    """A packet at the end is found as well, and the image data is the same."""
    plain, front = saved(1, "GIF", "P"), gif_sample(1)
    start = front.index(b"\x21\xff\x0bXMP")
    extension = front[start : start + len(front) - len(plain)]
    behind = gif.read(BytesSource(plain[:-1] + extension + plain[-1:]))
    assert behind.xmp == XMP
    parts = [length for _, length in behind.image_data]
    assert parts == [length for _, length in gif.read(BytesSource(front)).image_data]


def big_gif(blocks: int, before: bytes = b"") -> bytes:
    """A GIF whose one image is ``blocks`` full blocks long."""
    head = b"GIF89a" + pack("<HHBBB", 10, 10, 0, 0, 0)
    data = b"\xff" + noise(1, 255)
    return (
        head + before + b"\x2c" + pack("<HHHHB", 0, 0, 10, 10, 0) + b"\2" + data * blocks + b"\0;"
    )


def test_a_large_gif_is_walked_in_part() -> None:
    """Beyond some MiB the rest is left unread, and metadata ahead of the image moves nothing."""
    extension = b"\x21\xfe\x05hello\0"
    data = big_gif(60_000)
    first = gif.read(source := CountingSource(data))
    second = gif.read(BytesSource(big_gif(60_000, extension)))
    assert sum(length for _, length in first.image_data) == gif.IMAGE_LIMIT
    assert source.read_bytes < gif.IMAGE_LIMIT * 1.2
    moved = [(at + len(extension), length) for at, length in first.image_data]
    assert list(second.image_data) == moved
    assert first.problem is None


@pytest.mark.parametrize(
    "body",
    [
        b"\x21\xf9\0" * 3_000_000,
        (b"\x2c" + bytes(9) + b"\2\0") * 1_000_000,
        b"\x21\xfe" + b"\1x" * 6_000_000,
        b"\x2c" + bytes(9) + b"\2" + b"\1x" * 6_000_000,
        b"\x21\xff\x0bXMP DataXMP" + b"\1x" * 6_000_000,
        b"?",
        b"",
    ],
)
def test_a_hostile_gif_ends(body: bytes) -> None:
    """Millions of tiny parts, endless chains, junk: a result within a second."""
    with within(1):
        container = gif.read(BytesSource(b"GIF89a" + bytes(7) + body))
    assert container.problem is not None or container.image_data
