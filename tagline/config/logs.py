"""Logging: one line an event on standard error, as text or as JSON.

A line never holds a registered secret, anything that looks like a token of Tagline's, or a
control character, so that no file name or header can forge a line or speak to a terminal.
Modules log by ``logging.getLogger("tagline.…")``; further values of an event go into
``extra={"fields": {…}}``.
"""

import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal, TextIO, cast

MIN_SECRET_CHARACTERS = 4
WHOLE_WORD_CHARACTERS = 8
HIDDEN = "[hidden]"

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that is being answered; empty outside of requests."""

_secrets: set[str] = set()
# JSON Web Tokens, and API tokens, also where they were cut.
_TOKEN = re.compile(
    r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?|tagline_[0-9a-f]{12}_[0-9a-f]{4,}",
    re.ASCII,
)
# C0, DEL, C1, line and paragraph separators, marks and overrides of direction, surrogates.
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_PLAIN = re.compile(r"[^\s\"=]+")


def register_secret(secret: str) -> None:
    """Keep a secret out of every line from here on.

    One of fewer than eight characters is hidden only where it stands as a word, and one of fewer
    than four not at all: it would hide the lines instead.
    """
    if len(secret) >= MIN_SECRET_CHARACTERS:
        # As it is, and as it stands in a traceback or in JSON.
        _secrets.update((secret, repr(secret)[1:-1], json.dumps(secret)[1:-1]))


def hide_secrets(text: str) -> str:
    """The text with registered secrets and tokens replaced by ``[hidden]``."""
    for secret in sorted(_secrets, key=len, reverse=True):
        if secret in text:
            pattern = re.escape(secret)
            if len(secret) < WHOLE_WORD_CHARACTERS:
                pattern = rf"(?<!\w){pattern}(?!\w)"
            text = re.sub(pattern, HIDDEN, text)
    return _TOKEN.sub(HIDDEN, text)


def escape_controls(text: str) -> str:
    r"""The text on one line: control characters as ``\n``, ``\x1b``, ``\u2028``."""
    return _CONTROL.sub(lambda match: ascii(match[0])[1:-1], text)


def configure_logging(
    level: Literal["debug", "info", "warning", "error"] = "info",
    format: Literal["text", "json"] = "text",  # noqa: A002 - the word of TAGLINE_LOG_FORMAT
    stream: TextIO | None = None,
) -> None:
    """Log Tagline's events from this level on, and other libraries' from warnings on.

    Goes to ``stream``, by default standard error. May be called again; the last call counts.
    """
    handler = _LineHandler(stream if stream is not None else sys.stderr)
    handler.setFormatter(JsonLines() if format == "json" else TextLines())
    root = logging.getLogger()
    for old in [one for one in root.handlers if isinstance(one, _LineHandler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    number = logging.getLevelNamesMapping()[level.upper()]
    root.setLevel(max(number, logging.WARNING))
    logging.getLogger("tagline").setLevel(number)
    logging.captureWarnings(capture=True)


class TextLines(logging.Formatter):
    """``2026-05-01T12:00:00.000Z INFO tagline.api: message key=value request_id=…``."""

    def format(self, record: logging.LogRecord) -> str:
        """The event as one line."""
        head = f"{_time(record)} {record.levelname} {record.name}: {hide_secrets(_message(record))}"
        values = (f" {hide_secrets(key)}={_quoted(value)}" for key, value in _values(record))
        return escape_controls(head + "".join(values))


class JsonLines(logging.Formatter):
    """One JSON object a line: ``time``, ``level``, ``logger``, ``message``, then the values."""

    def format(self, record: logging.LogRecord) -> str:
        """The event as one line, in ASCII."""
        event: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": hide_secrets(_message(record)),
        }
        for key, value in _values(record):
            event.setdefault(hide_secrets(key), _json_value(value))
        return json.dumps(event)


class _LineHandler(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Lose the line: logging's own report would show its arguments as they are."""


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        # The arguments do not fit the message: a mistake in the program, still worth its line.
        return str(record.msg)


def _values(record: logging.LogRecord) -> Iterator[tuple[str, object]]:
    fields: object = getattr(record, "fields", None)
    if isinstance(fields, Mapping):
        for key, value in cast("Mapping[object, object]", fields).items():
            yield str(key), value
    if request_id.get():
        yield "request_id", request_id.get()
    if record.exc_info:
        yield "traceback", logging.Formatter().formatException(record.exc_info)
    if record.stack_info:
        yield "stack", record.stack_info


def _json_value(value: object) -> object:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        # JSON has no infinities, nor NaN.
        return value if abs(value) < float("inf") else str(value)
    return hide_secrets(str(value))


def _quoted(value: object) -> str:
    text = hide_secrets(str(value))
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
