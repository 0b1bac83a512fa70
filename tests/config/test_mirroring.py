"""TAGLINE_SIDECAR_PATH: where it may be, and what is said of it at the start."""

from pathlib import Path

import pytest

from tagline.config.compose import storage_of
from tagline.config.loading import SettingsError, load_settings
from tagline.config.mirroring import NOTE, warnings_of
from tagline.storage import MirroredStorage


@pytest.fixture
def load(tmp_path: Path):
    """Loads settings of photos, sidecars and data that lie beside each other."""
    for name in ("photos/inner", "sidecars/inner", "data/inner"):
        (tmp_path / name).mkdir(parents=True)

    def run(**environ: str):
        return load_settings(
            environ={
                "PHOTO_STORAGE_PATH": str(tmp_path / "photos"),
                "TAGLINE_SIDECAR_PATH": str(tmp_path / "sidecars"),
                "DATABASE_URL": f"tinydb://{tmp_path / 'data'}",
                **environ,
            },
            env_file=None,
        )

    return run


def test_sidecars_lie_apart(load, tmp_path):
    """Where a directory is named, the storage is one over both."""
    settings = load()
    assert settings.sidecar_path == tmp_path / "sidecars"
    assert isinstance(storage_of(settings), MirroredStorage)
    assert not list(warnings_of(settings))
    assert not isinstance(storage_of(load(TAGLINE_SIDECAR_PATH="")), MirroredStorage)


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("TAGLINE_SIDECAR_PATH", "photos", "PHOTO_STORAGE_PATH"),
        ("TAGLINE_SIDECAR_PATH", "photos/inner", "PHOTO_STORAGE_PATH"),
        ("PHOTO_STORAGE_PATH", "sidecars/inner", "PHOTO_STORAGE_PATH"),
        ("TAGLINE_SIDECAR_PATH", "link", "PHOTO_STORAGE_PATH"),
        ("TAGLINE_SIDECAR_PATH", "data", "DATABASE_URL"),
        ("TAGLINE_SIDECAR_PATH", "data/inner", "DATABASE_URL"),
        ("TAGLINE_SIDECAR_PATH", "gone", "does not exist"),
    ],
)
def test_sidecars_lie_in_none_of_the_other_directories(load, tmp_path, variable, value, told):
    """Neither directly nor through a link, nor the other way round; the fault is one line."""
    (tmp_path / "link").symlink_to(tmp_path / "photos" / "inner")
    with pytest.raises(SettingsError) as caught:
        load(**{variable: str(tmp_path / value)})
    (line,) = str(caught.value).splitlines()
    assert line.startswith("TAGLINE_SIDECAR_PATH: ")
    assert told in line
    assert "allowed: an existing directory outside the photos and the data" in line


def test_the_memory_backend_has_no_sidecars_apart(load):
    """Photos in memory have no paths to be mirrored."""
    with pytest.raises(SettingsError, match="TAGLINE_SIDECAR_PATH: is of no use with the memory"):
        load(PHOTO_STORAGE_BACKEND="memory")


def test_a_setting_that_was_left_out_is_told(load, tmp_path):
    """An index that knew sidecars apart does not lose them without a word."""
    assert not list(warnings_of(load(TAGLINE_SIDECAR_PATH="")))
    (tmp_path / "data" / NOTE).touch()
    (line,) = warnings_of(load(TAGLINE_SIDECAR_PATH=""))
    assert line.startswith("TAGLINE_SIDECAR_PATH: is not set, and was before")
    assert not list(warnings_of(load()))
