"""``serve``: the HTTP server."""

import asyncio
import gc
import logging
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from tagline import __version__
from tagline.api.options import ApiOptions, ServerOptions
from tagline.api.server import run_server
from tagline.config.access import why_read_only
from tagline.config.compose import build_library
from tagline.config.logs import configure_logging
from tagline.config.settings import Settings, load_settings

_logger = logging.getLogger(__name__)


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
    for warning in (*settings.warnings, *_read_only(settings.photo_storage_path)):
        _logger.warning("%s", warning)
    asyncio.run(_serve(settings))
    return 0


def _read_only(photos: Path | None) -> Iterator[str]:
    """That nothing can be written beside the photos, if so, told before somebody tries."""
    if photos is not None and (reason := why_read_only(photos)):
        yield f"PHOTO_STORAGE_PATH: {reason}; photos are shown, and changes of them answered 403"


async def _serve(settings: Settings) -> None:
    built = build_library(settings)
    # The loaded index is long-lived: the garbage collector need not look at it again.
    gc.freeze()

    def ready(url: str) -> None:
        print(f"Tagline {__version__} serves {settings.photo_storage_path} at {url}", flush=True)
        if built.made_password is not None:
            print(
                f"No BACKEND_PASSWORD is set; for this run it is: {built.made_password}", flush=True
            )

    await run_server(
        built.library,
        ApiOptions(version=__version__, cors_allowed_origins=settings.cors_allowed_origins),
        ServerOptions(host=settings.host, port=settings.port),
        ready=ready,
    )
