"""The servers of the hard days, for days that take longer."""

from tests.hard.conftest import exiftool, photos, rng, server, start_server

__all__ = ["exiftool", "photos", "rng", "server", "start_server"]
