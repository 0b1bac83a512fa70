"""Words: how a text is folded and cut for searching, and what a search asks for; pure functions.

Folding is compatibility decomposition without combining marks, and case folding (Unicode 15, 3.13
and UAX 15), so that ``Ålesund`` is found by ``alesund``, and ``Straße`` by ``STRASSE``. A word is a
run of letters and digits; a Chinese or Japanese character is a word of its own, since nothing else
parts the words there.
"""

import re
from collections.abc import Iterable
from unicodedata import combining, normalize

_ASCII_WORD = re.compile(r"[a-z0-9]+")
_ALONE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_ALONE}]|(?:(?![{_ALONE}])[^\W_])+")
_PART = re.compile(r'"([^"]*)(?:"|$)|([^\s"]+)')


def fold(text: str) -> str:
    """The text without differences of case, accent and presentation."""
    if text.isascii():
        return text.lower()
    folded = normalize("NFKD", normalize("NFKD", text).casefold())
    return "".join(c for c in folded if not combining(c))


def one_line(text: str) -> str:
    """The text with a single space for each run of white space, separators and NULs."""
    return " ".join(text.replace("\0", " ").split())


def fold_keyword(keyword: str) -> str:
    """What keywords are compared by: folded, on one line."""
    return one_line(fold(keyword))


def words(text: str) -> list[str]:
    """The folded words of a text, in sequence."""
    folded = fold(text)
    return (_ASCII_WORD if folded.isascii() else _WORD).findall(folded)


def searchable(texts: Iterable[str]) -> str:
    """The words of several texts as one line, each word between spaces, the texts apart."""
    lines = [" ".join(found) for text in texts if (found := words(text))]
    return f" {' | '.join(lines)} "


def terms_of(asked: str) -> tuple[str, ...]:
    """What a search asks for: texts that must all be in a photo's ``searchable`` line.

    What white space parts is a term each: its words follow one another, and the last may go on.
    Between double quotes all of the words are whole. What holds no word asks for nothing.
    """
    return tuple(sorted({term for match in _PART.finditer(asked) if (term := _term(match))}))


def _term(match: re.Match[str]) -> str:
    quoted, bare = match.groups()
    found = " ".join(words(quoted if bare is None else bare))
    return found and (f" {found} " if bare is None else f" {found}")
