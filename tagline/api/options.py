"""What the API is told by the configuration."""

import msgspec


class ApiOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of the HTTP API.

    ``cors_allowed_origins`` are origins (``https://photos.example``) whose pages may read answers;
    ``("*",)`` means any, then without credentials. ``max_body_bytes`` limits a request's body and
    ``body_seconds`` the time it may take to arrive.
    """

    version: str = "0.0.0"
    cors_allowed_origins: tuple[str, ...] = ()
    max_body_bytes: int = 256 * 1024
    body_seconds: float = 30.0


class ServerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Where to listen, and how patiently.

    ``port`` 0 means any free one. On shutdown, requests under way get ``shutdown_seconds`` in all.
    ``keepalive_seconds`` is how long a connection may be idle or be sending its first header.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    shutdown_seconds: float = 9.0
    keepalive_seconds: float = 75.0
    access_log: bool = True
