"""Photos that move with sidecars which a mirror hides: what was acknowledged stays shown."""

import json
import os
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tagline.config.mirroring import is_sidecar_name
from tagline.index import open_index
from tagline.library import PhotoWriter, Target, read_observed
from tagline.library.editing import Editor
from tagline.library.verifying import verify
from tagline.model import MetadataChange, Photo, Precondition
from tagline.storage import LocalStorage, Mirror, MirroredStorage
from tagline.sync import Reconciler

XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
    'xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" crs:Exposure2012="+0.35" '
    'xmp:Rating="2"><dc:description><rdf:Alt><rdf:li xml:lang="x-default">{}</rdf:li></rdf:Alt>'
    "</dc:description></rdf:Description></rdf:RDF></x:xmpmeta>"
)


def foreign(kind: str, text: str = "T1") -> str:
    """What another program wrote beside a photo: its XMP, or Takeout's JSON."""
    if kind == "xmp":
        return XMP.format(text)
    return json.dumps({"title": "a.gif", "description": text, "people": [{"name": "Ada"}]})


class Apart:
    """Photos that are never written, a mirror, and an editor over both."""

    def __init__(self, directory: Path) -> None:
        self.photos, self.mirror = directory / "photos", directory / "sidecars"
        (self.photos / "sub").mkdir(parents=True)
        self.mirror.mkdir()
        self.picture("sub/a.gif")
        self.begin()

    def begin(self) -> None:
        """Start with an index that knows nothing."""
        photos = LocalStorage(self.photos)
        self.storage = MirroredStorage(photos, Mirror(self.mirror), is_sidecar_name, protect=True)
        self.index = open_index(None)
        self.reconciler = Reconciler(self.storage, self.index, read_observed)
        writer = PhotoWriter(self.storage, "sidecar", self.reconciler.strays)
        self.editor = Editor(self.storage, self.index, self.reconciler, writer)

    def picture(self, key: str, colour: str = "red") -> None:
        """Make a small GIF."""
        made = BytesIO()
        Image.new("RGB", (16, 12), colour).save(made, "GIF")
        (self.photos / key).parent.mkdir(exist_ok=True)
        (self.photos / key).write_bytes(made.getvalue())

    async def look(self) -> None:
        """Bring the index up to date, with an index made anew as well."""
        await self.reconciler.reconcile()
        known = self.texts()
        await self.close()
        self.begin()
        await self.reconciler.reconcile()
        assert self.texts() == known

    async def move(self, old: str, new: str) -> None:
        """Rename a file or a directory among the photos."""
        (self.photos / old).rename(self.photos / new)
        await self.look()

    async def edit(self, key: str, **fields: object) -> Photo:
        """Change fields of a photo; all that is shown then is as it was but for these."""
        before = self.photo(key).metadata
        change = MetadataChange(**fields)
        photo = await self.editor.edit(self.photo(key).id, change, Precondition())
        for name in ("description", "title", "rating"):
            assert getattr(photo.metadata, name) == fields.get(name, getattr(before, name))
        await self.look()
        assert self.photo(key).metadata == photo.metadata
        return photo

    def photo(self, key: str) -> Photo:
        """The photo at a key."""
        row = self.index.by_key(key)
        assert row is not None
        return row.photo

    def texts(self) -> dict[str, str | None]:
        """Every description by key."""
        rows = [self.index.by_key(state.object_key) for state in self.index.states()]
        return {row.photo.object_key: row.photo.metadata.description for row in rows if row}

    def mirrored(self) -> set[str]:
        """The files of the mirror that say something."""
        return {
            path.relative_to(self.mirror).as_posix()
            for path in self.mirror.rglob("*")
            if path.is_file() and path.stat().st_size and not path.name.startswith(".")
        }

    async def close(self) -> None:
        """End the threads."""
        await self.reconciler.close()
        self.index.close()


@pytest.fixture
async def apart(tmp_path: Path) -> AsyncIterator[Apart]:
    """A photo in a directory, and an empty mirror."""
    made = Apart(tmp_path)
    yield made
    await made.close()


@pytest.fixture(params=["xmp", "json", "own"])
async def hidden(apart: Apart, request: pytest.FixtureRequest) -> str:
    """Sidecars beside the photo that say T1: another program's, or Tagline's from before."""
    kind: str = request.param
    if kind == "own":
        storage = LocalStorage(apart.photos)
        PhotoWriter(storage).edit(
            Target(object_key="sub/a.gif"), MetadataChange(description="T1"), Precondition()
        )
    else:
        (apart.photos / "sub" / f"a.gif.{kind}").write_text(foreign(kind))
    await apart.look()
    assert apart.texts() == {"sub/a.gif": "T1"}
    return kind


