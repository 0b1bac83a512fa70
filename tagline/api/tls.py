"""TLS by certificate files, which may be renewed while the server runs."""

import asyncio
import logging
import ssl
from pathlib import Path

import msgspec

from tagline.errors import ConfigurationError

_logger = logging.getLogger("tagline.api")

CHECK_SECONDS = 60.0
"""So often is looked whether the files have changed."""
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2: authenticated, and with forward secrecy; 1.3 has no others (RFC 9325, 4.2)."""
_CERTIFICATE, _KEY = "TAGLINE_TLS_CERTIFICATE", "TAGLINE_TLS_KEY"


class TlsFiles(msgspec.Struct, frozen=True):
    """A certificate with its chain, and its private key without a passphrase, both PEM."""

    certificate: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """A context of TLS 1.2 and newer, without its weaker ciphers, and these files; blocks.

        Raises:
            ConfigurationError: a file cannot be read, or they do not belong together.
        """
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(_CIPHERS)
        context.set_alpn_protocols(["http/1.1"])
        self.load_into(context)
        return context

    def load_into(self, context: ssl.SSLContext) -> None:
        """Let the context use what the files hold now; the errors of ``context``."""
        for variable, path in ((_CERTIFICATE, self.certificate), (_KEY, self.key)):
            _check(variable, path)
        try:
            # Without a passphrase OpenSSL would ask for one on the terminal.
            context.load_cert_chain(self.certificate, self.key, password=lambda: "")
        except ssl.SSLError as error:
            raise _fault(error) from error
        except (OSError, ValueError) as error:
            raise ConfigurationError(_KEY, "the files cannot be read as PEM") from error

    def stamp(self) -> object:
        """What changes when a file does; blocks."""
        try:
            found = [path.stat() for path in (self.certificate, self.key)]
        except OSError:
            return None
        return tuple((status.st_ino, status.st_size, status.st_mtime_ns) for status in found)


def _check(variable: str, path: Path) -> None:
    try:
        text = path.read_bytes()
    except OSError as error:
        reason = error.strerror or "input/output error"
        fault = f"the file cannot be read by this user: {reason}"
        raise ConfigurationError(variable, fault, "forbidden") from error
    wanted = b"CERTIFICATE-----" if variable == _CERTIFICATE else b"PRIVATE KEY-----"
    if wanted not in text:
        what = "certificate" if variable == _CERTIFICATE else "private key"
        raise ConfigurationError(variable, f"the file holds no {what} in PEM form")
    if b"ENCRYPTED" in text:
        raise ConfigurationError(variable, "the key has a passphrase; give one without")


def _fault(error: ssl.SSLError) -> ConfigurationError:
    if error.reason == "KEY_VALUES_MISMATCH":
        return ConfigurationError(_KEY, f"is not the key of the certificate in {_CERTIFICATE}")
    reason = (error.reason or "unknown").replace("_", " ").lower()
    return ConfigurationError(_CERTIFICATE, f"certificate and key cannot be used: {reason}")


class Renewal:
    """Loads the files again when they have changed, or when it is told to.

    New connections have the new certificate; those that are open go on. Files that cannot be used
    change nothing, and the log says why.
    """

    def __init__(self, files: TlsFiles, context: ssl.SSLContext) -> None:
        self._files = files
        self._context = context
        self._asked = asyncio.Event()
        self._stamp = files.stamp()

    def ask(self) -> None:
        """Load them now."""
        self._asked.set()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                async with asyncio.timeout(CHECK_SECONDS):
                    await self._asked.wait()
            except TimeoutError:
                pass
            asked = self._asked.is_set()
            self._asked.clear()
            stamp = await asyncio.to_thread(self._files.stamp)
            # Files that are away for a moment are being renewed, unless somebody says they were.
            if asked or stamp not in {None, self._stamp}:
                self._stamp = stamp
                await self._load()

    async def _load(self) -> None:
        try:
            # Tried on another context first: a half-loaded one would serve nobody.
            await asyncio.to_thread(self._files.context)
            self._files.load_into(self._context)
        except ConfigurationError as error:
            _logger.warning("the old certificate stays in use: %s", error)
        else:
            _logger.info("the certificate was loaded again")
