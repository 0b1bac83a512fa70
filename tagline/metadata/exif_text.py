"""How text is stored in EXIF, and how it is understood where a writer got it wrong.

Pure functions from bytes; none raises on any input.
"""

from functools import lru_cache
from typing import Final

_CODE_BYTES: Final = 8
_NAME_MAX_BYTES: Final = 64
"""Of longer names none is remembered, so that what is remembered stays small."""
_ASCII: Final = b"ASCII\0\0\0"
_JIS: Final = b"JIS\0\0\0\0\0"
_UNICODE: Final = b"UNICODE\0"
_JIS_CODECS: Final = ("iso2022_jp", "utf-8", "shift_jis", "euc_jp")


def decode(raw: bytes) -> str:
    """UTF-8, else Windows-1252, which holds all of Latin-1's text, else Latin-1.

    Text in UTF-8 that a program cut in the middle of its last character loses that character.
    """
    try:
        return raw.decode()
    except UnicodeDecodeError as fault:
        if fault.reason == "unexpected end of data" and not raw[: fault.start].isascii():
            return raw[: fault.start].decode()
    try:
        return raw.decode("cp1252")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def text(raw: bytes) -> str | None:
    """A string up to its first NUL; None when there is nothing but white space.

    EXIF 3.0, 4.6.2 wants a NUL at the end. Cameras leave it out, and some count junk behind it.
    """
    end = raw.find(b"\0")
    if end >= 0:
        raw = raw[:end]
    if not raw or raw.isspace():
        return None
    result = decode(raw)
    return None if result.isspace() else result


def trimmed(raw: bytes) -> str | None:
    """A name that cameras pad with blanks, without that padding."""
    return _known(raw) if len(raw) <= _NAME_MAX_BYTES else _trimmed(raw)


def _trimmed(raw: bytes) -> str | None:
    result = text(raw)
    return None if result is None else result.strip()


_known = lru_cache(maxsize=1024)(_trimmed)  # a library has few cameras and lenses


def utf16(raw: bytes, codec: str) -> str | None:
    """UTF-16 up to its first NUL; a byte order mark wins over the codec named."""
    raw = raw[: len(raw) & ~1]
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        codec = "utf-16-le" if raw[:1] == b"\xff" else "utf-16-be"
        raw = raw[2:]
    result = raw.decode(codec, "replace").split("\0", 1)[0]
    return None if not result or result.isspace() else result


def user_comment(raw: bytes, order: str) -> str | None:
    """A UserComment by its character code (EXIF 3.0, 4.6.6.4); ``order`` is the block's.

    Without a known code the whole value is taken, since programs forget to write one.
    """
    code, body = raw[:_CODE_BYTES], raw[_CODE_BYTES:]
    if code == _UNICODE:
        return utf16(body, _guess_order(body, order))
    if code == _JIS:
        return _jis(body)
    if code in (_ASCII, bytes(_CODE_BYTES)):
        return text(body)
    return text(raw)


def _guess_order(body: bytes, order: str) -> str:
    # Programs write either order whatever the block's. Real text uses few high bytes and many low
    # ones, so that the order with fewer different high bytes is the right one.
    big, little = len(set(body[0::2])), len(set(body[1::2]))
    if big == little:
        return "utf-16-le" if order == "<" else "utf-16-be"
    return "utf-16-be" if big < little else "utf-16-le"


def _jis(body: bytes) -> str | None:
    body = body.rstrip(b"\0 ")
    for codec in _JIS_CODECS:
        try:
            result = body.decode(codec)
        except UnicodeDecodeError:
            continue
        result = result.split("\0", 1)[0]
        return None if not result or result.isspace() else result
    return text(body)


def encode_user_comment(words: str, order: str) -> bytes:
    """A UserComment: the ASCII code where that is enough, else UNICODE in the block's order.

    Readers guess the order from the bytes. Where they would guess wrong, the other one is taken,
    and where that is no better a byte order mark says it.
    """
    if words.isascii():
        return _ASCII + words.encode()
    codecs = ("utf-16-le", "utf-16-be") if order == "<" else ("utf-16-be", "utf-16-le")
    for codec in codecs:
        value = _UNICODE + words.encode(codec)
        if user_comment(value, order) == words:
            return value
    return _UNICODE + ("\ufeff" + words).encode(codecs[0])


def encode_xp(words: str) -> bytes:
    """Windows' XP tags: UTF-16 little-endian with a closing NUL."""
    return words.encode("utf-16-le") + b"\0\0"


def xp_list(raw: bytes) -> tuple[str, ...]:
    """The texts that XPKeywords lists with semicolons between them, repeats and blanks left out."""
    words = (utf16(raw, "utf-16-le") or "").split(";")
    return tuple(dict.fromkeys(word.strip() for word in words if word.strip()))
