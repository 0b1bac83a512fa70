"""The operation that tells what happens: Server-Sent Events."""

from typing import Annotated

from aiohttp import web
from pydantic import Field

from tagline.api.event_payloads import EVENTS
from tagline.api.inputs import Call, HeaderInput, QueryInput
from tagline.api.keys import STREAMS
from tagline.api.middlewares import identify
from tagline.api.operations import Answer, Declaration, operation
from tagline.api.refusals import NoMoreStreams, TooManyStreams
from tagline.api.streams import HEADERS

_LAST_ID = "2f6ab8c07d1e4f90-1742"


class EventsQuery(QueryInput):
    """From where to go on, for who cannot send headers."""

    last_event_id: str | None = Field(
        default=None,
        description="As `Last-Event-ID`, which counts where both come.",
        examples=[_LAST_ID],
    )


class EventsHeaders(HeaderInput):
    """From where to go on."""

    last_event_id: Annotated[
        str | None,
        Field(
            alias="Last-Event-ID",
            description="The id of the last event seen; browsers send it when they reconnect.",
            examples=[_LAST_ID],
        ),
    ] = None


@operation(
    "GET",
    "/events",
    Declaration(
        tag="Events",
        answers=(
            Answer(
                status=200,
                says="Events as they happen; the stream does not end by itself.",
                media_type="text/event-stream",
                events=EVENTS,
            ),
        ),
        refusals=(TooManyStreams, NoMoreStreams),
    ),
)
async def get_events(call: Call, query: EventsQuery, headers: EventsHeaders) -> web.StreamResponse:
    """Follow what happens to the photos and the server, as Server-Sent Events.

    Each event has a type, JSON as its data, and (but for `ended`) an id. Connect first; at `opened`
    load what you show; then follow the events. An event of a photo comes when `GET /photos/{id}`
    already gives what it tells of. Photos are named by id and `etag`: fetch those that you show.

    After a break send the last id as `Last-Event-ID`: the stream goes on where it broke off
    (`opened` with `resumed`), or begins with `reload` where too much happened since. It ends when
    the token expires or its session ends, and when the server stops; `ended` says why. Comments
    come when nothing happens, so a silent minute means that the connection is dead. One stream is
    enough for one client: more than eight of one session or API token are answered with 429.
    """
    request = call.request
    bearer_id = identify(request).id
    if request.method == "HEAD":
        return web.Response(headers=HEADERS)
    last_id = headers.last_event_id or query.last_event_id or None
    with request.app[STREAMS].stream(request, bearer_id) as stream:
        reader = call.library.subscribe(stream.wake, last_id)
        try:
            return await stream.run(reader, lambda: identify(request))
        finally:
            reader.close()


OPERATIONS = (get_events,)
