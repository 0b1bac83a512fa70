"""What every answer tells browsers, so that they do no more with it than was meant."""

from collections.abc import Mapping
from types import MappingProxyType

NOTHING_RUNS = (
    "default-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox"
)
"""The policy of an answer that is no page (Content Security Policy, level 3)."""

RULES: Mapping[str, str] = MappingProxyType(
    {
        "Cache-Control": "no-store",
        "Content-Security-Policy": NOTHING_RUNS,
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
)
"""Headers of every answer that does not set them itself."""
