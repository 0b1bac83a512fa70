"""The pure rules about pictures."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagline.api.accept import picture_type
from tagline.model import FileState
from tagline.pictures.ledger import Ledger
from tagline.pictures.recipe import Recipe, Subject, fit, name_of, turn_needed

sides = st.integers(1, 70_000)
SUBJECT = Subject(photo_id="photo", state=FileState(1, 2, 3, 4), orientation=6, stored=(4000, 3000))
RECIPE = Recipe(256, "image/webp")


@given(st.tuples(sides, sides), st.integers(1, 4096))
def test_a_picture_fits_and_keeps_its_shape(size, edge):
    """No side is longer than asked for, none is lost, and the shape is kept to a pixel."""
    width, height = fit(size, edge)
    assert 1 <= width <= max(1, min(edge, size[0]))
    assert 1 <= height <= max(1, min(edge, size[1]))
    if max(size) > edge:
        assert max(width, height) == edge
        assert abs(width * size[1] - height * size[0]) <= max(size)
    else:
        assert (width, height) == size


@pytest.mark.parametrize(
    ("orientation", "stored", "decoded", "expected"),
    [
        (6, (4000, 3000), (1600, 1200), 6),
        (6, (4000, 3000), (1200, 1600), 1),
        (8, None, (1200, 1600), 8),
        (3, (4000, 3000), (1200, 1600), 3),
        (5, (3000, 3000), (1200, 1200), 5),
        (1, (4000, 3000), (1200, 1600), 1),
    ],
)
def test_what_a_camera_has_turned_already_is_left(orientation, stored, decoded, expected):
    """A preview whose sides are swapped against the sensor's is upright."""
    assert turn_needed(orientation, stored, decoded) == expected


def test_a_name_changes_with_whatever_changes_the_picture():
    """State, orientation, size and type each give another name, and nothing else does."""
    others = [
        name_of(msgspec.structs.replace(SUBJECT, **change), RECIPE)
        for change in (
            {"photo_id": "other"},
            {"state": FileState(1, 2, 3, 5)},
            {"orientation": 1},
            {"stored": None},
        )
    ] + [name_of(SUBJECT, Recipe(257, "image/webp")), name_of(SUBJECT, Recipe(256, "image/jpeg"))]
    name = name_of(SUBJECT, RECIPE)
    assert name == name_of(msgspec.structs.replace(SUBJECT), Recipe(256, "image/webp"))
    assert len({name, *others}) == 7


@pytest.mark.parametrize(
    ("accept", "webp"),
    [
        (None, False),
        ("", False),
        ("*/*", False),
        ("image/*", False),
        ("image/webp", True),
        ("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", True),
        ("image/jpeg, image/webp", True),
        ("image/jpeg, image/webp;q=0.5", False),
        ("image/webp;q=0, image/*", False),
        ("image/jpeg;q=0, image/*", True),
        ("IMAGE/WebP ; Q=1", True),
        ("image/webp;q=nan", False),
        ("image/webp;q=x", False),
        ("text/html", False),
    ],
)
def test_webp_is_for_who_asks_for_it(accept, webp):
    """By name and no less than JPEG; JPEG is for all others."""
    assert picture_type(accept) == ("image/webp" if webp else "image/jpeg")


@given(st.text(alphabet="imageswpj/*;q=01., ", max_size=60))
def test_any_accept_header_chooses_a_type(accept):
    """Whatever a client writes is no error."""
    assert picture_type(accept) in {"image/jpeg", "image/webp"}


@given(
    st.integers(0, 50),
    st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.sampled_from("abcdefgh"), st.integers(0, 30)),
            st.tuples(st.sampled_from(["touch", "drop"]), st.sampled_from("abcdefgh")),
        ),
        max_size=40,
    ),
)
def test_the_ledger_is_a_list_in_the_order_of_use(limit, steps):
    """It agrees with a plain list, is never over its limit, and lets the oldest go first."""
    ledger, expected = Ledger(limit), []
    for action, name, *size in steps:
        old = next((entry for entry in expected if entry[0] == name), None)
        expected = [entry for entry in expected if entry[0] != name]
        if action == "add":
            expected.append((name, *size))
            gone = []
            while sum(entry[1] for entry in expected) > limit:
                gone.append(expected.pop(0)[0])
            assert ledger.add(name, *size) == gone
        elif action == "touch":
            ledger.touch(name)
            expected += [old] if old else []
        else:
            ledger.drop(name)
        assert ledger.total_bytes == sum(entry[1] for entry in expected) <= limit
        assert len(ledger) == len(expected)
        assert all(entry[0] in ledger for entry in expected)
