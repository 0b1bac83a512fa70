"""Rules about texts of a request, as pydantic applies them and OpenAPI states them."""

import re
from datetime import datetime

from pydantic_core import PydanticCustomError

from tagline.api.conditional import parse_if_match
from tagline.errors import InvalidValue
from tagline.model.text import check_description

_RFC3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)


def description_text(text: str) -> str:
    """The description as it is, if it can be stored."""
    try:
        return check_description(text)
    except InvalidValue as error:
        raise PydanticCustomError("invalid_value", "{fault}", {"fault": error.fault}) from error


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
