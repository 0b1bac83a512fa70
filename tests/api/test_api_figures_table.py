"""The table of figures for operators is whole."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_figure_is_in_the_table():
    """Each name that the code gives stands in the documentation, or its common beginning does."""
    text = (ROOT / "docs" / "operating.md").read_text()
    for module in ("measuring", "traffic", "process"):
        source = (ROOT / "tagline" / "api" / f"{module}.py").read_text()
        for name in re.findall(r'"((?:tagline|process)_[a-z_]+)"', source):
            short = name.removeprefix("tagline_scan")
            assert name in text or f"`{short}`" in text, name
