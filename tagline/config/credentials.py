"""From settings to passwords, sessions and API tokens."""

import logging
import secrets
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from pydantic import SecretStr

from tagline.auth import (
    ApiTokenService,
    FailureLimit,
    PasswordVerifier,
    TokenService,
    TokenStore,
    load_or_create_secret,
)
from tagline.config.datafiles import TOKENS_FILE, why_data_unusable
from tagline.config.logs import register_secret
from tagline.config.settings import Settings
from tagline.errors import ConfigurationError, IndexDamaged
from tagline.index import JournalDatabase, open_database
from tagline.library import Sessions

_logger = logging.getLogger(__name__)

SECRET_FILE = "jwt-secret"  # noqa: S105 - the name of a file
GENERATED_PASSWORD_BYTES = 16


def open_tokens(settings: Settings) -> JournalDatabase:
    """The database of sessions and API tokens.

    Raises:
        IndexLocked: another process has it open.
        IndexDamaged: it cannot be trusted; the error says what a person may do.
        IndexUnavailable: its file cannot be read or made.
    """
    try:
        return open_database(_in(settings, TOKENS_FILE), durable=True)
    except IndexDamaged as error:
        advice = "restore it, or delete it, which ends all sessions and API tokens"
        raise IndexDamaged(TOKENS_FILE, f"{error.reason}; {advice}") from error


def password_of(settings: Settings) -> str | None:
    """The password that is configured; None where one is to be made."""
    configured: SecretStr | None = settings.backend_password
    return (configured.get_secret_value() or None) if configured is not None else None


def make_password() -> str:
    """A password for one run, of 128 random bits (OWASP ASVS 5.0, 11.5.1)."""
    return secrets.token_urlsafe(GENERATED_PASSWORD_BYTES)


def sessions_of(settings: Settings, store: TokenStore, password: str, *, made: bool) -> Sessions:
    """The sessions and API tokens of this store; ``made`` says that the password is of this run.

    Raises:
        ConfigurationError: the file of the signing secret cannot be used.
        IndexUnavailable: the password's digest could not be stored.
    """
    register_secret(password)
    service = _token_service(settings, store)
    # A changed one ends sessions and API tokens; one made for this run is another each time.
    if not made and service.bind_password(password):
        _logger.warning(
            "the password or the signing secret is another one than before: "
            "all sessions and API tokens have ended"
        )
    return Sessions(
        PasswordVerifier(password, time.monotonic),
        service,
        ApiTokenService(store.api_tokens, time.time),
        FailureLimit(time.monotonic),
    )


@contextmanager
def api_tokens_of(settings: Settings) -> Generator[ApiTokenService]:
    """The API tokens that the settings name, while no server has them open.

    Where no server has started with a password yet, they are bound to the one configured, or its
    first start would take it for a changed one and end them.

    Raises:
        ConfigurationError: they are in memory only, this user may not use the data directory, or a
            file of the settings cannot be used.
        IndexLocked: a server has them open.
        IndexDamaged: the file cannot be trusted.
        IndexUnavailable: the file cannot be read or made.
    """
    if settings.database_directory is None:
        raise ConfigurationError("DATABASE_URL", "says in memory, where no API token outlasts this")
    if fault := why_data_unusable(settings.database_directory):
        raise ConfigurationError("DATABASE_URL", fault, "forbidden")
    with closing(open_tokens(settings)) as database:
        store = TokenStore(database)
        password = password_of(settings)
        if password is not None and store.password_digest() is None:
            _token_service(settings, store).bind_password(password)
        yield ApiTokenService(store.api_tokens, time.time)


def _token_service(settings: Settings, store: TokenStore) -> TokenService:
    secret = _secret(settings)
    register_secret(secret)
    return TokenService(
        store, secret, time.time, settings.access_token_seconds, settings.refresh_token_seconds
    )


def _secret(settings: Settings) -> str:
    if settings.jwt_secret is not None:
        return settings.jwt_secret.get_secret_value()
    path = _in(settings, SECRET_FILE)
    return load_or_create_secret(path) if path else secrets.token_urlsafe(48)


def _in(settings: Settings, name: str) -> Path | None:
    directory = settings.database_directory
    return directory / name if directory is not None else None
