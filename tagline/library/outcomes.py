"""What came of things, counted since the start: edits, logins. For the figures of operators."""

import re
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

from tagline.errors import InvalidPassword, TaglineError, TooManyAttempts
from tagline.library.beside import (
    MANY_LINKS,
    NOT_IN_PLACE,
    SIDECAR_MODE,
    TOO_LARGE,
    UNWRITABLE,
)
from tagline.library.writing import Written

EditOutcome = tuple[str, str]
"""``embedded``, ``sidecar``, ``unchanged`` or ``refused``; and the kind of reason."""

_KINDS = {
    SIDECAR_MODE: "mode",
    NOT_IN_PLACE: "format",
    UNWRITABLE: "unwritable",
    MANY_LINKS: "links",
    TOO_LARGE: "size",
}
_WORD = re.compile(r"(?<!^)(?=[A-Z])")


def outcome_of(written: Written) -> EditOutcome:
    """Where an edit went.

    The kind of reason of ``sidecar`` is ``mode``, ``format``, ``unwritable``, ``links`` or ``size``
    where the file was not to be edited, ``proof`` where the edited file could not be proven, and
    ``structure`` where something in the file stands in the way.
    """
    if not written.changed:
        return "unchanged", ""
    reason = written.not_embedded
    if reason is None:
        return "embedded", ""
    return "sidecar", _KINDS.get(reason) or ("proof" if reason.startswith("proof") else "structure")


def refusal_of(error: BaseException) -> EditOutcome:
    """Why an edit was not made: the name of the error, such as ``photo_modified``."""
    known = isinstance(error, TaglineError)
    return "refused", _WORD.sub("_", type(error).__name__).lower() if known else "unexpected"


@contextmanager
def counted_login(counts: Counter[str]) -> Generator[None]:
    """Count the login that is tried inside: ``ok``, ``failed``, ``limited``, or ``error``."""
    try:
        yield
    except InvalidPassword:
        counts["failed"] += 1
        raise
    except TooManyAttempts:
        counts["limited"] += 1
        raise
    except TaglineError:
        counts["error"] += 1
        raise
    counts["ok"] += 1
