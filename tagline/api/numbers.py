"""Values of a query string: text that stands for numbers and truths, and nothing else."""

from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

LARGEST_NUMBER = 2**53 - 1  # what every JSON reader holds exactly (RFC 8259, 6)


def digits(value: object) -> object:
    """Decimal digits only: pydantic alone would take 1_0, 1.0 and white space as well."""
    if isinstance(value, str) and not (value.isascii() and value.removeprefix("-").isdigit()):
        raise PydanticCustomError("int_parsing", "Input should be a whole number in digits")
    return value


def truth(value: object) -> object:
    """``true`` or ``false`` only: pydantic alone would take 1, on and yes as well."""
    if isinstance(value, str) and value not in {"true", "false"}:
        raise PydanticCustomError("bool_parsing", "Input should be true or false")
    return value


WholeNumber = Annotated[int, BeforeValidator(digits)]
Truth = Annotated[bool, BeforeValidator(truth)]
Offset = Annotated[int, Field(ge=0, le=LARGEST_NUMBER), BeforeValidator(digits)]
"""Bounds stand before the validator, else pydantic does not put them into the schema."""
