"""Rules about texts of a request, as pydantic applies them and OpenAPI states them."""

import re
from collections.abc import Callable
from typing import TypeVar

from pydantic_core import PydanticCustomError

from tagline.api.conditional import parse_if_match
from tagline.errors import InvalidValue
from tagline.model.text import FINE_MOMENT, check_keywords

_MOMENT = re.compile(FINE_MOMENT)
UUID = "[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
"""A UUID as text (RFC 9562, 4), in either case; neither in braces nor as a URN."""
_UUID = re.compile(UUID)

_Value = TypeVar("_Value")


def judged(check: Callable[[_Value], _Value]) -> Callable[[_Value], _Value]:
    """A rule of ``model.text`` as pydantic applies it: it gives the value, or says why not."""

    def judge(value: _Value) -> _Value:
        try:
            return check(value)
        except InvalidValue as error:
            raise PydanticCustomError("invalid_value", "{fault}", {"fault": error.fault}) from error

    return judge


_keywords = judged(check_keywords)


def keyword_list(texts: list[str]) -> list[str]:
    """The keywords without outer white space, if they can be stored."""
    return list(_keywords(tuple(texts)))


def whole_number(value: object) -> object:
    """A number without a fraction as an integer: JSON knows no difference (RFC 8259, 6)."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def entity_tags(value: str) -> str:
    """The value of ``If-Match`` as it is, if it can be understood."""
    if parse_if_match(value) is None:
        raise PydanticCustomError(
            "entity_tags", 'Put entity tags in double quotes, as ETag has them: "…", "…"; or send *'
        )
    return value


def rfc3339(text: str) -> str:
    """The text as it is, if it is a moment (RFC 3339, 5.6)."""
    if _MOMENT.fullmatch(text) is None:
        raise PydanticCustomError(
            "date_time",
            "Give a moment as RFC 3339 writes it, such as the photo's own last_modified",
        )
    return text


def uuid_text(text: str) -> str:
    """The text as it is, if it is a UUID."""
    if _UUID.fullmatch(text) is None:
        raise PydanticCustomError(
            "uuid_parsing", "Give the id as the API writes it: a UUID of 36 characters"
        )
    return text
