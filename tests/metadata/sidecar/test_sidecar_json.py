"""JSON sidecars in Takeout's form."""

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.errors import EditRefused
from tagline.metadata import sidecar_json
from tagline.metadata.values import JsonSidecarValues

TAKEOUT = """{
  "title": "IMG_20190705_120000.jpg",
  "description": "",
  "imageViews": "12",
  "creationTime": {
    "timestamp": "1562330000",
    "formatted": "Jul 5, 2019, 12:33:20\u202fPM UTC"
  },
  "photoTakenTime": {
    "timestamp": "1562320800",
    "formatted": "Jul 5, 2019, 10:00:00\u202fAM UTC"
  },
  "geoData": {
    "latitude": 48.208400000000005,
    "longitude": 16.3688,
    "altitude": 0.0
  },
  "people": [{
    "name": "J\\u00f6rg \\"J\\" {x}"
  }],
  "big": 123456789012345678901234567890,
  "tiny": 1e-400,
  "url": "https://photos.google.com/photo/x",
  "googlePhotosOrigin": {
    "mobileUpload": {
      "deviceType": "ANDROID_PHONE"
    }
  }
}"""


def written(old: bytes | None, text: str | None, **other: Any) -> bytes:
    """The sidecar of a photo with the description."""
    said: dict[str, Any] = {"title": "IMG.jpg", "taken_timestamp": 1562320800, "fingerprint": "1:a"}
    return sidecar_json.write(old, JsonSidecarValues(description=text, **(said | other)))


def test_a_new_sidecar_has_takeout_s_form() -> None:
    """Title, description, the moment as text twice over, and Tagline's own keys."""
    assert json.loads(written(None, "Grüße\n")) == {
        "title": "IMG.jpg",
        "description": "Grüße\n",
        "photoTakenTime": {
            "timestamp": "1562320800",
            "formatted": "Jul 5, 2019, 10:00:00 AM UTC",
        },
        "tagline": {"version": 1, "fingerprint": "1:a"},
    }
    assert "Grüße" in written(None, "Grüße").decode()


@pytest.mark.parametrize(
    ("timestamp", "text"),
    [
        (0, "Jan 1, 1970, 12:00:00 AM UTC"),
        (1562328000, "Jul 5, 2019, 12:00:00 PM UTC"),
        (1577836799, "Dec 31, 2019, 11:59:59 PM UTC"),
        (-86400, "Dec 31, 1969, 12:00:00 AM UTC"),
        (10**15, ""),
    ],
)
def test_moments_are_written_as_takeout_does(timestamp: int, text: str) -> None:
    """The readable form is the twelve-hour clock of UTC."""
    assert sidecar_json.formatted(timestamp) == text


def test_an_unknown_moment_is_zero() -> None:
    """A photo without a date says "0", and that reads back as unknown."""
    data = written(None, "x", taken_timestamp=None)
    assert json.loads(data)["photoTakenTime"]["timestamp"] == "0"
    assert sidecar_json.read(data) == JsonSidecarValues(
        title="IMG.jpg", description="x", taken_timestamp=None, fingerprint="1:a"
    )


def test_takeout_s_own_sidecar_keeps_its_bytes() -> None:
    """Of a Takeout sidecar only the description changes, and Tagline's keys are put last."""
    after = written(TAKEOUT.encode(), "Neu").decode()
    start = TAKEOUT.replace('"description": ""', '"description": "Neu"').removesuffix("\n}")
    assert after == start + (
        ',\n  "tagline": {\n    "version": 1,\n    "fingerprint": "1:a",\n'
        '    "adopted": true\n  }\n}'
    )
    emptied = written(after.encode(), None)
    assert emptied.decode() == after.replace('"Neu"', '""')
    assert not sidecar_json.is_own_and_empty(emptied)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("indent", ["\t", "    "])
