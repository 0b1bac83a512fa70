"""Making one picture with Pillow. Only the worker process loads this."""

import struct
from io import BytesIO
from typing import BinaryIO, Final

import pi_heif  # pyright: ignore[reportMissingTypeStubs] - it has none
from PIL import (
    AvifImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from tagline.pictures.colour import adobe_rgb
from tagline.pictures.jobs import Job
from tagline.pictures.pixels import finished, plain, upright
from tagline.pictures.recipe import Size, fit, turn_needed

_DECODERS: Final = {
    "jpeg": (JpegImagePlugin.JpegImageFile.format, MpoImagePlugin.MpoImageFile.format),
    "png": (PngImagePlugin.PngImageFile.format,),
    "gif": (GifImagePlugin.GifImageFile.format,),
    "webp": (WebPImagePlugin.WebPImageFile.format,),
    "tiff": (TiffImagePlugin.TiffImageFile.format,),
    "avif": (AvifImagePlugin.AvifImageFile.format,),
    "heif": ("HEIF",),
}

DAMAGED: Final = (
    OSError,
    ValueError,
    TypeError,
    SyntaxError,
    ArithmeticError,
    LookupError,
    EOFError,
    AttributeError,
    RuntimeError,
    struct.error,
)
"""What Pillow's decoders are known to raise for data that is not as its format wants it."""

_QUALITY: Final = {"image/jpeg": 84, "image/webp": 80}
_THUMBNAIL_EDGE: Final = 1024
_SCALING_GAP: Final = 3.0
_WEBP_EFFORT: Final = 2
"""How hard the encoder tries, 0 to 6: 4 saves 5 % of the bytes in twice the time."""
_INTEROPERABILITY: Final = 0xA005
_INDEX: Final = 1
_ADOBE: Final = "R03"


class Refusal(Exception):
    """No picture; ``reason`` is one of those of ``PictureRefused``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def prepare() -> None:
    """Load every decoder, and set the limits that Pillow has of its own."""
    pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)  # pyright: ignore[reportUnknownMemberType] - it takes any option
    Image.init()
    Image.MAX_IMAGE_PIXELS = None  # judged here, and with a limit that can be set


def render(file: BinaryIO, job: Job) -> bytes:
    """The encoded picture.

    Raises:
        Refusal: there cannot be one.
        MemoryError: the limit on memory was met.
    """
    image = _opened(file, job)
    if image.width * image.height > job.max_pixels:
        raise Refusal("too_large")
    try:
        return _encoded(_made(image, job), job)
    except DAMAGED as fault:
        raise Refusal("damaged") from fault


def _opened(file: BinaryIO, job: Job) -> Image.Image:
    """The image, its header read and nothing decoded."""
    decoders = [name for name in _DECODERS.get(job.kind, ()) if name]
    if not decoders:
        raise Refusal("unsupported")
    # Browsers show what there is of a JPEG that was cut short; so does a thumbnail.
    ImageFile.LOAD_TRUNCATED_IMAGES = job.kind == "jpeg"
    try:
        return Image.open(file, formats=decoders)
    except DAMAGED as fault:
        # A TIFF may hold pixels of any kind; those that Pillow does not know fail here.
        raise Refusal("unsupported" if job.kind == "tiff" else "damaged") from fault


def _made(image: Image.Image, job: Job) -> Image.Image:
    """Decode, scale, turn upright and convert to sRGB, in the order that costs least."""
    profile = _profile(image)
    turn = turn_needed(job.orientation, job.stored, image.size)
    if job.kind == "tiff" and image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
        turn = 1  # Pillow turns a TIFF of its own accord, by the same word
    target = fit(image.size, job.edge)
    drafted = image.draft(None, target)  # a JPEG is decoded at a fraction of its size at once
    image.load()
    if drafted is None:
        target = fit(image.size, job.edge)  # some decoders know the real size only now
    scaled = _scaled(plain(image), target)
    made = finished(scaled, profile, transparent=job.media_type == "image/webp")
    return upright(made, turn)


def _scaled(image: Image.Image, size: Size) -> Image.Image:
    """The image in another size: thumbnails as sharp as can be, large pictures in less time."""
    if image.size == size:
        return image
    small = max(size) <= _THUMBNAIL_EDGE
    how = Image.Resampling.LANCZOS if small else Image.Resampling.BICUBIC
    return image.resize(size, how, reducing_gap=_SCALING_GAP)  # pyright: ignore[reportUnknownMemberType] - Pillow names NumPy's arrays here


def _profile(image: Image.Image) -> bytes | None:
    """The colour profile of an image: embedded, or Adobe RGB by the rules of camera files."""
    profile = image.info.get("icc_profile")
    if isinstance(profile, bytes) and profile:
        return profile
    if not isinstance(image, JpegImagePlugin.JpegImageFile):
        return None
    try:
        index = image.getexif().get_ifd(_INTEROPERABILITY).get(_INDEX)
    except DAMAGED:
        return None
    return adobe_rgb() if index == _ADOBE else None


def _encoded(image: Image.Image, job: Job) -> bytes:
    """The picture's file, without a word of metadata: what it is of may be nobody's business."""
    out = BytesIO()
    quality = _QUALITY[job.media_type]
    if job.media_type == "image/webp":
        image.save(out, "WEBP", quality=quality, method=_WEBP_EFFORT)
    else:
        progressive = job.edge > _THUMBNAIL_EDGE
        image.save(out, "JPEG", quality=quality, optimize=True, progressive=progressive)
    return out.getvalue()
