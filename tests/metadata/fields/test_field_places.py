"""What each field writes where: the bytes, and how the places relate."""

import json
from datetime import datetime
from hashlib import md5

import pytest

from tagline.errors import EditRefused
from tagline.metadata import SidecarFile, SidecarFiles, TakenAt, iptc, photoshop, xmp
from tagline.metadata import xmp_names as names
from tagline.metadata.field_types import FieldEdit
from tagline.metadata.fields import BY_NAME
from tagline.metadata.jpeg import read as read_jpeg
from tagline.metadata.proof import prove_jpeg_fields
from tagline.model import BytesSource

SUBJECTS = names.HIERARCHICAL_SUBJECT


def container(desk):
    """The blocks of a JPEG."""
    return read_jpeg(BytesSource(desk.data))


def test_hierarchical_subjects_follow_removed_keywords_alone(make_desk):
    """A path goes with the keyword at its end; others stay, and none is made up."""
    desk = make_desk("full.jpg")
    desk.edit(keywords=["sea", "new"])
    packet = container(desk).xmp
    assert xmp.texts(packet, SUBJECTS) == ["Places|sea", "Places|land"]
    desk.edit(keywords=None)
    assert xmp.texts(container(desk).xmp, SUBJECTS) == ["Places|land"]


def test_translations_of_a_title_stay(make_desk):
    """A title in another language with words of its own is not touched, and goes with the title."""
    desk = make_desk("full.jpg")
    desk.edit(title="new title")
    assert xmp.texts(container(desk).xmp, names.DC_TITLE) == ["new title", "vieux titre"]
    desk.edit(title=None)
    assert xmp.texts(container(desk).xmp, names.DC_TITLE) == []


def test_iptc_is_cut_and_its_digest_renewed(make_desk):
    """IPTC takes 64 bytes of a title or keyword; the whole of it is what is shown."""
    desk = make_desk("full.jpg")
    long = "ä" * 50
    desk.edit(title=long, keywords=[long, long + "!", "sea"])
    found = container(desk)
    said = iptc.read(found.iptc)
    assert (said.title, said.keywords) == ("ä" * 32, ("ä" * 32, "sea"))
    assert found.iptc_digest == md5(found.iptc).digest()
    assert desk.shown()["title"] == long
    assert desk.edit(title=long, keywords=[long, long + "!", "sea"]) is None
    assert desk.edit(title="x" + long).not_embedded is None
    assert iptc.read(container(desk).iptc).title == "x" + "ä" * 31


def test_a_newer_iptc_wins_unless_it_is_only_cut(make_desk):
    """Where the digest says that IPTC was edited last, its title and keywords are shown."""
    desk = make_desk("full.jpg")
    desk.data = desk.data.replace(b"\x1c\x02\x05\0\x09old title", b"\x1c\x02\x05\0\x09new title")
    assert desk.shown()["title"] == "new title"
    assert not desk.read().found["title"].agrees
    long = "t" * 100
    desk.edit(title=long)
    assert desk.shown()["title"] == long


def test_ratings_twins_follow_where_they_are(make_desk):
    """Stars and Windows' percentage are written where they were, and nowhere else."""
    desk = make_desk("full.jpg")
    desk.edit(rating=4)
    found = container(desk)
    assert xmp.texts(found.xmp, names.XMP_RATING) == ["4"]
    assert xmp.texts(found.xmp, names.MICROSOFT_RATING) == ["75"]
    desk.edit(rating=None)
    packet = container(desk).xmp
    assert xmp.texts(packet, names.XMP_RATING) == xmp.texts(packet, names.MICROSOFT_RATING) == []
    slash = make_desk("full.jpg")
    slash.data = slash.data.replace(b'photo/1.0"\n   xmlns', b'photo/1.0/"\n  xmlns')
    slash.edit(rating=3)
    assert xmp.texts(container(slash).xmp, names.MICROSOFT_RATING_TOO) == ["50"]
    plain = make_desk("plain.jpg")
    plain.edit(rating=4)
    assert container(plain).exif is None


@pytest.mark.parametrize(
    ("said", "shown"), [(b"-1", None), (b"3.7", 3), (b"0", 0), (b"9", None), (b"five", None)]
)
def test_foreign_ratings_are_read_as_far_as_they_are_stars(make_desk, said, shown):
    """-1, which means rejected, is no rating."""
    packet = container(make_desk("full.jpg")).xmp
    packet = packet.replace(b'xmp:Rating="2"', b'xmp:Rating="%b"' % said)
    assert xmp.read(packet).rating == shown


def test_a_rejected_photo_stays_so_until_somebody_rates_it(make_desk):
    """Removing a rating that is none writes nothing; a new one takes the mark's place."""
    desk = make_desk("plain.jpg")
    desk.edit(rating=5)
    rejected = desk.data.replace(b">5</xmp:Rating> ", b">-1</xmp:Rating>").replace(
        b">5</xmp:Rating>\n ", b">-1</xmp:Rating>\n"
    )
    desk.data = rejected
    assert desk.shown()["rating"] is None
    assert desk.edit(rating=None) is None
    desk.edit(rating=2)
    assert xmp.texts(container(desk).xmp, names.XMP_RATING) == ["2"]


