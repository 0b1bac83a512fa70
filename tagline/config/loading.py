"""Loading the settings: from the command line, the environment and ``.env``, with every mistake."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tagline.config.settings import WITH_FILE, Settings, fields
from tagline.config.sources import Given, Names, gather, misspelt
from tagline.config.values import (
    Unusable,
    default_database_directory,
    is_inside,
    parse_database_url,
    shown,
)
from tagline.errors import Cause, ConfigurationError, TaglineError
from tagline.storage import BACKENDS

_OF_THE_ADDRESS = (
    "TAGLINE_HOST",
    "TAGLINE_PORT",
    "TAGLINE_BASE_PATH",
    "TAGLINE_TLS_CERTIFICATE",
)


class SettingsError(TaglineError):
    """The settings are wrong; ``faults`` holds every mistake, and ``str()`` one line each."""

    def __init__(self, faults: Iterable[ConfigurationError]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


def load_settings(
    overrides: Mapping[str, object] = MappingProxyType({}),
    *,
    environ: Mapping[str, str] | None = None,
    env_file: Path | None = Path(".env"),
) -> Settings:
    """All settings: from ``overrides``, else from the environment, else from ``env_file``.

    Args:
        overrides: by variable (``TAGLINE_PORT``), what the command line says; ``None`` means that
            it says nothing.
        environ: the environment; the process's when it is ``None``.
        env_file: may be missing.

    Raises:
        SettingsError: with every mistake that can be told.
    """
    unknown = overrides.keys() - fields().keys()
    if unknown:
        raise TypeError(f"no variables: {sorted(unknown)}")
    environment = os.environ if environ is None else environ
    names = Names(known=fields().keys(), with_file=WITH_FILE)
    gathered = gather(names, overrides, environment, env_file)
    faults = gathered.faults
    settings = _validated(gathered.given, faults)
    if settings is not None:
        _check_together(settings, faults)
        settings = _with_directory(settings, environment, faults)
        faults += _faults_of_sidecar_path(settings)
    if settings is None or faults:
        raise SettingsError(faults)
    return settings


def doubts(environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """What of the environment looks misspelt, one sentence each."""
    names = Names(known=fields().keys(), with_file=WITH_FILE)
    return tuple(misspelt(names, os.environ if environ is None else environ))


def load_address(
    overrides: Mapping[str, object],
    *,
    environ: Mapping[str, str] | None = None,
    env_file: Path | None = Path(".env"),
) -> Settings:
    """Where a server with these settings listens: all other settings are left as by default.

    Raises:
        SettingsError: with the mistakes in the variables that say so.
    """
    return load_some(_OF_THE_ADDRESS, overrides, environ=environ, env_file=env_file)


def load_some(
    names: Collection[str],
    overrides: Mapping[str, object] = MappingProxyType({}),
    *,
    environ: Mapping[str, str] | None = None,
    env_file: Path | None = Path(".env"),
) -> Settings:
    """These settings alone, the others as if not set: they may be wrong.

    Raises:
        SettingsError: with the mistakes in these.
    """
    known = Names(known=names, with_file=())
    gathered = gather(known, overrides, os.environ if environ is None else environ, env_file)
    faults: list[ConfigurationError] = []
    settings = _validated(gathered.given, faults)
    if settings is None:
        raise SettingsError(faults)
    return settings


def _validated(given: Mapping[str, Given], faults: list[ConfigurationError]) -> Settings | None:
    try:
        return Settings.model_validate({name: one.value for name, one in given.items()})
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            name = str(detail["loc"][0])
            fault = f"{_fault(detail)} ({given[name].origin})"
            told = f"{fault}; allowed: {fields()[name].description}"
            faults.append(ConfigurationError(name, told, _cause(detail)))
    return None


def _cause(detail: ErrorDetails) -> Cause | None:
    error = detail.get("ctx", {}).get("error")
    return error.cause if isinstance(error, Unusable) else None


def _fault(detail: ErrorDetails) -> str:
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, ValueError):
        return str(cause)
    # Secrets are checked by functions of our own, so that no value shown here is one.
    value = shown(detail["input"])
    match detail["type"]:
        case "less_than_equal":
            return f"{value} is too large"
        case "greater_than_equal":
            return f"{value} is too small"
        case "literal_error":
            return f"{value} is none of them"
        case "float_parsing" | "float_type" | "finite_number":
            return f"{value} is no number"
        case _:
            return f"{value} is no whole number"


def _check_together(settings: Settings, faults: list[ConfigurationError]) -> None:
    if settings.photo_storage_path is None and BACKENDS[settings.photo_storage_backend].needs_path:
        fault = "is not set; allowed: an existing directory, which the command line may name too"
        faults.append(ConfigurationError("PHOTO_STORAGE_PATH", fault))
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        missing, other = "TAGLINE_TLS_KEY", "TAGLINE_TLS_CERTIFICATE"
        if settings.tls_certificate is None:
            missing, other = other, missing
        faults.append(ConfigurationError(missing, f"is not set, and {other} is; set both or none"))
    if settings.refresh_token_seconds < settings.access_token_seconds:
        fault = (
            f"{settings.refresh_token_seconds} is too small; allowed: no fewer than "
            f"TAGLINE_ACCESS_TOKEN_SECONDS, which is {settings.access_token_seconds}"
        )
        faults.append(ConfigurationError("TAGLINE_REFRESH_TOKEN_SECONDS", fault))


def _faults_of_sidecar_path(settings: Settings) -> Iterator[ConfigurationError]:
    """Sidecars apart lie in none of the other directories, and those not in theirs."""
    sidecars, photos = settings.sidecar_path, settings.photo_storage_path
    if sidecars is None:
        return
    data = settings.database_directory
    fault = None
    if not BACKENDS[settings.photo_storage_backend].needs_path:
        fault = f"is of no use with the {settings.photo_storage_backend} backend"
    elif photos and (is_inside(sidecars, photos) or is_inside(photos, sidecars)):
        fault = "and PHOTO_STORAGE_PATH lie in one another"
    elif data and (is_inside(sidecars, data) or is_inside(data, sidecars)):
        fault = "and the data directory (DATABASE_URL) lie in one another"
    if fault:
        allowed = fields()["TAGLINE_SIDECAR_PATH"].description
        yield ConfigurationError("TAGLINE_SIDECAR_PATH", f"{fault}; allowed: {allowed}")


def _with_directory(
    settings: Settings, environ: Mapping[str, str], faults: list[ConfigurationError]
) -> Settings:
    try:
        directory = _database_directory(settings, environ)
    except ValueError as error:
        allowed = "tinydb:///DIR with a directory outside the photos"
        faults.append(ConfigurationError("DATABASE_URL", f"{error}; allowed: {allowed}"))
        return settings
    return settings.model_copy(update={"database_directory": directory})


def _database_directory(settings: Settings, environ: Mapping[str, str]) -> Path | None:
    photos = settings.photo_storage_path
    if settings.database_url is not None:
        directory = parse_database_url(settings.database_url)
    else:
        directory = default_database_directory(photos, environ) if photos else None
    if directory and photos and is_inside(directory, photos):
        which = "" if settings.database_url else "is not set, and its default "
        raise ValueError(f"{which}lies inside the photo directory")
    return directory
