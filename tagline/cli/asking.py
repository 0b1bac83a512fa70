"""Asking a running server, by the address that the settings name."""

import ssl
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from types import MappingProxyType

import msgspec

from tagline.config.loading import load_address
from tagline.config.settings import Settings
from tagline.errors import ConfigurationError, TaglineError

TIMEOUT_SECONDS = 5.0
_EXPIRED = 10
"""X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL."""
_MAX_ANSWER_BYTES = 256 * 1024
_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - listened on, not asked


class NoAnswer(TaglineError):
    """The server did not answer, or something else did."""


class Answered(msgspec.Struct, frozen=True):
    """An answer's status and the first 256 KiB of its body."""

    status: int
    body: bytes


class ServerAddress(msgspec.Struct, frozen=True):
    """Where a server listens."""

    host: str
    port: int
    base_path: str = ""
    certificate: Path | None = None

    @classmethod
    def of(cls, settings: Settings) -> "ServerAddress":
        """Where a server with these settings is to be asked."""
        host = _EVERY_ADDRESS.get(settings.host, settings.host)
        return cls(host, settings.port, settings.base_path, settings.tls_certificate)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Answered:
        """The answer to one request, whatever its status; ``body`` is sent as JSON unless None.

        Raises:
            NoAnswer: there is none.
        """
        connection = self._connection()
        sent = None if body is None else msgspec.json.encode(body)
        kind = {} if sent is None else {"Content-Type": "application/json"}
        try:
            connection.request(
                method, self.base_path + path, sent, {"Connection": "close", **kind, **headers}
            )
            response = connection.getresponse()
            return Answered(response.status, response.read(_MAX_ANSWER_BYTES))
        except TimeoutError as error:
            raise NoAnswer(
                f"no answer from {self.host} port {self.port} in {TIMEOUT_SECONDS:g} seconds."
            ) from error
        except ssl.SSLError as error:
            raise NoAnswer(
                f"no answer from {self.host} port {self.port}: {_of_tls(error)}."
            ) from error
        except (OSError, HTTPException, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or "what is there speaks no HTTP"
            raise NoAnswer(f"no answer from {self.host} port {self.port}: {reason}.") from error
        finally:
            connection.close()

    def _connection(self) -> HTTPConnection:
        """A connection, over TLS where there is a certificate: it must be just that one.

        The name in it is not looked at, for it is not by this name that the server is asked here.
        """
        if self.certificate is None:
            return HTTPConnection(self.host, self.port, timeout=TIMEOUT_SECONDS)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        try:
            context.load_verify_locations(self.certificate)
        except (OSError, ssl.SSLError) as error:
            fault = "the file holds no certificate in PEM form"
            raise ConfigurationError("TAGLINE_TLS_CERTIFICATE", fault) from error
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        return HTTPSConnection(self.host, self.port, timeout=TIMEOUT_SECONDS, context=context)

    def not_tagline(self) -> NoAnswer:
        """The error that something else answers there."""
        return NoAnswer(f"what answers at {self.host} port {self.port} is not Tagline.")


def server_address(host: str | None, port: str | None) -> ServerAddress:
    """Where the server listens: as said here, else as the settings say.

    Raises:
        ConfigurationError: the port is not known.
        SettingsError: a setting is wrong.
    """
    settings = load_address({"TAGLINE_HOST": host, "TAGLINE_PORT": port})
    if settings.port == 0:
        raise ConfigurationError("TAGLINE_PORT", "is 0; say by --port which one the server took")
    return ServerAddress.of(settings)


def _of_tls(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code == _EXPIRED:
            return "its certificate has expired; renew it"
        return (
            "its certificate is not the one in the file that TAGLINE_TLS_CERTIFICATE names "
            f"({error.verify_message}); the server loads a renewed one within a minute"
        )
    return "what is there speaks no TLS"
