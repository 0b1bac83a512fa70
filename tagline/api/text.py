"""Rules about texts of a request, as pydantic applies them and OpenAPI states them."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from pydantic_core import PydanticCustomError

from tagline.api.conditional import parse_if_match
from tagline.errors import InvalidValue
from tagline.model.text import check_keywords

_RFC3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)


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
    try:
        if _RFC3339.fullmatch(text):
            datetime.fromisoformat(text.upper())
            return text
    except ValueError:
        pass
    raise PydanticCustomError(
        "date_time", "Give a moment as RFC 3339 writes it, such as the photo's own last_modified"
    )
