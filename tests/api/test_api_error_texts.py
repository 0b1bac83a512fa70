"""The sentences of errors: each says what happened, and what to do."""

import re
from datetime import timedelta

import pytest
from aiohttp import web

from tagline import errors
from tagline.api import refusals
from tagline.api.error_answers import answer_to_http
from tagline.api.errors import TABLE, tell
from tagline.pictures.process import refusal

WAIT = timedelta(seconds=6.2)
ERRORS = (
    errors.TaglineError("inside"),
    errors.StorageUnavailable(),
    errors.ObjectNotFound("a.jpg"),
    errors.UnsafeKey("a.jpg", "it is empty"),
    errors.ObjectChanged("a.jpg"),
    errors.StorageReadOnly("a.jpg"),
    errors.StorageFull("a.jpg"),
    errors.PicturesBusy(WAIT),
    *(refusal(reason) for reason in ("unsupported", "damaged", "too_large", "too_costly")),
    errors.IndexDamaged("The index", "x"),
    errors.InvalidToken(),
    errors.ExchangedMeanwhile(),
    errors.TooManyAttempts(WAIT),
    errors.ApiTokenNotFound("x"),
    errors.ApiTokenNameTaken("x"),
    errors.TooManyApiTokens(5),
    errors.PhotoNotFound("x"),
    errors.ChangeNotFound("x", 1),
    errors.PreconditionFailed("x"),
    refusals.MissingToken(),
    refusals.InsufficientScope("write"),
    refusals.SessionNeeded(),
    refusals.ForeignPage(),
    refusals.MalformedHttp(),
    refusals.HeaderTooLarge(),
    refusals.NoSuchAddress(),
    refusals.NoSuchMethod("GET"),
    refusals.UnknownExpectation(),
    refusals.TooManyConnections(),
    refusals.MalformedRequest(),
    refusals.SlowRequest(),
    refusals.ContentTooLarge(10),
    refusals.UnsupportedContent(),
    refusals.ConditionFailed("x"),
    refusals.RangeNotSatisfiable(10),
    refusals.TooManyStreams(),
    refusals.NoMoreStreams(),
    refusals.ServerStopping(),
)
PROMISED = {
    errors.InvalidPassword(): "Invalid password",
    errors.InvalidRefreshToken(): "Invalid or expired refresh token",
    errors.PhotoModified("a", "b", "c"): "Photo has been modified since last retrieval",
}
"""These very words are promised to clients."""
LISTED = {errors.InvalidValue, refusals.InvalidRequest}
"""What is wrong is a list, by the place in the request."""
TOLD_ELSEWHERE = {
    errors.EditRefused, errors.ObjectBusy, errors.ObjectUnreadable, errors.PictureRefused,
    errors.IndexFailure, refusals.RequestRefused,
}  # fmt: skip
"""The roots of those above; and what says why, in words that its own tests hold."""
ADVICE = re.compile(
    r"(^|[.;:,] |, and |, or )(ask|check|choose|close|get|give|list|log in|look|make|mount|refresh|"
    r"repeat|revoke|send|tell|try|log in)\b",
    re.IGNORECASE,
)


def sentence(error) -> str:
    """What a person reads of an error."""
    detail = tell(error).members["detail"]
    return detail if isinstance(detail, str) else detail[0]["msg"]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_every_error_says_what_to_do(error):
    """In a sentence of its own or behind what happened, as a command."""
    assert ADVICE.search(sentence(error)), sentence(error)


@pytest.mark.parametrize("error", PROMISED, ids=lambda error: type(error).__name__)
def test_promised_words_stay(error):
    """Clients that compare them go on working."""
    assert sentence(error) == PROMISED[error]


def test_no_error_of_the_table_is_forgotten():
    """Whatever has an answer of its own is looked at here."""
    seen = {type(error) for error in (*ERRORS, *PROMISED)} | LISTED | TOLD_ELSEWHERE
    assert set(TABLE) <= seen


@pytest.mark.parametrize("wait", [0, 1, 6.2])
def test_waits_are_told_in_whole_seconds(wait):
    """Never zero, and no shorter than they are."""
    told = str(errors.TooManyAttempts(timedelta(seconds=wait)))
    assert told.endswith(f"in {7 if wait > 1 else 'a'} second{'s' if wait > 1 else ''}.")


@pytest.mark.parametrize("name", ["HTTPNotFound", "HTTPRequestEntityTooLarge", "HTTPBadRequest"])
def test_the_routers_own_errors_say_what_to_do(name):
    """Also those that have no sentence of their own."""
    made = getattr(web, name)(**({"max_size": 1, "actual_size": 2} if "Large" in name else {}))
    text = answer_to_http(made).text
    assert "openapi.json" in text


@pytest.mark.parametrize(
    ("method", "path", "body", "says"),
    [
        ("GET", "/photos?media_type=jpeg", None, "media type such as image/jpeg"),
        ("GET", "/photos?media_type=image/jpeg%0A", None, "media type such as image/jpeg"),
        ("POST", "/tokens", b'\xef\xbb\xbf{"name": "a"}', "byte order mark; send it without"),
    ],
)
async def test_mistakes_are_told_in_words_of_the_api(client, method, path, body, says):
    """Neither by a regular expression nor by a codec of Python."""
    kind = {"Content-Type": "application/json"} if body else {}
    answer = await client.request(method, path, data=body, headers=kind)
    text = await answer.text()
    assert says in text
    assert not re.search(r"\[A-Za|utf-8-sig", text)
