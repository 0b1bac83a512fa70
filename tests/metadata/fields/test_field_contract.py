"""What holds of every field in every format; a new row of the table is one more parameter."""

import pytest

from tagline.errors import InvalidValue
from tagline.metadata import FIELDS, accepted
from tagline.metadata.proof_fields import RULES
from tagline.model import Metadata, MetadataChange


def test_the_table_and_the_model_name_the_same_fields():
    """Each row is a member of what goes out and of what comes in, and has a row of the proof."""
    names = tuple(field.name for field in FIELDS)
    assert names == Metadata.__struct_fields__ == MetadataChange.__struct_fields__ == tuple(RULES)


def test_a_value_reads_back_and_nothing_else_changes(desk, field, values):
    """Setting a field shows it, and every other field says what it said."""
    before = desk.shown()
    for value in values:
        edit = desk.edit(**{field: value})
        assert edit is not None
        shown = desk.shown()
        assert shown.pop(field) == accepted({field: value})[field]
        assert shown == {name: said for name, said in before.items() if name != field}


def test_the_same_value_again_is_nothing_to_do(desk, field, values):
    """Writing what is there already writes nothing."""
    desk.edit(**{field: values[0]})
    assert desk.edit(**{field: values[0]}) is None


def test_embedding_formats_embed(desk, field, values):
    """All but a GIF take each field in themselves, but for a TIFF's date; no sidecar is made."""
    before, edit = desk.data, desk.edit(**{field: values[0]})
    if desk.name.endswith(".gif") or (desk.name.endswith(".tif") and field == "taken_at"):
        assert edit.not_embedded
        assert set(edit.sidecars) == {f"{desk.name}.xmp", f"{desk.name}.json"}
    else:
        assert edit.not_embedded is None
        assert not edit.sidecars
        assert desk.data != before


def test_a_removed_value_is_gone(desk, field, values):
    """Null removes a field from every place, and a second time there is nothing to do."""
    desk.edit(**{field: values[0]})
    desk.edit(**{field: None})
    assert desk.shown()[field] is None
    assert desk.edit(**{field: None}) is None


def test_a_photo_without_metadata_is_itself_again(make_desk, field, values):
    """What Tagline made goes with what it was made for, to the last byte."""
    for name in ("plain.jpg", "plain.png", "plain.webp", "plain.gif"):
        desk = make_desk(name)
        before = desk.data
        desk.edit(**{field: values[0]})
        desk.edit(**{field: None})
        assert desk.data == before
        assert (desk.sidecars.xmp, desk.sidecars.json) == (None, None)


def test_all_fields_at_once(desk, all_values):
    """One change may hold every field, set or removed."""
    wanted = {name: pair[0] for name, pair in all_values.items()}
    desk.edit(**wanted)
    assert desk.shown() == accepted(wanted)
    desk.edit(**{**dict.fromkeys(wanted), "title": "left"})
    assert desk.shown() == {**dict.fromkeys(wanted), "title": "left"}


def test_sidecars_speak_where_the_photo_is_not_edited(make_desk, field, values):
    """Beside a photo that says every field, sidecars correct and remove each of them."""
    desk = make_desk("full.jpg")
    before = desk.data
    for value in (*values, None, values[0]):
        desk.edit(refusal="not today", **{field: value})
        assert desk.shown()[field] == accepted({field: value})[field]
    assert desk.data == before


def test_sidecars_that_are_there_follow(make_desk, field, values):
    """What was beside the photo says the new value once that is in the photo itself."""
    desk = make_desk("full.jpg")
    desk.edit(refusal="not today", **{field: values[1]})
    desk.edit(**{field: values[0]})
    assert desk.read().found[field].agrees
    assert desk.shown()[field] == accepted({field: values[0]})[field]
    desk.edit(**{field: None})
    assert desk.shown()[field] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("title", "x" * 1001), ("title", "a\0"), ("title", "\ud800"), ("title", 7)),
        *(("keywords", ["a", "a"]), ("keywords", [" "]), ("keywords", ["x" * 251])),
        *(("keywords", "a"), ("keywords", [1]), ("keywords", ["w"] * 1001), ("rating", 6)),
        *(("rating", -1), ("rating", True), ("rating", "3"), ("rating", 2.5)),
        *(("taken_at", "2019-07-05"), ("taken_at", "2019-02-30T00:00:00"), ("taken_at", "")),
        *(("taken_at", "2019-07-05T10:00:00.1234567"), ("taken_at", "2019-07-05T10:00:60")),
        *(("taken_at", "2019-07-05T10:00:00+2:00"), ("taken_at", 5), ("colour", "red")),
    ],
)
def test_what_a_field_cannot_hold_is_refused(field, value):
    """A wrong value names its field."""
    with pytest.raises(InvalidValue) as caught:
        accepted({field: value})
    assert caught.value.field == field


def test_a_blank_title_is_none():
    """White space alone says nothing."""
    assert accepted({"title": " \n", "description": " ", "keywords": []}) == {
        "title": None,
        "description": None,
        "keywords": (),
    }
