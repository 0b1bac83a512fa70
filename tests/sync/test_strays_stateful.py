"""However photos and sidecars are torn apart: what is shown follows from the disk alone."""

import asyncio

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tagline.model.keys import directory_of, name_of
from tagline.sync import Scope
from tests.sync.astray import StrayWorld, shown_by_the_rules, sidecar

PIXELS = ("red", "blue", "green")
PHOTOS = ("1.gif", "2.gif", "2.dng", "a/1.gif", "a/3.gif", "b/c/2.gif")
SIDECARS = tuple(f"{photo}{suffix}" for photo in PHOTOS for suffix in (".json", ".xmp"))
LOOSE = ("2.xmp", "a/lost.json", "b/other.xmp", "b/c/lost.json", "notes.json")
KEYS = (*PHOTOS, *SIDECARS, *LOOSE)

pixels = st.sampled_from(PIXELS)
sidecars = st.sampled_from((*SIDECARS, *LOOSE))


class TornApart(RuleBasedStateMachine):
    """Programs that know nothing of sidecars, and reconciles in between."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.world = StrayWorld()
        self.touched: list[str] = []
        self.number = 0

    def teardown(self) -> None:
        self.runner.run(self.world.close())
        self.runner.close()

    @property
    def files(self) -> list[str]:
        return sorted(found.object_key for found in self.world.memory.walk())

    def put(self, key: str, data: bytes) -> None:
        self.world.memory.put(key, data)
        self.touched.append(key)

    @rule(key=st.sampled_from(PHOTOS), image=pixels)
    def write_photo(self, key: str, image: str) -> None:
        self.put(key, image.encode())

    @rule(key=sidecars, image=pixels)
    def write_sidecar(self, key: str, image: str) -> None:
        self.number += 1
        suffix = ".xmp" if key.endswith(".xmp") else ".json"
        self.put(key, sidecar(image, f"text {self.number}", suffix))

    @rule(key=sidecars)
    def write_unmarked(self, key: str) -> None:
        self.put(key, b'{"title": "x", "description": "nobody\'s"}')

    @rule(data=st.data(), goal=st.sampled_from(KEYS))
    def move(self, data: st.DataObject, goal: str) -> None:
        if files := [key for key in self.files if (key in PHOTOS) == (goal in PHOTOS)]:
            source = data.draw(st.sampled_from(files))
            if source.rpartition(".")[2] == goal.rpartition(".")[2] and source != goal:
                self.world.memory.rename(source, goal)
                self.touched += [source, goal]

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        if files := self.files:
            key = data.draw(st.sampled_from(files))
            self.world.memory.delete(key)
            self.touched.append(key)

    @rule(source=st.sampled_from(["a", "b", "b/c"]), goal=st.sampled_from(["a", "d", "d/e"]))
    def move_directory(self, source: str, goal: str) -> None:
        memory = self.world.memory
        if memory.is_directory(source) and not memory.is_directory(goal):
            memory.rename(source, goal)
            self.touched += [source, goal]

    @rule(kind=st.sampled_from(["full", "scoped", "halves", "together"]))
    def reconcile(self, kind: str) -> None:
        hints, reconciler = list(dict.fromkeys(self.touched)), self.world.reconciler
        middle = len(hints) // 2
        if kind == "full":
            self.runner.run(reconciler.reconcile())
        elif kind == "scoped":
            self.runner.run(reconciler.reconcile(self.scopes(hints)))
        elif kind == "halves":
            self.runner.run(reconciler.reconcile(self.scopes(hints[middle:])))
            self.runner.run(reconciler.reconcile(self.scopes(hints[:middle])))
        else:
            self.runner.run(self.together(hints))
        self.touched.clear()
        self.check()

    async def together(self, hints: list[str]) -> None:
        reconciler, middle = self.world.reconciler, len(hints) // 2
        await asyncio.gather(
            reconciler.reconcile(),
            reconciler.reconcile(self.scopes(hints[:middle])),
            reconciler.reconcile(self.scopes(hints[middle:])),
            reconciler.refresh([key for key in hints if key in PHOTOS]),
        )

    def scopes(self, hints: list[str]) -> list[Scope]:
        near = [Scope(directory_of(k), names=frozenset({name_of(k)})) for k in hints]
        below = [Scope(k, recursive=True) for k in hints if self.world.memory.is_directory(k)]
        return near + below

    @rule()
    def restart(self) -> None:
        self.runner.run(self.world.reconciler.close())
        self.world.reconciler = self.world.new_reconciler()
        self.runner.run(self.world.reconciler.reconcile())
        self.touched.clear()
        self.check()

    def check(self) -> None:
        shown = {
            key: (row.photo.metadata.description, [file.object_key for file in row.files])
            for key, row in self.world.rows().items()
        }
        assert shown == shown_by_the_rules(self.world.memory)

    @precondition(lambda self: not self.touched)
    @rule()
    def reconcile_again(self) -> None:
        self.world.reads.clear()
        result = self.runner.run(self.world.reconciler.reconcile())
        assert (result.changed, result.late, self.world.reads) == (0, 0, [])
        assert result.skipped == len(self.world.index)


TornApart.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestTornApart = TornApart.TestCase
