"""Which form of an answer a client likes best (RFC 9110, 12.5): pure rules."""

from tagline.pictures.recipe import PictureType

_JPEG: PictureType = "image/jpeg"
_WEBP: PictureType = "image/webp"


def picture_type(accept: str | None) -> PictureType:
    """WebP for who asks for it by name and does not like JPEG better, else JPEG.

    ``*/*`` may come from programs that know no WebP. Who likes neither is sent JPEG all the same,
    which the standard allows.
    """
    if accept is None:
        return _JPEG
    weights = _weights(accept)
    jpeg = _weight(weights, _JPEG)
    if _WEBP in weights:
        return _WEBP if weights[_WEBP] > 0 and weights[_WEBP] >= jpeg else _JPEG
    return _WEBP if jpeg == 0 and _weight(weights, _WEBP) > 0 else _JPEG


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether to send gzip (RFC 9110, 12.5.3); the header is empty where there is none.

    It is sent to who names it, or ``*``, and does not like the bytes as they are better. Who
    refuses both forms is sent the bytes as they are, which the standard allows.
    """
    weights = _weights(accept_encoding)
    anything = weights.get("*", 0.0)
    liked = weights.get("gzip", weights.get("x-gzip", anything))
    return liked > 0 and liked >= weights.get("identity", anything)


def _weight(weights: dict[str, float], media_type: str) -> float:
    """How much a type is liked, by the most specific range that covers it."""
    ranges = (media_type, "image/*", "*/*")
    return next((weights[each] for each in ranges if each in weights), 0.0)


def _weights(accept: str) -> dict[str, float]:
    """The weight of each media range; one that cannot be read counts as 0."""
    found: dict[str, float] = {}
    for part in accept.split(","):
        media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
        found[media_range] = next(
            (_quality(each[2:]) for each in parameters if each.startswith("q=")), 1.0
        )
    return found


def _quality(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if 0 <= value <= 1 else 0.0
