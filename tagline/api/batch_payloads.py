"""The JSON of many changes at once, and of what became of each."""

from typing import Annotated, cast

from pydantic import AfterValidator, BaseModel, Field, ValidationError, WrapValidator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidatorFunctionWrapHandler

from tagline.api.binding import problems_of
from tagline.api.editing import EDIT_REFUSALS
from tagline.api.errors import row_of
from tagline.api.inputs import BodyInput
from tagline.api.metadata import UpdateMetadataRequest, without_default
from tagline.api.payloads import (
    ETAG_EXAMPLE,
    ID_EXAMPLE,
    GivenPhotoId,
    Moment,
    ValidationProblem,
)
from tagline.api.refusals import InvalidRequest
from tagline.errors import Awaited, TaglineError

MOST_CHANGES = 500


def _unquoted(tag: str) -> str:
    """The entity tag as it is, if it can be one of a photo's."""
    if '"' in tag:
        raise PydanticCustomError("entity_tag", "Give `etag` as the photo's JSON has it: unquoted")
    return tag


_BareTag = Annotated[
    str, AfterValidator(_unquoted), Field(json_schema_extra={"pattern": '^[^"]*$'})
]


class PhotoChange(UpdateMetadataRequest):
    """What to change of one photo, and on which condition; what is left out stays as it is."""

    id: GivenPhotoId
    if_match: _BareTag | None = Field(
        default=None,
        description="The photo's `etag` as last seen, unquoted as there; another one now means "
        "412. `*` for any.",
        json_schema_extra=without_default,
        examples=[ETAG_EXAMPLE],
    )


class RefusedChange:
    """A change that is not as declared: the id that it names, if any, and what is wrong with it."""

    __slots__ = ("error", "photo_id")

    def __init__(self, photo_id: str | None, error: InvalidRequest) -> None:
        self.photo_id = photo_id
        self.error = error


def _one(value: object, handler: ValidatorFunctionWrapHandler) -> PhotoChange | RefusedChange:
    """The change, or why this one alone is refused."""
    try:
        return cast("PhotoChange", handler(value))
    except ValidationError as error:
        named = cast("dict[str, object]", value).get("id") if isinstance(value, dict) else None
        photo_id = named if isinstance(named, str) else None
        return RefusedChange(photo_id, InvalidRequest(problems_of(error, "body")))


class UpdateManyRequest(BodyInput):
    """Changes of many photos, each of which is made or refused on its own."""

    changes: list[Annotated[PhotoChange, WrapValidator(_one)]] = Field(
        max_length=MOST_CHANGES,
        description="At most 500. Changes of one photo are made in their order.",
    )


_REFUSALS = (*EDIT_REFUSALS, InvalidRequest, TaglineError)
"""How one change may be refused."""


def _types(schema: JsonDict) -> None:
    """List the words; null is never sent."""
    del schema["anyOf"], schema["default"]
    schema["type"] = "string"
    schema["enum"] = [*sorted({row_of(kind).type for kind in _REFUSALS})]


class ChangeResult(BaseModel):
    """What became of one change: what `PATCH /photos/{photo_id}/metadata` would have answered."""

    id: str | None = Field(
        description="The `id` as the change gave it; null where it gave none.",
        examples=[ID_EXAMPLE],
    )
    status: int = Field(
        description="200, 403, 404, 409, 412, 422, 500, 503 or 507.", examples=[200]
    )
    type: str | None = Field(
        default=None,
        description="Why the change was refused, as a stable word; left out where it was made.",
        json_schema_extra=_types,
    )
    etag: str | None = Field(
        default=None,
        description="The photo's entity tag now, unquoted, where it is known.",
        examples=[ETAG_EXAMPLE],
    )
    last_modified: Moment | None = Field(
        default=None, description="The photo's `last_modified` now, where it is known."
    )
    detail: str | list[ValidationProblem] | None = Field(
        default=None,
        description="Why the change was refused, as that operation says it: a sentence, or (422) a "
        "list of what is wrong; left out where it was made.",
    )
    awaited: Awaited | None = Field(
        default=None, description="Of `being_written`: what the server waited for in vain."
    )
    reason: str | None = Field(
        default=None,
        description="Of `edit_refused`: why the file cannot be changed safely, as a phrase.",
    )
    retry_after: int | None = Field(
        default=None,
        description="Seconds to wait before this change is sent again, where that helps: what "
        "`Retry-After` says for a single change.",
        examples=[10],
    )


class UpdateManyResponse(BaseModel):
    """What became of each change."""

    refused: int = Field(description="How many of the changes were not made.", examples=[0])
    results: list[ChangeResult] = Field(description="One for each change, in their order.")
