"""The pure rules of the synchronisation, each on its own."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tagline.index import IndexedState
from tagline.metadata.pairing import pair
from tagline.metadata.registry import is_photo
from tagline.model import FileState, IndexedFile
from tagline.storage import MemoryStorage
from tagline.sync.agenda import Agenda
from tagline.sync.directories import Directories
from tagline.sync.hints import keys_of, scopes_of
from tagline.sync.identity import Replacements
from tagline.sync.lost import MOST, LostRows
from tagline.sync.mounts import remote_file_system
from tagline.sync.observe import apart, may_matter, photos_touched, related
from tagline.sync.values import Scope

STEMS = ("IMG", "IMG(1)", "IMG.x", "a" * 46, "a" * 50, "a" * 50 + "(1)", "b")
ENDINGS = (
    ".jpg",
    ".JPG",
    ".png",
    ".xmp",
    ".jpg.xmp",
    ".jpg.XMP",
    ".jpg.json",
    ".json",
    ".jpg.supplemental-metadata.json",
    ".jpg(1).json",
    ".jpg.supp.json",
    ".txt",
)
names = st.builds(str.__add__, st.sampled_from(STEMS), st.sampled_from(ENDINGS))
directories = st.lists(names, unique=True, max_size=14)


@given(directories)
@example(["IMG(1).jpg", "IMG.jpg(1).json", "IMG.jpg"])
def test_related_names_suffice_for_pairing(there: list[str]) -> None:
    """A photo has the same sidecars among the related names as among all of the directory."""
    whole = pair(there, is_photo)
    for photo, sidecars in whole.items():
        assert pair(related(photo, there), is_photo)[photo] == sidecars


@given(directories)
@example(["IMG(1).jpg", "IMG.jpg(1).json", "IMG.jpg"])
def test_parts_of_a_directory_are_paired_as_the_whole(there: list[str]) -> None:
    """However small the parts, each photo has the same sidecars as among all of the directory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tagline.sync.observe.PART", 1)
        parts = [pair(part, is_photo) for part in apart(there)]
    together = {photo: sidecars for part in parts for photo, sidecars in part.items()}
    assert together == pair(there, is_photo)


@pytest.mark.parametrize("few", [0, 64])
@given(directories, names)
def test_every_photo_that_a_change_can_touch_is_found(
    few: int, there: list[str], name: str
) -> None:
    """Whether a file comes or goes, each photo whose sidecars differ by that is named."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tagline.sync.observe.FEW", few)
        without = [each for each in there if each != name]
        with_it = [*without, name]
        before, after = pair(without, is_photo), pair(with_it, is_photo)
        differing = {p for p in {*before, *after} if before.get(p) != after.get(p)}
        if few:
            assert differing <= photos_touched(name, with_it)
            assert differing <= photos_touched(name, without)
        else:
            own = {p for p in differing if p == name or name in vars_of(after.get(p))}
            assert own <= photos_touched(name, with_it)


def vars_of(sidecars: object) -> set[object]:
    """The names in a photo's sidecars; none for no photo."""
    return {getattr(sidecars, part, None) for part in ("xmp", "stem_xmp", "json")}


def test_what_may_matter() -> None:
    """Photos and what could be their sidecars matter, in any case; nothing else does."""
    assert all(map(may_matter, ("a.JPG", "a.Xmp", "a.jpg.JSON", "a.cr3")))
    assert not any(map(may_matter, ("a.mov", "json", "xmp", "a.txt", "a.xmp.bak")))


MOUNTS = r"""22 1 0:21 / /proc rw shared:1 - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 27 0:30 / /srv/nas rw - nfs4 nas:/x rw
31 30 0:31 / /srv/nas/disk rw - xfs /dev/vdb rw
32 27 0:32 / /mnt/two\040words rw - cifs //nas/x rw
33 27 0:33 / /home/photos/phone rw - fuse.sshfs phone: rw
34 27 0:34 / /mnt/usb rw - fuseblk /dev/sdc1 rw
35 27 0:35 / /mnt/over rw - nfs nas:/y rw
36 35 0:36 / /mnt/over rw - ext4 /dev/vdd rw
rubbish
"""


