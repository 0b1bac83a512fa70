"""The photo index: every promise of the protocol, in memory and in a file."""

import random
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tagline.errors import IndexLocked
from tagline.index import IndexedState, PhotoIndex, RowChange, TinyPhotoIndex, open_index
from tagline.index.order import CHUNK
from tagline.index.photos import STEP
from tagline.model import (
    FileState,
    IndexedFile,
    IndexedPhoto,
    Metadata,
    PhotoQuery,
    copy_id,
)

UUID = "00000000-0000-4000-8000-00000000000"


@pytest.fixture(params=["memory", "file"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TinyPhotoIndex]:
    """An empty index."""
    opened = open_index(None if request.param == "memory" else tmp_path / "index")
    yield opened
    opened.close()


def ids_of(index: PhotoIndex, limit: int = 500, offset: int = 0) -> list[str]:
    """The ids of a page."""
    return list(index.page(PhotoQuery(limit=limit, offset=offset)).ids)


def state_of(row: IndexedPhoto) -> IndexedState:
    """What a reconcile would see of a row."""
    return IndexedState(
        id=row.photo.id,
        object_key=row.photo.object_key,
        fingerprint=row.fingerprint,
        files=row.files,
    )


def moved(row: IndexedPhoto, object_key: str, **changes: Any) -> IndexedPhoto:
    """The row under another key."""
    photo = msgspec.structs.replace(row.photo, object_key=object_key, **changes)
    files = tuple(IndexedFile(object_key=object_key, state=f.state) for f in row.files[:1])
    return IndexedPhoto(photo=photo, fingerprint=row.fingerprint, files=files)


def test_an_empty_index(index: TinyPhotoIndex) -> None:
    """An empty index has no photo, no page and no state."""
    assert len(index) == 0
    assert index.get("x") is None
    assert index.photo_json("x") is None
    assert index.by_key("x") is None
    assert index.by_fingerprint("1:0") == []
    assert index.page(PhotoQuery()).items == ()
    assert list(index.states()) == []
    assert index.recovered is None


def test_a_row_comes_back_as_it_was_stored(index: TinyPhotoIndex, row) -> None:
    """By id, key and fingerprint, a row is equal to the one that was stored."""
    sidecar = IndexedFile(
        object_key="a/ä\n.jpg.xmp", state=FileState(inode=1, size=2, mtime_ns=-3, ctime_ns=4)
    )
    one = row(1, "a/ä\n.jpg", metadata=Metadata(description='"☃"\n'), width=3)
    one = msgspec.structs.replace(one, files=(*one.files, sidecar))
    index.apply([one])
    assert index.get(one.photo.id) == one
    assert index.by_key("a/ä\n.jpg") == one
    assert index.by_fingerprint(one.fingerprint) == [state_of(one)]
    assert list(index.states()) == [state_of(one)]


def test_json_is_exactly_the_photo(index: TinyPhotoIndex, row) -> None:
    """A photo's JSON has the members of Photo, in their order, and nothing else."""
    index.apply([row(1)])
    data = index.photo_json(row(1).photo.id)
    assert data == msgspec.json.encode(row(1).photo)
    assert index.page(PhotoQuery()).items == (data,)


def test_pages_are_sorted_by_code_point(index: TinyPhotoIndex, row) -> None:
    """Pages go by object key, code point by code point, whatever is in the keys."""
    keys = ["Z.jpg", "a.jpg", "a/b.jpg", "a-b.jpg", "ä.jpg", "z.jpg", "\U0001f4f7", "\uffee"]
    keys += ['"q".jpg', "\\x41.jpg", "a.jpg2", "a\x01.jpg", "😀/1", "~"]
    rows = [row(n, k) for n, k in enumerate(keys)]
    index.apply(rows)
    expected = [r.photo.id for r in sorted(rows, key=lambda r: r.photo.object_key)]
    assert ids_of(index) == expected
    assert [s.id for s in index.states()] == expected
    for one in rows:
        assert index.by_key(one.photo.object_key) == one
        assert index.by_key(one.photo.object_key + "x") is None
    for key in ("", "a", "a.jp", "a/", "a.jpg\0", "\\x41"):
        assert index.by_key(key) is None


def test_pages_by_offset(index: TinyPhotoIndex, row) -> None:
    """Any offset and limit give that part of the sorted photos, and the total."""
    count = 3 * CHUNK
    rows = [row(n, f"{n:05d}.jpg") for n in range(count)]
    shuffled = random.Random(1).sample(rows, count)
    for start in range(0, count, 100):
        index.apply(shuffled[start : start + 100])
    for offset, limit in ((0, 3), (CHUNK - 2, 5), (count - 2, 10), (count, 1), (9999, 1), (7, 0)):
        page = index.page(PhotoQuery(offset=offset, limit=limit))
        expected = rows[offset : offset + limit]
        assert (page.total, page.offset, page.limit) == (count, offset, limit)
        assert list(page.items) == [msgspec.json.encode(r.photo) for r in expected]
        assert ids_of(index, limit, offset) == [r.photo.id for r in expected]


def test_put_replaces_and_remove_removes(index: TinyPhotoIndex, row) -> None:
    """A row stored again is the new one everywhere; a removed one is nowhere."""
    index.apply([row(n, f"{n}.jpg") for n in range(5)])
    index.apply([moved(row(1), "z.jpg", etag="new")], remove=[row(3).photo.id, "unknown"])
    order = [row(n).photo.id for n in (0, 2, 4, 1)]
    assert ids_of(index) == order
    assert len(index) == 4
    assert index.by_key("1.jpg") is None
    assert index.by_key("3.jpg") is None
    assert index.get(row(3).photo.id) is None
    assert index.by_fingerprint(row(3).fingerprint) == []
    assert [s.object_key for s in index.by_fingerprint(row(1).fingerprint)] == ["z.jpg"]


def test_a_key_may_go_to_another_id(index: TinyPhotoIndex, row) -> None:
    """A row may come back under the same key with another id when its old id goes with it."""
    index.apply([row(1, "a.jpg"), row(2, "b.jpg")])
    index.apply([row(3, "a.jpg")], remove=[row(1).photo.id])
    found = index.by_key("a.jpg")
    assert found == row(3, "a.jpg")
    assert ids_of(index) == [row(3).photo.id, row(2).photo.id]


def test_two_photos_may_swap_their_keys(index: TinyPhotoIndex, row) -> None:
    """Keys that are swapped in one transaction are right afterwards."""
    index.apply([row(1, "a.jpg"), row(2, "b.jpg")])
    index.apply([row(1, "b.jpg"), row(2, "a.jpg")])
    assert ids_of(index) == [row(2).photo.id, row(1).photo.id]
    assert index.by_key("a.jpg") == row(2, "a.jpg")


def test_removed_and_put_at_once_is_put(index: TinyPhotoIndex, row) -> None:
    """Removal comes first: an id that is removed and stored in one call is there."""
    index.apply([row(1, "a.jpg")])
    index.apply([row(1, "b.jpg")], remove=[row(1).photo.id])
    assert index.get(row(1).photo.id) == row(1, "b.jpg")
    assert len(index) == 1


def test_copies_share_a_fingerprint(index: TinyPhotoIndex, row) -> None:
    """All rows of a fingerprint are found, whatever their ids, sorted by key, while they last."""
    one = row(1, "m.jpg")
    copies = [moved(one, k, id=copy_id(one.fingerprint, k)) for k in ("z.jpg", "a.jpg")]
    edited = msgspec.structs.replace(row(2, "e.jpg"), fingerprint="1:new")
    index.apply([one, *copies, edited])
    same = index.by_fingerprint(one.fingerprint)
    assert [s.object_key for s in same] == ["a.jpg", "m.jpg", "z.jpg"]
    assert [s.id for s in index.by_fingerprint("1:new")] == [edited.photo.id]
    assert index.by_fingerprint(row(2).fingerprint) == []
    index.apply([row(2, "e.jpg")], remove=[copies[1].photo.id])
    assert [s.object_key for s in index.by_fingerprint(one.fingerprint)] == ["m.jpg", "z.jpg"]
    assert index.by_fingerprint("1:new") == []
    index.apply([], remove=[copies[0].photo.id, one.photo.id])
    assert index.by_fingerprint(one.fingerprint) == []
    assert list(index.alike(one.fingerprint)) == []


TREE = ["a.jpg", "a/1.jpg", "a/b/2.jpg", "a/b/c/3.jpg", "a/b.jpg", "a/b0.jpg", "a/z.jpg"]
TREE += ["a-b/4.jpg", "ab/5.jpg", "b/6.jpg", "a.d/7.jpg"]


def test_states_of_a_directory(index: TinyPhotoIndex, row) -> None:
    """States go below a directory or directly in it, and to no other of a similar name."""
    index.apply([row(n, k) for n, k in enumerate(TREE)])

    def keys(directory: str, *, recursive: bool) -> list[str]:
        return [s.object_key for s in index.states(directory, recursive=recursive)]

    for directory in ("", "a", "a/b", "a/b/c", "ab", "b", "none", "a.jpg", "zz"):
        start = f"{directory}/" if directory else ""
        below = sorted(k for k in TREE if k.startswith(start))
        direct = [k for k in below if "/" not in k[len(start) :]]
        assert keys(directory, recursive=True) == below
        assert keys(directory, recursive=False) == direct


def test_states_survive_changes(index: TinyPhotoIndex, row) -> None:
    """Rows may be added, moved and removed between two steps; the untouched ones are all given."""
    count = 5 * STEP
    index.apply([row(n, f"{n:05d}.jpg") for n in range(count)])
    seen: list[str] = []
    for number, state in enumerate(index.states()):
        seen.append(state.object_key)
        if number % 50 == 0:
            victim = (number * 7 + 300) % count
            index.apply([row(9000 + number, f"{number:05d}-new.jpg")])
            if victim % 2:
                index.apply([], remove=[row(victim).photo.id])
            else:
                index.apply([row(victim, f"x{victim}.jpg")])
    touched = {f"{(n * 7 + 300) % count:05d}.jpg" for n in range(0, len(seen), 50)}
    untouched = [f"{n:05d}.jpg" for n in range(count) if f"{n:05d}.jpg" not in touched]
    assert seen == sorted(seen)
    assert len(set(seen)) == len(seen)
    assert set(untouched) <= set(seen)


def test_ids_that_are_no_uuids(index: TinyPhotoIndex, row) -> None:
    """Ids of any form and length are stored, sorted and found."""
    rows = [
        row(n, f"{9 - n}.jpg", id=i) for n, i in enumerate(["", "a", 'q"', UUID + "1", "ä" * 36])
    ]
    index.apply(rows)
    assert ids_of(index) == [r.photo.id for r in reversed(rows)]
    for one in rows:
        assert index.get(one.photo.id) == one
        assert index.by_key(one.photo.object_key) == one
        assert index.by_fingerprint(one.fingerprint) == [state_of(one)]


def test_nothing_to_do_writes_nothing(tmp_path: Path, row) -> None:
    """A transaction that changes nothing leaves the file alone."""
    index = open_index(tmp_path)
    index.apply([row(1)])
    before = (tmp_path / "photos.jsonl").read_bytes()
    index.apply([], remove=["unknown"])
    index.apply([row(1)])
    assert (tmp_path / "photos.jsonl").read_bytes() == before
    index.close()


def test_reopening_finds_the_same_index(tmp_path: Path, row) -> None:
    """After closing, and after a compaction, everything is found as it was left."""
    directory = tmp_path / "new" / "index"
    index = open_index(directory)
    rows = [row(n) for n in range(300)]
    rows.append(moved(rows[5], "copy.jpg", id=copy_id(rows[5].fingerprint, "copy.jpg")))
    index.apply(random.Random(2).sample(rows, len(rows)))
    index.apply([row(7, "moved.jpg")], remove=[row(9).photo.id])
    expected = list(index.states()), index.page(PhotoQuery(limit=500)).items
    for _ in range(2):
        index.close()
        index = open_index(directory)
        assert (list(index.states()), index.page(PhotoQuery(limit=500)).items) == expected
        assert len(index.by_fingerprint(rows[5].fingerprint)) == 2
        index.sync()
        index._storage.compact()
    index.close()
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_history_is_compacted_when_asked(tmp_path: Path, row) -> None:
    """An index that is mostly history becomes small again, and stays right."""
    index = open_index(tmp_path)
    for number in range(400):
        index.apply([row(n, size=number) for n in range(20)])
    size = (tmp_path / "photos.jsonl").stat().st_size
    index.compact_if_needed()
    assert (tmp_path / "photos.jsonl").stat().st_size < size / 50
    index.close()
    index = open_index(tmp_path)
    rows = [row(n, size=399) for n in range(20)]
    assert [index.get(r.photo.id) for r in rows] == rows
    index.close()


def test_a_damaged_index_begins_empty_and_says_so(tmp_path: Path, row) -> None:
    """A damaged file does not keep the index from opening; it is empty, and says why."""
    index = open_index(tmp_path)
    index.apply([row(1)])
    index.apply([row(2)])
    index.close()
    path = tmp_path / "photos.jsonl"
    path.write_bytes(path.read_bytes().replace(b"IMG_0001", b"IMG_0009"))
    index = open_index(tmp_path)
    assert len(index) == 0
    assert index.recovered is not None
    assert "photos.jsonl.damaged-1" in index.recovered
    index.apply([row(1)])
    index.close()
    index = open_index(tmp_path)
    assert (len(index), index.recovered) == (1, None)
    index.close()


def test_one_process_at_a_time(tmp_path: Path) -> None:
    """An index that is open cannot be opened again."""
    index = open_index(tmp_path)
    with pytest.raises(IndexLocked):
        open_index(tmp_path)
    index.close()
    open_index(tmp_path).close()


def test_a_row_without_its_photo_is_refused(index: TinyPhotoIndex, row) -> None:
    """A row whose first file is not the photo is refused, and nothing of its transaction stays."""
    for files in ((), row(2, "other.jpg").files):
        with pytest.raises(ValueError, match="first file"):
            index.apply([row(1), msgspec.structs.replace(row(2), files=files)])
    assert len(index) == 0


def test_listeners_are_told_what_a_transaction_changed(
    index: TinyPhotoIndex, row: Callable[..., IndexedPhoto]
) -> None:
    """New, changed, moved and removed photos, when the index holds them; and nothing else."""
    told: list[list[RowChange]] = []
    rows = [row(n) for n in range(3)]
    index.apply(rows[:1])
    index.listen(lambda changes: told.append(list(changes)))
    index.apply(rows[:1])
    touched = FileState(inode=9, size=9, mtime_ns=9, ctime_ns=9)
    files = (IndexedFile(object_key=rows[0].photo.object_key, state=touched),)
    index.apply([msgspec.structs.replace(rows[0], files=files)])
    index.apply([], ["unknown"])
    assert told == []
    first, second = (each.photo.id for each in rows[:2])
    before = index.photo_json(first)
    index.apply([moved(rows[0], "elsewhere.jpg"), rows[1]])
    after = index.photo_json(first)
    assert told == [
        [RowChange(first, before, after), RowChange(second, None, index.photo_json(second))]
    ]
    index.apply([], [first])
    assert told[1:] == [[RowChange(first, after, None)]]
