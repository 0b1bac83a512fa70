"""Whatever happens outside: after a reconcile the index is one built from nothing."""

import asyncio

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tagline.errors import ObjectUnreadable
from tagline.model import copy_id
from tagline.model.keys import directory_of, join, name_of
from tagline.storage import PhotoStorageProvider
from tagline.sync import Decoded, Observed, Reconciler, Scope, listing, looking, run
from tests.sync.worlds import World, fake_read, without_ids

DIRECTORIES = ("", "a", "a/b", "c", "x.jpg")
NAMES = ("1.jpg", "2.jpg", "2.JPG", "2.cr2", "e\u0301.png", "\u00e9.png", "x.jpg")
SIDECARS = ("1.jpg.xmp", "2.xmp", "2.jpg.json", "notes.txt", "1.xmp")

directories = st.sampled_from(DIRECTORIES)
photos = st.builds(join, directories, st.sampled_from(NAMES))
sidecars = st.builds(join, directories, st.sampled_from(SIDECARS))
texts = st.sampled_from(["", "|one", "|two"])


class Outside(RuleBasedStateMachine):
    """Other programs at work, and reconciles in between."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.world = World()
        self.touched: list[str] = []
        self.number = 0
        self.edited = False
        self.held: set[str] = set()

    def teardown(self) -> None:
        self.runner.run(self.world.close())
        self.runner.close()

    # -- what programs do ----------------------------------------------------------------------

    @property
    def files(self) -> dict[str, bytes]:
        storage = self.world.memory
        return {f.object_key: self.content(f.object_key) for f in storage.walk()}

    def content(self, key: str) -> bytes:
        with self.world.memory.open(key) as opened:
            return opened.read_at(0, opened.size)

    def can_be_file(self, key: str) -> bool:
        """Whether neither a directory has the key, nor a file that of one of its parents."""
        files = self.files
        parent = directory_of(key)
        while parent:
            if parent in files:
                return False
            parent = directory_of(parent)
        return not any(other.startswith(f"{key}/") for other in files)

    def put(self, key: str, data: bytes) -> None:
        if not self.can_be_file(key):
            return
        old = self.world.rows().get(key)
        self.world.memory.put(key, data)
        self.touched.append(key)
        if old is not None and directory_of(key) is not None:
            self.edited = True

    def new_pixels(self) -> str:
        self.number += 1
        return f"new {self.number}"

    @rule(key=photos, text=texts)
    def create(self, key: str, text: str) -> None:
        if key not in self.files and key not in self.world.rows():
            self.put(key, f"{self.new_pixels()}{text}".encode())

    @rule(key=sidecars, text=st.sampled_from(["s", "t"]))
    def write_sidecar(self, key: str, text: str) -> None:
        if self.can_be_file(key):
            self.world.memory.put(key, text.encode())
            self.touched.append(key)

    @rule(key=photos)
    def edit_pixels(self, key: str) -> None:
        self.put(key, self.new_pixels().encode())

    @rule(data=st.data(), text=texts)
    def describe(self, data: st.DataObject, text: str) -> None:
        if files := self.files:
            key = data.draw(st.sampled_from(sorted(files)))
            pixels = files[key].partition(b"|")[0]
            self.world.memory.put(key, pixels + text.encode())
            self.touched.append(key)

    @rule(data=st.data(), goal=photos, keep=st.booleans())
    def copy_or_move(self, data: st.DataObject, goal: str, keep: bool) -> None:
        files = self.files
        if not files or not self.can_be_file(goal):
            return
        source = data.draw(st.sampled_from(sorted(files)))
        if source == goal:
            return
        self.note_overwriting(source, goal)
        if keep:
            self.world.memory.put(goal, files[source])
        else:
            self.world.memory.rename(source, goal)
        self.touched += [source, goal]

    @rule(data=st.data())
    def swap(self, data: st.DataObject) -> None:
        files = sorted(self.files)
        if len(files) < 2:
            return
        one, other = data.draw(st.sampled_from(files)), data.draw(st.sampled_from(files))
        if one == other:
            return
        self.note_overwriting(one, other)
        self.note_overwriting(other, one)
        self.world.memory.rename(one, "swapping")
        self.world.memory.rename(other, one)
        self.world.memory.rename("swapping", other)
        self.touched += [one, other]

    def note_overwriting(self, source: str, target: str) -> None:
        """What the index never saw under another key cannot be told from an edit."""
        rows = self.world.rows()
        if target in rows and source not in rows:
            self.edited = True

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        if files := self.files:
            key = data.draw(st.sampled_from(sorted(files)))
            self.world.memory.delete(key)
            self.touched.append(key)

    @rule(source=directories, goal=directories)
    def move_directory(self, source: str, goal: str) -> None:
        nested = f"{goal}/".startswith(f"{source}/") or f"{source}/".startswith(f"{goal}/")
        if not source or not goal or nested or not self.world.memory.is_directory(source):
            return
        if goal in self.files or not self.can_be_file(f"{goal}/x"):
            return
        moved = {
            key: goal + key[len(source) :] for key in self.files if key.startswith(f"{source}/")
        }
        for old, new in moved.items():
            self.note_overwriting(old, new)
        self.world.memory.rename(source, goal)
        self.touched += [source, goal]

    # -- what is reconciled --------------------------------------------------------------------

    @rule(scoped=st.booleans(), data=st.data())
    def reconcile(self, scoped: bool, data: st.DataObject) -> None:
        if scoped:
            hints = data.draw(st.permutations(list(dict.fromkeys(self.touched))))
            for part in (hints[: len(hints) // 2], hints[len(hints) // 2 :]):
                self.run_reconcile(self.world.reconciler, part)
        else:
            self.run_reconcile(self.world.reconciler, None)
        self.touched.clear()
        self.check()

    @rule()
    def restart(self) -> None:
        self.runner.run(self.world.reconciler.close())
        self.world.reconciler = self.world.new_reconciler()

    @rule(barred=photos, scoped=st.booleans())
    def reconcile_with_an_error(self, barred: str, scoped: bool) -> None:
        """A photo that cannot be read for once is read by the next full reconcile."""

        def read(storage: PhotoStorageProvider, observed: Observed) -> Decoded:
            if observed.object_key == barred:
                raise ObjectUnreadable(barred, "input/output error")
            return fake_read(storage, observed)

        self.world.read = read
        self.run_reconcile(self.world.reconciler, list(self.touched) if scoped else None)
        self.world.read = fake_read
        if barred in self.touched:
            self.edited = True  # where its old content went may not be known any more
        self.run_reconcile(self.world.reconciler, None)
        self.touched.clear()
        self.check()

    @rule()
    def reconcile_in_many_ways_at_once(self) -> None:
        """Full and partial reconciles and single looks beside each other end as one alone."""
        reconciler, touched = self.world.reconciler, self.touched

        async def together() -> None:
            await asyncio.gather(
                reconciler.reconcile(),
                reconciler.reconcile(self.scopes(touched[: len(touched) // 2])),
                reconciler.reconcile(self.scopes(touched[len(touched) // 2 :])),
                reconciler.refresh(touched),
            )

        self.runner.run(together())
        self.touched.clear()
        self.check()

    def run_reconcile(self, reconciler: Reconciler, hints: list[str] | None) -> None:
        scopes = None if hints is None else self.scopes(hints)
        self.runner.run(reconciler.reconcile(scopes))

    def scopes(self, hints: list[str]) -> list[Scope]:
        near = [Scope(directory_of(k), names=frozenset({name_of(k)})) for k in hints]
        below = [Scope(k, recursive=True) for k in hints if self.world.memory.is_directory(k)]
        return near + below

    def check(self) -> None:
        rows, expected = self.world.rows(), self.world.expected()
        assert without_ids(rows) == without_ids(expected)
        assert len(self.world.index) == len(rows)
        if not self.edited:
            assert rows == expected
        for key, row in rows.items():
            id_ = row.photo.id
            if id_ != expected[key].photo.id:
                assert id_ in self.held or id_ == copy_id(row.fingerprint, key)
        self.held |= {row.photo.id for row in rows.values()}

    @precondition(lambda self: not self.touched)
    @rule()
    def reconcile_again(self) -> None:
        self.world.reads.clear()
        result = self.runner.run(self.world.reconciler.reconcile())
        assert (result.changed, self.world.reads) == (0, [])
        assert result.skipped == len(self.world.index)


Outside.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestOutside = Outside.TestCase


class Crowded(Outside):
    """The same, with directories of any size taken for large ones."""

    def __init__(self) -> None:
        self.patches = pytest.MonkeyPatch()
        for module in (listing, looking, run):
            self.patches.setattr(module, "LARGE", 0)
        super().__init__()

    def teardown(self) -> None:
        super().teardown()
        self.patches.undo()


Crowded.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestCrowded = Crowded.TestCase