@pytest.mark.parametrize(
    ("directory", "kind"),
    [
        ("/var/photos", None),
        ("/srv/nas/photos", "nfs4"),
        ("/srv/nas/disk/photos", None),
        ("/mnt/two words/photos", "cifs"),
        ("/home/photos", "fuse.sshfs"),
        ("/home/photosphone", None),
        ("/mnt/usb/photos", None),
        ("/mnt/over/photos", None),
    ],
)
def test_remote_file_systems_are_told_by_their_type(directory: str, kind: str | None) -> None:
    """The mount that holds a directory counts, and every mount below it."""
    assert remote_file_system(Path(directory), MOUNTS) == kind


def test_without_mountinfo_nothing_is_remote() -> None:
    """Where the system does not say what is mounted, events are tried."""
    assert remote_file_system(Path("/photos"), "") is None


def test_paths_become_keys() -> None:
    """Paths below the root become keys, odd bytes escaped; the root is the empty key."""
    paths = {"/p/a.jpg", "/p/b/\udcff.jpg", "/px/c.jpg", "/p"}
    assert keys_of(paths, "/p") == {"a.jpg", "b/\\xff.jpg", ""}
    assert keys_of({"/a.jpg"}, "/") == {"a.jpg"}


def test_hints_are_narrow_where_possible() -> None:
    """Files are looked at by name, directories whole and once more later, hidden ones never."""
    storage = MemoryStorage({"a/b/1.jpg": b"", "c/2.jpg": b"", "a/x/3.jpg": b"", "a!/4.jpg": b""})
    keys = {
        "c/2.jpg",
        "c/gone.jpg",
        "a",
        "a/b",
        "a!",
        "a/b/1.jpg",
        ".hidden/x.jpg",
        "@eaDir",
        "e//f",
    }
    scopes, again = scopes_of(keys, storage)
    assert again == [Scope("a!", recursive=True), Scope("a", recursive=True)]
    assert scopes == [
        Scope("", names=frozenset({"a", "a!"})),
        Scope("c", names=frozenset({"2.jpg", "gone.jpg"})),
        *again,
    ]


def test_of_many_names_only_the_directory_is_told() -> None:
    """Where many files of a directory are told of, it is sooner listed."""
    scopes, _ = scopes_of([f"d/{number}.jpg" for number in range(100)], MemoryStorage())
    assert scopes == [Scope("d")]


def test_a_full_reconcile_is_due_at_once_and_after_each_pause() -> None:
    """The first is due at the start, the next when the pause is over, none meanwhile."""
    agenda = Agenda(now=100.0)
    assert agenda.full_is_due(100.0)
    agenda.begin_full()
    assert not agenda.full_is_due(1e9)
    agenda.end_full(150.0, 30.0)
    assert not agenda.full_is_due(179.0)
    assert agenda.wait_seconds(170.0) == 10.0
    assert agenda.full_is_due(180.0)


def test_after_a_storm_everything_is_compared_when_it_is_quiet() -> None:
    """Many paths in a short time bring a full reconcile a second after the last, or after ten."""
    agenda = Agenda(now=0.0)
    agenda.begin_full()
    agenda.end_full(0.0, 300.0)
    agenda.note_paths(4_000, 1.0, lost=False)
    assert not agenda.is_stormy
    agenda.note_paths(200, 2.0, lost=False)
    assert agenda.is_stormy
    agenda.note_paths(1, 2.5, lost=False)
    assert not agenda.full_is_due(3.4)
    assert agenda.full_is_due(3.5)
    for tenth in range(30, 200):
        agenda.note_paths(1_000, tenth / 10, lost=False)
    assert agenda.full_is_due(12.0)
    agenda.begin_full()
    assert not agenda.is_stormy


