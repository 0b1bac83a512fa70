"""The security review: it names tests that exist, and leaves no requirement out."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REVIEW = (ROOT / "docs/security.md").read_text()
NAMED = re.findall(r"`([a-z_/0-9]+\.py)(?:::(test_\w+))?`", REVIEW)
SECTIONS = """
    1.1: 1-2, 1.2: 1-9, 1.3: 1-11, 1.4: 1-3, 1.5: 1-2, 2.1: 1-3, 2.2: 1-3, 2.3: 1-4, 2.4: 1-1,
    3.2: 1-2, 3.3: 1-4, 3.4: 1-6, 3.5: 1-5, 3.7: 1-2, 4.1: 1-3, 4.2: 1-1, 4.3: 1-2, 4.4: 1-4,
    5.1: 1-1, 5.2: 1-3, 5.3: 1-2, 5.4: 1-3, 6.1: 1-3, 6.2: 1-12, 6.3: 1-4, 6.4: 1-4, 6.5: 1-5,
    6.6: 1-3, 6.8: 1-4, 7.1: 1-3, 7.2: 1-4, 7.3: 1-2, 7.4: 1-5, 7.5: 1-2, 7.6: 1-2, 8.1: 1-2,
    8.2: 1-3, 8.3: 1-1, 8.4: 1-1, 9.1: 1-3, 9.2: 1-4, 10.1: 1-2, 10.2: 1-2, 10.3: 1-4,
    10.4: 1-11, 10.5: 1-5, 10.6: 1-2, 10.7: 1-3, 11.1: 1-2, 11.2: 1-3, 11.3: 1-3, 11.4: 1-4,
    11.5: 1-1, 11.6: 1-1, 12.1: 1-3, 12.2: 1-2, 12.3: 1-4, 13.1: 1-1, 13.2: 1-5, 13.3: 1-2,
    13.4: 1-5, 14.1: 1-2, 14.2: 1-4, 14.3: 1-3, 15.1: 1-3, 15.2: 1-3, 15.3: 1-7, 16.1: 1-1,
    16.2: 1-5, 16.3: 1-4, 16.4: 1-3, 16.5: 1-3, 17.1: 1-1, 17.2: 1-4, 17.3: 1-2
"""
"""The requirements of levels 1 and 2 in each section of ASVS 5.0.0."""


def test_the_review_names_tests():
    """The table was found."""
    assert len(NAMED) > 80


@pytest.mark.parametrize(("file", "name"), sorted(set(NAMED)))
def test_every_test_of_the_review_exists(file, name):
    """Each is a function of the file that it is said to be in."""
    text = (ROOT / "tests" / file).read_text()
    assert re.search(rf"^(?:async )?def {name or 'test_'}", text, re.MULTILINE)
    assert not name or re.search(rf"^(?:async )?def {name}\(", text, re.MULTILINE)


def test_every_chapter_is_there():
    """ASVS 5.0 has seventeen chapters."""
    chapters = re.findall(r"^\| \*\*V(\d+) ", REVIEW, re.MULTILINE)
    assert [int(number) for number in chapters] == list(range(1, 18))


def test_every_requirement_has_its_row():
    """Each of levels 1 and 2 is met, or not met for a reason, in one row or several."""
    wanted = {
        (int(chapter), int(section), number)
        for chapter, section, first, last in re.findall(r"(\d+)\.(\d+): (\d+)-(\d+)", SECTIONS)
        for number in range(int(first), int(last) + 1)
    }
    assert len(wanted) == 253
    found = set()
    for first, last in re.findall(r"(\d+\.\d+\.\d+)(?:\u2013(\d+\.\d+\.\d+))?", first_column()):
        least, greatest = number_of(first), number_of(last or first)
        found |= {each for each in wanted if least <= each <= greatest}
        assert {least, greatest} <= wanted, (first, last)
    assert sorted(wanted - found) == []


def first_column():
    """The first cell of each row of the table, one a line."""
    rows = [line for line in REVIEW.splitlines() if line.startswith("| ")]
    return "\n".join(line.split("|")[1] for line in rows)


def number_of(text):
    """The number of a requirement, for comparing."""
    return tuple(int(part) for part in text.split("."))
