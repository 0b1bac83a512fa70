"""The root of the tree, and what is wrong with the configuration."""

import math
from datetime import timedelta
from typing import Literal


class TaglineError(Exception):
    """The root of the tree."""


Cause = Literal["missing", "forbidden", "taken"]


class ConfigurationError(TaglineError):
    """A variable or option has a wrong value.

    ``cause`` says of what it names that it is not there, that this user may not use it, or that
    another program has it; None where the value itself is wrong.
    """

    def __init__(self, variable: str, fault: str, cause: Cause | None = None) -> None:
        super().__init__(f"{variable}: {fault}")
        self.variable = variable
        self.fault = fault
        self.cause = cause


def in_seconds(wait: timedelta) -> str:
    """After how long to try again, in words; whole seconds, at least one."""
    seconds = max(1, math.ceil(wait.total_seconds()))
    return "in a second" if seconds == 1 else f"in {seconds} seconds"
