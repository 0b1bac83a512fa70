"""Which photos of some columns meet a filter: pure functions.

A mask is one byte a photo: 1 where it is met, 0 elsewhere; None where no photo meets it. To add a
condition, write one function from columns to a mask, and name it in ``conditions_of``.
"""

from collections.abc import Callable, Sequence

from tagline.index.columns import BETWEEN, DESCRIBED, START, Columns, mark_of
from tagline.model import PhotoFilter
from tagline.model.moments import BEYOND

Mask = bytes
Condition = Callable[[Columns], Mask | None]

_YES, _NO = b"\1", b"\0"
_RATING_BITS = DESCRIBED - 1
_MARK = b"\0"
"""A byte that no line holds: NUL is part of no word, and ``one_line`` leaves none."""
_OTHERS = bytes(set(range(256)) - {0, 10})


class Matcher:
    """A filter made ready; ``mask`` says which photos of some columns meet it."""

    def __init__(self, wanted: PhotoFilter) -> None:
        self._conditions = conditions_of(wanted)

    def mask(self, columns: Columns) -> Mask | None:
        """Which photos meet every condition; the cheap ones are judged first."""
        met = _YES * len(columns)
        for condition in self._conditions:
            mask = condition(columns)
            if mask is None:
                return None
            met = _both(met, mask)
        return met if 1 in met else None


def conditions_of(wanted: PhotoFilter) -> list[Condition]:
    """The conditions of a filter, cheap ones first."""
    made: list[Condition] = []
    if wanted.folder is not None:
        made.append(_in_folder(wanted.folder, subfolders=wanted.subfolders))
    if wanted.described is not None or wanted.rating_min is not None:
        made.append(_marked(wanted.described, wanted.rating_min))
    if wanted.media_type is not None:
        made.append(_of_type(wanted.media_type))
    if wanted.taken_from is not None or wanted.taken_before is not None:
        made.append(_taken(wanted.taken_from or 0, wanted.taken_before))
    if wanted.keyword is not None:
        needle = f"{START}{wanted.keyword}{BETWEEN}".encode()
        made.append(lambda columns: _lines_with(needle, columns.keywords))
    made += map(_with_term, wanted.terms)
    return made


def _both(one: Mask, other: Mask) -> Mask:
    met = int.from_bytes(one, "little") & int.from_bytes(other, "little")
    return met.to_bytes(len(one), "little")


def _in_folder(folder: str, *, subfolders: bool) -> Condition:
    below = f"{folder}/" if folder else ""

    def mask(columns: Columns) -> Mask | None:
        within = [f == folder or (subfolders and f.startswith(below)) for f in columns.folders]
        if not any(within):
            return None
        start, parts = 0, list[bytes]()
        for met, end in zip(within, columns.folder_ends, strict=True):
            parts.append((_YES if met else _NO) * (end - start))
            start = end
        return b"".join(parts)

    return mask


def _marked(described: bool | None, rating_min: int | None) -> Condition:  # noqa: FBT001 - a value, not a switch
    least = 0 if rating_min is None else mark_of(rating_min, described=False)

    def met(mark: int) -> bool:
        said = bool(mark & DESCRIBED)
        return (described is None or said is described) and mark & _RATING_BITS >= least

    table = bytes(map(met, range(256)))
    return lambda columns: columns.marks.translate(table)


def _of_type(media_type: str) -> Condition:
    def met(name: str) -> bool:
        if media_type.endswith("/*"):
            return name.startswith(media_type[:-1])
        return name == media_type

    def mask(columns: Columns) -> Mask | None:
        wanted = [met(name) for name in columns.types]
        if not any(wanted):
            return None
        if all(wanted):
            return _YES * len(columns)
        return bytes([wanted[code] for code in columns.type_codes])

    return mask


def _taken(first: int, beyond: int | None) -> Condition:
    end = BEYOND if beyond is None else beyond

    def mask(columns: Columns) -> Mask | None:
        if not columns.taken:
            return None
        return bytes([first <= number < end for number in columns.taken])

    return mask


def _with_term(term: str) -> Condition:
    needle = term.encode()
    return lambda columns: _lines_with(needle, columns.text)


def _lines_with(needle: bytes, lines: bytes) -> Mask | None:
    """Which lines hold the needle, which is longer than a byte and holds no line break."""
    marked = lines.replace(needle, _MARK)
    if len(marked) == len(lines):
        return None
    return bytes(map(bool, marked.translate(None, _OTHERS).split(b"\n")))


def count_runs(ends: Sequence[int], mask: Mask) -> list[int]:
    """How many are met in each run of neighbours, by where the runs end."""
    starts = [0, *ends[:-1]]
    return [mask.count(1, start, end) for start, end in zip(starts, ends, strict=True)]
