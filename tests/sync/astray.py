"""A library of fake photos whose sidecars carry fingerprints, and what its index has to be."""

import json
from collections.abc import Iterable

from tagline.metadata.pairing import pair
from tagline.metadata.registry import is_photo
from tagline.metadata.strays import fingerprint_in, suffix_of
from tagline.model import IndexedFile
from tagline.model.keys import directory_of, join, name_of
from tagline.storage import PhotoStorageProvider
from tagline.sync import Decoded, Observed
from tests.sync.worlds import World, fake_photo, fingerprint_of


def sidecar(pixels: str, text: str, suffix: str = ".json") -> bytes:
    """A sidecar that was written for these pixels."""
    if suffix == ".json":
        own = {"version": 1, "fingerprint": fingerprint_of(pixels)}
        return json.dumps({"title": "x", "description": text, "tagline": own}).encode()
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Tagline">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:tagline="urn:tagline:xmp:1.0/">'
        f"<tagline:Text>{text}</tagline:Text>"
        f"<tagline:Fingerprint>{fingerprint_of(pixels)}</tagline:Fingerprint>"
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def read_astray(storage: PhotoStorageProvider, observed: Observed) -> Decoded:
    """Read a photo; its description is that of all sidecars that are not another photo's."""
    contents: list[tuple[IndexedFile, bytes]] = []
    for file in observed.files:
        with storage.open(file.object_key) as opened:
            content = opened.read_at(0, opened.size)
            contents.append((IndexedFile(file.object_key, opened.state), content))
    mark = fingerprint_of(contents[0][1].decode())
    stale: list[str] = []
    texts: list[str] = []
    for file, data in contents[1:]:
        if fingerprint_in(file.object_key, data) in {None, mark}:
            texts.append(data.decode())
        else:
            stale.append(file.object_key)
    files = tuple(file for file, _ in contents)
    photo = fake_photo(files[0], "\n".join(texts) or None)
    return Decoded(photo=photo, fingerprint=mark, files=files, stale=tuple(stale))


class StrayWorld(World):
    """A world with such photos and sidecars."""

    def __init__(self) -> None:
        super().__init__()
        self.read = read_astray

    def text(self, key: str) -> str | None:
        """The text that the index shows for a photo: that of its JSON sidecar."""
        return text_of(self.rows()[key].photo.metadata.description)


def text_of(description: str | None) -> str | None:
    """The text of the first JSON sidecar in what ``read_astray`` gives."""
    said = [json.loads(line) for line in (description or "").splitlines() if line[:1] == "{"]
    return said[0]["description"] if said else None


def shown_by_the_rules(storage: PhotoStorageProvider) -> dict[str, tuple[str | None, list[str]]]:
    """What each photo shows and the files it is read from: the rules, written down once more."""
    states = {found.object_key: found.state for found in storage.walk()}
    own: dict[str, list[str]] = {}
    for directory in {directory_of(key) for key in states}:
        names = [name_of(key) for key in states if directory_of(key) == directory]
        for name, found in pair(names, is_photo).items():
            sidecars = {found.xmp, found.stem_xmp, found.json} - {None}
            own[join(directory, name)] = sorted(join(directory, str(each)) for each in sidecars)
    marks = {key: fingerprint_of(_content(storage, key).decode()) for key in own}
    said = {key: fingerprint_in(key, _content(storage, key)) for key in states if suffix_of(key)}
    valid = {
        key: [each for each in sidecars if said[each] in {None, marks[key]}]
        for key, sidecars in own.items()
    }
    used = {each for sidecars in valid.values() for each in sidecars}
    strays = {key: mark for key, mark in said.items() if mark and key not in used}
    shown: dict[str, tuple[str | None, list[str]]] = {}
    for key, mark in marks.items():
        adopted = list(_adopted(key, valid[key], [s for s in strays if strays[s] == mark]))
        texts = [_content(storage, each).decode() for each in sorted([*valid[key], *adopted])]
        files = [key, *sorted([*own[key], *adopted])]
        shown[key] = "\n".join(texts) or None, files
    return shown


def _adopted(key: str, valid: list[str], strays: list[str]) -> Iterable[str]:
    for suffix in (".xmp", ".json"):
        if any(suffix_of(each) == suffix for each in valid):
            continue
        of_kind = [each for each in strays if suffix_of(each) == suffix]
        of_kind.sort(key=lambda each: (directory_of(each) != directory_of(key), each))
        yield from of_kind[:1]


def _content(storage: PhotoStorageProvider, key: str) -> bytes:
    with storage.open(key) as opened:
        return opened.read_at(0, opened.size)
