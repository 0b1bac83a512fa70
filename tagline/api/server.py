"""Running the application: listening, and stopping gracefully."""

import asyncio
import errno
import logging
import signal
import ssl
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager

from aiohttp import web

from tagline.api.app import create_app
from tagline.api.connections import AccessLogger, JsonRunner
from tagline.api.options import ApiOptions, ServerOptions
from tagline.api.tls import Renewal, TlsFiles
from tagline.errors import ConfigurationError
from tagline.library import Library

_logger = logging.getLogger("tagline.api")
_access_logger = logging.getLogger("tagline.access")
_LINGER_SECONDS = 5.0


async def run_server(
    library: Library,
    api: ApiOptions,
    options: ServerOptions,
    *,
    ready: Callable[[str], None],
    stopping: Callable[[], None] = lambda: None,
) -> None:
    """Serve a library until SIGTERM or SIGINT; then end requests under way and stop the library.

    A second signal does what it would have done without this.

    Args:
        library: started here once the port is held, and stopped in any case.
        api: options of the API.
        options: where to listen.
        ready: called with the server's URL as soon as it answers.
        stopping: called when the signal has come. What follows takes ``shutdown_seconds`` and some
            more, but for ever where threads wait for a disk that does not answer.

    Raises:
        ConfigurationError: the address or port cannot be listened on.
    """
    with _stop_signal() as stopped:
        try:
            async with serving(create_app(library, api), options) as url:
                await library.start()
                ready(url)
                await stopped.wait()
                stopping()
                _logger.info("stopping; requests under way are ended first")
        finally:
            await library.stop()


@asynccontextmanager
async def serving(app: web.Application, options: ServerOptions) -> AsyncGenerator[str]:
    """Serve an application; gives its URL, and on leaving ends the requests under way.

    A client that goes away cancels nothing, so that a change of a photo is never cut off.

    Raises:
        ConfigurationError: the address or port cannot be listened on, or the certificate not used.
    """
    context = await asyncio.to_thread(options.tls.context) if options.tls else None
    runner = JsonRunner(
        app,
        handler_cancellation=False,
        access_log_class=AccessLogger,
        access_log=_access_logger if options.access_log else None,
        keepalive_timeout=options.keepalive_seconds,
        most_connections=options.most_connections,
        stuck_seconds=options.stuck_seconds,
        lingering_time=_LINGER_SECONDS,
        # aiohttp waits this long for the handlers, and then as long for their connections
        shutdown_timeout=options.shutdown_seconds / 2,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, options.host, options.port, ssl_context=context)
        try:
            await site.start()
        except (OSError, OverflowError, UnicodeError) as error:
            raise _fault(error, options) from error
        async with _renewing(options.tls, context):
            yield _url(options, site.port)
    finally:
        await runner.cleanup()


def _fault(error: Exception, options: ServerOptions) -> ConfigurationError:
    """Which variable is at fault when an address cannot be listened on."""
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        fault = f"port {options.port} is in use; stop the other program, or choose another port"
        return ConfigurationError("TAGLINE_PORT", fault, "taken")
    if number in {errno.EACCES, errno.EPERM}:
        fault = f"not allowed to listen on port {options.port}; choose one above 1023"
        return ConfigurationError("TAGLINE_PORT", fault, "forbidden")
    if isinstance(error, OverflowError):
        return ConfigurationError("TAGLINE_PORT", "must be from 0 to 65535")
    fault = f"cannot listen on {options.host!r}; give an address of this machine"
    return ConfigurationError("TAGLINE_HOST", fault)


def _url(options: ServerOptions, port: int) -> str:
    """The address of what is served, for people to open."""
    scheme, host = "https" if options.tls else "http", options.host
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}{options.base_path}"


@asynccontextmanager
async def _renewing(files: TlsFiles | None, context: ssl.SSLContext | None) -> AsyncGenerator[None]:
    """Let SIGHUP and changes of the certificate's files be noticed."""
    if files is None or context is None:
        yield
        return
    loop = asyncio.get_running_loop()
    renewal = Renewal(files, context)
    loop.add_signal_handler(signal.SIGHUP, renewal.ask)
    task = asyncio.create_task(renewal.run())
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        task.cancel()


@contextmanager
def _stop_signal() -> Generator[asyncio.Event]:
    """An event that the first SIGTERM or SIGINT sets."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    numbers = (signal.SIGTERM, signal.SIGINT)

    def release() -> None:
        for number in numbers:
            loop.remove_signal_handler(number)

    def stop() -> None:
        release()
        stopped.set()

    for number in numbers:
        loop.add_signal_handler(number, stop)
    try:
        yield stopped
    finally:
        release()
