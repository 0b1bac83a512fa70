"""Whatever changes, and between whichever steps: what is found is what looking at each gives."""

from itertools import islice

import msgspec
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tagline.api.filters import SearchQuery
from tagline.index import counting, open_index
from tagline.index.columns import facts_of
from tagline.index.steps import finish
from tagline.model import (
    IndexedPhoto,
    Metadata,
    Photo,
    PhotoQuery,
    Sort,
)
from tests.index import naive_finding as naive
from tests.rows import make_row

KEYS = [
    *"abcd", "a/b", "a/c/d", "a-b", "a0", "a/IMG_12.jpg", "a/c/IMG_123.JPG", 'q"', "Ä/straße.jpg",
    "京都/写真.jpg", "a/b/c", "ab/c", "b/ma\u0308r.jpg",
]  # fmt: skip
TEXTS = [
    None, "", "Oslo", "summer house", "Summer in Oslo", "house summer", "ÅLESUND 1974", "alesund",
    "京都の写真", "a|b", "\n", "\0 x", "under_score", "Ⅷ ﬁn", "नमस्ते",
]  # fmt: skip
KEYWORDS = [
    "Oslo", "oslo", "ÓSLO", "New  York", "new york", "c", "c++", "★", " ", "a\0b", "\u0301",
    "x\x1fy",
]  # fmt: skip
MOMENTS = [
    None, "0001-01-01T00:00:00.000000Z", "2019-07-01T00:00:00.000000Z",
    "2019-07-31T23:59:59.999999Z", "2019-08-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z",
]  # fmt: skip
BOUNDS = [
    "0001-01-01", "2019-07-01", "2019-07-31", "9999-12-31", "2019-08-01T02:00:00+02:00",
    "2019-07-31T23:59:59.999999Z", "2019-07-01T00:00:00.000001Z", "0001-01-01T00:00:00Z",
]  # fmt: skip
TYPES = ["image/jpeg", "image/png", "video/mp4"]

metadata = st.builds(
    Metadata,
    description=st.sampled_from(TEXTS),
    title=st.sampled_from(TEXTS),
    keywords=st.lists(st.sampled_from(KEYWORDS), max_size=3).map(tuple),
    rating=st.none() | st.integers(0, 5),
)
asked = st.fixed_dictionaries(
    {},
    optional={
        "q": st.sampled_from(
            ["os", "OSLO", '"summer house"', "summer house", '"sum', "IMG_12", '"img 12"', "京都",
             "alesund", "Å", "!", "", "strasse", "a b", "york", "写", "jpg c", "fin", "viii"]
        ),
        "folder": st.sampled_from(["", "a", "a/c", "a/", "Ä", "ab", "none"]),
        "subfolders": st.booleans(),
        "described": st.booleans(),
        "taken_from": st.sampled_from(BOUNDS),
        "taken_to": st.sampled_from(BOUNDS),
        "rating_min": st.integers(0, 5),
        "keyword": st.sampled_from([*KEYWORDS, "oslo ", "none"]),
        "media_type": st.sampled_from([*TYPES, "image/*", "audio/*"]),
    },
)  # fmt: skip


def described(pixels: int, key: str, said: Metadata, **members) -> IndexedPhoto:
    """A row of few kinds, that says something."""
    return make_row(pixels, key, metadata=said, **members)


rows = st.builds(
    described,
    st.integers(0, 40),
    st.sampled_from(KEYS),
    metadata,
    taken_at=st.sampled_from(MOMENTS),
    media_type=st.sampled_from(TYPES),
    last_modified=st.sampled_from([m for m in MOMENTS if m]),
)


