"""The table of hard days names tests that exist."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs" / "hard-days.md").read_text("utf-8")


def functions(path: Path) -> set[str]:
    """The names of the functions in a module."""
    tree = ast.parse(path.read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def test_every_hard_day_names_a_test_that_exists():
    """Each row of the table ends with a test, and each test that it names is there."""
    rows = [line for line in TABLE.splitlines() if line.startswith("| ")]
    days = [row for row in rows if not row.startswith(("| day ", "| --- ", "| night "))]
    named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", TABLE)
    told = TABLE.partition("<!-- begin soak -->")[0]
    assert all("::test_" in row for row in days if row in told)
    for file, name in named:
        path = ROOT / (file if "/" in file else f"tests/hard/{file}")
        assert name in functions(path), (file, name)
    assert len(named) > 35
