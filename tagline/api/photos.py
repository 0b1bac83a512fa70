"""Operations on photos: list, look at one, describe it, get its original."""

import uuid
from typing import Annotated, Literal

import msgspec
from aiohttp import web
from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from tagline.api.answers import cached_json, json_answer, not_modified, photo_validators
from tagline.api.conditional import (
    ENTITY_TAGS_PATTERN,
    Verdict,
    evaluate,
    parse_date,
    parse_if_match,
)
from tagline.api.images import send_image
from tagline.api.inputs import Call, HeaderInput, PathInput, QueryInput
from tagline.api.metadata import UpdateMetadataRequest
from tagline.api.operations import Answer, Declaration, operation
from tagline.api.payloads import (
    ETAG_EXAMPLE,
    ID_EXAMPLE,
    Photo,
    PhotoIdListResponse,
    PhotoListResponse,
)
from tagline.api.refusals import ConditionFailed
from tagline.api.text import entity_tags
from tagline.errors import PhotoNotFound
from tagline.model import MetadataChange, PhotoQuery, Precondition

_TAG = "Photos"
_LARGEST_OFFSET = 2**53 - 1  # what every JSON reader holds exactly (RFC 8259, 6)


def digits(value: object) -> object:
    """Decimal digits only: pydantic alone would take 1_0, 1.0 and white space as well."""
    if isinstance(value, str) and not (value.isascii() and value.removeprefix("-").isdigit()):
        raise PydanticCustomError("int_parsing", "Input should be a whole number in digits")
    return value


class PhotoListQuery(QueryInput):
    """Which page of photos."""

    limit: Annotated[int, BeforeValidator(digits)] = Field(
        default=100, ge=1, le=500, description="How many photos at most.", examples=[100]
    )
    offset: Annotated[int, BeforeValidator(digits)] = Field(
        default=0,
        ge=0,
        le=_LARGEST_OFFSET,
        description="How many photos to pass over.",
        examples=[0],
    )
    fields: Literal["id"] | None = Field(
        default=None, description="`id`: each item is the photo's id alone."
    )


class PhotoPath(PathInput):
    """Which photo."""

    photo_id: str = Field(
        description="The photo's `id`.",
        examples=[ID_EXAMPLE],
        json_schema_extra={"format": "uuid"},
    )

    def known_id(self) -> str:
        """The id as ids are written.

        Raises:
            PhotoNotFound: no id is written like that.
        """
        try:
            canonical = str(uuid.UUID(self.photo_id))
        except ValueError:
            raise PhotoNotFound(self.photo_id) from None
        if canonical != self.photo_id.lower():
            raise PhotoNotFound(self.photo_id)
        return canonical


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


class EditHeaders(HeaderInput):
    """Conditions of a change."""

    if_match: Annotated[str, AfterValidator(entity_tags)] | None = Field(
        default=None,
        alias="If-Match",
        json_schema_extra={"pattern": ENTITY_TAGS_PATTERN},
        description="The entity tag that the photo must still have, in double quotes, or `*`. "
        "Several may be listed. Weak ones never match.",
        examples=[f'"{ETAG_EXAMPLE}"'],
    )
    if_unmodified_since: str | None = Field(
        default=None,
        alias="If-Unmodified-Since",
        description="A date; 412 where the photo is newer. Ignored beside `If-Match`.",
        examples=["Wed, 01 May 2024 12:34:56 GMT"],
    )


@operation(
    "GET",
    "/photos",
    Declaration(
        tag=_TAG,
        answers=(
            Answer(status=200, says="A page.", body=(PhotoListResponse, PhotoIdListResponse)),
        ),
    ),
)
async def list_photos(call: Call, query: PhotoListQuery) -> web.Response:
    """List photos in the order of their object keys.

    A page beyond the last photo is empty. While a scan is under way the list grows; `GET /health`
    says whether one is.
    """
    wanted = PhotoQuery(limit=query.limit, offset=query.offset)
    if query.fields == "id":
        total, ids = call.library.ids(wanted)
        items = b",".join(b'{"id":"%b"}' % photo_id.encode("ascii") for photo_id in ids)
    else:
        page = call.library.page(wanted)
        total, items = page.total, b",".join(page.items)
    head = b'{"total":%d,"limit":%d,"offset":%d,"items":[' % (total, wanted.limit, wanted.offset)
    return cached_json(b"%b%b]}" % (head, items))


