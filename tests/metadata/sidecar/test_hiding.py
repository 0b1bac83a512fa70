"""What is noted of hidden sidecars: that they are known again, and told from others. Pure."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagline.metadata import SidecarFile, hiding, sidecar_json, sidecar_xmp
from tagline.metadata.field_types import FieldEdit
from tagline.metadata.fields import BY_NAME
from tagline.metadata.values import JsonSidecarValues

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), min_size=1)
SAID = WORDS.filter(lambda text: bool(text.strip()))
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "description": SAID,
        "title": SAID.filter(lambda text: text == text.strip()),
        "keywords": st.lists(st.sampled_from("abcdef"), min_size=1, unique=True).map(tuple),
        "rating": st.integers(1, 5),
    },
)
NAMES = st.sets(st.sampled_from(sorted(BY_NAME)))


def sidecar(kind, values):
    """A sidecar that says these values by field."""
    if kind == "xmp":
        edits = [FieldEdit(field=BY_NAME[n], old=None, new=v) for n, v in values.items()]
        data = sidecar_xmp.write_fields(None, edits, fingerprint="1:f")
        return SidecarFile(name="a.gif.xmp", data=data or b"")
    said = {name: value for name, value in values.items() if name != "description"}
    text = values.get("description")
    made = JsonSidecarValues(title="a.gif", description=text, fingerprint="1:f", said=said)
    return SidecarFile(name="a.gif.json", data=sidecar_json.write(None, made))


@pytest.mark.parametrize("kind", ["xmp", "json"])
@given(values=VALUES, other=VALUES, names=NAMES)
def test_what_was_hidden_is_known_again_by_what_it_says(kind, values, other, names):
    """A sidecar is hidden exactly while all that it says of the fields noted was noted."""
    notes = hiding.notes_of([sidecar(kind, values)], names)
    assert hiding.is_hidden(sidecar(kind, values), notes)
    says_new = any(name in other and other[name] != values.get(name) for name in names)
    assert hiding.is_hidden(sidecar(kind, other), notes) is not says_new
    assert hiding.names_said([sidecar(kind, values)]) == set(values)


@given(first=VALUES, second=VALUES, names=NAMES)
def test_each_of_several_hidden_sidecars_is_known_again(first, second, names):
    """Notes about several sidecars are right for each of them, and survive being written."""
    files = [sidecar("xmp", first), sidecar("json", second)]
    notes = hiding.notes_of(files, names)
    values = JsonSidecarValues(fingerprint="1:f", hides=notes)
    said = sidecar_json.read(sidecar_json.write(None, values))
    assert said is not None
    assert said.hides == notes
    assert all(hiding.is_hidden(file, said.hides) for file in files)


@given(noise=st.binary(max_size=60), kind=st.sampled_from(["xmp", "json"]))
def test_no_file_raises_anything(noise, kind):
    """Whatever a hidden file holds, it is noted and judged."""
    file = SidecarFile(name=f"a.gif.{kind}", data=noise)
    assert hiding.is_hidden(file, hiding.notes_of([file], BY_NAME))


@pytest.mark.parametrize(
    "hides", [[], 1, "x", {"description": 1}, {"description": [1, "ab"]}, {"nothing": ["a"]}]
)
def test_notes_that_are_odd_hide_nothing_that_says_something(hides):
    """What is no list of digests in a JSON sidecar is as if it noted nothing."""
    own = {"version": 1, "fingerprint": "1:f", "hides": hides}
    said = sidecar_json.read(json.dumps({"tagline": own}).encode())
    assert said is not None
    notes = {"description": (), **(said.hides or {})}
    assert not hiding.is_hidden(sidecar("xmp", {"description": "words"}), notes)
