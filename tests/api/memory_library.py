"""A library in memory with the interface of the real one, for tests of the API alone."""

import asyncio
import io
import uuid
from datetime import timedelta

import msgspec
from msgspec import UNSET

from tagline.errors import (
    InvalidPassword,
    InvalidToken,
    PhotoModified,
    PhotoNotFound,
    PreconditionFailed,
    TooManyAttempts,
)
from tagline.library import (
    Health,
    RescanError,
    RescanProgress,
    RescanResult,
    TokenPair,
    WatcherHealth,
)
from tagline.library.health import IndexHealth, ScanHealth, StorageHealth
from tagline.model import (
    FileState,
    Metadata,
    MetadataChange,
    Page,
    Photo,
    PhotoQuery,
    Precondition,
    with_etag,
)
from tagline.pictures.recipe import Recipe, Subject, Wanted
from tagline.pictures.service import Picture

PASSWORD = "open sesame"
NAMESPACE = uuid.UUID(int=7)


class MemoryObject:
    """An open object over bytes."""

    def __init__(self, data: bytes, mtime_ns: int, file=None) -> None:
        self.file = file or io.BytesIO(data)
        self.size = len(data)
        self.state = FileState(1, len(data), mtime_ns, mtime_ns)
        self.links = 1
        self.closed = asyncio.Event()

    def close(self) -> None:
        self.closed.set()
        self.file.close()


def photo_of(name: str, data: bytes = b"", **members) -> Photo:
    """A photo with some members filled in."""
    made = Photo(
        **{
            "id": str(uuid.uuid5(NAMESPACE, name)),
            "object_key": name,
            "metadata": Metadata(),
            "last_modified": "2024-05-01T12:34:56.789012Z",
            "media_type": "image/jpeg",
            "size": len(data),
            "width": 2,
            "height": 1,
            "orientation": None,
            "taken_at": None,
            "taken_at_offset": None,
            "camera": None,
            "make": None,
            "model": None,
            "lens": None,
            "gps": None,
            "stored_in": (),
            "description_sources": (),
            "writable": True,
            "not_embedded": None,
            "problem": None,
            "etag": "",
        }
        | members
    )
    return with_etag(made, name)