def test_slow_events_are_no_storm_and_lost_ones_are() -> None:
    """Few paths a second never add up to a storm; lost ones count whatever their number."""
    agenda = Agenda(now=0.0)
    for second in range(1_000):
        agenda.note_paths(300, float(second), lost=False)
    assert not agenda.is_stormy
    agenda.note_paths(0, 1_000.0, lost=True)
    assert agenda.is_stormy


def test_new_directories_are_walked_once_more() -> None:
    """A scope that was noted comes back once, a second later."""
    agenda = Agenda(now=0.0)
    agenda.begin_full()
    agenda.note_again([Scope("a"), Scope("a")], 5.0)
    assert agenda.take_again(5.9) == []
    assert agenda.wait_seconds(5.5) == 0.5
    assert agenda.take_again(6.0) == [Scope("a")]
    assert agenda.take_again(9.0) == []


def test_a_directory_counts_as_current_until_its_rows_or_files_change() -> None:
    """Neither another listing nor any change of rows is taken for the remembered one."""
    directories = Directories()
    directories.remember("a", 7, directories.changes("a") + 2, 3)
    assert directories.photos_if_current("a", 7) is None
    directories.note_changes(["a/1.jpg", "a/2.jpg", "b/3.jpg"])
    assert directories.photos_if_current("a", 7) == 3
    assert directories.photos_if_current("a", 8) is None
    assert directories.photos_if_current("b", 7) is None
    directories.spoil("a/1.jpg")
    assert directories.photos_if_current("a", 7) is None


def test_replacements_know_their_content() -> None:
    """Content counts as present while one of the photos has it."""
    replaced = Replacements()
    replaced.add("a", "x", "old")
    replaced.add("b", "x", "old")
    replaced.add("b", "y", "old")
    assert (sorted(replaced), len(replaced), "b" in replaced) == (["a", "b"], 2, True)
    assert replaced.have("x")
    replaced.discard("a")
    replaced.discard("a")
    assert not replaced.have("x")
    assert replaced.have("y")
    assert replaced.had("old")
    replaced.discard("b")
    assert not replaced.had("old")


def test_lost_rows_are_remembered_for_a_while() -> None:
    """Lost rows are found by content, the last one first, until they are too old or too many."""
    now = 0.0
    lost = LostRows(lambda: now)
    rows = [_state(f"id{n}", f"{n}.jpg", "x") for n in range(3)]
    for row in (*rows, rows[0]):
        lost.add(row)
    assert [row.id for row in lost.having("x")] == ["id0", "id2", "id1"]
    assert not list(lost.having("y"))
    now = 599.0
    assert len(list(lost.having("x"))) == 3
    now = 600.0
    assert not list(lost.having("x"))
    for number in range(MOST + 5):
        lost.add(_state(f"more{number}", "m.jpg", "y"))
    assert len(list(lost.having("y"))) == MOST
    assert not list(lost.having("x"))


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("xy"), st.sampled_from([0, 250])))
)
def test_lost_rows_agree_with_a_plain_list(steps: list[tuple[str, str, float]]) -> None:
    """Whatever is lost again with other content, and however time passes, none is mixed up."""
    now = 0.0
    lost = LostRows(lambda: now)
    expected: list[tuple[str, str, float]] = []
    for photo_id, fingerprint, seconds in steps:
        now += seconds
        expected = [each for each in expected if each[0] != photo_id]
        expected.append((photo_id, fingerprint, now))
        lost.add(_state(photo_id, f"{photo_id}.jpg", fingerprint))
        young = [each for each in reversed(expected) if now < each[2] + 600]
        for content in "xy":
            found = [(row.id, row.object_key, row.inode) for row in lost.having(content)]
            assert found == [(i, f"{i}.jpg", 7) for i, other, _ in young if other == content]
        for i in "abcd":
            assert lost.has(i, 300) == any(i == j and now < at + 300 for j, _, at in expected)


def _state(photo_id: str, object_key: str, fingerprint: str) -> IndexedState:
    file = IndexedFile(object_key, FileState(7, 1, 2, 3))
    return IndexedState(id=photo_id, object_key=object_key, fingerprint=fingerprint, files=(file,))
