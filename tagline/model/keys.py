r"""Object keys: a photo's path below the photo directory, ``/``-separated, as text.

A name that is not UTF-8 is escaped reversibly: each offending byte becomes ``\xHH``. A backslash
that is followed by what reads like such an escape becomes ``\x5c`` itself, so that every key has
exactly one path.
"""

import re

_LOOKS_ESCAPED = re.compile(r"\\(?=x[0-9a-fA-F]{2})")
_ESCAPE = re.compile(rb"\\x([0-9a-fA-F]{2})")
_SURROGATE = re.compile("[\udc80-\udcff]")


def key_from_path(path: bytes) -> str:
    """The object key of a relative path as the file system spells it."""
    text = path.decode("utf-8", "surrogateescape")
    if "\\" in text:
        text = _LOOKS_ESCAPED.sub(r"\\x5c", text)
    if text.isascii():
        return text
    return _SURROGATE.sub(lambda m: f"\\x{ord(m.group()) - 0xDC00:02x}", text)


def path_from_key(object_key: str) -> bytes:
    """The relative path, as the file system spells it, that ``key_from_path`` made this key of.

    Raises:
        UnicodeEncodeError: the key holds a lone surrogate, so it names no file.
    """
    raw = object_key.encode("utf-8")
    if b"\\x" not in raw:
        return raw
    return _ESCAPE.sub(lambda m: bytes([int(m.group(1), 16)]), raw)


def directory_of(object_key: str) -> str:
    """The key of the directory that holds the object; empty for the photo directory itself."""
    return object_key.rpartition("/")[0]


def name_of(object_key: str) -> str:
    """The last part of the key."""
    return object_key.rpartition("/")[2]


def join(directory: str, name: str) -> str:
    """The key of ``name`` in ``directory``."""
    return f"{directory}/{name}" if directory else name