class MemoryLibrary:
    """Photos, sessions and scans in memory; ``failure`` is raised by every method when set."""

    def __init__(self) -> None:
        self.photos: dict[str, Photo] = {}
        self.data: dict[str, bytes] = {}
        self.sessions: dict[str, TokenPair] = {}
        self.opened: list[MemoryObject] = []
        self.failure: Exception | None = None
        self.ready = True
        self.scans = 0
        self.events: list[str] = []
        self.addresses: list[str] = []
        self.mtime_ns = 1_714_566_896_789_012_000

    def add(self, name: str, data: bytes = b"\xff\xd8 pixels", **members) -> Photo:
        """Put a photo in."""
        photo = photo_of(name, data, **members)
        self.photos[photo.id] = photo
        self.data[photo.id] = data
        return photo

    def _check(self) -> None:
        if self.failure is not None:
            raise self.failure

    async def start(self) -> None:
        self.events.append("start")

    async def stop(self) -> None:
        self.events.append("stop")

    def _sorted(self) -> list[Photo]:
        return sorted(self.photos.values(), key=lambda p: p.object_key)

    def page(self, query: PhotoQuery) -> Page:
        self._check()
        found = self._sorted()[query.offset : query.offset + query.limit]
        return Page(
            total=len(self.photos),
            limit=query.limit,
            offset=query.offset,
            items=tuple(msgspec.json.encode(p) for p in found),
        )

    def ids(self, query: PhotoQuery) -> tuple[int, list[str]]:
        self._check()
        found = self._sorted()[query.offset : query.offset + query.limit]
        return len(self.photos), [p.id for p in found]

    def photo(self, photo_id: str) -> Photo:
        self._check()
        if photo_id not in self.photos:
            raise PhotoNotFound(photo_id)
        return self.photos[photo_id]

    def photo_json(self, photo_id: str) -> bytes:
        return msgspec.json.encode(self.photo(photo_id))

    async def edit(
        self, photo_id: str, change: MetadataChange, precondition: Precondition
    ) -> Photo:
        photo = self.photo(photo_id)
        tags = precondition.if_match
        if tags is not None and tags != ("*",) and photo.etag not in tags:
            raise PreconditionFailed(photo.etag)
        wanted = precondition.last_modified
        if wanted is not None and wanted != photo.last_modified:
            raise PhotoModified(wanted, photo.last_modified, photo.etag)
        asked = {n: v for n, v in msgspec.structs.asdict(change).items() if v is not UNSET}
        if asked:
            if "keywords" in asked:
                asked["keywords"] = asked["keywords"] or ()
            metadata = msgspec.structs.replace(photo.metadata, **asked)
            photo = with_etag(msgspec.structs.replace(photo, metadata=metadata), photo.object_key)
            self.photos[photo_id] = photo
        return photo

    async def open_image(self, photo_id: str) -> tuple[Photo, MemoryObject]:
        photo = self.photo(photo_id)
        opened = MemoryObject(self.data[photo_id], self.mtime_ns)
        self.opened.append(opened)
        return photo, opened

    def wanted_picture(self, photo_id: str, recipe: Recipe) -> Wanted:
        photo = self.photo(photo_id)
        subject = Subject(
            photo_id=photo_id, state=FileState(1, 2, 3, 4), orientation=1, stored=None
        )
        return Wanted(subject, recipe, f"{photo.etag}-{recipe.edge}-{recipe.media_type[6:]}")

    async def picture(self, wanted: Wanted) -> Picture:
        data = self.data[wanted.subject.photo_id]
        return Picture(wanted.name, wanted.recipe.media_type, data)

    async def rescan(self) -> RescanResult:
        self._check()
        self.scans += 1
        return RescanResult(
            imported=tuple(self.photos), errors=(RescanError("x.jpg", "It cannot be read."),)
        )

    def start_rescan(self) -> None:
        self._check()
        self.scans += 1

    def rescan_progress(self) -> RescanProgress:
        self._check()
        return RescanProgress(
            state="running",
            started_at="2024-05-01T12:34:56.000000Z",
            finished_at=None,
            listed=3,
            decoded=1,
            total=2,
            rate=10.0,
            seconds_left=0.1,
            result=None,
        )

    def health(self) -> Health:
        return Health(
            status="ready" if self.ready else "scanning",
            live=True,
            ready=self.ready,
            version="1.2.3",
            storage=StorageHealth(available=True),
            watcher=WatcherHealth(
                mode="notify",
                state="running",
                delay_seconds=0.1,
                degraded=None,
                last_full_reconcile="2024-05-01T12:34:56.000000Z",
            ),
            index=IndexHealth(photos=3, recovered=None),
            scan=ScanHealth(state="idle", listed=3, decoded=1, total=2, seconds_left=None),
        )

    async def login(self, password: str, address: str) -> TokenPair:
        self._check()
        self.addresses.append(address)
        if password == "too often":
            raise TooManyAttempts(timedelta(seconds=7.2))
        if password != PASSWORD:
            raise InvalidPassword
        return self._issue()

    def _issue(self) -> TokenPair:
        number = len(self.sessions)
        pair = TokenPair(
            access_token=f"access{number}.a-b_c",
            refresh_token=f"refresh{number}.a-b_c",
            access_seconds=900,
            refresh_seconds=2592000,
        )
        self.sessions[pair.access_token] = pair
        return pair

    async def refresh(self, refresh_token: str) -> TokenPair:
        self._check()
        for access, pair in list(self.sessions.items()):
            if pair.refresh_token == refresh_token:
                new = self._issue()
                del self.sessions[access]
                return new
        raise InvalidToken("Invalid or expired refresh token")

    async def logout(self, access_token: str | None, refresh_token: str | None) -> None:
        self._check()
        for access, pair in list(self.sessions.items()):
            if access_token == access or refresh_token == pair.refresh_token:
                del self.sessions[access]
                return
        raise InvalidToken

    def authenticate(self, access_token: str) -> object:
        if access_token not in self.sessions:
            raise InvalidToken
        return object()