async def test_a_renamed_album_shows_what_was_written_apart(apart, hidden):
    """The sidecars that were hidden and moved with the photo stay hidden."""
    await apart.edit("sub/a.gif", description="T2")
    await apart.move("sub", "moved")
    assert apart.texts() == {"moved/a.gif": "T2"}
    await apart.edit("moved/a.gif", title="a title")
    assert apart.mirrored() == {"moved/a.gif.json", "moved/a.gif.xmp"}
    await apart.edit("moved/a.gif", description="T3")
    await apart.move("moved", "sub")
    assert apart.texts() == {"sub/a.gif": "T3"}
    await apart.edit("sub/a.gif", description="T4")
    await apart.move("sub", "again")
    assert apart.texts() == {"again/a.gif": "T4"}
    await apart.edit("again/a.gif", description="T1")
    assert apart.mirrored() == {"again/a.gif.json", "again/a.gif.xmp"}


async def test_a_removed_text_stays_removed_where_the_album_is_renamed(apart, hidden):
    """What was removed apart is not brought back by the sidecar that still says it."""
    await apart.edit("sub/a.gif", description=None)
    await apart.move("sub", "moved")
    assert apart.texts() == {"moved/a.gif": None}
    await apart.edit("moved/a.gif", rating=4)
    await apart.edit("moved/a.gif", description="T3")
    await apart.edit("moved/a.gif", description=None)
    await apart.move("moved", "sub")
    assert apart.texts() == {"sub/a.gif": None}


async def test_what_another_program_says_anew_is_shown_after_a_rename(apart, hidden):
    """A hidden sidecar that says something else since counts where nothing hides it any more."""
    await apart.edit("sub/a.gif", description="T2")
    for path in (apart.photos / "sub").glob("a.gif.*"):
        path.write_bytes(path.read_bytes().replace(b"T1", b"newer"))
        os.utime(path, (1, 1))
    await apart.look()
    assert apart.texts() == {"sub/a.gif": "T2"}
    found = {each.object_key for each in verify(apart.storage, None) if "hidden" in each.kind}
    assert found == {f"sub/{path.name}" for path in (apart.photos / "sub").glob("a.gif.*")}
    await apart.move("sub", "moved")
    assert apart.texts() == {"moved/a.gif": "newer"}
    await apart.edit("moved/a.gif", description="T3")
    await apart.move("moved", "third")
    assert apart.texts() == {"third/a.gif": "T3"}
    await apart.move("third", "sub")
    assert apart.texts() == {"sub/a.gif": "T3"}


async def test_a_hidden_sidecar_that_says_more_of_other_things_stays_hidden(apart):
    """Development settings that a program writes, and its stars, bring no old text back."""
    theirs = apart.photos / "sub" / "a.gif.xmp"
    theirs.write_text(foreign("xmp"))
    await apart.look()
    await apart.edit("sub/a.gif", description="T2")
    theirs.write_text(foreign("xmp").replace("+0.35", "+1.00").replace('"2"', '"5"'))
    await apart.move("sub", "moved")
    assert apart.texts() == {"moved/a.gif": "T2"}


async def test_a_photo_that_moves_alone_takes_its_text_along(apart, hidden):
    """Where the hidden sidecar stays behind, it is hidden there still."""
    await apart.edit("sub/a.gif", description="T2")
    (apart.photos / "moved").mkdir()
    await apart.move("sub/a.gif", "moved/b.gif")
    assert apart.texts() == {"moved/b.gif": "T2"}
    await apart.edit("moved/b.gif", description="T3")
    assert apart.mirrored() == {"moved/b.gif.json", "moved/b.gif.xmp"}
    apart.picture("sub/a.gif", "blue")
    await apart.look()
    assert apart.texts()["moved/b.gif"] == "T3"
    assert apart.texts()["sub/a.gif"] not in {"T2", "T3"}


async def test_copies_keep_what_was_written_of_them(apart, hidden):
    """A copy that was edited has its own text; another one with the same sidecar shares."""
    await apart.edit("sub/a.gif", description="T2")
    for name in ("copy", "other"):
        (apart.photos / name).mkdir()
        for path in (apart.photos / "sub").iterdir():
            (apart.photos / name / path.name).write_bytes(path.read_bytes())
    await apart.look()
    assert apart.texts() == {"sub/a.gif": "T2", "copy/a.gif": "T1", "other/a.gif": "T1"}
    await apart.edit("copy/a.gif", description="T3")
    await apart.move("sub", "moved")
    assert apart.texts() == {"moved/a.gif": "T2", "copy/a.gif": "T3", "other/a.gif": "T2"}
    await apart.edit("moved/a.gif", description="T1")
    await apart.edit("copy/a.gif", description="T1")
    assert apart.texts() == {"moved/a.gif": "T1", "copy/a.gif": "T1", "other/a.gif": "T2"}
    await apart.edit("other/a.gif", description="T4")
    assert not any(key.startswith("sub") for key in apart.mirrored())
