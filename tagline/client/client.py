"""The client itself: photos, their history and pictures, events; ``request`` does the rest."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Self, cast
from urllib.parse import quote

from tagline.client.errors import Unreachable
from tagline.client.events import Event, EventStream
from tagline.client.patience import BEING_WRITTEN, Patience, Sleep
from tagline.client.session import Session, not_tagline, read_json

Json = dict[str, Any]
_PAGE = 500
_HISTORY_PAGE = 50
_CHANGES = 100
"""So few that a slow disk has written them before the connection looks dead."""
_CHANGES_BYTES = 1_000_000
_CHUNK_BYTES = 256 * 1024
_RETRY_SECONDS = 10
_OK = 200


class TaglineClient:
    """A client of one server, used as an asynchronous context manager.

    Args:
        url: where the server is, such as ``http://127.0.0.1:8000``.
        password: the server's password; tokens are fetched and renewed by themselves.
        token: an API token instead of the password.
        patience_seconds: how long one call may wait in all, where the server says when to try
            again: another program may still be writing the photo, or too much is asked for at
            once, or (only to look) the photos are not there now. 0 for not at all.
        sleep: waits for some seconds.

    Every method raises ``ApiError`` where the server refuses, ``Unreachable`` where it does not
    answer. Many tasks may use one client at the same time.
    """

    def __init__(
        self,
        url: str,
        *,
        password: str | None = None,
        token: str | None = None,
        patience_seconds: float = 60.0,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._url, self._password, self._token = url, password, token
        self._patience = partial(Patience, patience_seconds, sleep)
        self._sleep = sleep
        self._open: Session | None = None

    async def __aenter__(self) -> Self:
        self._open = Session(
            self._url, password=self._password, token=self._token, patience=self._patience
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._open is not None:
            await self._open.close()
            self._open = None

    @property
    def _session(self) -> Session:
        if self._open is None:
            raise RuntimeError("use the client in an async with statement")
        return self._open

    async def request(self, method: str, path: str, **more: Any) -> Any:  # noqa: ANN401 - JSON
        """The JSON of any operation of the API that has some; None where there is no body.

        ``more`` is as for ``aiohttp.ClientSession.request``: ``params``, ``json``, ``headers``.
        """
        async with self._session.send(method, path, **more) as answer:
            return await read_json(answer)

    async def _object(self, method: str, path: str, **more: Any) -> Json:  # noqa: ANN401
        """The JSON object of an operation that answers with one."""
        async with self._session.send(method, path, **more) as answer:
            found = await read_json(answer)
            if not isinstance(found, dict):
                raise not_tagline(answer)
            return cast("Json", found)

    async def photos(self, **query: str | int) -> AsyncIterator[Json]:
        """Every photo, page by page; ``query`` is that of ``GET /photos``.

        Photos that stay are neither left out nor given twice while others come and go.
        """
        wanted: dict[str, str | int] = {"limit": _PAGE, **_sendable(query)}
        while True:
            page = await self._object("GET", "/photos", params=wanted)
            for photo in page["items"]:
                yield photo
            wanted = _next(wanted, page)
            if not wanted:
                return

    async def photo(self, photo_id: str) -> Json:
        """One photo."""
        return await self._object("GET", _path(photo_id))

    async def describe(
        self, photo_id: str, description: str | None, *, if_match: str | None = None
    ) -> Json:
        """Write a description (None removes it); give the photo as it is now."""
        return await self.edit(photo_id, {"description": description}, if_match=if_match)

    async def edit(
        self, photo_id: str, changes: Mapping[str, Any], *, if_match: str | None = None
    ) -> Json:
        """Change what a photo says; members that are left out stay.

        With ``if_match``, the photo's ``etag`` as last seen, a photo that somebody else has changed
        since is left as it is: ``ApiError`` with the type ``precondition_failed``.
        """
        path, guard = f"{_path(photo_id)}/metadata", _guard(if_match)
        return await self._object("PATCH", path, json=dict(changes), headers=guard)

    async def edit_many(self, changes: Iterable[Mapping[str, Any]]) -> list[Json]:
        """Change many photos; a result for each, in their order, with its ``status``.

        Each change has the photo's ``id``, and ``if_match`` where it is to guard. They are sent at
        most 100 at a time; where one of these requests fails, those before it are done. Changes of
        photos that another program may still be writing are sent again alone, unless a later change
        of the same photo was made meanwhile.
        """
        results, patience = list[Json](), self._patience()
        for part in list(_parts(changes)):
            results += await self._change(part, patience)
        return results

    async def _change(self, part: Sequence[str], patience: Patience) -> list[Json]:
        """The results of some changes, those sent again that only need time."""
        results = await self._send_changes(part, patience)
        while places := _only_early(results):
            wait = max(results[place].get("retry_after", _RETRY_SECONDS) for place in places)
            if not await patience.wait(wait):
                break
            again = await self._send_changes([part[place] for place in places], patience)
            for place, result in zip(places, again, strict=True):
                results[place] = result
        return results

    async def _send_changes(self, part: Sequence[str], patience: Patience) -> list[Json]:
        """The results of one request with changes."""
        body, kind = f'{{"changes": [{", ".join(part)}]}}', {"Content-Type": "application/json"}
        answer = await self._object(
            "PATCH", "/photos/metadata", data=body.encode(), headers=kind, patience=patience
        )
        return answer["results"]

    async def history(self, photo_id: str) -> list[Json]:
        """All that the server remembers of what was done to a photo, newest first."""
        found = list[Json]()
        while True:
            wanted = {"limit": _HISTORY_PAGE, "offset": len(found)}
            page = await self._object("GET", f"{_path(photo_id)}/history", params=wanted)
            found += page["items"]
            if not page["items"] or len(found) >= page["total"]:
                return found

    async def restore(self, photo_id: str, n: int, *, if_match: str | None = None) -> Json:
        """Undo a change by its number ``n`` in the history; give the photo as it is now.

        ``if_match`` guards as in ``edit``.
        """
        path = f"{_path(photo_id)}/history/{n}/restore"
        return await self._object("POST", path, headers=_guard(if_match))

    async def image(self, photo_id: str) -> AsyncGenerator[bytes]:
        """The original file, in pieces."""
        async with self._session.send("GET", f"{_path(photo_id)}/image") as answer:
            async for piece in answer.content.iter_chunked(_CHUNK_BYTES):
                yield piece

    async def thumbnail(self, photo_id: str, size: int | None = None) -> bytes:
        """A small picture of a photo, as JPEG; ``size`` is its longer side in pixels."""
        return await self._picture(photo_id, "thumbnail", {} if size is None else {"size": size})

    async def preview(self, photo_id: str) -> bytes:
        """A picture of a photo that fills a screen, as JPEG."""
        return await self._picture(photo_id, "preview", {})

    async def _picture(self, photo_id: str, kind: str, query: Mapping[str, int]) -> bytes:
        """A rendering of a photo."""
        async with self._session.send("GET", f"{_path(photo_id)}/{kind}", params=query) as answer:
            return await answer.read()

    async def events(self, after: str | None = None) -> AsyncGenerator[Event]:
        """What happens, without end: a stream that breaks off is taken up where it was.

        ``after`` is the id of the last event that was seen. At ``opened`` (unless it is
        ``resumed``) and at ``reload`` load again whatever is shown. Before a stream that ended or
        broke off is opened again, there is a pause as long as the server asked for (``retry``).

        Raises:
            ApiError, Unreachable: the stream cannot be opened, or not again.
        """
        stream = EventStream(after)
        while True:
            opened = False
            try:
                async with self._session.send("GET", "/events", headers=stream.headers) as answer:
                    async for event in stream.read(answer.content):
                        opened = True
                        yield event
            except Unreachable:
                if not opened:
                    raise
            await self._sleep(stream.pause_seconds)


def _sendable(query: Mapping[str, str | int]) -> dict[str, str | int]:
    """A query with yes and no as the API writes them."""
    return {k: str(v).lower() if isinstance(v, bool) else v for k, v in query.items()}


def _parts(changes: Iterable[Mapping[str, Any]]) -> Iterator[list[str]]:
    """Changes as JSON, in parts of which each is one request."""
    part, size = list[str](), 0
    for change in changes:
        text = json.dumps(dict(change))
        if part and (len(part) == _CHANGES or size + len(text) > _CHANGES_BYTES):
            yield part
            part, size = [], 0
        part.append(text)
        size += len(text)
    if part:
        yield part


def _only_early(results: Sequence[Json]) -> list[int]:
    """The places of changes that came while another program wrote, and can still be made.

    After a later change of the same photo an earlier one would bring old values back.
    """
    overtaken, found = set[str](), list[int]()
    for place in reversed(range(len(results))):
        photo = str(results[place].get("id")).lower()
        if results[place].get("status") == _OK:
            overtaken.add(photo)
        elif results[place].get("type") == BEING_WRITTEN and photo not in overtaken:
            found.append(place)
    return found[::-1]


def _path(photo_id: str) -> str:
    """The address of a photo."""
    return f"/photos/{quote(photo_id, safe='')}"


def _guard(if_match: str | None) -> dict[str, str]:
    """The header that lets a change be made to no other state than the one that was seen."""
    return {} if if_match is None else {"If-Match": f'"{if_match}"'}


def _next(query: Mapping[str, str | int], page: Json) -> dict[str, str | int]:
    """The query of the next page, by cursor; empty behind the last."""
    if page["next"] is None:
        return {}
    return {name: value for name, value in query.items() if name != "offset"} | {
        "cursor": page["next"]
    }
