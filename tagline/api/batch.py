"""The operation that changes many photos in one request."""

import json
import logging
from collections.abc import Iterable, Mapping
from typing import cast

from aiohttp import web

from tagline.api.answers import json_answer
from tagline.api.batch_payloads import (
    PhotoChange,
    RefusedChange,
    UpdateManyRequest,
    UpdateManyResponse,
)
from tagline.api.editing import actor_of, change_of
from tagline.api.errors import tell
from tagline.api.inputs import Call
from tagline.api.operations import Answer, Declaration, operation
from tagline.errors import StorageUnavailable, TaglineError
from tagline.library import PhotoEdit
from tagline.model import Photo, Precondition

_logger = logging.getLogger("tagline.api")

MAX_BODY_BYTES = 8 * 1024 * 1024
"""Room for 500 descriptions of 10,000 characters in ASCII."""

Outcome = Photo | Exception


@operation(
    "PATCH",
    "/photos/metadata",
    Declaration(
        tag="Photos",
        answers=(
            Answer(
                status=200,
                says="What became of each change; look at each `status`.",
                body=(UpdateManyResponse,),
            ),
        ),
        refusals=(StorageUnavailable,),
        large_body_bytes=MAX_BODY_BYTES,
    ),
)
async def update_many(call: Call, body: UpdateManyRequest) -> web.Response:
    """Change what many photos say: up to 500 changes, each made or refused on its own.

    The answer is 200 whatever became of the changes: `results` has one for each, in their order,
    with the status that `PATCH /photos/{photo_id}/metadata` would have answered, and `refused`
    counts those that were not made. A change that is not valid refuses itself alone. Changes of
    one photo are made in their order, so that the second meets what the first has made; changes of
    different photos are made a few at a time, in any order.

    The answer comes when every change that was made is durably on disk. A client that goes away
    stops nothing: ask for the photos to learn what was done, or send the same changes again, which
    changes nothing where they were made already. The body may have 8 MiB (413 beyond that).
    """
    edits: list[PhotoEdit] = []
    outcomes: list[Outcome | None] = []
    for change in cast("list[PhotoChange | RefusedChange]", body.changes):
        wanted = _wanted(change)
        outcomes.append(wanted if isinstance(wanted, Exception) else None)
        if isinstance(wanted, PhotoEdit):
            edits.append(wanted)
    made = iter(await call.library.edit_many(edits, actor_of(call)))
    settled = [next(made) if outcome is None else outcome for outcome in outcomes]
    _log_failures(settled)
    ids = (c.photo_id if isinstance(c, RefusedChange) else c.id for c in body.changes)
    results = [_result(i, outcome) for i, outcome in zip(ids, settled, strict=True)]
    refused = sum(isinstance(outcome, Exception) for outcome in settled)
    # In ASCII, so that no id of a client's can break it.
    return json_answer(json.dumps({"refused": refused, "results": results}).encode("ascii"))


def _wanted(change: PhotoChange | RefusedChange) -> PhotoEdit | TaglineError:
    """The edit that a change asks for, or why there is none."""
    if isinstance(change, RefusedChange):
        return change.error
    if_match = None if change.if_match is None else (change.if_match,)
    return PhotoEdit(
        photo_id=change.id.lower(),
        change=change_of(change),
        precondition=Precondition(last_modified=change.last_modified, if_match=if_match),
    )


def _result(given_id: str | None, outcome: Outcome) -> Mapping[str, object]:
    """What became of one change, as clients get it."""
    named: dict[str, object] = {"id": given_id}
    if isinstance(outcome, Photo):
        return named | {
            "status": 200,
            "etag": outcome.etag,
            "last_modified": outcome.last_modified,
        }
    told = tell(outcome if isinstance(outcome, TaglineError) else TaglineError())
    wait = told.headers.get("Retry-After")
    later = {} if wait is None else {"retry_after": int(wait)}
    return named | {"status": told.status, **told.members, **later}


def _log_failures(outcomes: Iterable[Outcome]) -> None:
    """One line for what the operator should know, however many changes it met."""
    failures = [o for o in outcomes if isinstance(o, Exception) and not _is_the_clients(o)]
    if not failures:
        return
    unexpected = [o for o in failures if not isinstance(o, TaglineError)]
    shown = (unexpected or failures)[0]
    _logger.warning(
        "PATCH /photos/metadata: %d changes failed; the first: %s",
        len(failures),
        shown,
        exc_info=shown if unexpected else None,
    )


def _is_the_clients(error: Exception) -> bool:
    """Whether an error is for the client alone to know."""
    return isinstance(error, TaglineError) and tell(error).status < 500


OPERATIONS = (update_many,)
