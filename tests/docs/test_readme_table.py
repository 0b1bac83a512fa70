"""The README's table of the API, held against what is declared."""

import re
from pathlib import Path

from tagline.api import ALL_OPERATIONS

README = Path(__file__).parents[2] / "README.md"


def test_the_table_names_every_operation_and_no_other():
    """Method and path of each, once; parameters may have shorter names there."""
    section = README.read_text().split("## The API in one table")[1].split("\n### ")[0]
    firsts = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `")]
    written = [
        (method, re.sub(r"{\w+}", "{}", path))
        for first in firsts
        for method, path in re.findall(r"`([A-Z]+) (/[\w/{}.]*)", first)
    ]
    declared = [(each.method, re.sub(r"{\w+}", "{}", each.path)) for each in ALL_OPERATIONS]
    assert sorted(written) == sorted(declared)
