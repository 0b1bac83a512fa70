"""The examples for operators say nothing that the program does not know."""

import re
from pathlib import Path

import pytest

from tagline.config.settings import variables

ROOT = Path(__file__).resolve().parents[2]
WITH_FILE = {"BACKEND_PASSWORD_FILE", "JWT_SECRET_FILE"}
EXAMPLES = ("Containerfile", "compose.yaml", "deploy/tagline.container", "docs/operating.md")


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_variable_exists(name):
    """Each variable that an example names is a setting of Tagline."""
    text = (ROOT / name).read_text()
    named = re.findall(
        r"\b(?:TAGLINE_[A-Z_]+|PHOTO_STORAGE_[A-Z]+|[A-Z]+_PASSWORD\w*|JWT_[A-Z_]+)", text
    )
    assert set(named) <= variables().keys() | WITH_FILE
