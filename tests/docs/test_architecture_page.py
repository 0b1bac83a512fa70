"""The pages for maintainers against the code: pictures, paths, names of modules, links."""

import re
import tomllib
from functools import cache
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/architecture.md").read_text()
PAGES = [
    ROOT / "README.md",
    ROOT / "docs/architecture.md",
    *sorted((ROOT / "docs/adr").glob("*.md")),
]
ARROW = re.compile(r"^ *([\w.]+) (-->|-\.->) ([\w.]+)$", re.MULTILINE)
BOX = re.compile(r'^ *([\w.]+)(?:\[|\()"', re.MULTILINE)
LIBRARIES = {"aiohttp", "tinydb", "watchfiles", "PIL", "piexif"}


def picture(number: int) -> str:
    """A Mermaid picture of the page."""
    return re.findall(r"```mermaid\n(.*?)```", PAGE, re.DOTALL)[number]


@cache
def imports() -> grimp.ImportGraph:
    """Every import of the package."""
    return grimp.build_graph("tagline", include_external_packages=True)


def part(module: str) -> str:
    """The part of the package that a module belongs to."""
    return module.split(".")[1] if "." in module else ""


def part_imports() -> dict[str, set[str]]:
    """Which other parts each part imports."""
    graph, found = imports(), {}
    for module in (m for m in graph.modules if m.startswith("tagline.")):
        below = {part(m) for m in graph.find_modules_directly_imported_by(module)}
        found.setdefault(part(module), set()).update(below - {part(module), ""})
    return found


def reach(graph: dict[str, set[str]], start: str) -> set[str]:
    """All that can be got to from a part."""
    direct = graph.get(start, set())
    return direct.union(*(reach(graph, each) for each in direct))


def reduced(graph: dict[str, set[str]]) -> set[tuple[str, str]]:
    """The arrows that no way through a third part stands for."""
    return {
        (above, below)
        for above, direct in graph.items()
        for below in direct
        if not any(below in reach(graph, other) for other in direct - {below})
    }


def test_the_picture_shows_the_imports():
    """Its arrows are the imports between the parts, without those that follow from others."""
    drawn = {(a, b) for a, kind, b in ARROW.findall(picture(0)) if kind == "-->"}
    assert drawn == reduced(part_imports())


def test_the_picture_has_the_parts_of_the_contract():
    """Its boxes are the layers that import-linter holds, in their order, and the libraries."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = contracts["contracts"][0]["layers"]
    parts = [name.strip() for layer in layers for name in layer.split("|")]
    assert BOX.findall(picture(0)) == [*parts, *sorted(LIBRARIES)]


def test_the_picture_shows_who_uses_which_library():
    """A dotted arrow leads from each part that imports a library itself, and from no other."""
    drawn = {(a, b) for a, kind, b in ARROW.findall(picture(0)) if kind == "-.->"}
    graph = imports()
    used = {
        (part(module), library)
        for library in LIBRARIES
        for module in graph.find_modules_that_directly_import(library)
    }
    assert drawn == used


@pytest.mark.parametrize(
    ("above", "below"), [(a, b) for a, _, b in ARROW.findall(picture(1))], ids=str
)
def test_each_step_of_a_journey_is_an_import(above, below):
    """An arrow leads from a module to what it imports: the other module, or its package."""
    known = imports().find_modules_directly_imported_by(f"tagline.{above}")
    steps = below.split(".")
    allowed = {".".join(["tagline", *steps[:length]]) for length in range(1, len(steps) + 1)}
    assert f"tagline.{below}" in imports().modules
    assert known & allowed


def test_each_module_that_the_page_names_exists():
    """``sync.strays`` and its like are modules, or names in a part's interface."""
    graph = imports()
    parts = set(part_imports())
    names = {n for n in re.findall(r"`([a-z_]+\.[a-z_]+)`", PAGE) if part(f"x.{n}") in parts}
    assert names
    assert {n for n in names if f"tagline.{n}" not in graph.modules} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_path_and_link_leads_somewhere(page):
    """Files that a page names or links to are in the repository."""
    text = page.read_text()
    links = {t.split("#")[0] for t in re.findall(r"\]\(([^)\s]+)\)", text)}
    local = [page.parent / link for link in links if link and ":" not in link]
    pattern = r"`(tagline/[\w/]+\.\w+|(?:tests|docs|deploy)/[\w./]+)`"
    named = [ROOT / name for name in re.findall(pattern, text)]
    assert [str(path) for path in (*local, *named) if not path.exists()] == []


def test_every_decision_is_listed_once_under_its_number():
    """The list of decisions has each record, with its number and title, in order."""
    listed = re.findall(
        r"\[(\d+)\]\(([\w.-]+)\) \| (.*) \|", (ROOT / "docs/adr/README.md").read_text()
    )
    records = sorted(path for path in (ROOT / "docs/adr").glob("0*.md"))
    titles = [path.read_text().split("\n")[0] for path in records]
    assert [f"# {n}. {title}" for n, _, title in listed] == titles
    assert [name for _, name, _ in listed] == [path.name for path in records]
    assert [int(n) for n, _, _ in listed] == list(range(1, len(records) + 1))
