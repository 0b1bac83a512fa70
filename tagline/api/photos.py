"""Operations on one photo: look at it, get its original."""

from typing import Annotated

from aiohttp import web
from pydantic import AfterValidator, Field

from tagline.api.answers import cached_json, not_modified, photo_validators
from tagline.api.conditional import Verdict, evaluate
from tagline.api.images import send_image
from tagline.api.inputs import Call, HeaderInput, PathInput
from tagline.api.operations import Answer, Declaration, operation
from tagline.api.payloads import ETAG_EXAMPLE, GivenPhotoId, Photo
from tagline.api.refusals import ConditionFailed, RangeNotSatisfiable
from tagline.errors import (
    ObjectChanged,
    ObjectUnreadable,
    PhotoNotFound,
    StorageUnavailable,
)
from tagline.model import stamp_of

_TAG = "Photos"
_OF_A_FILE = ("ETag", "Last-Modified", "Accept-Ranges")
READ_REFUSALS = (PhotoNotFound, ConditionFailed, StorageUnavailable)
FILE_REFUSALS = (*READ_REFUSALS, ObjectChanged, ObjectUnreadable)
"""What is refused when the photo's file is opened."""
UNCHANGED = "It is still as the request's conditions describe it."


class PhotoPath(PathInput):
    """Which photo; its id as ids are written, whatever the case that was sent."""

    photo_id: Annotated[GivenPhotoId, AfterValidator(str.lower)]


class ReadHeaders(HeaderInput):
    """Conditions of a read."""

    if_none_match: str | None = Field(
        default=None,
        alias="If-None-Match",
        description="Entity tags; 304 where the current one is among them.",
        examples=[f'"{ETAG_EXAMPLE}"'],
    )
    if_modified_since: str | None = Field(
        default=None,
        alias="If-Modified-Since",
        description="A date; 304 where nothing is newer. Ignored beside `If-None-Match`.",
        examples=["Wed, 01 May 2024 12:34:56 GMT"],
    )


class ImageHeaders(ReadHeaders):
    """Conditions of a read, and the part to read."""

    range: str | None = Field(
        default=None,
        alias="Range",
        description="One part, as `bytes=0-1023`, `bytes=1024-` or `bytes=-512`. Several parts at "
        "once are answered by the whole.",
        examples=["bytes=0-1023"],
    )
    if_range: str | None = Field(
        default=None,
        alias="If-Range",
        description="The entity tag (or date) that the part must belong to; else the whole comes.",
        examples=[f'"{ETAG_EXAMPLE}"'],
    )


@operation(
    "GET",
    "/photos/{photo_id}",
    Declaration(
        tag=_TAG,
        answers=(
            Answer(status=200, says="The photo.", body=(Photo,), headers=("ETag", "Last-Modified")),
            Answer(status=304, says=UNCHANGED, headers=("ETag", "Last-Modified")),
        ),
        refusals=READ_REFUSALS,
    ),
)
async def get_photo(call: Call, path: PhotoPath, headers: ReadHeaders) -> web.Response:  # noqa: ARG001 - declared here, judged with the rest of the conditions
    """Look at one photo."""
    said = call.library.photo_json(path.photo_id)
    validators = photo_validators(stamp_of(said))
    match evaluate(call.request.headers, validators):
        case Verdict.FAILED:
            raise ConditionFailed(validators.etag)
        case Verdict.NOT_MODIFIED:
            return not_modified(validators)
        case Verdict.PROCEED:
            return cached_json(said, validators)


@operation(
    "GET",
    "/photos/{photo_id}/image",
    Declaration(
        tag=_TAG,
        answers=(
            Answer(
                status=200,
                says="The original, byte for byte.",
                media_type="*/*",
                headers=(*_OF_A_FILE, "Content-Disposition"),
            ),
            Answer(
                status=206,
                says="The part asked for.",
                media_type="*/*",
                headers=(*_OF_A_FILE, "Content-Range", "Content-Disposition"),
            ),
            Answer(status=304, says=UNCHANGED, headers=_OF_A_FILE),
        ),
        refusals=(*FILE_REFUSALS, RangeNotSatisfiable),
    ),
)
async def get_image(call: Call, path: PhotoPath, headers: ImageHeaders) -> web.StreamResponse:  # noqa: ARG001 - declared here, judged with the rest of the conditions
    """Get the photo's original file."""
    photo, opened = await call.library.open_image(path.photo_id)
    return await send_image(call.request, photo, opened, call.library.read_ahead)


OPERATIONS = (get_photo, get_image)
