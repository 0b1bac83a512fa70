"""The operation that changes what a photo says, and what other changing operations share."""

from typing import Annotated

import msgspec
from aiohttp import web
from pydantic import AfterValidator, Field

from tagline.api.answers import json_answer, photo_validators
from tagline.api.conditional import ENTITY_TAGS_PATTERN, parse_date, parse_if_match
from tagline.api.inputs import Call, HeaderInput
from tagline.api.metadata import UpdateMetadataRequest
from tagline.api.operations import Answer, Declaration, operation
from tagline.api.payloads import ETAG_EXAMPLE
from tagline.api.payloads import Photo as PhotoModel
from tagline.api.photos import FILE_REFUSALS, PhotoPath
from tagline.api.refusals import ConditionFailed
from tagline.api.text import entity_tags
from tagline.errors import (
    EditRefused,
    IndexFailure,
    ObjectBusy,
    PhotoModified,
    StorageFull,
    StorageReadOnly,
)
from tagline.model import Actor, MetadataChange, Photo, Precondition

_TAG = "Photos"
EDITED = Answer(
    status=200,
    says="The photo as it is now.",
    body=(PhotoModel,),
    headers=("ETag", "Last-Modified"),
)
EDIT_REFUSALS = (
    *FILE_REFUSALS,
    PhotoModified,
    ObjectBusy,
    EditRefused,
    StorageReadOnly,
    StorageFull,
    IndexFailure,
)
_FIELDS = frozenset(MetadataChange.__struct_fields__)


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
    "PATCH",
    "/photos/{photo_id}/metadata",
    Declaration(
        tag=_TAG,
        answers=(EDITED,),
        refusals=EDIT_REFUSALS,
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

    409 has several types. `photo_modified` and `object_changed`: look at the photo again.
    `being_written`: another program may still be writing the file; send the same again after
    `Retry-After`. `edit_refused`: it cannot be done, now or later.

    Where it cannot be put into the photo itself provably safely, it goes to sidecar files
    beside it: `stored_in` names the places of the description, `not_embedded` the reason.
    """
    photo_id = path.photo_id
    precondition = precondition_of(call, photo_id, headers, body.last_modified)
    photo = await call.library.edit(photo_id, change_of(body), precondition, actor_of(call))
    return edited(photo)


def edited(photo: Photo) -> web.Response:
    """The answer to an edit: the photo as it is now, with its validators."""
    return json_answer(photo, headers=photo_validators(photo).headers())


def precondition_of(
    call: Call, photo_id: str, headers: EditHeaders, last_modified: str | None
) -> Precondition:
    """What headers and body demand of the photo on disk; the errors of ``_unmodified_since``."""
    return Precondition(
        last_modified=last_modified or _unmodified_since(call, photo_id),
        if_match=None if headers.if_match is None else parse_if_match(headers.if_match),
    )


def actor_of(call: Call) -> Actor | None:
    """Who asks."""
    who = call.principal
    return None if who is None else Actor(kind=who.kind, name=who.name or who.id)


def change_of(body: UpdateMetadataRequest) -> MetadataChange:
    """The fields that the body holds; empty ones remove."""
    names = body.model_fields_set & _FIELDS
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
    stamp = call.library.stamp(photo_id)
    modified = photo_validators(stamp).last_modified
    if modified is not None and modified > limit:
        raise ConditionFailed(stamp.etag)
    return stamp.last_modified


OPERATIONS = (update_metadata,)
