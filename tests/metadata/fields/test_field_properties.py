"""Round trips of any value through any place, and many edits in a row."""

from datetime import datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tagline.metadata import TakenAt, accepted
from tagline.model import Metadata
from tagline.model.text import parse_taken_at, taken_at_text

XML_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=80
)
WORDS = XML_TEXT.map(str.strip).filter(bool)
OFFSETS = st.none() | st.integers(-14 * 60, 14 * 60)
MOMENTS = st.builds(taken_at_text, st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)), OFFSETS)
ANY = {
    "description": st.none() | XML_TEXT,
    "title": st.none() | XML_TEXT,
    "keywords": st.none() | st.lists(WORDS, max_size=5, unique=True),
    "rating": st.none() | st.integers(0, 5),
    "taken_at": st.none() | MOMENTS,
}
CHANGES = st.fixed_dictionaries({}, optional=ANY)
SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


def test_every_field_is_tried():
    """A field that a person may edit is among those of the properties below."""
    assert tuple(ANY) == Metadata.__struct_fields__


@given(st.datetimes(), st.none() | st.integers(-1439, 1439))
def test_a_moments_text_reads_back(local, offset):
    """Every moment has one text, which names it to the microsecond."""
    assert parse_taken_at(taken_at_text(local, offset)) == (local, offset)


@given(st.sampled_from(["full.jpg", "plain.jpg", "full.webp", "plain.gif", "plain.tif"]), CHANGES)
@settings(max_examples=120, deadline=None, suppress_health_check=SLOW)
def test_any_change_reads_back(make_desk, name, change):
    """Whatever is asked for is shown, and all else is as it was."""
    desk = make_desk(name)
    before = desk.shown()
    desk.edit(**change)
    shown = desk.shown()
    for field, value in (before | accepted(change)).items():
        assert shown[field] == value or (not value and shown[field] is None)
    assert desk.edit(**change) is None or name == "plain.gif"


@given(st.lists(CHANGES, max_size=8))
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
def test_many_edits_stay_small_and_can_be_undone(make_desk, changes):
    """A photo edited many times shows the last of each field, and is itself again without them."""
    desk = make_desk("plain.jpg")
    before = desk.data
    for change in changes:
        desk.edit(**change)
        assert desk.sidecars.json is None
        assert desk.sidecars.xmp is None
    assert len(desk.data) < len(before) + 12_000
    desk.edit(**dict.fromkeys(ANY))
    assert desk.data == before


@given(st.lists(st.tuples(st.sampled_from(sorted(ANY)), st.booleans()), max_size=40))
@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
def test_setting_and_removing_by_turns_does_not_pile_up(make_desk, all_values, turns):
    """What is appended for a value is used again, or cut off with it."""
    desk = make_desk("full.jpg")
    before = len(desk.data)
    for field, is_set in turns:
        edit = desk.edit(**{field: all_values[field][0] if is_set else None})
        assert edit is None or edit.not_embedded is None
    assert len(desk.data) < before + 2_500


@given(st.sampled_from(["exif", "xmp"]), st.datetimes(), OFFSETS)
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
def test_any_moment_is_told_by_every_place(make_desk, place, local, offset):
    """EXIF and XMP each hold a moment whole, whichever is asked."""
    desk = make_desk("plain.jpg")
    desk.edit(taken_at=taken_at_text(local, offset))
    assert desk.shown()["taken_at"] == TakenAt(local=local, offset_minutes=offset)
    assert desk.read().found["taken_at"].agrees
