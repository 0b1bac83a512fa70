"""What the API is told by the configuration."""

from typing import Literal

import msgspec

from tagline.api.forwarding import Network
from tagline.api.tls import TlsFiles

Metrics = Literal["off", "token", "open"]


class EventOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of event streams.

    A comment is sent after ``heartbeat_seconds`` without an event. So often as ``check_seconds``
    say is looked whether the client is still there and its token still good. A client that takes
    nothing for ``send_seconds`` is dropped. ``retry_seconds`` is what clients are told to wait
    before they connect again. At most ``most`` streams are open at a time, and at most
    ``most_of_session`` of one session.
    """

    heartbeat_seconds: float = 15.0
    check_seconds: float = 1.0
    send_seconds: float = 10.0
    retry_seconds: float = 2.0
    most: int = 128
    most_of_session: int = 8


class ApiOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of the HTTP API.

    ``cors_allowed_origins`` are origins (``https://photos.example``) whose pages may read answers;
    ``("*",)`` means any, then without credentials. ``max_body_bytes`` limits a request's body and
    ``body_seconds`` the time it may take to arrive. ``metrics`` says who may read the figures.
    ``base_path`` goes before every path, such as ``/tagline``. ``trusted_proxies`` are believed
    when they tell whom they forward a request for.
    """

    version: str = "0.0.0"
    cors_allowed_origins: tuple[str, ...] = ()
    max_body_bytes: int = 256 * 1024
    body_seconds: float = 30.0
    events: EventOptions = EventOptions()
    metrics: Metrics = "token"
    base_path: str = ""
    trusted_proxies: tuple[Network, ...] = ()


class ServerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Where to listen, and how patiently.

    ``port`` 0 means any free one. On shutdown, requests under way get ``shutdown_seconds`` in all.
    ``keepalive_seconds`` is how long a connection may be idle or be sending its header. There are
    at most ``most_connections``, fewer where the system allows few open files; one more ends the
    oldest that is idle. A client that takes less than a kibibyte a second of its answer over
    ``stuck_seconds`` is cut off.
    ``tls`` names the files of its certificate; None for plain HTTP. ``base_path`` is for the URL.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    shutdown_seconds: float = 9.0
    keepalive_seconds: float = 75.0
    most_connections: int = 1200
    stuck_seconds: float = 30.0
    access_log: bool = True
    tls: TlsFiles | None = None
    base_path: str = ""
