"""What text a field may hold."""

from tagline.errors import InvalidValue

DESCRIPTION_MAX_CHARACTERS = 10_000


def check_description(text: str) -> str:
    """Return the description as it is, or say why it cannot be stored.

    Raises:
        InvalidValue: over 10,000 characters, or a NUL or lone surrogate in it.
    """
    if len(text) > DESCRIPTION_MAX_CHARACTERS:
        raise InvalidValue("description", f"at most {DESCRIPTION_MAX_CHARACTERS} characters")
    if "\0" in text:
        raise InvalidValue("description", "must not hold NUL characters")
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise InvalidValue("description", "must not hold lone surrogates")
    return text