def test_the_file_s_layout_is_kept(mark: str, end: str, indent: str) -> None:
    """Byte order mark, line ends and indentation stay, and new members follow them."""
    lines = ["{", f'{indent}"title":  "a.jpg",', f'{indent}"extra": [1.50, 2e5]', "}", ""]
    after = written((mark + end.join(lines)).encode(), "d").decode()
    assert after.startswith(mark + end.join(lines[:2]) + end + lines[2] + ",")
    assert after.count("\r") == (after.count("\n") if end == "\r\n" else 0)
    assert f'{end}{indent}"description":  "d",' in after
    assert f'{end}{indent}{indent}"fingerprint":  "1:a"' in after
    assert after.endswith("}" + end)
    assert after.removeprefix("\ufeff") == after or mark


def test_a_compact_file_stays_compact() -> None:
    """A file without blanks gets none."""
    after = written(b'{"title":"a.jpg"}', "d").decode()
    assert " " not in after.replace("Jul 5, 2019, 10:00:00 AM UTC", "")
    assert sidecar_json.read(after.encode()) is not None


def test_own_files_follow_the_photo() -> None:
    """Title, moment and fingerprint of a file of Tagline's own are brought up to date."""
    first = written(None, "d")
    second = written(first, "d", title="new.jpg", taken_timestamp=5, fingerprint="1:b")
    assert sidecar_json.read(second) == JsonSidecarValues(
        title="new.jpg", description="d", taken_timestamp=5, fingerprint="1:b"
    )
    assert second == written(None, "d", title="new.jpg", taken_timestamp=5, fingerprint="1:b")
    assert written(first, "d") == first


def test_foreign_files_keep_their_title_and_moment() -> None:
    """What another program says of title and moment stands, also after a second edit."""
    once = written(b'{"title": "original.jpg", "photoTakenTime": {"timestamp": "7"}}', "d")
    values = sidecar_json.read(written(once, "e", title="new.jpg", taken_timestamp=5))
    assert values is not None
    assert (values.title, values.taken_timestamp, values.description) == ("original.jpg", 7, "e")


def test_only_own_empty_files_may_go() -> None:
    """A file may be deleted only when Tagline made it, nobody added to it, and it says nothing."""
    own = written(None, None)
    assert sidecar_json.is_own_and_empty(own)
    assert not sidecar_json.is_own_and_empty(written(None, "d"))
    assert not sidecar_json.is_own_and_empty(own.replace(b'"title"', b'"x": 1, "title"'))
    assert not sidecar_json.is_own_and_empty(own.replace(b'"version"', b'"later": 1, "version"'))
    assert not sidecar_json.is_own_and_empty(TAKEOUT.encode())
    assert not sidecar_json.is_own_and_empty(written(b'{"title": "theirs"}', None))
    assert not sidecar_json.is_own_and_empty(b"junk")


def test_later_versions_keys_are_kept() -> None:
    """What a later version has put under ``tagline`` stays, its version number too."""
    old = b'{"title": "a", "tagline": {"version": 2, "mood": 5, "fingerprint": "2:x"}}'
    own = json.loads(written(old, "d"))["tagline"]
    assert own == {"version": 2, "mood": 5, "fingerprint": "1:a"}


def test_repeated_members_all_say_the_same() -> None:
    """Whichever of two members of one name a reader takes, it finds the new text."""
    after = written(b'{"title":"a","description":"1","description":"2"}', "new").decode()
    assert after.count('"description":"new"') == 2


def test_a_tagline_member_of_another_kind_is_replaced() -> None:
    """Where ``tagline`` is no object it becomes one."""
    after = written(b'{"title":"a","tagline":"hello"}', "d")
    own = {"version": 1, "fingerprint": "1:a", "adopted": True}
    assert json.loads(after)["tagline"] == own


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 900 + "]" * 900, '{"a": 1}', "1e400"])
def test_a_description_of_another_kind_is_replaced(value: str) -> None:
    """Numbers longer than Python reads, and deep lists, give way to the text like anything else."""
    after = written(b'{"title": "a", "description": %b}' % value.encode(), "d").decode()
    assert after.startswith('{"title": "a", "description": "d",')


