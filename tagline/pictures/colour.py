"""Colours as screens of the web expect them: sRGB, from whatever a file's profile says.

Only the worker process loads this.
"""

from functools import lru_cache
from io import BytesIO
from struct import pack

from PIL import Image, ImageCms

_SPACES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}
"""The modes of pixels that profiles of these colour spaces (ICC.1:2022, 7.2.6) are for."""

_KEPT_TRANSFORMS = 8
_FAULTS = (ImageCms.PyCMSError, OSError, ValueError, TypeError, OverflowError)


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The image as RGB in sRGB. A profile that is damaged, or for other pixels, is passed over."""
    if profile:
        try:
            return _by_profile(image, profile)
        except _FAULTS:
            pass
    if image.mode == "LAB":
        return _transformed(image, _lab_transform())
    return image if image.mode == "RGB" else image.convert("RGB")


def _by_profile(image: Image.Image, profile: bytes) -> Image.Image:
    """Raises what LittleCMS's binding raises for profiles that cannot be used."""
    wanted = _SPACES.get(_space(profile), "")
    if wanted == "RGB" and image.mode == "L":
        image = image.convert("RGB")
    if image.mode != wanted:
        raise ValueError("the profile is for another kind of pixels")
    return _transformed(image, _transform(profile, wanted))


def _transformed(image: Image.Image, transform: ImageCms.ImageCmsTransform) -> Image.Image:
    made = ImageCms.applyTransform(image, transform)
    if made is None:
        raise ValueError("no image was made")
    return made


def _space(profile: bytes) -> str:
    """The colour space that a profile's header names (ICC.1:2022, 7.2)."""
    return profile[16:20].decode("ascii", "replace").strip()


@lru_cache(maxsize=_KEPT_TRANSFORMS)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform:
    return _to_srgb_from(ImageCms.ImageCmsProfile(BytesIO(profile)), mode)


@lru_cache(maxsize=1)
def _lab_transform() -> ImageCms.ImageCmsTransform:
    return _to_srgb_from(ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")), "LAB")  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - Pillow does not say that it gives a CmsProfile


def _to_srgb_from(profile: ImageCms.ImageCmsProfile, mode: str) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        profile,
        ImageCms.createProfile("sRGB"),  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - Pillow does not say that it gives a CmsProfile
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


def adobe_rgb() -> bytes:
    """A profile of Adobe RGB (1998), for cameras that name it and embed none (DCF 2.0, 3.3.4).

    Primaries are those of section 4.3.1 of its encoding, adapted to D50 as a profile wants them.
    """
    gamma = _fixed_curve(563 / 256)
    tags = {
        b"rXYZ": _xyz(0.60974, 0.31111, 0.01947),
        b"gXYZ": _xyz(0.20528, 0.62567, 0.06087),
        b"bXYZ": _xyz(0.14919, 0.06322, 0.74457),
        b"wtpt": _xyz(0.96420, 1.0, 0.82491),
        b"rTRC": gamma,
        b"gTRC": gamma,
        b"bTRC": gamma,
    }
    start = 128 + 4 + 12 * len(tags)
    table, values = pack(">I", len(tags)), b""
    for name, value in tags.items():
        table += pack(">4sII", name, start + len(values), len(value))
        values += value
    head = pack(
        ">I4sI4s4s4s", start + len(values), b"\0" * 4, 0x02100000, b"mntr", b"RGB ", b"XYZ "
    )
    head += bytes(12) + b"acsp" + bytes(28) + _xyz(0.96420, 1.0, 0.82491)[8:]
    return head.ljust(128, b"\0") + table + values


def _xyz(*values: float) -> bytes:
    """An XYZType (ICC.1:2022, 10.31)."""
    return b"XYZ \0\0\0\0" + pack(">3i", *(round(value * 65536) for value in values))


def _fixed_curve(gamma: float) -> bytes:
    """A curveType of one gamma (10.6), padded to four bytes."""
    return b"curv\0\0\0\0" + pack(">IH2x", 1, round(gamma * 256))
