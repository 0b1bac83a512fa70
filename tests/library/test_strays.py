"""Sidecars that another program left behind: what is shown, and where an edit puts them."""

import json
from collections.abc import AsyncIterator
from io import BytesIO

import pytest
from PIL import Image

from tagline.errors import PhotoModified, StorageFull
from tagline.index import TinyPhotoIndex, open_index
from tagline.library import PhotoWriter, read_observed
from tagline.library.editing import Editor
from tagline.model import MetadataChange, Photo, Precondition
from tagline.storage import MemoryStorage
from tagline.sync import Reconciler

ANY = Precondition()


def gif(colour: str) -> bytes:
    """A small picture of one colour."""
    data = BytesIO()
    Image.new("RGB", (16, 12), colour).save(data, "GIF")
    return data.getvalue()


class Home:
    """An editor over photos in memory, and other programs that move them."""

    def __init__(self, mode: str = "embed") -> None:
        self.storage = MemoryStorage({"a.gif": gif("red"), "sub/other.gif": gif("blue")})
        self.index: TinyPhotoIndex = open_index(None)
        self.reconciler = Reconciler(self.storage, self.index, read_observed)
        writer = PhotoWriter(self.storage, mode, self.reconciler.strays)
        self.editor = Editor(self.storage, self.index, self.reconciler, writer)

    async def edit(self, key: str, precondition: Precondition = ANY, **fields: object) -> Photo:
        """Change fields of the photo that the index has at this key."""
        photo_id = self.photo(key).id
        return await self.editor.edit(photo_id, MetadataChange(**fields), precondition)

    async def move(self, *pairs: tuple[str, str]) -> None:
        """Rename files, and reconcile."""
        for old, new in pairs:
            self.storage.rename(old, new)
        await self.reconciler.reconcile()

    def photo(self, key: str) -> Photo:
        """The photo at this key, as clients see it."""
        row = self.index.by_key(key)
        assert row is not None
        return row.photo

    def text(self, key: str) -> str | None:
        """The description of the photo at this key."""
        return self.photo(key).metadata.description

    def said(self, key: str) -> dict[str, object]:
        """The content of a JSON file."""
        return json.loads(self.content(key))

    def content(self, key: str) -> bytes:
        """The bytes of a file."""
        with self.storage.open(key) as opened:
            return opened.read_at(0, opened.size)

    @property
    def keys(self) -> set[str]:
        """Every file."""
        return {found.object_key for found in self.storage.walk()}

    async def close(self) -> None:
        """End the threads."""
        await self.reconciler.close()
        self.index.close()


@pytest.fixture
async def home() -> AsyncIterator[Home]:
    """A red GIF that is described, and a blue one that is not."""
    made = Home()
    await made.reconciler.reconcile()
    await made.edit("a.gif", description="the red one", title="Red", rating=4)
    yield made
    await made.close()


SIDECARS = {"a.gif.json", "a.gif.xmp"}
OTHER = "sub/other.gif"


async def test_everything_said_follows_a_photo_that_is_moved_alone(home):
    """Fields, id and entity tag's content are those of before; both sidecars are still used."""
    before = home.photo("a.gif")
    await home.move(("a.gif", "sub/b.gif"))
    photo = home.photo("sub/b.gif")
    assert (photo.id, photo.metadata, photo.stored_in) == (
        before.id,
        before.metadata,
        before.stored_in,
    )
    assert home.keys == {"sub/b.gif", OTHER, *SIDECARS}


async def test_an_edit_brings_the_sidecars_home(home):
    """Tagline's own are renamed beside the photo, and keep every field that was not asked for."""
    await home.move(("a.gif", "sub/b.gif"))
    photo = await home.edit("sub/b.gif", description="new")
    assert photo.metadata.description == "new"
    assert (photo.metadata.title, photo.metadata.rating) == ("Red", 4)
    assert home.keys == {"sub/b.gif", "sub/b.gif.json", "sub/b.gif.xmp", OTHER}
    assert home.said("sub/b.gif.json")["title"] == "b.gif"


async def test_an_edit_that_changes_nothing_moves_nothing(home):
    """Asking for what is shown already leaves every file where it is."""
    await home.move(("a.gif", "sub/b.gif"))
    await home.edit("sub/b.gif", description="the red one")
    assert home.keys == {"sub/b.gif", OTHER, *SIDECARS}


