"""HTTP: routes, payloads, one error table, one middleware a concern."""

from tagline.api.app import ALL_OPERATIONS, create_app
from tagline.api.options import ApiOptions, ServerOptions
from tagline.api.server import run_server

__all__ = ["ALL_OPERATIONS", "ApiOptions", "ServerOptions", "create_app", "run_server"]
