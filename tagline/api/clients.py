"""The client of each request: found out once, when it comes in."""

from collections.abc import Sequence

from aiohttp import web
from multidict import CIMultiDict

from tagline.api.cookies import Headers
from tagline.api.forwarding import Client, Network, client_of
from tagline.api.keys import OPTIONS

_CLIENT = web.RequestKey("client", Client)


def find_client(request: web.Request) -> None:
    """Find out who asks, for everybody who wants to know later."""
    request[_CLIENT] = _client(request, request.app[OPTIONS].trusted_proxies)


def client(request: web.Request) -> Client:
    """Who asks; ``find_client`` comes before."""
    return request[_CLIENT]


def logged_client(request: web.BaseRequest) -> Client:
    """Who asked; the peer where the request met no application, as one that is no HTTP does."""
    return request.get(_CLIENT) or _client(request, ())


def _client(request: web.BaseRequest, trusted: Sequence[Network]) -> Client:
    return client_of(request.remote or "", request.headers, trusted, secure=request.secure)


def base_of(request: web.Request) -> str:
    """The path of this server's root as the client sees it, without a slash at its end."""
    return client(request).prefix + request.app[OPTIONS].base_path


def headers_of(request: web.Request) -> Headers:
    """The headers, with the host that the client asked for."""
    host = client(request).host
    if host == request.headers.get("Host", ""):
        return request.headers
    headers = CIMultiDict(request.headers)
    headers["Host"] = host
    return headers
