"""The JSON of a photo's history."""

from pydantic import BaseModel, Field

from tagline.api.inputs import BodyInput
from tagline.api.metadata import MOMENT_EXAMPLE, TAKEN_EXAMPLE, MomentText, without_default
from tagline.api.payloads import Moment, PhotoId


class Actor(BaseModel):
    """Who asked for a change."""

    kind: str = Field(json_schema_extra={"enum": ["session", "token"]}, examples=["session"])
    name: str = Field(
        description="The session's id, or the API token's name.", examples=["kGdM3-cmvJ0"]
    )


class FieldValues(BaseModel):
    """Values of some fields; those that are left out were not touched."""

    description: str | None = Field(
        default=None, json_schema_extra=without_default, examples=["Grandma in Oslo, 1974"]
    )
    title: str | None = Field(default=None, json_schema_extra=without_default, examples=["Grandma"])
    keywords: list[str] = Field(
        default=[], json_schema_extra=without_default, examples=[["family", "Oslo"]]
    )
    rating: int | None = Field(default=None, json_schema_extra=without_default, examples=[4])
    taken_at: str | None = Field(
        default=None, json_schema_extra=without_default, examples=[TAKEN_EXAMPLE]
    )


class PastChange(BaseModel):
    """A change that was made to a photo."""

    n: int = Field(
        description="Its number: greater than that of every change before it, of whichever photo.",
        examples=[17],
    )
    photo_id: PhotoId
    at: Moment = Field(description="When it was made.")
    by: Actor | None = Field(description="Who asked for it, where that is known.")
    restores: int | None = Field(
        description="The number of the change that it undid, if it was made by `restore`."
    )
    before: FieldValues = Field(
        description="What the photo said before, field by field; null where it said nothing."
    )
    after: FieldValues = Field(
        description="What it said then. A field that says the same before and after was in several "
        "places that disagreed."
    )


class HistoryResponse(BaseModel):
    """A part of a photo's history, newest first."""

    total: int = Field(description="Changes that are remembered of this photo.", examples=[3])
    limit: int = Field(description="As asked for.", examples=[20])
    offset: int = Field(description="As asked for.", examples=[0])
    items: list[PastChange]


class RestoreRequest(BodyInput):
    """On which condition to restore; the body may be left out."""

    last_modified: MomentText | None = Field(
        default=None,
        description="The photo's `last_modified` as last seen; another one now means 409.",
        json_schema_extra=without_default,
        examples=[MOMENT_EXAMPLE],
    )
