"""Pixels of every kind made into the two kinds that pictures are made of.

Only the worker process loads this.
"""

from PIL import Image

from tagline.pictures.colour import to_srgb

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What brings an image of an orientation (EXIF 3.0, 4.6.5.1) upright; 1 needs nothing."""

_PLAIN = {"L", "LA", "RGB", "RGBA", "CMYK", "LAB"}
_TRANSPARENT = {"LA": "L", "RGBA": "RGB"}
_WHITE = (255, 255, 255)
_BLACK_TO_WHITE = 255


def plain(image: Image.Image) -> Image.Image:
    """The image with eight bits a channel and no palette, so that it can be scaled."""
    mode = image.mode
    if mode.startswith("I;16"):
        return _straight(image, 1 / 256, 0, "L")
    if mode in {"I", "F"}:
        return _stretched(image)
    if "transparency" in image.info and mode in {"1", "L", "P", "RGB"}:
        return image.convert("LA" if mode in {"1", "L"} else "RGBA")
    if mode in _PLAIN:
        return image
    if mode == "1":
        return image.convert("L")
    return image.convert("RGBA" if mode in {"PA", "La", "RGBa"} else "RGB")


def _stretched(image: Image.Image) -> Image.Image:
    """Numbers of no known range as grey: the least is black, the greatest white."""
    image = image.convert("F")
    least, greatest = image.getextrema()
    if not isinstance(least, float) or not isinstance(greatest, float) or not greatest > least:
        return Image.new("L", image.size)
    scale = _BLACK_TO_WHITE / (greatest - least)
    return _straight(image, scale, -least * scale, "F").convert("L")


def _straight(image: Image.Image, scale: float, offset: float, mode: str) -> Image.Image:
    """Every value of a channel of numbers along a straight line."""
    return image.point(lambda value: value * scale + offset, mode)  # pyright: ignore[reportUnknownMemberType] - Pillow names NumPy's arrays here


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """The image as its orientation wants it to be seen."""
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def finished(image: Image.Image, profile: bytes | None, *, transparent: bool) -> Image.Image:
    """The plain image in sRGB; what shines through is kept, or laid on white."""
    if image.mode not in _TRANSPARENT:
        return to_srgb(image, profile)
    alpha = image.getchannel("A")
    colours = to_srgb(image.convert(_TRANSPARENT[image.mode]), profile)
    if transparent:
        colours.putalpha(alpha)
        return colours
    ground = Image.new("RGB", image.size, _WHITE)
    ground.paste(colours, mask=alpha)
    return ground
