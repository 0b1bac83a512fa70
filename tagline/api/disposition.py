"""The ``Content-Disposition`` header: any file name, safely (RFC 6266, RFC 8187)."""

import re
from urllib.parse import quote

_UNSAFE = re.compile(r"[^A-Za-z0-9 ._()+,=@!#$&'^`{}~-]")
_ATTRIBUTE_CHARACTERS = "!#$&+-.^_`|~"  # RFC 8187, 3.2.1, beyond letters and digits


def inline(name: str) -> str:
    """``inline`` with a file name: plain for old clients, UTF-8 for the rest where they differ.

    Nothing of the name can end the header, the quoted string or the parameter.
    """
    plain = _UNSAFE.sub("_", name)
    if plain == name:
        return f'inline; filename="{plain}"'
    encoded = quote(name.encode("utf-8", "replace"), safe=_ATTRIBUTE_CHARACTERS)
    return f"inline; filename=\"{plain}\"; filename*=UTF-8''{encoded}"
