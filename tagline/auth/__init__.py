"""Passwords and tokens."""

from tagline.auth.clock import Clock
from tagline.auth.passwords import PasswordVerifier
from tagline.auth.secrets import load_or_create_secret
from tagline.auth.signing import Claims
from tagline.auth.store import TokenStore
from tagline.auth.tokens import TokenPair, TokenService

__all__ = [
    "Claims",
    "Clock",
    "PasswordVerifier",
    "TokenPair",
    "TokenService",
    "TokenStore",
    "load_or_create_secret",
]
