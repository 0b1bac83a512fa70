"""Operations that count photos: by folder, by keyword, by month."""

from typing import Annotated

import msgspec
from aiohttp import web
from pydantic import BeforeValidator, Field

from tagline.api.answers import list_answer, unchanged_list
from tagline.api.filters import FilterQuery, SearchQuery
from tagline.api.finding_payloads import (
    FolderListResponse,
    KeywordListResponse,
    TimelineResponse,
)
from tagline.api.inputs import Call
from tagline.api.listing import LIST_HEADERS, ListHeaders
from tagline.api.numbers import Offset, WholeNumber, digits
from tagline.api.operations import Answer, Declaration, operation
from tagline.errors import StorageUnavailable
from tagline.model.query import Folders, Keywords, Part, Timeline
from tagline.model.text import KEYWORD_MAX_CHARACTERS

_TAG = "Photos"
_UNCHANGED = Answer(status=304, says="Nothing has changed since.", headers=LIST_HEADERS)


_Depth = Annotated[int, Field(ge=0, le=2048), BeforeValidator(digits)]


class FolderListQuery(SearchQuery):
    """Which folders, and of which photos."""

    depth: _Depth | None = Field(
        default=None,
        description="So many levels below `folder` (or the photo directory); else all of them. 0: "
        "that folder alone.",
        examples=[1],
    )
    limit: WholeNumber = Field(
        default=1000, ge=1, le=1000, description="How many folders at most.", examples=[1000]
    )
    offset: Offset = Field(default=0, description="How many folders to pass over.", examples=[0])


class KeywordListQuery(FilterQuery):
    """Which keywords, and of which photos."""

    q: str | None = Field(
        default=None,
        max_length=KEYWORD_MAX_CHARACTERS,
        description="What the keywords begin with; case and accents do not matter. (It is not "
        "the `q` of `GET /photos`: words to search for cannot be given here.)",
        examples=["os"],
    )
    limit: WholeNumber = Field(
        default=100, ge=1, le=1000, description="How many keywords at most.", examples=[100]
    )
    offset: Offset = Field(default=0, description="How many keywords to pass over.", examples=[0])


class TimelineQuery(SearchQuery):
    """Which months, and of which photos."""

    limit: WholeNumber = Field(
        default=2000, ge=1, le=2000, description="How many months at most.", examples=[2000]
    )
    offset: Offset = Field(default=0, description="How many months to pass over.", examples=[0])


@operation(
    "GET",
    "/folders",
    Declaration(
        tag=_TAG,
        answers=(
            Answer(status=200, says="Folders.", body=(FolderListResponse,), headers=LIST_HEADERS),
            _UNCHANGED,
        ),
        refusals=(StorageUnavailable,),
    ),
)
async def list_folders(call: Call, query: FolderListQuery, headers: ListHeaders) -> web.Response:
    """List the folders of photos, as a tree.

    Every folder with photos in it or below, sorted so that each stands before those below it; with
    a `folder`, that one and those below it. Every filter of `GET /photos` applies: what is counted
    are the photos that meet it, and folders without such photos are left out.
    """
    finder = call.library.finder
    if (known := unchanged_list(headers.if_none_match, finder.version())) is not None:
        return known
    part = Part(query.limit, query.offset)
    found = await finder.folders(query.searched(), query.depth, part)
    return _answer(found, part, finder.version(found))


@operation(
    "GET",
    "/keywords",
    Declaration(
        tag=_TAG,
        answers=(
            Answer(status=200, says="Keywords.", body=(KeywordListResponse,), headers=LIST_HEADERS),
            _UNCHANGED,
        ),
        refusals=(StorageUnavailable,),
    ),
)
async def list_keywords(call: Call, query: KeywordListQuery, headers: ListHeaders) -> web.Response:
    """List the keywords of photos, the most frequent ones first.

    Keywords that differ in case, accents or white space alone are one, spelled as most photos do.
    Every filter of `GET /photos` but the search for words applies to the photos that are counted.
    """
    finder = call.library.finder
    if (known := unchanged_list(headers.if_none_match, finder.version())) is not None:
        return known
    part = Part(query.limit, query.offset)
    found = await finder.keywords(query.wanted(), query.q or "", part)
    return _answer(found, part, finder.version(found))


@operation(
    "GET",
    "/timeline",
    Declaration(
        tag=_TAG,
        answers=(
            Answer(status=200, says="Months.", body=(TimelineResponse,), headers=LIST_HEADERS),
            _UNCHANGED,
        ),
        refusals=(StorageUnavailable,),
    ),
)
async def get_timeline(call: Call, query: TimelineQuery, headers: ListHeaders) -> web.Response:
    """Count photos by the month of their `taken_at`, the earliest month first.

    Months without photos are left out; photos without `taken_at` are counted apart. Every filter of
    `GET /photos` applies.
    """
    finder = call.library.finder
    if (known := unchanged_list(headers.if_none_match, finder.version())) is not None:
        return known
    part = Part(query.limit, query.offset)
    found = await finder.timeline(query.searched(), part)
    return _answer(found, part, finder.version(found), undated=found.undated)


def _answer(
    found: Folders | Keywords | Timeline, part: Part, version: str, **more: int
) -> web.Response:
    """A part of a list of counts."""
    body = {"total": found.total, "limit": part.limit, "offset": part.offset, **more}
    return list_answer(msgspec.json.encode(body | {"items": found.items}), version)


OPERATIONS = (list_folders, list_keywords, get_timeline)
