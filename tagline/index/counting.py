"""What a filter's photos have: folders, keywords, months, each with counts; pure steps."""

from collections import Counter
from collections.abc import Iterator
from itertools import compress

from tagline.index.catalogue import Moment
from tagline.index.columns import BETWEEN, START, UNDATED
from tagline.index.matching import Mask, count_runs
from tagline.index.steps import PIECE, Steps, made_in_steps, sorted_in_steps
from tagline.model.moments import MONTH_BITS, month_of
from tagline.model.query import Counted, Folder, Month

_ITEM_BYTES = 300

FoldedKeyword = tuple[str, Counted]


class FolderCount:
    """Counts directories: the one named ``root``, and those at most ``depth`` levels below it."""

    def __init__(self, root: str, depth: int | None) -> None:
        self._root = root
        self._deepest = None if depth is None else _level(root) + depth

    def __call__(self, moment: Moment) -> Steps[tuple[list[Folder], int]]:
        """Every directory with photos in it or below, each one before those below it."""
        direct: Counter[str] = Counter()
        for part, mask in zip(moment.parts, moment.masks, strict=True):
            if mask is not None:
                counts = count_runs(part.folder_ends, mask)
                for folder, photos in zip(part.folders, counts, strict=True):
                    direct[folder] += photos
                yield
        below: Counter[str] = Counter()
        for number, (folder, photos) in enumerate(direct.items()):
            for above in _with_those_above(folder, self._root) if photos else ():
                below[above] += photos
            if number % PIECE == 0:
                yield
        deepest = self._deepest
        shown = (each for each in below if deepest is None or _level(each) <= deepest)
        ordered = yield from sorted_in_steps(shown, key=_as_tree)
        folders = yield from made_in_steps(
            lambda folder: Folder(folder, direct[folder], below[folder]), ordered
        )
        return folders, _ITEM_BYTES * len(folders)


def _level(folder: str) -> int:
    """How far below the photo directory it is."""
    return folder.count("/") + 1 if folder else 0


def _with_those_above(folder: str, root: str) -> Iterator[str]:
    """The directory and each that it is in, up to the root."""
    while len(folder) > len(root):
        yield folder
        folder = folder.rpartition("/")[0]
    yield root


def _as_tree(folder: str) -> str:
    """Sorts what is below a directory right behind it."""
    return folder.replace("/", "\0")


def count_keywords(moment: Moment) -> Steps[tuple[list[FoldedKeyword], int]]:
    """Every keyword, folded and as most photos write it; the most frequent ones first."""
    written: Counter[bytes] = Counter()
    for part, mask in zip(moment.parts, moment.masks, strict=True):
        if mask is not None and part.keywords:
            written.update(_met(part.keywords, mask).split(START.encode()))
            yield
    del written[b""]
    counted = yield from _joined(written)
    ordered = yield from sorted_in_steps(counted, key=lambda each: (-each[1].photos, each[0]))
    return ordered, _ITEM_BYTES * len(ordered)


def _met(lines: bytes, mask: Mask) -> bytes:
    """The lines that are met, in one."""
    if 0 in mask:
        return b"".join(compress(lines.split(b"\n"), mask))
    return lines.translate(None, b"\n")


def beginning_with(prefix: str, keywords: list[FoldedKeyword]) -> Steps[list[FoldedKeyword]]:
    """The keywords whose folded form begins so."""
    found: list[FoldedKeyword] = []
    for start in range(0, len(keywords), PIECE):
        some = keywords[start : start + PIECE]
        found += [each for each in some if each[0].startswith(prefix)]
        yield
    return found


def _joined(written: Counter[bytes]) -> Steps[list[FoldedKeyword]]:
    """Keywords that are equal when folded as one."""
    best: dict[str, tuple[int, str]] = {}
    totals: Counter[str] = Counter()
    for number, (keyword, photos) in enumerate(written.items()):
        folded, _, spelled = keyword.decode().partition(BETWEEN)
        totals[folded] += photos
        mine = (-photos, spelled or folded)
        best[folded] = min(best.get(folded, mine), mine)
        if number % PIECE == 0:
            yield
    return (
        yield from made_in_steps(
            lambda each: (each[0], Counted(best[each[0]][1], each[1])), totals.items()
        )
    )


def count_months(moment: Moment) -> Steps[tuple[tuple[int, list[Month]], int]]:
    """How many photos are undated, and every month with photos, the earliest first."""
    months: Counter[int] = Counter()
    undated = 0
    for part, mask in zip(moment.parts, moment.masks, strict=True):
        if mask is None:
            continue
        if part.taken:
            months.update([taken >> MONTH_BITS for taken in compress(part.taken, mask)])
        else:
            undated += mask.count(1)
        yield
    undated += months.pop(UNDATED >> MONTH_BITS, 0)
    ordered = yield from sorted_in_steps(months, key=int)
    made = [Month(month_of(month << MONTH_BITS), months[month]) for month in ordered]
    return (undated, made), _ITEM_BYTES * len(made)
