"""Ranges, conditions and file names in headers: the pure rules."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagline.api.conditional import (
    ENTITY_TAGS_PATTERN,
    Validators,
    Verdict,
    evaluate,
    http_date,
    parse_date,
    parse_if_match,
    range_applies,
    whole_second,
)
from tagline.api.disposition import inline
from tagline.api.ranges import Span, Unsatisfiable, parse_range
from tagline.api.text import rfc3339

THEN = datetime(2024, 5, 1, 12, 34, 56, tzinfo=UTC)
HTTP_THEN = "Wed, 01 May 2024 12:34:56 GMT"
BEFORE = "Wed, 01 May 2024 12:34:55 GMT"


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_date_is_written_as_the_standard_library_does(moment):
    """Every moment in UTC is written in the fixed form of HTTP."""
    assert http_date(moment) == format_datetime(moment, usegmt=True)


@given(st.binary(max_size=40), st.integers(0, 50), st.integers(0, 50))
def test_a_closed_range_is_the_slice_of_those_bytes(data, first, last):
    """bytes=a-b gives what slicing gives, or is ignored, or cannot be satisfied."""
    expected = data[first : last + 1]
    if last < first:
        assert parse_range(f"bytes={first}-{last}", len(data)) is None
    elif not expected:
        with pytest.raises(Unsatisfiable):
            parse_range(f"bytes={first}-{last}", len(data))
    else:
        span = parse_range(f"bytes={first}-{last}", len(data))
        assert data[span.offset : span.offset + span.length] == expected


@given(st.binary(max_size=40), st.integers(0, 50))
def test_open_ranges_are_the_tail(data, number):
    """bytes=a- gives the bytes from a on, bytes=-n the last n."""
    for value, expected in (
        (f"bytes={number}-", data[number:]),
        (f"bytes=-{number}", data[-number:] if number else b""),
    ):
        if expected:
            span = parse_range(value, len(data))
            assert data[span.offset : span.offset + span.length] == expected
        else:
            with pytest.raises(Unsatisfiable):
                parse_range(value, len(data))


@given(st.text(max_size=30) | st.from_regex(r"bytes=[0-9,\- ]{0,30}", fullmatch=True))
def test_any_range_header_is_inside_the_file_or_none(value):
    """No header leads to a part that the file does not have."""
    try:
        span = parse_range(value, 100)
    except Unsatisfiable:
        return
    assert span is None or (span.offset >= 0 and 1 <= span.length <= 100 - span.offset)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "items=0-1",
        "bytes=0-1,3-4",
        "bytes=a-b",
        "bytes=٣-",
        "bytes=0x1-",
        "bytes=" + "9" * 5000 + "-",
    ],
)
def test_other_ranges_are_ignored(value):
    """Several parts, other units and wrong syntax mean the whole."""
    assert parse_range(value, 10) is None


def test_content_range_names_first_last_and_size():
    """Content-Range is inclusive."""
    assert Span(2, 3).content_range(10) == "bytes 2-4/10"


TAG = st.text(st.characters(min_codepoint=0x23, max_codepoint=0x7E), max_size=8)


@given(st.lists(st.tuples(st.booleans(), TAG), min_size=1, max_size=4))
def test_if_match_gives_the_strong_tags(tags):
    """Every strong tag of a list is found, unquoted and in order, and no weak one."""
    value = ", ".join(f'{"W/" if weak else ""}"{tag}"' for weak, tag in tags)
    assert parse_if_match(value) == tuple(tag for weak, tag in tags if not weak)


@given(st.text(max_size=40))
def test_if_match_is_parsed_exactly_where_the_declared_pattern_matches(value):
    """What the document declares is what is understood."""
    assert (parse_if_match(value) is not None) == bool(re.fullmatch(ENTITY_TAGS_PATTERN, value))


def test_if_match_star_means_any():
    """A star is any tag; an unquoted tag is none; an empty list has none."""
    assert parse_if_match("*") == ("*",)
    assert parse_if_match("abc") is None
    assert parse_if_match("") == ()


@pytest.mark.parametrize(
    ("headers", "verdict"),
    [
        ({}, Verdict.PROCEED),
        ({"If-None-Match": '"x"'}, Verdict.NOT_MODIFIED),
        ({"If-None-Match": 'W/"x"'}, Verdict.NOT_MODIFIED),
        ({"If-None-Match": '"y", "x"'}, Verdict.NOT_MODIFIED),
        ({"If-None-Match": "*"}, Verdict.NOT_MODIFIED),
        ({"If-None-Match": '"y"'}, Verdict.PROCEED),
        ({"If-None-Match": '"y"', "If-Modified-Since": HTTP_THEN}, Verdict.PROCEED),
        ({"If-None-Match": "nonsense"}, Verdict.PROCEED),
        ({"If-Modified-Since": HTTP_THEN}, Verdict.NOT_MODIFIED),
        ({"If-Modified-Since": BEFORE}, Verdict.PROCEED),
        ({"If-Modified-Since": "yesterday"}, Verdict.PROCEED),
        ({"If-Match": '"x"'}, Verdict.PROCEED),
        ({"If-Match": "*"}, Verdict.PROCEED),
        ({"If-Match": 'W/"x"'}, Verdict.FAILED),
        ({"If-Match": '"y"'}, Verdict.FAILED),
        ({"If-Match": "nonsense"}, Verdict.FAILED),
        ({"If-Match": '"x"', "If-None-Match": '"x"'}, Verdict.NOT_MODIFIED),
        ({"If-Match": '"x"', "If-Unmodified-Since": BEFORE}, Verdict.PROCEED),
        ({"If-Unmodified-Since": BEFORE}, Verdict.FAILED),
        ({"If-Unmodified-Since": HTTP_THEN}, Verdict.PROCEED),
    ],
)
def test_conditions_are_judged_in_the_order_of_the_standard(headers, verdict):
    """RFC 9110, 13.2.2, row by row."""
    assert evaluate(headers, Validators("x", THEN)) is verdict


def test_without_a_modification_time_dates_decide_nothing():
    """Dates are ignored where there is nothing to compare them with."""
    headers = {"If-Modified-Since": HTTP_THEN, "If-Unmodified-Since": BEFORE}
    assert evaluate(headers, Validators("x", None)) is Verdict.PROCEED
    assert "Last-Modified" not in Validators("x", None).headers()


@pytest.mark.parametrize(
    ("value", "applies"),
    [
        (None, True),
        ('"x"', True),
        ('W/"x"', False),
        ('"y"', False),
        (HTTP_THEN, True),
        (BEFORE, False),
        ("soon", False),
    ],
)
def test_if_range_needs_a_strong_validator(value, applies):
    """A part is sent only when it surely belongs to what the client has."""
    now = THEN + timedelta(seconds=5)
    assert range_applies(value, Validators("x", THEN), now) is applies


def test_if_range_distrusts_a_date_of_this_second():
    """A file changed this second may change again within it."""
    assert not range_applies(HTTP_THEN, Validators("x", THEN), THEN + timedelta(seconds=0.5))


@given(st.text(max_size=40))
def test_dates_never_raise(value):
    """Any text is a date with a zone, or none."""
    date = parse_date(value)
    assert date is None or date.tzinfo is UTC


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_file_times_never_raise(seconds):
    """A time outside the calendar's years is unknown."""
    moment = whole_second(seconds)
    assert moment is None or moment.microsecond == 0


@given(st.text(st.characters(), max_size=60))
def test_a_file_name_cannot_leave_its_parameter(name):
    """Whatever the name, the header is printable ASCII with its quotes closed, and reversible."""
    value = inline(name)
    match = re.fullmatch(
        r"inline; filename=\"([^\"\\%]*)\"(?:; filename\*=UTF-8''([^ ;\"]*))?", value
    )
    assert match
    assert value.isascii()
    assert value.isprintable()
    if name.isascii() or match.group(2) is not None:
        expected = name.encode("utf-8", "replace").decode()
        assert (
            unquote(match.group(2)) if match.group(2) is not None else match.group(1)
        ) == expected


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("2024-05-01T12:34:56.789012Z", True),
        ("2024-05-01t12:34:56z", True),
        ("2024-05-01T12:34:56+02:00", True),
        ("2024-05-01T12:34:56", False),
        ("2024-13-01T12:34:56Z", False),
        ("20240501T123456Z", False),
        ("", False),
    ],
)
def test_moments_are_rfc_3339(text, valid):
    """A moment has a date, a time and a zone."""
    if valid:
        assert rfc3339(text) == text
    else:
        with pytest.raises(ValueError, match="RFC 3339"):
            rfc3339(text)
