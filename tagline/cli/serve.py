"""``serve``: the HTTP server."""

import asyncio
import gc
import logging
import os
import threading
from argparse import Namespace
from typing import NoReturn

from tagline import __version__
from tagline.api.options import ApiOptions, ServerOptions
from tagline.api.server import run_server
from tagline.api.tls import TlsFiles
from tagline.cli.allocator import limit_arenas
from tagline.cli.exits import FAILED
from tagline.cli.output import say
from tagline.config.compose import build_library
from tagline.config.loading import doubts, load_settings
from tagline.config.logs import configure_logging
from tagline.config.mirroring import warnings_of
from tagline.config.settings import Settings

_logger = logging.getLogger(__name__)
END_SECONDS = 20.0
"""So long after the signal to stop nothing is waited for any more."""


def serve(arguments: Namespace) -> int:
    """Serve until SIGTERM or SIGINT; 0 when it ended as asked."""
    settings = load_settings(
        {
            "PHOTO_STORAGE_PATH": arguments.directory,
            "TAGLINE_HOST": arguments.host,
            "TAGLINE_PORT": arguments.port,
        }
    )
    configure_logging(settings.log_level, settings.log_format)
    limit_arenas()
    for warning in (*doubts(), *settings.warnings, *warnings_of(settings)):
        _logger.warning("%s", warning)
    asyncio.run(_serve(settings))
    return 0


async def _serve(settings: Settings) -> None:
    built = build_library(settings)
    # The loaded index is long-lived: the garbage collector need not look at it again.
    gc.freeze()

    def ready(url: str) -> None:
        say(f"Tagline {__version__} serves {settings.photo_storage_path} at {url}")
        if built.made_password is not None:
            say(f"No BACKEND_PASSWORD is set; for this run it is: {built.made_password}")

    await run_server(
        built.library,
        _api_options(settings),
        _server_options(settings),
        ready=ready,
        stopping=_bound_end,
    )


def _bound_end() -> None:
    """End the process in time, whatever its threads wait for."""
    timer = threading.Timer(END_SECONDS, _leave)
    timer.daemon = True
    timer.start()


def _leave() -> NoReturn:
    """End the process without its threads; to the photos it is as a kill, which harms none."""
    _logger.error(
        "ending without waiting for what still runs, most likely for a disk that does not answer; "
        "what was acknowledged is on disk"
    )
    logging.shutdown()
    os._exit(FAILED)


def _api_options(settings: Settings) -> ApiOptions:
    return ApiOptions(
        version=__version__,
        cors_allowed_origins=settings.cors_allowed_origins,
        metrics=settings.metrics,
        base_path=settings.base_path,
        trusted_proxies=settings.trusted_proxies,
    )


def _server_options(settings: Settings) -> ServerOptions:
    certificate, key = settings.tls_certificate, settings.tls_key
    return ServerOptions(
        host=settings.host,
        port=settings.port,
        tls=TlsFiles(certificate, key) if certificate and key else None,
        base_path=settings.base_path,
    )
