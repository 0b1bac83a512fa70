"""What searching needs of some neighbouring photos, by columns: pure functions of their rows.

A photo costs 8 bytes for its date, two for its marks and media type, and its words once more in
folded form; a keyword besides its own text twice. Columns of which no photo has anything are empty.
"""

from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import count, groupby
from operator import attrgetter

import msgspec

from tagline.model.keys import directory_of, name_of
from tagline.model.moments import moment_number
from tagline.model.words import fold_keyword, one_line, searchable

UNDATED = -1
DESCRIBED = 8
"""The bit of a mark that says that there is a description; those below hold the rating."""

START = "\x1f"
BETWEEN = "\x1d"
"""A keyword in its line: START, folded, BETWEEN, and as it is written where that differs."""


class Facts(msgspec.Struct, frozen=True, gc=False):
    """What searching needs of one photo; the members are as in ``Columns``."""

    text: bytes
    keywords: bytes
    folder: str
    taken: int
    mark: int
    media_type: str


class _Metadata(msgspec.Struct, gc=False):
    description: str | None = None
    title: str | None = None
    keywords: tuple[str, ...] = ()
    rating: int | None = None


class _Row(msgspec.Struct, gc=False):
    object_key: str
    metadata: _Metadata
    media_type: str
    taken_at: str | None


_numbers = count()
_decode: Callable[[bytes], _Row] = msgspec.json.Decoder(_Row).decode


def facts_of(photo: bytes) -> Facts:
    """The facts of a photo, from its JSON."""
    row = _decode(photo)
    said = row.metadata
    fields = (name_of(row.object_key), said.title, said.description, *said.keywords)
    return Facts(
        text=searchable(field for field in fields if field).encode(),
        keywords=_keyword_line(said.keywords) if said.keywords else b"",
        folder=directory_of(row.object_key),
        taken=UNDATED if row.taken_at is None else moment_number(row.taken_at),
        mark=mark_of(said.rating, described=bool(said.description)),
        media_type=row.media_type,
    )


def mark_of(rating: int | None, *, described: bool) -> int:
    """Rating and description in one number: 0 for neither."""
    return (0 if rating is None else rating + 1) | (DESCRIBED if described else 0)


def _keyword_line(keywords: Iterable[str]) -> bytes:
    """Each keyword once; of those that are equal when folded, the first."""
    written: dict[str, str] = {}
    for keyword in keywords:
        written.setdefault(fold_keyword(keyword), one_line(keyword))
    parts = (f"{START}{f}{BETWEEN}{'' if w == f else w}" for f, w in written.items() if f)
    line = "".join(parts)
    return (line and line + START).encode()


class Columns:
    """The facts of some photos, each at its place among ``members``.

    - ``text``: the words of each, one line a photo;
    - ``keywords``: its keywords, one line a photo;
    - ``folders`` and ``folder_ends``: runs of photos in the same directory, and where each ends;
    - ``taken``: numbers of moments, UNDATED where there is none;
    - ``marks``: rating and description;
    - ``types`` and ``type_codes``: the media types, and which of them each photo has.

    ``number`` is like no other columns'.
    """

    __slots__ = (
        "folder_ends",
        "folders",
        "keywords",
        "marks",
        "members",
        "number",
        "taken",
        "text",
        "type_codes",
        "types",
    )

    def __init__(self, members: list[str], facts: Sequence[Facts]) -> None:
        self.number = next(_numbers)
        self.members = members
        self.text = b"\n".join([each.text for each in facts])
        keywords = [each.keywords for each in facts]
        self.keywords = b"\n".join(keywords) if any(keywords) else b""
        runs = [(folder, len(list(run))) for folder, run in groupby(facts, attrgetter("folder"))]
        self.folders = tuple(folder for folder, _ in runs)
        self.folder_ends = array("H")
        end = 0
        for _, length in runs:
            end += length
            self.folder_ends.append(end)
        taken = [each.taken for each in facts]
        self.taken = array("q", taken if max(taken) > UNDATED else ())
        self.marks = bytes([each.mark for each in facts])
        self.types, self.type_codes = _coded([each.media_type for each in facts])

    def __len__(self) -> int:
        return len(self.marks)

    def facts(self) -> list[Facts]:
        """What it was made of."""
        count = len(self)
        keywords = self.keywords.split(b"\n") if self.keywords else [b""] * count
        taken = self.taken or [UNDATED] * count
        codes = self.type_codes or bytes(count)
        folders: list[str] = []
        for folder, end in zip(self.folders, self.folder_ends, strict=True):
            folders += [folder] * (end - len(folders))
        types = [self.types[code] for code in codes]
        columns = (self.text.split(b"\n"), keywords, folders, taken, self.marks, types)
        return [Facts(*each) for each in zip(*columns, strict=True)]


def _coded(types: Sequence[str]) -> tuple[tuple[str, ...], Sequence[int]]:
    """The different types, and the number of each photo's; no numbers where all are the same."""
    codes = {name: code for code, name in enumerate(dict.fromkeys(types))}
    if len(codes) == 1:
        return tuple(codes), b""
    numbers = [codes[name] for name in types]
    return tuple(codes), array("B" if len(codes) <= 256 else "H", numbers)


def taken_over(ancestor: Columns | None, changed: frozenset[str]) -> dict[str, Facts]:
    """What older columns say of those photos that have not changed since."""
    if ancestor is None:
        return {}
    known = dict(zip(ancestor.members, ancestor.facts(), strict=True))
    for member in changed:
        known.pop(member, None)
    return known
