"""JSON sidecars in Google Takeout's form, ``IMG.ext.json``: Tagline's own and Takeout's.

A sidecar of a photo is a JSON object in UTF-8 that has at least one of ``title``, ``description``,
``photoTakenTime`` and ``tagline``. Editing changes the members that say something new, in the
file's own text; all others keep their bytes. Under ``tagline`` stand ``version``, ``fingerprint``,
where they have something to say the fields beside the description by name, ``removed`` and
``not_embedded``, in a file that is kept apart from its photo ``hides``, and in a file that another
program made ``adopted``, so that such a file is never taken for Tagline's own. Beside a photo that
was not whole stands ``damaged`` instead of ``fingerprint``.
"""

import json
import re
from datetime import datetime, timedelta
from typing import Final, NamedTuple, cast

from msgspec import UNSET

from tagline.errors import EditRefused, InvalidValue
from tagline.metadata.fields import FIELDS
from tagline.metadata.sidecar_json_text import members, with_members
from tagline.metadata.values import FieldValue, JsonSidecarValues, is_blank

VERSION: Final = 1
"""Version of what stands under ``tagline``."""

MAX_BYTES: Final = 4 * 1024 * 1024
"""A longer file is no sidecar of a photo."""

MAX_PARTS: Final = 100_000
"""A file with more values and brackets is no sidecar of a photo either: it would fill memory."""

_OWN_MEMBERS = frozenset({"title", "description", "photoTakenTime", "tagline"})
_BOM = "\ufeff"
_SURROGATE = re.compile("[\ud800-\udfff]")
_INTEGER = re.compile(r"\s*(-?[0-9]{1,15})\s*", re.ASCII)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_SAID = tuple(field for field in FIELDS if field.from_json)
_OPTIONAL = frozenset(
    {"damaged", "removed", "not_embedded", "hides", *(field.name for field in _SAID)}
)

JsonObject = dict[str, object]


class _Number(str):
    """A number as it is written, told apart from a string."""

    __slots__ = ()


class _Sidecar(NamedTuple):
    text: str
    said: JsonObject


def read(data: bytes) -> JsonSidecarValues | None:
    """What the sidecar says; None where it is not JSON or not a photo's sidecar. Never raises.

    An empty ``description`` is given as such, apart from one that is absent.
    """
    sidecar = _parse(data)
    if sidecar is None:
        return None
    own = _object(sidecar.said.get("tagline"))
    taken = _object(sidecar.said.get("photoTakenTime"))
    return JsonSidecarValues(
        title=_text(sidecar.said.get("title")) or None,
        description=_text(sidecar.said.get("description")),
        taken_timestamp=_timestamp(taken.get("timestamp")),
        fingerprint=_text(own.get("fingerprint")) or None,
        damaged=own.get("damaged") is True,
        removed=_texts(own.get("removed")),
        not_embedded=_text(own.get("not_embedded")) or None,
        hides=_notes(own.get("hides")),
        said=_fields(own),
    )


def write(old: bytes | None, values: JsonSidecarValues) -> bytes:
    """The sidecar with the values; a description of None makes it empty, in Takeout's way.

    A description that is UNSET stays as it is, and is empty in a new file. ``title`` and
    ``taken_timestamp`` go into files that are new or all Tagline's own; another program's file
    keeps what it says, and gets them only where it says nothing. Equal bytes come back when nothing
    changes.

    Raises:
        EditRefused: ``old`` is no JSON sidecar of a photo.
    """
    said: JsonObject = {
        "title": values.title or "",
        "description": values.description or "",
        "photoTakenTime": _taken(values.taken_timestamp),
        "tagline": _own(values),
    }
    if old is None or not old.strip(b"\0 \t\r\n"):
        return (json.dumps(said, ensure_ascii=False, indent=2) + "\n").encode("utf-8", "replace")
    sidecar = _parse(old)
    if sidecar is None:
        raise EditRefused("the JSON file beside the photo is no sidecar of a photo")
    if values.description is UNSET:
        del said["description"]
    return _changed(sidecar, said).encode("utf-8", "replace")


def _own(values: JsonSidecarValues) -> JsonObject:
    own: JsonObject = {"version": VERSION}
    own |= {"damaged": True} if values.damaged else {"fingerprint": values.fingerprint}
    if values.removed:
        own["removed"] = list(values.removed)
    if values.not_embedded:
        own["not_embedded"] = values.not_embedded
    if values.hides is not None:
        own["hides"] = {name: list(digests) for name, digests in values.hides.items()}
    for field in _SAID:
        value = values.said.get(field.name)
        if field.to_json and not is_blank(value):
            own[field.name] = field.to_json(value)
    return own


def _fields(own: JsonObject) -> dict[str, FieldValue]:
    """The fields that are said in a form that they can have; others are as if absent."""
    found: dict[str, FieldValue] = {}
    for field in _SAID:
        said = _plain(own.get(field.name))
        if field.from_json is None or said is None:
            continue
        try:
            value = field.from_json(said)
        except InvalidValue:
            continue
        if not is_blank(value):
            found[field.name] = value
    return found


