"""Every setting: its variable, type, default and bounds; and the loading of all of them."""

import os
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from tagline.config.sources import Given, Names, gather
from tagline.config.values import (
    default_database_directory,
    is_inside,
    parse_database_url,
    parse_directory,
    parse_globs,
    parse_host,
    parse_origins,
    shown,
)
from tagline.errors import ConfigurationError, TaglineError
from tagline.storage import BACKENDS

PASSWORD_MAX_CHARACTERS = 1024
JWT_SECRET_MIN_BYTES = 32
JWT_SECRET_MAX_BYTES = 4096
DAY_SECONDS = 86400
SHORT_PASSWORD_CHARACTERS = 8
_WITH_FILE = ("BACKEND_PASSWORD", "JWT_SECRET")


class SettingsError(TaglineError):
    """The settings are wrong; ``faults`` holds every mistake, and ``str()`` one line each."""

    def __init__(self, faults: Iterable[ConfigurationError]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


def _lower(text: str) -> str:
    return text.strip().lower()


def _check_database_url(url: str) -> str:
    parse_database_url(url)
    return url


def _check_backend(name: str) -> str:
    if name not in BACKENDS:
        raise ValueError(f"{shown(name)} is none of them")
    return name


def _check_password(password: SecretStr) -> SecretStr:
    text = password.get_secret_value()
    if len(text) > PASSWORD_MAX_CHARACTERS:
        raise ValueError("it is too long")
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        raise ValueError("it holds a control character, such as a line break, or is not UTF-8")
    return password


def _check_secret(secret: SecretStr) -> SecretStr:
    size = len(secret.get_secret_value().encode("utf-8", "surrogateescape"))
    if size < JWT_SECRET_MIN_BYTES:
        raise ValueError("it is too short")
    if size > JWT_SECRET_MAX_BYTES:
        raise ValueError("it is too long")
    return secret


def _setting(variable: str, default: object, allowed: str) -> Any:  # noqa: ANN401 - as pydantic.Field
    """The declaration of a setting: its variable, its default, and what a person may write."""
    return Field(default, alias=variable, description=allowed)


class Settings(BaseModel):
    """All settings, valid. Frozen; neither ``repr`` nor ``str`` nor an error shows a secret.

    ``photo_storage_path`` is absolute and was a directory when it was looked at.
    ``database_directory`` is where the index and the tokens are kept, which may not exist yet;
    ``None`` means in memory.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    photo_storage_backend: Annotated[str, AfterValidator(_check_backend)] = _setting(
        "PHOTO_STORAGE_BACKEND", "local", " or ".join(sorted(BACKENDS))
    )
    photo_storage_path: Annotated[Path, BeforeValidator(parse_directory)] | None = _setting(
        "PHOTO_STORAGE_PATH", None, "an existing directory"
    )
    database_url: Annotated[str, AfterValidator(_check_database_url)] | None = _setting(
        "DATABASE_URL", None, "tinydb:///DIR with an absolute path, or tinydb:// for in memory"
    )
    backend_password: Annotated[SecretStr, AfterValidator(_check_password)] | None = _setting(
        "BACKEND_PASSWORD", None, f"one line of at most {PASSWORD_MAX_CHARACTERS} characters"
    )
    jwt_secret: Annotated[SecretStr, AfterValidator(_check_secret)] | None = _setting(
        "JWT_SECRET", None, f"{JWT_SECRET_MIN_BYTES} to {JWT_SECRET_MAX_BYTES} bytes"
    )
    cors_allowed_origins: Annotated[tuple[str, ...], BeforeValidator(parse_origins)] = _setting(
        "CORS_ALLOWED_ORIGINS", (), "comma-separated origins such as https://photos.example, or *"
    )
    host: Annotated[str, AfterValidator(parse_host)] = _setting(
        "TAGLINE_HOST", "127.0.0.1", "an IP address or a host name, without a port"
    )
    port: Annotated[int, Field(ge=0, le=65535)] = _setting(
        "TAGLINE_PORT", 8000, "1 to 65535, or 0 for any free port"
    )
    write_mode: Annotated[Literal["embed", "sidecar"], BeforeValidator(_lower)] = _setting(
        "TAGLINE_WRITE_MODE", "embed", "embed or sidecar"
    )
    watch: Annotated[Literal["auto", "notify", "poll", "off"], BeforeValidator(_lower)] = _setting(
        "TAGLINE_WATCH", "auto", "auto, notify, poll or off"
    )
    reconcile_seconds: Annotated[int, Field(ge=1, le=7 * DAY_SECONDS)] = _setting(
        "TAGLINE_RECONCILE_SECONDS", 300, "whole seconds from 1 to 604800 (a week)"
    )
    access_token_seconds: Annotated[int, Field(ge=1, le=DAY_SECONDS)] = _setting(
        "TAGLINE_ACCESS_TOKEN_SECONDS", 900, "whole seconds from 1 to 86400 (a day)"
    )
    refresh_token_seconds: Annotated[int, Field(ge=1, le=365 * DAY_SECONDS)] = _setting(
        "TAGLINE_REFRESH_TOKEN_SECONDS",
        30 * DAY_SECONDS,
        "whole seconds from 1 to 31536000 (a year), no fewer than TAGLINE_ACCESS_TOKEN_SECONDS",
    )
    picture_cache_megabytes: Annotated[int, Field(ge=0, le=1_048_576)] = _setting(
        "TAGLINE_PICTURE_CACHE_MEGABYTES", 1024, "whole megabytes from 0 to 1048576"
    )
    picture_workers: Annotated[int, Field(ge=1, le=64)] = _setting(
        "TAGLINE_PICTURE_WORKERS", 2, "1 to 64 processes"
    )
    picture_memory_megabytes: Annotated[int, Field(ge=256, le=65536)] = _setting(
        "TAGLINE_PICTURE_MEMORY_MEGABYTES", 2048, "whole megabytes from 256 to 65536"
    )
    max_pixels: Annotated[int, Field(ge=1_000_000, le=4_000_000_000)] = _setting(
        "TAGLINE_MAX_PIXELS", 200_000_000, "1000000 to 4000000000"
    )
    ignore: Annotated[tuple[str, ...], BeforeValidator(parse_globs)] = _setting(
        "TAGLINE_IGNORE", (), "comma-separated globs such as *.bak,thumbs,private/*"
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = (
        _setting("TAGLINE_LOG_LEVEL", "info", "debug, info, warning or error")
    )
    log_format: Annotated[Literal["text", "json"], BeforeValidator(_lower)] = _setting(
        "TAGLINE_LOG_FORMAT", "text", "text or json"
    )
    database_directory: Path | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is allowed and unwise, one line each."""
        password = self.backend_password
        if password and len(password.get_secret_value()) < SHORT_PASSWORD_CHARACTERS:
            return (f"BACKEND_PASSWORD: has fewer than {SHORT_PASSWORD_CHARACTERS} characters",)
        return ()


def variables() -> dict[str, object]:
    """Every variable by name, with its default."""
    return {name: field.default for name, field in _fields().items()}


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
    unknown = overrides.keys() - _fields().keys()
    if unknown:
        raise TypeError(f"no variables: {sorted(unknown)}")
    environment = os.environ if environ is None else environ
    names = Names(known=_fields().keys(), with_file=_WITH_FILE)
    gathered = gather(names, overrides, environment, env_file)
    faults = gathered.faults
    settings = _validated(gathered.given, faults)
    if settings is not None:
        _check_together(settings, faults)
        settings = _with_directory(settings, environment, faults)
    if settings is None or faults:
        raise SettingsError(faults)
    return settings


def load_address(
    overrides: Mapping[str, object],
    *,
    environ: Mapping[str, str] | None = None,
    env_file: Path | None = Path(".env"),
) -> tuple[str, int]:
    """The host and port that a server with these settings listens on; the others may be wrong.

    Raises:
        SettingsError: with the mistakes in these two.
    """
    names = Names(known=("TAGLINE_HOST", "TAGLINE_PORT"), with_file=())
    gathered = gather(names, overrides, os.environ if environ is None else environ, env_file)
    faults: list[ConfigurationError] = []
    settings = _validated(gathered.given, faults)
    if settings is None:
        raise SettingsError(faults)
    return settings.host, settings.port


def _fields() -> dict[str, FieldInfo]:
    return {field.alias: field for field in Settings.model_fields.values() if field.alias}


def _validated(given: Mapping[str, Given], faults: list[ConfigurationError]) -> Settings | None:
    try:
        return Settings.model_validate({name: one.value for name, one in given.items()})
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            name = str(detail["loc"][0])
            fault = f"{_fault(detail)} ({given[name].origin})"
            faults.append(
                ConfigurationError(name, f"{fault}; allowed: {_fields()[name].description}")
            )
    return None


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
        case _:
            return f"{value} is no whole number"


def _check_together(settings: Settings, faults: list[ConfigurationError]) -> None:
    if settings.photo_storage_path is None and BACKENDS[settings.photo_storage_backend].needs_path:
        fault = "is not set; allowed: an existing directory, which the command line may name too"
        faults.append(ConfigurationError("PHOTO_STORAGE_PATH", fault))
    if settings.refresh_token_seconds < settings.access_token_seconds:
        fault = (
            f"{settings.refresh_token_seconds} is too small; allowed: no fewer than "
            f"TAGLINE_ACCESS_TOKEN_SECONDS, which is {settings.access_token_seconds}"
        )
        faults.append(ConfigurationError("TAGLINE_REFRESH_TOKEN_SECONDS", fault))


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