def test_a_zone_that_is_unknown_is_named_nowhere(make_desk):
    """A local time takes the offset out of EXIF, and writes IPTC's time without one."""
    desk = make_desk("full.jpg")
    desk.edit(taken_at="2019-07-05T10:00:00.5-03:30")
    found = container(desk)
    assert b"-03:30\0" in found.exif
    assert b"100000-0330" in found.iptc
    desk.edit(taken_at="2019-07-05T10:00:00")
    found = container(desk)
    assert b"-03:30" not in found.exif + found.xmp
    assert b"\x1c\x02\x3c\0\x06100000" in found.iptc
    assert desk.read().taken == TakenAt(local=datetime(2019, 7, 5, 10), offset_minutes=None)


def test_the_date_of_digitization_is_shown_but_is_not_the_field(make_desk):
    """With the moment of taking removed, what is left dates the photo and is no value to edit."""
    desk = make_desk("full.jpg")
    desk.edit(taken_at=None)
    assert desk.shown()["taken_at"] is None
    assert desk.read().taken.local == datetime(2001, 2, 3, 4, 5, 7)


def test_takeouts_time_is_corrected_and_removed_beside_it(make_desk):
    """A Takeout JSON keeps its own time and name; Tagline's own members say what counts."""
    takeout = {"title": "plain.jpg", "photoTakenTime": {"timestamp": "1562320800"}, "x": 1.50}
    raw = json.dumps(takeout).encode()
    desk = make_desk(
        "plain.gif", sidecars=SidecarFiles(json=SidecarFile(name="plain.gif.json", data=raw))
    )
    assert desk.shown()["taken_at"].local == datetime(2019, 7, 5, 10)
    desk.edit(taken_at="2018-01-01T00:00:00", title="mine")
    said = json.loads(desk.sidecars.json.data)
    assert (said["title"], said["photoTakenTime"]) == ("plain.jpg", takeout["photoTakenTime"])
    assert said["tagline"]["title"] == "mine"
    assert desk.shown()["taken_at"].local == datetime(2018, 1, 1)
    desk.edit(taken_at=None)
    assert desk.shown()["taken_at"] is None
    assert json.loads(desk.sidecars.json.data)["tagline"]["removed"] == ["taken_at"]
    desk.edit(taken_at="2017-01-01T00:00:00Z")
    assert desk.shown()["taken_at"].local == datetime(2017, 1, 1)


def test_a_following_json_says_the_field_under_tagline(make_desk):
    """Another program's JSON beside a JPEG keeps its own members, and gets Tagline's."""
    raw = b'{"title": "full.jpg", "description": "", "x": 1.50}'
    side = SidecarFiles(json=SidecarFile(name="full.jpg.json", data=raw))
    desk = make_desk("full.jpg", sidecars=side)
    desk.edit(rating=4)
    assert desk.sidecars.json.data.startswith(raw[:-1])
    assert json.loads(desk.sidecars.json.data)["tagline"]["rating"] == 4
    desk.edit(rating=None)
    assert not json.loads(desk.sidecars.json.data)["tagline"]["rating"]
    assert desk.edit(rating=None) is None


def test_a_text_that_xml_cannot_hold_goes_to_json(make_desk):
    """A keyword with a control character is kept where it can be, and contradicted nowhere."""
    desk = make_desk("full.jpg")
    edit = desk.edit(keywords=["bell \x07"])
    assert "cannot hold" in edit.not_embedded
    assert desk.shown()["keywords"] == ("bell \x07",)


@pytest.mark.parametrize("name", BY_NAME)
def test_the_proof_refuses_what_another_field_may_do(make_desk, all_values, name):
    """An edit of one field is no edit of another: the proof of that other one fails."""
    before = make_desk("full.jpg")
    after = make_desk("full.jpg")
    after.edit(**{name: all_values[name][0]})
    right = FieldEdit(field=BY_NAME[name], old=None, new=after.shown()[name])
    prove_jpeg_fields(before.data, after.data, (right,))
    for other in BY_NAME.keys() - {name}:
        wrong = FieldEdit(field=BY_NAME[other], old=None, new=after.shown()[other])
        with pytest.raises(EditRefused, match=r"^Nothing was written: proof"):
            prove_jpeg_fields(before.data, after.data, (wrong,))


def test_photoshops_other_resources_stay(make_desk):
    """Every other data set and resource is what it was."""
    desk = make_desk("full.jpg")
    before = iptc.data_sets(container(desk).iptc).values_of((2, 90))
    desk.edit(title="x", keywords=["y"], taken_at="2019-07-05T10:00:00Z")
    assert iptc.data_sets(container(desk).iptc).values_of((2, 90)) == before
    segment = desk.data[desk.data.index(photoshop.HEADER) :]
    assert len(photoshop.resources(segment).blocks) >= 2
