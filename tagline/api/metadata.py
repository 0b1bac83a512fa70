"""What a person may edit of a photo, as it goes out and as changes of it come in."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field
from pydantic.config import JsonDict

from tagline.api.inputs import BodyInput
from tagline.api.text import judged, keyword_list, rfc3339, whole_number
from tagline.model.text import (
    DESCRIPTION_MAX_CHARACTERS,
    FINE_MOMENT,
    KEYWORD_MAX_CHARACTERS,
    KEYWORDS_MAX,
    LOCAL_MOMENT,
    RATING_MAX,
    TITLE_MAX_CHARACTERS,
    WHITE_SPACE,
    check_description,
    check_rating,
    check_taken_at,
    check_title,
)

MOMENT_EXAMPLE = "2024-05-01T12:34:56.789012Z"
TAKEN_EXAMPLE = "2019-07-05T10:00:00+02:00"

DescriptionText = Annotated[
    str,
    AfterValidator(judged(check_description)),
    Field(json_schema_extra={"maxLength": DESCRIPTION_MAX_CHARACTERS, "pattern": r"^[^\u0000]*$"}),
]
TitleText = Annotated[
    str,
    AfterValidator(judged(check_title)),
    Field(json_schema_extra={"maxLength": TITLE_MAX_CHARACTERS, "pattern": r"^[^\u0000]*$"}),
]
KeywordList = Annotated[
    list[str],
    AfterValidator(keyword_list),
    Field(
        json_schema_extra={
            "maxItems": KEYWORDS_MAX,
            "uniqueItems": True,
            "items": {
                "type": "string",
                "maxLength": KEYWORD_MAX_CHARACTERS,
                "pattern": rf"^[^\u0000]*[^\u0000{WHITE_SPACE}][^\u0000]*$",
            },
        }
    ),
]
Rating = Annotated[
    int,
    BeforeValidator(whole_number),
    AfterValidator(judged(check_rating)),
    Field(json_schema_extra={"minimum": 0, "maximum": RATING_MAX}),
]
TakenAtText = Annotated[
    str,
    AfterValidator(judged(check_taken_at)),
    Field(json_schema_extra={"pattern": f"^{LOCAL_MOMENT}$"}),
]
MomentText = Annotated[
    str,
    AfterValidator(rfc3339),
    Field(json_schema_extra={"format": "date-time", "pattern": f"^{FINE_MOMENT}$"}),
]


def without_default(schema: JsonDict) -> None:
    """Leaving a member out is not the same as null, so null is not shown as its default."""
    del schema["default"]


class PhotoMetadata(BaseModel):
    """All that a person may edit; null means that the photo says nothing."""

    description: str | None = Field(
        description="What the photo shows, in words.", examples=["Grandma in Oslo, 1974"]
    )
    title: str | None = Field(description="A short name.", examples=["Grandma"])
    keywords: list[str] = Field(
        description="Each one once; empty where there are none.", examples=[["family", "Oslo"]]
    )
    rating: int | None = Field(
        description="Stars: 1 to 5, or 0 for unrated where the photo says so.",
        examples=[4],
        json_schema_extra={"minimum": 0, "maximum": RATING_MAX},
    )
    taken_at: str | None = Field(
        description="When the photo was taken, at the place: RFC 3339, or without an offset where "
        "the zone is unknown.",
        examples=[TAKEN_EXAMPLE],
    )


class UpdateMetadataRequest(BodyInput):
    """What to change; a member that is left out stays as it is."""

    description: DescriptionText | None = Field(
        default=None,
        description="The new description; null or an empty text removes it. Any Unicode but NUL "
        "and lone surrogates, at most 10,000 characters, kept as it is.",
        json_schema_extra=without_default,
        examples=["Grandma in Oslo, 1974"],
    )
    title: TitleText | None = Field(
        default=None,
        description="The new title; null or an empty text removes it. At most 1,000 characters.",
        json_schema_extra=without_default,
        examples=["Grandma"],
    )
    keywords: KeywordList | None = Field(
        default=None,
        description="All keywords, in place of those that are there; null or an empty list removes "
        "them. Outer white space is cut off; none may be blank or there twice, or longer than 250 "
        "characters.",
        json_schema_extra=without_default,
        examples=[["family", "Oslo"]],
    )
    rating: Rating | None = Field(
        default=None,
        description="Stars from 1 to 5, or 0 to say that it is unrated; null removes the rating.",
        json_schema_extra=without_default,
        examples=[4],
    )
    taken_at: TakenAtText | None = Field(
        default=None,
        description="The right moment: RFC 3339 with the offset of the place or `Z`, at most "
        "microseconds; without an offset where the zone is unknown. Null removes it.",
        json_schema_extra=without_default,
        examples=[TAKEN_EXAMPLE],
    )
    last_modified: MomentText | None = Field(
        default=None,
        description="The photo's `last_modified` as last seen; another one now means 409.",
        json_schema_extra=without_default,
        examples=[MOMENT_EXAMPLE],
    )
