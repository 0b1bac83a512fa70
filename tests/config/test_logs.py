"""Log lines."""

import io
import json
import logging
import sys
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagline.config import logs
from tagline.config.logs import configure_logging, register_secret, request_id

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJvd25lciJ9.c2lnbmF0dXJlc2lnbmF0dXJl"


@pytest.fixture(autouse=True)
def _as_before():
    """Logging is left as it was found, and no secret stays registered."""
    root, ours = logging.getLogger(), logging.getLogger("tagline")
    handlers, levels = list(root.handlers), (root.level, ours.level)
    secrets = set(logs._secrets)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])
    logging.captureWarnings(capture=False)
    logs._secrets.clear()
    logs._secrets.update(secrets)


def lines_of(format_: str, emit, level: str = "debug") -> list[str]:
    """The lines that ``emit`` makes, given a logger."""
    stream = io.StringIO()
    configure_logging(level, format_, stream)
    root = logging.getLogger()
    # The test runner's own handlers would carry lone surrogates into its reports.
    others = [h for h in root.handlers if getattr(h, "stream", None) is not stream]
    for handler in others:
        root.removeHandler(handler)
    try:
        emit(logging.getLogger("tagline.test"))
    finally:
        for handler in others:
            root.addHandler(handler)
    return stream.getvalue().splitlines(keepends=True)


def text_line(emit) -> str:
    """The one line of text that ``emit`` makes."""
    (line,) = lines_of("text", emit)
    return line


def json_event(emit) -> dict[str, object]:
    """The one JSON event that ``emit`` makes."""
    (line,) = lines_of("json", emit)
    return json.loads(line)


def test_text():
    """A line of text holds time in UTC, level, logger, message and values."""
    line = text_line(
        lambda log: log.info(
            "done %d", 3, extra={"fields": {"status": 200, "path": "a b", "e": ""}}
        )
    )
    time, rest = line.split(" ", 1)
    assert rest == 'INFO tagline.test: done 3 status=200 path="a b" e=""\n'
    assert time.endswith("Z")
    assert len(time) == 24


def test_json():
    """A line of JSON holds the same, with numbers as numbers."""
    event = json_event(
        lambda log: log.warning(
            "done %s", "ü", extra={"fields": {"n": 1, "x": 0.5, "none": None, "inf": float("inf")}}
        )
    )
    assert str(event.pop("time")).endswith("Z")
    assert event == {
        "level": "warning",
        "logger": "tagline.test",
        "message": "done ü",
        "n": 1,
        "x": 0.5,
        "none": None,
        "inf": "inf",
    }


def test_values_do_not_replace_the_event():
    """A value named like a part of the event does not replace it."""
    event = json_event(lambda log: log.info("m", extra={"fields": {"message": "x", "time": 1}}))
    assert event["message"] == "m"
    assert event["time"] != 1


def test_time_is_utc():
    """The time is that of the event in UTC, whatever the time zone of the machine."""
    record = logging.LogRecord("x", logging.INFO, "", 0, "m", None, None)
    record.created = 1_700_000_000.25
    assert logs.TextLines().format(record).startswith("2023-11-14T22:13:20.250Z ")


@pytest.mark.parametrize("format_", ["text", "json"])
def test_request_id(format_):
    """The id of the request that is being answered stands in its lines, and in no others."""
    token = request_id.set("abc123")
    try:
        (line,) = lines_of(format_, lambda log: log.info("m"))
    finally:
        request_id.reset(token)
    assert "abc123" in line
    assert "request_id" not in lines_of(format_, lambda log: log.info("m"))[0]


def fail() -> None:
    """An error whose message tries to forge a line."""
    raise ValueError("bad\n2026 INFO forged")


def emit_failure(log: logging.Logger) -> None:
    """Log an error with its traceback."""
    try:
        fail()
    except ValueError:
        log.exception("failed", stack_info=True)


@pytest.mark.parametrize("format_", ["text", "json"])
def test_a_traceback_is_one_line(format_):
    """A traceback stands in the line of its event."""
    (line,) = lines_of(format_, emit_failure)
    assert "ValueError: bad" in line
    assert "stack" in line


NASTY = st.text(st.characters(), max_size=30) | st.sampled_from(
    ["a\nb", "\r", "\x1b[2J", "\x85", "\u2028", "\u202e", "\udcff", "\0", '"', "\\", "a=b"]
)


@given(message=NASTY, key=NASTY, value=NASTY)
def test_no_line_can_be_forged(message, key, value):
    """Whatever is logged is one line without control characters, and encodes as UTF-8."""

    def emit(log: logging.Logger) -> None:
        log.info("%s", message, extra={"fields": {key: value}})

    for format_ in ("text", "json"):
        (line,) = lines_of(format_, emit)
        assert not logs._CONTROL.search(line.removesuffix("\n"))
        line.encode()
        if format_ == "json":
            event = json.loads(line)
            assert event["message"] == message
            assert key in event