NOT_SIDECARS = [
    b"junk",
    b"[]",
    b'"title"',
    b"{}",
    b'{"name": "package", "version": "1"}',
    b'{"title": NaN}',
    b'{"title": "a"',
    b'{"title": "\xff"}',
    '{"title": "a"}'.encode("utf-16"),
    b'{"title": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"title": "' + b"x" * sidecar_json.MAX_BYTES + b'"}',
]


@pytest.mark.parametrize("data", NOT_SIDECARS, ids=range(len(NOT_SIDECARS)))
def test_other_files_are_not_read_and_never_overwritten(data: bytes) -> None:
    """What is not the JSON sidecar of a photo reads as none, and writing it is refused."""
    assert sidecar_json.read(data) is None
    assert not sidecar_json.is_own_and_empty(data)
    with pytest.raises(EditRefused):
        written(data, "x")


@pytest.mark.parametrize(
    ("data", "values"),
    [
        (b'{"title": 5, "description": null}', JsonSidecarValues()),
        (b'{"description": ""}', JsonSidecarValues(description="")),
        (b'{"description": "\\ud800"}', JsonSidecarValues(description="\ufffd")),
        (
            b'{"photoTakenTime": {"timestamp": 1562320800}}',
            JsonSidecarValues(taken_timestamp=1562320800),
        ),
        (b'{"photoTakenTime": {"timestamp": "-5"}}', JsonSidecarValues(taken_timestamp=-5)),
        (b'{"photoTakenTime": {"timestamp": "1.5"}}', JsonSidecarValues()),
        (b'{"photoTakenTime": "x", "tagline": []}', JsonSidecarValues()),
        (b'{"photoTakenTime": {"timestamp": "' + b"9" * 5000 + b'"}}', JsonSidecarValues()),
    ],
)
def test_odd_members_are_no_obstacle(data: bytes, values: JsonSidecarValues) -> None:
    """Members of another kind than Takeout's say nothing, and stop nothing."""
    assert sidecar_json.read(data) == values


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=12,
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["a", '"', "description", "é", "tagline"]) | st.text(), JSON),
    TEXT,
    st.sampled_from([None, 1, 4, "\t"]),
    st.booleans(),
)
def test_text_reads_back_and_every_other_member_stays(
    said: dict[str, Any], text: str, indent: int | str | None, ascii_only: bool
) -> None:
    """For any JSON sidecar in any layout the description reads back and all else is equal."""
    said = {"title": "x"} | said
    before = json.dumps(said, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "replace")
    if sidecar_json.read(before) is None:
        return
    after = written(before, text)
    values = sidecar_json.read(after)
    assert values is not None
    assert (values.description, values.fingerprint) == (text, "1:a")
    kept = set(json.loads(before)) - {"description", "tagline", "title", "photoTakenTime"}
    assert {k: json.loads(after)[k] for k in kept} == {k: json.loads(before)[k] for k in kept}
    assert written(after, text) == after


def test_damaged_files_are_refused_or_edited_rightly() -> None:
    """However a sidecar is damaged, nothing but a refusal is raised, and edits read back."""
    chance = random.Random(7)
    edited = 0
    for _ in range(1500):
        data = bytearray(TAKEOUT.encode())
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(data))
            data[at : at + chance.randrange(4)] = chance.choice(
                [b"", b'"', b"{", b"}", b",", b"\\"]
            )
        sidecar_json.is_own_and_empty(bytes(data))
        try:
            after = written(bytes(data), "Neu")
        except EditRefused:
            continue
        edited += 1
        values = sidecar_json.read(after)
        assert values is not None
        assert values.description == "Neu"
    assert edited > 20
