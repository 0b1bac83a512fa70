"""Operations on pictures of photos: thumbnails and previews."""

from typing import Annotated

from aiohttp import web
from pydantic import BeforeValidator, Field

from tagline.api.accept import picture_type
from tagline.api.conditional import Validators, Verdict, evaluate
from tagline.api.inputs import Call, QueryInput
from tagline.api.numbers import digits
from tagline.api.operations import Answer, Declaration, operation
from tagline.api.payloads import ETAG_EXAMPLE
from tagline.api.photos import FILE_REFUSALS, UNCHANGED, PhotoPath, ReadHeaders
from tagline.api.refusals import ConditionFailed
from tagline.errors import PictureRefused, PicturesBusy
from tagline.pictures.recipe import PREVIEW_EDGE, THUMBNAIL_EDGE, THUMBNAIL_EDGES, Recipe
from tagline.pictures.service import Picture

_TAG = "Pictures"
_FOREVER = "private, max-age=31536000, immutable"
_ASK_AGAIN = "private, no-cache"
_HEADERS = ("ETag", "Vary")
_ANSWERS = (
    Answer(status=200, says="The picture.", media_type="image/*", headers=_HEADERS),
    Answer(status=304, says=UNCHANGED, headers=_HEADERS),
)
_REFUSALS = (*FILE_REFUSALS, PictureRefused, PicturesBusy)


class PreviewQuery(QueryInput):
    """Which version of a picture."""

    v: str | None = Field(
        default=None,
        max_length=64,
        description="The photo's `etag`, or the picture's own entity tag without its quotes. While "
        "it is the current one, the answer may be kept for a year without asking again.",
        examples=[ETAG_EXAMPLE],
    )


class ThumbnailQuery(PreviewQuery):
    """Which picture, and which version of it."""

    size: Annotated[int, BeforeValidator(digits)] = Field(
        default=THUMBNAIL_EDGE,
        ge=THUMBNAIL_EDGES[0],
        le=THUMBNAIL_EDGES[1],
        description="Pixels of the longer side; a smaller photo is not enlarged.",
        examples=[THUMBNAIL_EDGE],
    )


class PictureHeaders(ReadHeaders):
    """Conditions of a read, and which type to send."""

    accept: str | None = Field(
        default=None,
        alias="Accept",
        description="WebP is sent to who names `image/webp` and likes it no less than JPEG, else "
        "JPEG.",
        examples=["image/webp,image/*;q=0.8"],
    )


@operation(
    "GET",
    "/photos/{photo_id}/thumbnail",
    Declaration(tag=_TAG, answers=_ANSWERS, refusals=_REFUSALS),
)
async def get_thumbnail(
    call: Call, path: PhotoPath, query: ThumbnailQuery, headers: PictureHeaders
) -> web.Response:
    """Get a small picture of a photo, whatever the photo's own format.

    It is upright, in sRGB, and without metadata. Of an animation it shows the first frame, of a RAW
    file the preview that the camera put in. It is made when it is first asked for, and then kept.

    422 with the type `picture_refused` means that no picture can be made of this photo; the `type`
    in `detail` says why: `picture_unsupported`, `picture_damaged`, `picture_too_large` or
    `picture_too_costly`. 503 means that too many are being made now.
    """
    return await _answer(call, path, query, Recipe(query.size, picture_type(headers.accept)))


@operation(
    "GET",
    "/photos/{photo_id}/preview",
    Declaration(tag=_TAG, answers=_ANSWERS, refusals=_REFUSALS),
)
async def get_preview(
    call: Call, path: PhotoPath, query: PreviewQuery, headers: PictureHeaders
) -> web.Response:
    """Get a picture of a photo that fills a screen: at most 2048 pixels on its longer side.

    All else is as with `GET /photos/{photo_id}/thumbnail`.
    """
    return await _answer(call, path, query, Recipe(PREVIEW_EDGE, picture_type(headers.accept)))


async def _answer(call: Call, path: PhotoPath, query: PreviewQuery, recipe: Recipe) -> web.Response:
    """The picture, or 304 without making it.

    Raises:
        ConditionFailed: ``If-Match`` does not hold.
        The errors of ``Library.picture``.
    """
    photo_id = path.photo_id
    wanted = call.library.wanted_picture(photo_id, recipe)
    match evaluate(call.request.headers, Validators(wanted.name, None)):
        case Verdict.FAILED:
            raise ConditionFailed(wanted.name)
        case Verdict.NOT_MODIFIED:
            return web.Response(status=304, headers=_headers(call, query, photo_id, wanted.name))
        case Verdict.PROCEED:
            picture: Picture = await call.library.picture(wanted)
            headers = _headers(call, query, photo_id, picture.name)
            headers["Content-Type"] = picture.media_type
            return web.Response(body=picture.data, headers=headers)


def _headers(call: Call, query: PreviewQuery, photo_id: str, name: str) -> dict[str, str]:
    """Entity tag, and how long to keep it: for good where the address names this version."""
    current = query.v is not None and query.v in {name, call.library.stamp(photo_id).etag}
    return {
        **Validators(name, None).headers(),
        "Cache-Control": _FOREVER if current else _ASK_AGAIN,
        "Vary": "Accept",
    }


OPERATIONS = (get_thumbnail, get_preview)
