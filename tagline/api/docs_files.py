"""The files that the page of the documentation needs: Swagger UI, and what starts it.

They come with the package, so that no other server is asked for anything; the large ones are kept
compressed, and sent so to whoever takes them so.
"""

from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from types import MappingProxyType

import msgspec

_TYPES = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "start.js": "text/javascript; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
}


class DocsFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file: its bytes as they are kept, whether those are gzip, its type and entity tag."""

    data: bytes
    gzipped: bool
    content_type: str
    etag: str


@cache
def load_docs_files() -> Mapping[str, DocsFile]:
    """Every file, by the name that the page gives it."""
    return MappingProxyType({name: _load(name, type_) for name, type_ in _TYPES.items()})


def _load(name: str, content_type: str) -> DocsFile:
    """One file, compressed or not."""
    directory = files("tagline.api") / "swagger"
    packed = directory / f"{name}.gz"
    gzipped = packed.is_file()
    data = (packed if gzipped else directory / name).read_bytes()
    etag = blake2b(data, digest_size=12).hexdigest()
    return DocsFile(data=data, gzipped=gzipped, content_type=content_type, etag=etag)
