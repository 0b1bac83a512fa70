"""The operation that lists and finds photos."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Annotated, Literal
from urllib.parse import urlencode

import msgspec
from aiohttp import web
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from tagline.api.answers import list_answer, unchanged_list
from tagline.api.cursors import CURSOR_PATTERN, decode_cursor, encode_cursor
from tagline.api.filters import SearchQuery
from tagline.api.finding_payloads import (
    CURSOR_EXAMPLE,
    PhotoIdListResponse,
    PhotoListResponse,
    PhotoPartListResponse,
)
from tagline.api.inputs import Call, HeaderInput
from tagline.api.numbers import Offset, WholeNumber
from tagline.api.operations import Answer, Declaration, operation
from tagline.api.payloads import Photo
from tagline.api.refusals import InvalidRequest
from tagline.errors import StorageUnavailable
from tagline.model import Page, PhotoQuery, Sort

_MEMBERS = tuple(Photo.model_fields)
_ONE_MEMBER = "|".join(_MEMBERS)
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_LONGEST_CURSOR = 8_000
_LONGEST_LINKS = 4_000
"""Clients refuse headers that are much longer; the body's `next` says enough then."""
LIST_HEADERS = ("ETag",)


def member_names(text: str) -> str:
    """Names of members of a photo, if they are some."""
    if set(text.split(",")) - set(_MEMBERS):
        raise PydanticCustomError(
            "fields", "Name members of a photo, with commas between: {names}",
            {"names": ", ".join(_MEMBERS)},
        )  # fmt: skip
    return text


class ListHeaders(HeaderInput):
    """The condition of a list."""

    if_none_match: str | None = Field(
        default=None,
        alias="If-None-Match",
        description="Entity tags of this list; 304 where nothing has changed since.",
        examples=['W/"5f1d7a0b3c9e.2a"'],
    )


class PhotoListQuery(SearchQuery):
    """Which page of which photos."""

    sort: Literal["object_key", "taken_at", "last_modified"] = Field(
        default="object_key",
        description="What photos are sorted by; object keys, by code point, break ties.",
        examples=["taken_at"],
    )
    order: Literal["asc", "desc"] = Field(
        default="asc",
        description="`desc` turns the order around; but photos without `taken_at` are last in "
        "either.",
        examples=["desc"],
    )
    limit: WholeNumber = Field(
        default=100, ge=1, le=500, description="How many photos at most.", examples=[100]
    )
    offset: Offset = Field(
        default=0,
        description="How many photos to pass over. Photos that come or go before the page shift "
        "it; a `cursor` does not know that trouble.",
        examples=[0],
    )
    cursor: str | None = Field(
        default=None,
        max_length=_LONGEST_CURSOR,
        json_schema_extra={"pattern": CURSOR_PATTERN},  # judged where the sentence says what to do
        description="The `next` of the page before, instead of `offset`. It goes on behind the "
        "last photo of that page, so that no photo that stays where it is sorted is passed over "
        "or comes twice, whatever else comes and goes. `sort`, `order` and all filters must be as "
        "they were; `limit` and `fields` need not.",
        examples=[CURSOR_EXAMPLE],
    )
    fields: Annotated[str, AfterValidator(member_names)] | None = Field(
        default=None,
        json_schema_extra={"pattern": f"^({_ONE_MEMBER})(,({_ONE_MEMBER}))*$"},
        description="The members that each item has, with commas between; else all of them.",
        examples=["id,object_key,etag"],
    )

    @cached_property
    def query(self) -> PhotoQuery:
        """What is asked for.

        Raises:
            InvalidRequest: the cursor is of other parameters, or there is an offset beside it.
        """
        query = PhotoQuery(
            limit=self.limit,
            offset=self.offset,
            filter=self.searched(),
            sort=Sort(self.sort),
            descending=self.order == "desc",
        )
        if self.cursor is None:
            return query
        if "offset" in self.model_fields_set:
            raise _refused("offset", "Give either offset or cursor, not both")
        if (after := decode_cursor(query, self.cursor)) is None:
            says = "No page of this sort, order and these filters gave this cursor; start without"
            raise _refused("cursor", says)
        return msgspec.structs.replace(query, after=after)

    @cached_property
    def same(self) -> str:
        """The parameters that all pages of the list have, as the query string has them."""
        names = sorted(self.model_fields_set - {"offset", "cursor"})
        return urlencode([(name, _written(getattr(self, name))) for name in names])


