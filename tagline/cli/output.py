"""What reaches a terminal or a pipe."""

import unicodedata

# Bidirectional overrides can make a text read as another (Unicode TR 36, 3.6).
_BIDIRECTIONAL = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INDENT = "\n" + " " * 15


def printable(text: str) -> str:
    """The text with line breaks indented and every other control character made visible.

    A description is anybody's text: printed as it is, it could move the cursor or set the title.
    """
    shown = "".join(_visible(c) for c in text.replace("\r\n", "\n"))
    return shown.replace("\n", _INDENT)


def _visible(character: str) -> str:
    harmless = unicodedata.category(character) not in {"Cc", "Cs"}
    if character in "\n\t" or (harmless and character not in _BIDIRECTIONAL):
        return character
    return character.encode("unicode_escape").decode("ascii")
