"""Passwords and tokens."""

from tagline.auth.api_store import ApiTokenStore
from tagline.auth.api_tokens import (
    EXPIRY_MAX_SECONDS,
    ID_PATTERN,
    NAME_MAX_CHARACTERS,
    NAME_PATTERN,
    ApiToken,
    ApiTokenService,
    NewApiToken,
    is_api_token,
)
from tagline.auth.attempts import FailureLimit
from tagline.auth.clock import Clock
from tagline.auth.passwords import PasswordVerifier
from tagline.auth.principal import SCOPES, Principal, Scope
from tagline.auth.secrets import load_or_create_secret
from tagline.auth.signing import Claims
from tagline.auth.store import TokenStore
from tagline.auth.tokens import TokenPair, TokenService

__all__ = [
    "EXPIRY_MAX_SECONDS",
    "ID_PATTERN",
    "NAME_MAX_CHARACTERS",
    "NAME_PATTERN",
    "SCOPES",
    "ApiToken",
    "ApiTokenService",
    "ApiTokenStore",
    "Claims",
    "Clock",
    "FailureLimit",
    "NewApiToken",
    "PasswordVerifier",
    "Principal",
    "Scope",
    "TokenPair",
    "TokenService",
    "TokenStore",
    "is_api_token",
    "load_or_create_secret",
]
