"""Who is asking, and what they may do."""

from typing import Literal

import msgspec

Scope = Literal["read", "write"]
"""``write`` includes ``read``."""

SCOPES: dict[Scope, frozenset[Scope]] = {
    "read": frozenset({"read"}),
    "write": frozenset({"read", "write"}),
}
"""What each scope of an API token allows."""


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asking: a session (somebody who knew the password) or an API token.

    ``id`` is that of the session or token, no secret; ``name`` is the API token's, None for a
    session. It says who it was at that moment: what lasts longer asks again.
    """

    kind: Literal["session", "token"]
    id: str
    name: str | None
    scopes: frozenset[Scope]