def _plain(value: object) -> object:
    """A whole number as such, texts without halves of surrogate pairs."""
    if isinstance(value, _Number):
        found = _INTEGER.fullmatch(value)
        return int(found[1]) if found else None
    if isinstance(value, list):
        return [_plain(item) for item in cast("list[object]", value)]
    return _text(value) if isinstance(value, str) else value


def is_own_and_empty(data: bytes) -> bool:
    """Whether Tagline made the sidecar and it says nothing: nothing is lost without it."""
    sidecar = _parse(data)
    if sidecar is None or sidecar.said.get("description"):
        return False
    own = _object(sidecar.said.get("tagline"))
    says = _fields(own) or _texts(own.get("removed"))
    return not says and _is_ours(sidecar.said)


def is_own(data: bytes) -> bool:
    """Whether Tagline made the sidecar, and nobody has said more in it since."""
    sidecar = _parse(data)
    return sidecar is not None and _is_ours(sidecar.said)


def formatted(timestamp: int) -> str:
    """A moment (Unix seconds) as Takeout writes it: ``Jul 5, 2019, 10:00:00 AM UTC``."""
    try:
        at = datetime(1970, 1, 1) + timedelta(seconds=timestamp)  # noqa: DTZ001 - UTC by addition
    except OverflowError:
        return ""
    half = "AM" if at.hour < 12 else "PM"
    clock = f"{at.hour % 12 or 12}:{at.minute:02}:{at.second:02}"
    return f"{_MONTHS[at.month - 1]} {at.day}, {at.year}, {clock} {half} UTC"


def _taken(timestamp: int | None) -> JsonObject:
    return {"timestamp": str(timestamp or 0), "formatted": formatted(timestamp or 0)}


def _parse(data: bytes) -> _Sidecar | None:
    """The file's text and what it says, numbers as they are written; None for any other file."""
    if len(data) > MAX_BYTES or sum(map(data.count, (b"[", b"{", b","))) > MAX_PARTS:
        return None
    try:
        text = data.decode("utf-8")
        said: object = json.loads(
            text.removeprefix(_BOM),
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=_not_json,
        )
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    found = cast("JsonObject", said)
    return _Sidecar(text, found) if not _OWN_MEMBERS.isdisjoint(found) else None


def _not_json(constant: str) -> None:
    """NaN and Infinity are no JSON (RFC 8259, section 6)."""
    raise ValueError(constant)


def _changed(sidecar: _Sidecar, said: JsonObject) -> str:
    """The file's text with the members that it lacks or that say something new."""
    own = _object(said["tagline"])
    known = _object(sidecar.said.get("tagline"))
    for name in (_OPTIONAL | {"fingerprint"}) & known.keys() - own.keys():
        own[name] = None
    if not _names_photo(known):
        own["adopted"] = True
    if "version" in known:
        del own["version"]
    always = said if _is_ours(sidecar.said) else {"description", "tagline"}
    values = {n: value for n, value in said.items() if n in always or n not in sidecar.said}
    text = sidecar.text
    for name in ("photoTakenTime", "tagline"):
        if name in values and isinstance(sidecar.said.get(name), dict):
            text = _with_nested(text, name, cast("JsonObject", values.pop(name)))
    return with_members(text, text.index("{"), values)


def _with_nested(text: str, name: str, values: JsonObject) -> str:
    """The text with members set inside the object (the last of that name) that a member holds."""
    outer = members(text, text.index("{"))
    start = next(m.value_start for m in reversed(outer) if m.name == name)
    return with_members(text, start, values)


def _is_ours(said: JsonObject) -> bool:
    """Whether Tagline made the file, and nobody has said more in it since."""
    own = _object(said.get("tagline"))
    taken = _object(said.get("photoTakenTime"))
    return (
        _names_photo(own)
        and said.keys() <= _OWN_MEMBERS
        and own.keys() <= {"version", "fingerprint"} | _OPTIONAL
        and taken.keys() <= {"timestamp", "formatted"}
    )


def _names_photo(own: JsonObject) -> bool:
    """Whether Tagline has written which photo the sidecar is of."""
    return "fingerprint" in own or own.get("damaged") is True


def _object(value: object) -> JsonObject:
    return cast("JsonObject", value) if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    """A string; halves of surrogate pairs, which UTF-8 cannot hold, are replaced."""
    if not isinstance(value, str) or isinstance(value, _Number):
        return None
    return _SURROGATE.sub("\ufffd", value)


def _texts(value: object) -> tuple[str, ...]:
    items = cast("list[object]", value) if isinstance(value, list) else []
    return tuple(text for item in items if (text := _text(item)) is not None)


def _notes(value: object) -> dict[str, tuple[str, ...]] | None:
    if not isinstance(value, dict):
        return None
    return {name: _texts(digests) for name, digests in cast("JsonObject", value).items()}


def _timestamp(value: object) -> int | None:
    """Unix seconds; ``"0"`` means that Takeout does not know."""
    found = _INTEGER.fullmatch(value) if isinstance(value, str) else None
    return (int(found[1]) or None) if found else None
