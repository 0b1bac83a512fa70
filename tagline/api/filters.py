"""Which photos: the filters that several operations share, as parameters of the query string."""

import re
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from tagline.api.inputs import QueryInput
from tagline.api.numbers import Truth, digits
from tagline.errors import InvalidValue
from tagline.model import PhotoFilter
from tagline.model.moments import BOUND, parse_bound
from tagline.model.text import KEYWORD_MAX_CHARACTERS, RATING_MAX
from tagline.model.words import fold_keyword, terms_of

_LONGEST_KEY = 4096
_MEDIA_TYPE_PATTERN = r"^[A-Za-z0-9!#$&^_.+-]{1,127}/(\*|[A-Za-z0-9!#$&^_.+-]{1,127})$"
LONGEST_SEARCH = 200


def _bound(*, upper: bool) -> Callable[[str], str]:
    """Judges a bound of a time, and leaves it as it is."""

    def check(text: str) -> str:
        try:
            parse_bound("", text, upper=upper)
        except InvalidValue as error:
            raise PydanticCustomError("invalid_value", "{fault}", {"fault": error.fault}) from error
        return text

    return check


_PATTERN = {"pattern": f"^{BOUND}$"}
TakenFrom = Annotated[
    str, AfterValidator(_bound(upper=False)), Field(json_schema_extra=dict(_PATTERN))
]
TakenTo = Annotated[
    str, AfterValidator(_bound(upper=True)), Field(json_schema_extra=dict(_PATTERN))
]


def _media_type(text: str) -> str:
    """Judges a media type, or what several begin with, and leaves it as it is."""
    if re.fullmatch(_MEDIA_TYPE_PATTERN, text) is None:
        says = "Give a media type such as image/jpeg, or image/* for all that begin so"
        raise PydanticCustomError("media_type", says)
    return text


_MediaType = Annotated[
    str,
    AfterValidator(_media_type),
    Field(json_schema_extra={"pattern": _MEDIA_TYPE_PATTERN}),
]
_Rating = Annotated[int, Field(ge=0, le=RATING_MAX), BeforeValidator(digits)]


class FilterQuery(QueryInput):
    """Which photos; each parameter that is there must be met."""

    folder: str | None = Field(
        default=None,
        max_length=_LONGEST_KEY,
        description="The object key of a folder: photos in it, and in the folders below. Empty: "
        "the photo directory itself. A slash at its end does not matter; a folder that is not "
        "there has no photos.",
        examples=["1974/oslo"],
    )
    subfolders: Truth = Field(
        default=True,
        description="`false`: only photos directly in `folder`, not those in folders below it. "
        "Without `folder`, the photo directory itself is meant.",
        examples=[True],
    )
    described: Truth | None = Field(
        default=None,
        description="`true`: photos with a description; `false`: photos without.",
        examples=[True],
    )
    taken_from: TakenFrom | None = Field(
        default=None,
        description="Photos whose `taken_at` is this moment or later. RFC 3339; a date alone is "
        "its beginning in UTC. Photos without `taken_at` are left out. Write `+` as `%2B`.",
        examples=["2019-07-01"],
    )
    taken_to: TakenTo | None = Field(
        default=None,
        description="Photos whose `taken_at` is before this moment. RFC 3339; a date alone is its "
        "end in UTC, so that the day is included. Photos without `taken_at` are left out.",
        examples=["2019-07-31"],
    )
    rating_min: _Rating | None = Field(
        default=None,
        description="Photos with at least so many stars. 0: those whose rating says something, be "
        "it that they are unrated.",
        examples=[4],
    )
    keyword: str | None = Field(
        default=None,
        max_length=KEYWORD_MAX_CHARACTERS,
        description="Photos with this keyword, whole; case, accents and the amount of white space "
        "do not matter.",
        examples=["Oslo"],
    )
    media_type: _MediaType | None = Field(
        default=None,
        description="Photos of this media type; `image/*` stands for every one that begins so.",
        examples=["image/jpeg"],
    )

    def wanted(self, text: str | None = None) -> PhotoFilter:
        """The filter, with words to search for."""
        folder = self.folder if self.subfolders else self.folder or ""
        first, last, said = self.taken_from, self.taken_to, self.keyword
        return PhotoFilter(
            terms=terms_of(text) if text else (),
            folder=None if folder is None else folder.removesuffix("/"),
            subfolders=self.subfolders,
            described=self.described,
            taken_from=None if first is None else parse_bound("", first, upper=False),
            taken_before=None if last is None else parse_bound("", last, upper=True),
            rating_min=self.rating_min,
            keyword=None if said is None else fold_keyword(said),
            media_type=None if self.media_type is None else self.media_type.lower(),
        )


class SearchQuery(FilterQuery):
    """Which photos, by their words as well."""

    q: str | None = Field(
        default=None,
        max_length=LONGEST_SEARCH,
        description="Words that the photo has in its description, title, keywords or file name. "
        "Case and accents do not matter; each word may be the beginning of a longer one; all of "
        "them must be there. Words between double quotes must be whole, and follow one another: "
        '`"summer house"`. What parts words otherwise (`IMG_12`) makes them follow one another '
        "too. A search without any word in it asks for nothing.",
        examples=['oslo "summer house"'],
    )

    def searched(self) -> PhotoFilter:
        """The filter, with the words."""
        return self.wanted(self.q)