class FindingMachine(RuleBasedStateMachine):
    """A photo index beside a dict of photos; a search may be half done while it changes."""

    @initialize(many=st.booleans())
    def start(self, many: bool) -> None:
        self.index = open_index(None)
        self.photos: dict[str, Photo] = {}
        self.halves: list = []
        if many:  # several chunks
            said = Metadata(description="one of many", keywords=("Oslo",))
            for start in range(0, 300, 100):
                self.put([self.one_of_many(n, said) for n in range(start, start + 100)])

    def one_of_many(self, n: int, said: Metadata) -> IndexedPhoto:
        month = f"{1990 + n % 30}-0{1 + n % 9}"
        return described(
            1000 + n, f"m/{n % 7}/{n}.jpg", said, media_type="image/png",
            taken_at=f"{month}-02T00:00:00.000000Z" if n % 5 else None,
            last_modified=f"2020-01-01T00:00:00.{n * 37 % 1000:06d}Z",
        )  # fmt: skip

    def put(self, put: list[IndexedPhoto]) -> None:
        new = list({r.photo.id: r for r in put}.values())
        keys = {r.photo.object_key for r in new}
        remove = [i for i, p in self.photos.items() if p.object_key in keys]
        self.index.apply(new, remove)
        for photo in remove:
            del self.photos[photo]
        self.photos.update((r.photo.id, r.photo) for r in new)

    @rule(put=st.lists(rows, max_size=5, unique_by=lambda r: r.photo.object_key))
    def apply(self, put: list[IndexedPhoto]) -> None:
        self.put(put)

    @rule(data=st.data(), said=metadata)
    def describe(self, data: st.DataObject, said: Metadata) -> None:
        if self.photos:
            photo = self.photos[data.draw(st.sampled_from(list(self.photos)))]
            new = msgspec.structs.replace(photo, metadata=said)
            row = self.index.get(photo.id)
            assert row is not None
            self.index.apply([msgspec.structs.replace(row, photo=new)])
            self.photos[photo.id] = new

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        some = data.draw(st.lists(st.sampled_from(["?", *self.photos]), max_size=3))
        self.index.apply([], some)
        for photo in some:
            self.photos.pop(photo, None)

    @rule()
    def reload(self) -> None:
        """Everything is derived anew from the same rows."""
        self.halves.clear()
        rows = [self.index.get(i) for i in self.photos]
        self.index = open_index(None)
        self.index.apply(row for row in rows if row is not None)

    @rule(wanted=asked, sort=st.sampled_from(Sort), steps=st.integers(1, 12))
    def begin(self, wanted: dict, sort: Sort, steps: int) -> None:
        """A search takes some steps and waits, while whatever comes next happens."""
        query = PhotoQuery(filter=SearchQuery(**wanted).searched(), sort=sort)
        search = self.index.catalogue.page(query)
        if len(list(islice(search, steps))) == steps:
            self.halves.append(search)

    @rule()
    def go_on(self) -> None:
        """It ends, whatever happened, and what it gives are photos that are there."""
        for search in self.halves:
            page = finish(search)
            assert set(page.ids) <= set(self.photos)
        self.halves.clear()

    @rule(
        wanted=asked,
        sort=st.sampled_from(["object_key", "taken_at", "last_modified"]),
        order=st.sampled_from(["asc", "desc"]),
        limit=st.sampled_from([1, 2, 300]),
    )
    def find(self, wanted: dict, sort: str, order: str, limit: int) -> None:
        """Pages by cursor, and pages by offset, together are all that match, in their order."""
        expected = [
            p.id
            for p in naive.listed(
                (p for p in self.photos.values() if naive.matches(p, self.meant(wanted))),
                sort,
                order,
            )
        ]
        query = PhotoQuery(
            limit=limit,
            filter=SearchQuery(**wanted).searched(),
            sort=Sort(sort),
            descending=order == "desc",
        )
        expected_pages = [expected[n : n + limit] for n in range(0, len(expected), limit)] or [[]]
        for number, ids in enumerate(expected_pages[:4]):
            page = self.index.page(query)
            assert list(page.ids) == ids
            assert (page.total, page.offset) == (len(expected), number * limit)
            by_offset = msgspec.structs.replace(query, after=None, offset=number * limit)
            assert self.index.page(by_offset) == page
            assert page.items == tuple(msgspec.json.encode(self.photos[i]) for i in ids)
            assert (page.next_key is None) == (number == len(expected_pages) - 1)
            query = msgspec.structs.replace(query, after=page.next_key)
            assert page.generation == self.index.generation

    def meant(self, wanted: dict) -> dict:
        """The parameters, without a slash behind the folder."""
        return wanted | ({"folder": wanted["folder"].strip("/")} if "folder" in wanted else {})

    @rule(
        wanted=asked, depth=st.none() | st.integers(0, 2), prefix=st.sampled_from(["", "Ó", "new"])
    )
    def count(self, wanted: dict, depth: int | None, prefix: str) -> None:
        """Folders, keywords and months are those of the photos that match."""
        found = [p for p in self.photos.values() if naive.matches(p, self.meant(wanted))]
        wanted_filter = SearchQuery(**wanted).searched()
        root = wanted_filter.folder or ""
        catalogue = self.index.catalogue

        def made(name, count):
            return finish(catalogue.made_of(wanted_filter, name, count))[1]

        folders = made(("folders", depth), counting.FolderCount(root, depth))
        expected = naive.folders(found, root, depth)
        assert [(f.folder, f.photos, f.photos_below) for f in folders] == expected
        keywords = made("keywords", counting.count_keywords)
        if prefix:
            folded = naive.keyword(prefix)
            keywords = finish(counting.beginning_with(folded, keywords))
        found_keywords = [(k.keyword, k.photos) for _, k in keywords]
        assert found_keywords == naive.keywords(found, prefix)
        undated, months = made("months", counting.count_months)
        assert (undated, [(m.month, m.photos) for m in months]) == naive.timeline(found)

    @invariant()
    def same_columns(self) -> None:
        """What was derived step by step is what is derived from nothing."""
        if not hasattr(self, "index"):
            return
        for chunk in self.index._order.chunks():
            if chunk.columns is not None:
                assert chunk.columns.members == chunk.members
                facts = [facts_of(msgspec.json.encode(self.photos[i])) for i in chunk.members]
                assert chunk.columns.facts() == facts


TestFinding = FindingMachine.TestCase
TestFinding.settings = settings(
    max_examples=30,
    stateful_step_count=25,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
