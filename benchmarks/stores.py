"""Stores of the same photos for the same work: Tagline's index, stock TinyDB and sqlite3."""

import json
import random
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import msgspec
from tinydb import TinyDB
from tinydb.table import Document

from tagline.index import open_index
from tagline.model import (
    FileState,
    IndexedFile,
    IndexedPhoto,
    Metadata,
    Photo,
    PhotoQuery,
    photo_id,
)

SEED = 1
CAMERAS = (("Canon", "Canon EOS 5D Mark IV"), ("NIKON CORPORATION", "NIKON D750"), ("Apple", "X"))


def make_row(number: int, total: int, description: str | None = None) -> IndexedPhoto:
    """A photo of a library of ``total``, in 20 years of twelve months."""
    random_ = random.Random(number * 31 + SEED)
    fingerprint = f"1:{random_.getrandbits(128):032x}"
    month = number * 240 // total
    key = f"{2000 + month // 12}/{month % 12 + 1:02d}/IMG_{number:07d}.jpg"
    make, model = random_.choice(CAMERAS)
    size, time_ns = random_.randrange(1 << 20, 1 << 23), random_.randrange(10**18, 2 * 10**18)
    photo = Photo(
        id=photo_id(fingerprint),
        object_key=key,
        metadata=Metadata(description=description),
        last_modified="2019-07-01T12:00:00.000000Z",
        media_type="image/jpeg",
        size=size,
        width=4000,
        height=3000,
        orientation=1,
        taken_at="2019-07-01T12:00:00.000000Z",
        taken_at_offset="+02:00",
        camera=model,
        make=make,
        model=model,
        lens="EF24-70mm f/2.8L II USM",
        gps=None,
        stored_in=(),
        description_sources=(),
        writable=True,
        problem=None,
        etag=f"{random_.getrandbits(96):024x}",
    )
    state = FileState(inode=number + 10**7, size=size, mtime_ns=time_ns, ctime_ns=time_ns)
    files = (IndexedFile(object_key=key, state=state),)
    return IndexedPhoto(photo=photo, fingerprint=fingerprint, files=files)


class Store(Protocol):
    """What is measured: the index work of Tagline, without waiting for the disk."""

    def put(self, rows: Iterable[IndexedPhoto]) -> None:
        """Store rows as one transaction."""

    def photo_json(self, photo_id: str) -> bytes:
        """A photo as JSON."""

    def page(self, offset: int) -> list[bytes]:
        """A hundred photos as JSON, by object key."""

    def close(self) -> None:
        """Close it."""


class Ours:
    """Tagline's index."""

    def __init__(self, directory: Path) -> None:
        self.index = open_index(directory)

    def put(self, rows: Iterable[IndexedPhoto]) -> None:
        """Store rows as one transaction."""
        self.index.apply(rows)

    def photo_json(self, photo_id: str) -> bytes:
        """A photo as JSON."""
        return self.index.photo_json(photo_id) or b""

    def page(self, offset: int) -> list[bytes]:
        """A hundred photos as JSON, by object key."""
        return list(self.index.page(PhotoQuery(offset=offset)).items)

    def close(self) -> None:
        """Close it."""
        self.index.close()


class Stock:
    """TinyDB as it comes: documents are dicts, the file is written whole."""

    def __init__(self, directory: Path) -> None:
        self.database = TinyDB(directory / "stock.json")

    def put(self, rows: Iterable[IndexedPhoto]) -> None:
        """Store rows as one transaction."""
        numbered = [(int(r.photo.id[:13].replace("-", ""), 16), r) for r in rows]
        if len(numbered) > 1:
            built = (Document(msgspec.to_builtins(r), doc_id=i) for i, r in numbered)
            self.database.insert_multiple(built)
        else:
            self.database.upsert(Document(msgspec.to_builtins(numbered[0][1]), numbered[0][0]))

    def photo_json(self, photo_id: str) -> bytes:
        """A photo as JSON."""
        found = self.database.get(doc_id=int(photo_id[:13].replace("-", ""), 16))
        return json.dumps(found["photo"]).encode()

    def page(self, offset: int) -> list[bytes]:
        """A hundred photos as JSON, by object key."""
        photos = sorted((d["photo"] for d in self.database), key=lambda p: p["object_key"])
        return [json.dumps(p).encode() for p in photos[offset : offset + 100]]

    def close(self) -> None:
        """Close it."""
        self.database.close()


class Sqlite:
    """sqlite3 in WAL mode: a row of columns, the photo as JSON, an index by key and fingerprint."""

    def __init__(self, directory: Path) -> None:
        self.db = sqlite3.connect(directory / "photos.sqlite")
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.execute(
            "CREATE TABLE IF NOT EXISTS photos (id TEXT PRIMARY KEY, object_key TEXT,"
            " fingerprint TEXT, files BLOB, photo BLOB)"
        )
        self.db.execute("CREATE INDEX IF NOT EXISTS by_key ON photos (object_key, id)")
        self.db.execute("CREATE INDEX IF NOT EXISTS by_fingerprint ON photos (fingerprint)")

    def put(self, rows: Iterable[IndexedPhoto]) -> None:
        """Store rows as one transaction."""
        encode = msgspec.json.encode
        with self.db:
            self.db.executemany(
                "INSERT OR REPLACE INTO photos VALUES (?, ?, ?, ?, ?)",
                (
                    (
                        p.photo.id,
                        p.photo.object_key,
                        p.fingerprint,
                        encode(p.files),
                        encode(p.photo),
                    )
                    for p in rows
                ),
            )

    def photo_json(self, photo_id: str) -> bytes:
        """A photo as JSON."""
        return self.db.execute("SELECT photo FROM photos WHERE id = ?", (photo_id,)).fetchone()[0]

    def page(self, offset: int) -> list[bytes]:
        """A hundred photos as JSON, by object key."""
        query = "SELECT photo FROM photos ORDER BY object_key, id LIMIT 100 OFFSET ?"
        return [row[0] for row in self.db.execute(query, (offset,))]

    def close(self) -> None:
        """Close it."""
        self.db.close()


STORES: dict[str, Callable[[Path], Store]] = {"tagline": Ours, "sqlite3": Sqlite, "tinydb": Stock}
