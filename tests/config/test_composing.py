"""The making of a library from settings."""

from pathlib import Path

import pytest

from tagline.config.compose import build_library
from tagline.config.loading import load_settings
from tagline.errors import ConfigurationError


async def test_a_library_that_cannot_be_built_holds_no_file(tmp_path: Path):
    """When a wrong secret is mended, the same process can build the library: no lock is left."""
    secret = tmp_path / "data" / "jwt-secret"
    for directory in (secret, tmp_path / "photos"):
        directory.mkdir(parents=True)
    settings = load_settings(
        environ={
            "PHOTO_STORAGE_PATH": str(tmp_path / "photos"),
            "DATABASE_URL": f"tinydb://{tmp_path / 'data'}",
        },
        env_file=None,
    )
    with pytest.raises(ConfigurationError):
        build_library(settings)
    secret.rmdir()
    for _ in range(2):
        await build_library(settings).library.stop()