def _refused(name: str, says: str) -> InvalidRequest:
    return InvalidRequest([{"loc": ["query", name], "msg": says, "type": f"{name}_refused"}])


@operation(
    "GET",
    "/photos",
    Declaration(
        tag="Photos",
        answers=(
            Answer(
                status=200,
                says="A page.",
                body=(PhotoListResponse, PhotoIdListResponse, PhotoPartListResponse),
                headers=("ETag", "Link"),
            ),
            Answer(status=304, says="Nothing has changed since.", headers=LIST_HEADERS),
        ),
        refusals=(StorageUnavailable,),
    ),
)
async def list_photos(call: Call, query: PhotoListQuery, headers: ListHeaders) -> web.Response:
    """List photos, or find them.

    Without filters it lists every photo in the order of object keys. A page beyond the last photo
    is empty. To read a whole list, send `next` as `cursor` until it is null; the `Link` header says
    the same (RFC 8288): `first`, `prev` where the page was asked for by `offset`, `next`, `last`;
    it is left out where it would have over 4,000 characters.
    `total` and `offset` are right for the moment of the answer. While a scan is under way the list
    grows; `GET /health` says whether one is.
    """
    wanted, finder = query.query, call.library.finder
    if (known := unchanged_list(headers.if_none_match, finder.version())) is not None:
        return known
    page = await finder.page(wanted)
    cursor = None if page.next_key is None else encode_cursor(wanted, page.next_key)
    head = b'{"total":%d,"limit":%d,"offset":%d,"next":%b,"items":[' % (
        page.total,
        page.limit,
        page.offset,
        b'"%b"' % cursor.encode("ascii") if cursor else b"null",
    )
    body = b"".join((head, b",".join(_items(page, query.fields)), b"]}"))
    links = _links(query, page, cursor)
    known = {"Link": links} if len(links) <= _LONGEST_LINKS else {}
    return list_answer(body, finder.version(page), known)


def _items(page: Page, fields: str | None) -> Iterable[bytes]:
    """The JSON of each item."""
    if fields is None:
        return page.items
    asked = set(fields.split(","))
    if asked == {"id"}:
        return (b'{"id":"%b"}' % photo_id.encode("ascii") for photo_id in page.ids)
    names = [name for name in _MEMBERS if name in asked]
    return (_part(item, names) for item in page.items)


def _part(item: bytes, names: Sequence[str]) -> bytes:
    members = _decode_members(item)
    return msgspec.json.encode({name: members[name] for name in names})


def _links(query: PhotoListQuery, page: Page, cursor: str | None) -> str:
    """The ``Link`` header (RFC 8288), with targets relative to the request's own."""
    same = query.same
    last = (page.total - 1) // page.limit * page.limit
    links = [_link("first", same)]
    if query.cursor is None and page.offset:
        links.append(_link("prev", same, _at(min(page.offset, page.total) - page.limit)))
    if cursor is not None:
        links.append(_link("next", same, f"cursor={cursor}"))
    if last > 0:
        links.append(_link("last", same, _at(last)))
    return ", ".join(links)


def _link(relation: str, same: str, place: str = "") -> str:
    return f'<?{same}{"&" if same and place else ""}{place}>; rel="{relation}"'


def _at(offset: int) -> str:
    return f"offset={offset}" if offset > 0 else ""


def _written(value: object) -> str:
    """A parameter as the query string has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


OPERATIONS = (list_photos,)
