"""What time it is, given from outside so that tests decide."""

from collections.abc import Callable

Clock = Callable[[], float]
"""Seconds since 1970-01-01 UTC; may be set forward and back while the program runs."""
