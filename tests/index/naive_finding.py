"""What every filter and sort means, over decoded photos one by one: slow, and with no index."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache

from tagline.model import Photo


@cache
def folded(text: str) -> str:
    """Without case, accents and presentation."""
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(c for c in text if not unicodedata.combining(c))


def is_alone(character: str) -> bool:
    """Whether the character is a word of its own."""
    point = ord(character)
    wide = (0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF)
    return any(low <= point <= high for low, high in (*wide, (0x20000, 0x3FFFF)))


@cache
def words_of(text: str) -> list[str]:
    """Runs of letters and digits."""
    found, word = [], ""
    for character in folded(text) + " ":
        if character.isalnum() and not is_alone(character):
            word += character
            continue
        found += [word] if word else []
        found += [character] if is_alone(character) and character.isalnum() else []
        word = ""
    return found


def texts_of(photo: Photo) -> list[str]:
    """What is searched."""
    said = photo.metadata
    texts = (photo.object_key.split("/")[-1], said.title, said.description, *said.keywords)
    return [text for text in texts if text]


def has_in_sequence(words: Sequence[str], wanted: Sequence[str], *, whole: bool) -> bool:
    """Whether the wanted words follow one another; unless whole, the last may be longer."""
    for start in range(len(words) - len(wanted) + 1):
        part = words[start : start + len(wanted)]
        last = part[-1] == wanted[-1] or (not whole and part[-1].startswith(wanted[-1]))
        if last and part[:-1] == wanted[:-1]:
            return True
    return False


def is_found(photo: Photo, q: str) -> bool:
    """Whether each part of the search is in one of the texts."""
    texts = [words_of(text) for text in texts_of(photo)]
    for quoted, _, bare in re.findall(r'"([^"]*)("|$)|([^\s"]+)', q):
        wanted = words_of(bare or quoted)
        if wanted and not any(has_in_sequence(t, wanted, whole=not bare) for t in texts):
            return False
    return True


def keyword(text: str) -> str:
    """What keywords are compared by."""
    return " ".join(folded(text).replace("\0", " ").split())


def moment(text: str) -> datetime:
    """A bound that is a moment, or the beginning of a day."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def is_taken(photo: Photo, taken_from: str | None, taken_to: str | None) -> bool:
    """Whether the photo was taken within."""
    if photo.taken_at is None:
        return False
    taken = datetime.fromisoformat(photo.taken_at)
    if taken_from is not None and taken < moment(taken_from):
        return False
    if taken_to is None:
        return True
    bound = moment(taken_to)
    return taken.date() <= bound.date() if len(taken_to) == 10 else taken < bound


def is_in(photo: Photo, folder: str, *, subfolders: bool) -> bool:
    """Whether the photo lies there."""
    own = photo.object_key.split("/")[:-1]
    wanted = folder.split("/") if folder else []
    return own[: len(wanted)] == wanted and (subfolders or own == wanted)


def matches(photo: Photo, asked: dict) -> bool:
    """Whether the photo meets every parameter; ``asked`` are those of the query string."""
    said = photo.metadata
    judged = {
        "q": lambda q: is_found(photo, q),
        "folder": lambda f: is_in(photo, f, subfolders=asked.get("subfolders", True)),
        "subfolders": lambda _: "folder" in asked or asked["subfolders"] or is_in(
            photo, "", subfolders=False
        ),
        "described": lambda d: d == bool(said.description),
        "taken_from": lambda t: is_taken(photo, t, None),
        "taken_to": lambda t: is_taken(photo, None, t),
        "rating_min": lambda r: said.rating is not None and said.rating >= r,
        "keyword": lambda k: keyword(k) != "" and keyword(k) in map(keyword, said.keywords),
        "media_type": lambda m: photo.media_type == m
        or (m.endswith("/*") and photo.media_type.startswith(m[:-1])),
    }  # fmt: skip
    return all(judged[name](value) for name, value in asked.items())


def listed(photos: Iterable[Photo], sort: str, order: str) -> list[Photo]:
    """The photos in their order."""
    value = {
        "object_key": lambda _: "",
        "taken_at": lambda p: p.taken_at or "",
        "last_modified": lambda p: p.last_modified,
    }[sort]
    found = sorted(photos, key=lambda p: (value(p), p.object_key, p.id), reverse=order == "desc")
    return sorted(found, key=lambda p: sort == "taken_at" and p.taken_at is None)


def folders(photos: Iterable[Photo], root: str, depth: int | None) -> list[tuple[str, int, int]]:
    """Folder, photos in it, photos below."""
    direct: Counter[str] = Counter()
    below: Counter[str] = Counter()
    for photo in photos:
        parts = photo.object_key.split("/")[:-1]
        direct["/".join(parts)] += 1
        below.update("/".join(parts[:end]) for end in range(len(parts) + 1))
    start = root.split("/") if root else []
    shown = []
    for folder in below:
        parts = folder.split("/") if folder else []
        deep = len(parts) - len(start)
        if parts[: len(start)] == start and (depth is None or deep <= depth):
            shown.append((parts, folder))
    return [(folder, direct[folder], below[folder]) for _, folder in sorted(shown)]


def keywords(photos: Iterable[Photo], prefix: str) -> list[tuple[str, int]]:
    """Keyword and photos."""
    spelled: dict[str, Counter[str]] = {}
    for photo in photos:
        mine: dict[str, str] = {}
        for each in photo.metadata.keywords:
            mine.setdefault(keyword(each), " ".join(each.replace("\0", " ").split()))
        for key, text in mine.items():
            if key:
                spelled.setdefault(key, Counter())[text] += 1
    found = []
    for key, texts in spelled.items():
        best = min(texts, key=lambda text: (-texts[text], text))
        if key.startswith(keyword(prefix)):
            found.append((-texts.total(), key, best))
    return [(best, -count) for count, _, best in sorted(found)]


def timeline(photos: Iterable[Photo]) -> tuple[int, list[tuple[str, int]]]:
    """Photos without a date, and each month's."""
    months = Counter(photo.taken_at and photo.taken_at[:7] for photo in photos)
    undated = months.pop(None, 0)
    return undated, sorted(months.items())