async def test_a_refused_edit_moves_nothing(home):
    """Where the precondition does not hold, every file stays where it is."""
    await home.move(("a.gif", "sub/b.gif"))
    with pytest.raises(PhotoModified):
        await home.edit("sub/b.gif", Precondition(last_modified="1999-01-01"), description="x")
    assert home.keys == {"sub/b.gif", OTHER, *SIDECARS}


async def test_preconditions_hold_for_what_an_orphan_says(home):
    """The tag and the time that were shown with an orphan's text are those it is judged by."""
    await home.move(("a.gif", "sub/b.gif"))
    seen = home.photo("sub/b.gif")
    wanted = Precondition(if_match=(seen.etag,), last_modified=seen.last_modified)
    assert (await home.edit("sub/b.gif", wanted, description="x")).metadata.title == "Red"


async def test_a_removed_text_does_not_come_back_from_an_orphan(home):
    """Removing all fields of a moved photo removes Tagline's own sidecars, wherever they lie."""
    await home.move(("a.gif", "sub/b.gif"))
    photo = await home.edit("sub/b.gif", description=None, title=None, rating=None)
    assert photo.metadata.description is None
    assert home.keys == {"sub/b.gif", OTHER}


async def test_another_programs_orphan_stays_and_is_overruled(home):
    """A Takeout JSON that was described stays as it is; the photo gets sidecars of its own."""
    takeout = {"title": "a.gif", "description": "old", "people": [{"name": "Ada"}]}
    home.storage.put("a.gif.json", json.dumps(takeout).encode())
    home.storage.delete("a.gif.xmp")
    await home.reconciler.reconcile()
    await home.edit("a.gif", description="mine")
    home.storage.delete("a.gif.xmp")
    await home.move(("a.gif", "b.gif"))
    assert home.text("b.gif") == "mine"
    orphan = home.content("a.gif.json")
    assert (await home.edit("b.gif", description="newer")).metadata.description == "newer"
    assert home.content("a.gif.json") == orphan
    assert home.said("b.gif.json")["people"] == takeout["people"]
    assert (await home.edit("b.gif", description=None)).metadata.description is None
    await home.reconciler.reconcile()
    assert home.text("b.gif") is None
    assert home.content("a.gif.json") == orphan


@pytest.mark.parametrize("kind", ["json", "xmp"])
@pytest.mark.parametrize("text", ["mine", None])
async def test_a_renamed_album_keeps_what_was_written_into_others_sidecars(home, kind, text):
    """Without a mirror the edited sidecar is the one that moves, so nothing older comes back."""
    key = f"sub/other.gif.{kind}"
    theirs = home.content("a.gif.xmp").replace(b"the red one", b"theirs")
    if kind == "json":
        theirs = json.dumps({"title": "other.gif", "description": "theirs"}).encode()
    start, end = theirs.find(b"<tagline:F"), theirs.find(b"</tagline:Fingerprint>")
    if end > 0:
        theirs = theirs[:start] + theirs[end + len(b"</tagline:Fingerprint>") :]
    home.storage.put(key, theirs)
    await home.reconciler.reconcile()
    assert home.text(OTHER) == "theirs"
    await home.edit(OTHER, description=text)
    sidecars = [each for each in home.keys if each.startswith("sub/")]
    await home.move(*((each, each.replace("sub/", "moved/")) for each in sidecars))
    assert home.text("moved/other.gif") == text
    assert not any(b"hides" in home.content(each) for each in home.keys)
    await home.edit("moved/other.gif", description="again")
    await home.reconciler.reconcile()
    assert home.text("moved/other.gif") == "again"


async def test_copies_share_an_orphan_until_one_is_edited(home):
    """Each copy without sidecars shows it; an edit of one leaves it to the others."""
    home.storage.put("sub/copy.gif", gif("red"))
    await home.move(("a.gif", "b.gif"))
    assert home.text("b.gif") == home.text("sub/copy.gif") == "the red one"
    assert (await home.edit("b.gif", description=None)).metadata.description is None
    await home.reconciler.reconcile()
    assert (home.text("b.gif"), home.text("sub/copy.gif")) == (None, "the red one")
    assert home.keys >= SIDECARS
    await home.edit("b.gif", description="first")
    await home.edit("sub/copy.gif", description="second")
    assert (home.text("b.gif"), home.text("sub/copy.gif")) == ("first", "second")
    assert not home.keys & SIDECARS