def test_escapes():
    """Control characters show as escapes."""
    line = text_line(lambda log: log.info("a\nb\x1b[2Jc\u2028d\u202ee"))
    assert line.endswith(": a\\nb\\x1b[2Jc\\u2028d\\u202ee\n")


SECRETS = ["correct horse battery", "quo\"te\\back'slash", "line\nbreak secret", "pässwörter"]


@pytest.mark.parametrize("format_", ["text", "json"])
@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_are_hidden(format_, secret):
    """A registered secret shows in no part of a line, nor as repr or JSON."""
    register_secret(secret)

    def emit(log: logging.Logger) -> None:
        fields = {"a": secret, secret: "b", "repr": repr(secret), "dumps": json.dumps(secret)}
        try:
            int(f"wrong: {secret}")
        except ValueError:
            log.exception("%s and %r", secret, {"p": secret}, extra={"fields": fields})

    (line,) = lines_of(format_, emit)
    shown = json.dumps(json.loads(line), ensure_ascii=False) if format_ == "json" else line
    for form in (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1]):
        assert form not in shown
        assert form not in line
    assert logs.HIDDEN in line


@given(
    secret=st.text(st.characters(codec="utf-8"), min_size=8, max_size=20),
    before=st.text(max_size=5),
    after=st.text(max_size=5),
)
def test_any_long_secret_is_hidden(secret, before, after):
    """A secret of eight characters or more is hidden wherever it stands."""
    register_secret(secret)
    try:
        text = logs.hide_secrets(before + secret + after)
        if secret not in logs.HIDDEN:
            assert secret not in text.replace(logs.HIDDEN, "")
    finally:
        logs._secrets.clear()


def test_short_secrets():
    """A short secret is hidden as a word only, and a tiny one not at all."""
    register_secret("test")
    register_secret("abc")
    register_secret("")
    line = text_line(lambda log: log.info("test testing abc"))
    assert line.endswith(": [hidden] testing abc\n")


def test_the_longest_secret_first():
    """Of two secrets, one within the other, nothing remains."""
    register_secret("password1")
    register_secret("password123456")
    assert logs.hide_secrets("password123456 password1") == "[hidden] [hidden]"


@pytest.mark.parametrize("format_", ["text", "json"])
def test_tokens_are_hidden(format_):
    """What looks like a JSON Web Token is hidden, registered or not."""
    (line,) = lines_of(format_, lambda log: log.info("Bearer %s", TOKEN))
    assert "Bearer [hidden]" in line
    assert "eyJ" not in line


def test_levels():
    """Tagline's events show from the level on, other libraries' from warnings on."""

    def emit(log: logging.Logger) -> None:
        log.debug("ours debug")
        log.info("ours info")
        logging.getLogger("other").info("other info")
        logging.getLogger("other").warning("other warning")

    def messages(level: str) -> list[str]:
        return [line.split(": ")[1].strip() for line in lines_of("text", emit, level)]

    assert messages("debug") == ["ours debug", "ours info", "other warning"]
    assert messages("info") == ["ours info", "other warning"]
    assert messages("warning") == ["other warning"]
    assert messages("error") == []


def test_warnings_are_logged():
    """A warning of Python is a line."""

    def emit(_: logging.Logger) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logging.captureWarnings(capture=False)
            logging.captureWarnings(capture=True)
            warnings.warn("watch out", stacklevel=1)
            logging.captureWarnings(capture=False)

    assert "watch out" in text_line(emit)


def test_configured_twice():
    """The last configuration counts: a line is not written twice."""
    first = io.StringIO()
    configure_logging("info", "text", first)
    assert len(lines_of("text", lambda log: log.info("m"))) == 1
    assert not first.getvalue()


def test_standard_error(capsys):
    """Without a stream lines go to standard error."""
    configure_logging()
    logging.getLogger("tagline.test").info("m")
    captured = capsys.readouterr()
    assert captured.err.endswith("tagline.test: m\n")
    assert not captured.out


def test_a_wrong_call_is_a_line():
    """Arguments that do not fit the message cost neither the line nor an exception."""
    record = logging.LogRecord("x", logging.INFO, "", 0, "%d of %d", ("one",), None)
    assert logs.TextLines().format(record).endswith(" x: %d of %d")


def test_a_broken_stream_shows_nothing(monkeypatch, capsys):
    """A line that cannot be written is lost in silence: no argument shows elsewhere."""

    class Broken(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    configure_logging("info", "text", Broken())
    logging.getLogger("tagline.test").info("secret %s", "argument")
    monkeypatch.setattr(sys, "stderr", sys.__stderr__)
    assert "argument" not in capsys.readouterr().err