@operation(
    "GET",
    "/photos/{photo_id}",
    Declaration(
        tag=_TAG,
        answers=(
            Answer(status=200, says="The photo.", body=(Photo,), headers=("ETag", "Last-Modified")),
            Answer(status=304, says="It is still as the request's conditions describe it."),
        ),
        refusals=(404, 412),
    ),
)
async def get_photo(call: Call, path: PhotoPath, headers: ReadHeaders) -> web.Response:  # noqa: ARG001 - declared here, judged with the rest of the conditions
    """Look at one photo."""
    photo_id = path.known_id()
    photo = call.library.photo(photo_id)
    validators = photo_validators(photo.etag, photo.last_modified)
    match evaluate(call.request.headers, validators):
        case Verdict.FAILED:
            raise ConditionFailed(validators.etag)
        case Verdict.NOT_MODIFIED:
            return not_modified(validators)
        case Verdict.PROCEED:
            return cached_json(call.library.photo_json(photo_id), validators)


@operation(
    "PATCH",
    "/photos/{photo_id}/metadata",
    Declaration(
        tag=_TAG,
        answers=(
            Answer(
                status=200,
                says="The photo as it is now.",
                body=(Photo,),
                headers=("ETag", "Last-Modified"),
            ),
        ),
        refusals=(403, 404, 409, 412, 503, 507),
    ),
)
async def update_metadata(
    call: Call, path: PhotoPath, headers: EditHeaders, body: UpdateMetadataRequest
) -> web.Response:
    """Change what a photo says: it is written where every other photo program finds it.

    The answer comes when the change is durably on disk. To overwrite nobody's edit, send the
    `last_modified` that you last saw (409 when it is another one now), or its entity tag in
    `If-Match` (412). Both are judged against the file on disk. A change that asks for nothing
    changes nothing; a member that is left out stays as it is, and null removes it.

    Where it cannot be put into the photo itself provably safely, it goes to sidecar files
    beside it: `stored_in` names the places of the description, `not_embedded` the reason.
    """
    change = _change_of(body)
    photo_id = path.known_id()
    precondition = Precondition(
        last_modified=body.last_modified or _unmodified_since(call, photo_id),
        if_match=None if headers.if_match is None else parse_if_match(headers.if_match),
    )
    photo = await call.library.edit(photo_id, change, precondition)
    validators = photo_validators(photo.etag, photo.last_modified)
    return json_answer(photo, headers=validators.headers())


def _change_of(body: UpdateMetadataRequest) -> MetadataChange:
    """The members that the body holds, but for its condition; empty ones remove."""
    names = body.model_fields_set - {"last_modified"}
    asked = {name: getattr(body, name) for name in names}
    return msgspec.convert(
        {n: None if v in ("", []) else v for n, v in asked.items()}, MetadataChange
    )


def _unmodified_since(call: Call, photo_id: str) -> str | None:
    """The ``last_modified`` that ``If-Unmodified-Since`` allows, if that header counts.

    HTTP dates are whole seconds, so the date is compared with what is known of the photo now, and
    the file is then held to exactly that.

    Raises:
        ConditionFailed: the photo is newer.
        PhotoNotFound: no photo has this id.
    """
    limit = parse_date(call.request.headers.get("If-Unmodified-Since"))
    if limit is None or "If-Match" in call.request.headers:
        return None
    photo = call.library.photo(photo_id)
    modified = photo_validators(photo.etag, photo.last_modified).last_modified
    if modified is not None and modified > limit:
        raise ConditionFailed(photo.etag)
    return photo.last_modified


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
                headers=(
                    "ETag",
                    "Last-Modified",
                    "Accept-Ranges",
                    "Content-Disposition",
                ),
            ),
            Answer(
                status=206,
                says="The part asked for.",
                media_type="*/*",
                headers=("ETag", "Last-Modified", "Content-Range", "Content-Disposition"),
            ),
            Answer(status=304, says="It is still as the request's conditions describe it."),
        ),
        refusals=(404, 412, 416, 503),
    ),
)
async def get_image(call: Call, path: PhotoPath, headers: ImageHeaders) -> web.StreamResponse:  # noqa: ARG001 - declared here, judged with the rest of the conditions
    """Get the photo's original file."""
    photo, opened = await call.library.open_image(path.known_id())
    return await send_image(call.request, photo, opened)


OPERATIONS = (list_photos, get_photo, update_metadata, get_image)
