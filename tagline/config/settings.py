"""Every setting: its variable, type, default and bounds."""

import unicodedata
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
)
from pydantic.fields import FieldInfo

from tagline.config.network import Network, parse_base_path, parse_file, parse_networks
from tagline.config.values import (
    parse_database_url,
    parse_directory,
    parse_globs,
    parse_host,
    parse_origins,
    shown,
)
from tagline.storage import BACKENDS

PASSWORD_MAX_CHARACTERS = 1024
JWT_SECRET_MIN_BYTES = 32
JWT_SECRET_MAX_BYTES = 4096
DAY_SECONDS = 86400
SHORT_PASSWORD_CHARACTERS = 8
WITH_FILE = ("BACKEND_PASSWORD", "JWT_SECRET")
"""Variables that may be given as the name of a file, by the same name with ``_FILE``."""


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
    sidecar_path: Annotated[Path, BeforeValidator(parse_directory)] | None = _setting(
        "TAGLINE_SIDECAR_PATH",
        None,
        "an existing directory outside the photos and the data, with the local backend",
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
    settle_seconds: Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)] = _setting(
        "TAGLINE_SETTLE_SECONDS", 2, "seconds from 0 to 60, such as 2 or 0.5"
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
    metrics: Annotated[Literal["off", "token", "open"], BeforeValidator(_lower)] = _setting(
        "TAGLINE_METRICS", "token", "off, token or open"
    )
    base_path: Annotated[str, BeforeValidator(parse_base_path)] = _setting(
        "TAGLINE_BASE_PATH", "", "a path such as /tagline, of letters, digits and . _ ~ -"
    )
    trusted_proxies: Annotated[tuple[Network, ...], BeforeValidator(parse_networks)] = _setting(
        "TAGLINE_TRUSTED_PROXIES", (), "comma-separated addresses or networks"
    )
    tls_certificate: Annotated[Path, BeforeValidator(parse_file)] | None = _setting(
        "TAGLINE_TLS_CERTIFICATE", None, "a file in PEM form, together with TAGLINE_TLS_KEY"
    )
    tls_key: Annotated[Path, BeforeValidator(parse_file)] | None = _setting(
        "TAGLINE_TLS_KEY", None, "a file in PEM form, together with TAGLINE_TLS_CERTIFICATE"
    )
    database_directory: Path | None = None

    @property
    def others_write(self) -> bool:
        """Whether other programs may be writing to photos while Tagline runs."""
        return self.settle_seconds > 0

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is allowed and unwise, one line each."""
        password = self.backend_password
        if password and len(password.get_secret_value()) < SHORT_PASSWORD_CHARACTERS:
            return (f"BACKEND_PASSWORD: has fewer than {SHORT_PASSWORD_CHARACTERS} characters",)
        return ()


def variables() -> dict[str, object]:
    """Every variable by name, with its default."""
    return {name: field.default for name, field in fields().items()}


def fields() -> dict[str, FieldInfo]:
    """What pydantic knows of every variable, by its name."""
    return {field.alias: field for field in Settings.model_fields.values() if field.alias}
