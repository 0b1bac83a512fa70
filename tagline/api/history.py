"""Operations on a photo's history: look at it, and undo a change."""

from typing import Annotated

from aiohttp import web
from pydantic import BeforeValidator, Field

from tagline.api.answers import list_answer, unchanged_list
from tagline.api.editing import (
    EDIT_REFUSALS,
    EDITED,
    EditHeaders,
    actor_of,
    edited,
    precondition_of,
)
from tagline.api.history_payloads import HistoryResponse, RestoreRequest
from tagline.api.inputs import Call, QueryInput
from tagline.api.listing import LIST_HEADERS, ListHeaders
from tagline.api.numbers import LARGEST_NUMBER, digits
from tagline.api.operations import Answer, Declaration, operation
from tagline.api.photos import PhotoPath
from tagline.errors import ChangeNotFound, PhotoNotFound, StorageUnavailable

_TAG = "History"
_MOST = 50


class HistoryQuery(QueryInput):
    """Which part of the history."""

    limit: Annotated[int, BeforeValidator(digits)] = Field(
        default=20, ge=1, le=_MOST, description="How many changes at most.", examples=[20]
    )
    offset: Annotated[int, BeforeValidator(digits)] = Field(
        default=0,
        ge=0,
        le=LARGEST_NUMBER,
        description="How many changes to pass over, from the newest on.",
        examples=[0],
    )


class ChangePath(PhotoPath):
    """Which change of which photo."""

    n: Annotated[int, BeforeValidator(digits)] = Field(
        ge=1, le=LARGEST_NUMBER, description="The change's `n`.", examples=[17]
    )


@operation(
    "GET",
    "/photos/{photo_id}/history",
    Declaration(
        tag=_TAG,
        answers=(
            Answer(status=200, says="A part of it.", body=(HistoryResponse,), headers=LIST_HEADERS),
            Answer(status=304, says="Nothing has changed since.", headers=LIST_HEADERS),
        ),
        refusals=(PhotoNotFound, StorageUnavailable),
    ),
)
async def get_history(
    call: Call, path: PhotoPath, query: HistoryQuery, headers: ListHeaders
) -> web.Response:
    """Look at what was done to a photo through this API, newest first.

    Each change that wrote something is remembered with the values of its fields before and after
    it. The newest 50 of a photo are kept, and 50,000 (32 MiB) in all, in
    the data directory and not beside the photos. Changes by other programs, and by Tagline's own
    command line, are not in it.
    """
    page = call.library.history(path.photo_id, query.limit, query.offset)
    if (known := unchanged_list(headers.if_none_match, page.version)) is not None:
        return known
    head = b'{"total":%d,"limit":%d,"offset":%d,"items":[' % (
        page.total,
        query.limit,
        query.offset,
    )
    return list_answer(b"%b%b]}" % (head, b",".join(page.items)), page.version)


@operation(
    "POST",
    "/photos/{photo_id}/history/{n}/restore",
    Declaration(
        tag=_TAG,
        answers=(EDITED,),
        refusals=(*EDIT_REFUSALS, ChangeNotFound),
    ),
)
async def restore_change(
    call: Call, path: ChangePath, headers: EditHeaders, body: RestoreRequest | None
) -> web.Response:
    """Undo a change: put the values back that the photo had before it.

    Only the fields that the change wrote are touched, whatever happened to them since. It is an
    edit like any other: it takes the same conditions, and is itself remembered (`restores` tells
    the number), so that it can be undone as well. A value that was there because another program
    wrote it, and that is over the limits of this API, cannot be put back (422).
    """
    photo_id = path.photo_id
    last_modified = body.last_modified if body else None
    precondition = precondition_of(call, photo_id, headers, last_modified)
    photo = await call.library.restore(photo_id, path.n, precondition, actor_of(call))
    return edited(photo)


OPERATIONS = (get_history, restore_change)