async def test_a_stale_sidecar_goes_beside_its_own_photo(home):
    """Before another photo of the old name is described, the sidecars follow the first one."""
    await home.move(("a.gif", "sub/b.gif"), (OTHER, "a.gif"))
    assert (home.text("a.gif"), home.text("sub/b.gif")) == (None, "the red one")
    await home.edit("a.gif", description="the blue one")
    assert (home.text("a.gif"), home.text("sub/b.gif")) == ("the blue one", "the red one")
    assert home.keys == {"a.gif", *SIDECARS, "sub/b.gif", "sub/b.gif.json", "sub/b.gif.xmp"}


async def test_a_stale_sidecar_without_photo_goes_aside_and_is_still_found(home):
    """It gets a free name that says whose it is, and follows its photo when that comes back."""
    home.storage.put("kept.bin", gif("red"))
    home.storage.put("a.gif", gif("green"))
    await home.reconciler.reconcile()
    mark = home.said("a.gif.json")["tagline"]["fingerprint"][2:10]
    home.storage.put(f"a.gif.{mark}.json", b"somebody's")
    await home.edit("a.gif", description="the green one")
    aside = {f"a.gif.{mark}.2.json", f"a.gif.{mark}.xmp"}
    assert home.keys >= aside
    assert home.content(f"a.gif.{mark}.json") == b"somebody's"
    await home.move(("kept.bin", "sub/back.gif"))
    assert (home.text("a.gif"), home.text("sub/back.gif")) == ("the green one", "the red one")


async def test_two_photos_that_swapped_names_keep_their_texts(home):
    """Each shows the sidecar that has the other's name, and each can be edited."""
    await home.edit(OTHER, description="the blue one")
    await home.move(("a.gif", "x"), (OTHER, "a.gif"), ("x", OTHER))
    assert (home.text("a.gif"), home.text(OTHER)) == ("the blue one", "the red one")
    await home.edit("a.gif", description="still blue")
    await home.reconciler.reconcile()
    assert (home.text("a.gif"), home.text(OTHER)) == ("still blue", "the red one")
    await home.edit(OTHER, description="still red")
    await home.reconciler.reconcile()
    assert (home.text("a.gif"), home.text(OTHER)) == ("still blue", "still red")
    names = {f"{photo}{end}" for photo in ("a.gif", OTHER) for end in ("", ".json", ".xmp")}
    assert home.keys == names


async def test_own_sidecars_go_before_strays(home):
    """A photo that has a sidecar with its fingerprint shows nothing from elsewhere."""
    await home.move(("a.gif.xmp", "sub/old.xmp"))
    assert home.text("a.gif") == "the red one"
    home.storage.put("sub/older.json", home.content("a.gif.json").replace(b"red one", b"elder"))
    await home.reconciler.reconcile()
    assert home.text("a.gif") == "the red one"


async def test_a_full_disk_leaves_what_was_shown(home):
    """Where an edit of a moved photo fails, the old text is shown still, from wherever."""
    await home.move(("a.gif", "sub/b.gif"))
    home.storage.fail_next("replace", StorageFull("sub/b.gif.xmp"))
    with pytest.raises(StorageFull):
        await home.edit("sub/b.gif", description="too much")
    await home.reconciler.reconcile()
    assert home.text("sub/b.gif") == "the red one"


async def test_sidecars_that_come_home_by_hand_are_the_photos_own(home):
    """Moved beside the photo by a person, or deleted, they are followed too."""
    await home.move(("a.gif", "sub/b.gif"))
    await home.move(("a.gif.json", "sub/b.gif.json"), ("a.gif.xmp", "sub/b.gif.xmp"))
    assert home.text("sub/b.gif") == "the red one"
    assert home.index.by_key("sub/b.gif").adopted == ()
    await home.move(("sub/b.gif.json", "x.json"), ("sub/b.gif.xmp", "x.xmp"))
    assert home.text("sub/b.gif") == "the red one"
    home.storage.delete("x.json")
    home.storage.delete("x.xmp")
    await home.reconciler.reconcile()
    assert home.text("sub/b.gif") is None
