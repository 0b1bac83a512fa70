"""A library in memory with the interface of the real one, for tests of the API alone."""

import asyncio
import io
import uuid
from collections.abc import Callable
from datetime import timedelta

import msgspec
from msgspec import UNSET

from tagline.auth import (
    SCOPES,
    ApiTokenService,
    FailureLimit,
    PasswordVerifier,
    TokenService,
    TokenStore,
    is_api_token,
)
from tagline.errors import (
    ExchangedMeanwhile,
    InvalidPassword,
    InvalidRefreshToken,
    InvalidToken,
    PhotoModified,
    PhotoNotFound,
    PreconditionFailed,
    TaglineError,
    TooManyAttempts,
)
from tagline.index import open_database, open_index
from tagline.library import (
    Figures,
    Health,
    Hub,
    Principal,
    Reader,
    RescanError,
    RescanProgress,
    RescanResult,
    Sessions,
    TokenPair,
    WatcherHealth,
)
from tagline.library.finding import Finder
from tagline.library.health import HistoryHealth, IndexHealth, ScanHealth, StorageHealth
from tagline.model import (
    FileState,
    IndexedFile,
    IndexedPhoto,
    Metadata,
    MetadataChange,
    Photo,
    Precondition,
    Stamp,
    stamp_of,
    with_etag,
)
from tagline.pictures.recipe import Recipe, Subject, Wanted
from tagline.pictures.service import Picture
from tagline.sync import Progress

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
        self.pairs: dict[str, TokenPair] = {}
        self.now = 1_714_566_896.0
        self.sessions = _sessions(lambda: self.now)
        self.opened: list[MemoryObject] = []
        self.failure: Exception | None = None
        self.ready = True
        self.scans = 0
        self.events: list[str] = []
        self.hub = Hub("memory")
        self.addresses: list[str] = []
        self.actors: list[object] = []
        self.index = open_index(None)
        self._finder = Finder(self.index)
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

    @property
    def finder(self) -> Finder:
        """The real one, over an index of the photos as they are."""
        self._check()
        photos = self.photos.values()
        unknown = FileState(0, 0, 0, 0)
        self.index.apply(
            [
                IndexedPhoto(
                    photo=photo,
                    fingerprint=photo.id,
                    files=(IndexedFile(photo.object_key, unknown),),
                )
                for photo in photos
            ],
            self._index_ids() - {photo.id for photo in photos},
        )
        return self._finder

    def _index_ids(self) -> set[str]:
        """What the index has."""
        return {state.id for state in self.index.states()}

    def _photo(self, photo_id: str) -> Photo:
        self._check()
        if photo_id not in self.photos:
            raise PhotoNotFound(photo_id)
        return self.photos[photo_id]

    def photo_json(self, photo_id: str) -> bytes:
        return msgspec.json.encode(self._photo(photo_id))

    def stamp(self, photo_id: str) -> Stamp:
        return stamp_of(self.photo_json(photo_id))

    async def edit(
        self, photo_id: str, change: MetadataChange, precondition: Precondition, by=None
    ) -> Photo:
        photo = self._photo(photo_id)
        self.actors.append(by)
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

    async def edit_many(self, wanted, by=None) -> list[Photo | Exception]:
        async def outcome(edit) -> Photo | Exception:
            try:
                return await self.edit(edit.photo_id, edit.change, edit.precondition, by)
            except TaglineError as error:
                return error

        return [await outcome(edit) for edit in wanted]

    async def open_image(self, photo_id: str) -> tuple[Photo, MemoryObject]:
        photo = self._photo(photo_id)
        opened = MemoryObject(self.data[photo_id], self.mtime_ns)
        self.opened.append(opened)
        return photo, opened

    async def read_ahead(self, opened: MemoryObject, offset: int, length: int) -> None:
        assert 0 <= offset < offset + length <= opened.size

    def wanted_picture(self, photo_id: str, recipe: Recipe) -> Wanted:
        photo = self._photo(photo_id)
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
                state="watching",
                delay_seconds=0.1,
                degraded=None,
                last_full_reconcile="2024-05-01T12:34:56.000000Z",
            ),
            index=IndexHealth(photos=3, recovered=None),
            scan=ScanHealth(
                state="idle", listed=3, decoded=1, total=2, rate=0.5, seconds_left=None
            ),
            history=HistoryHealth(changes=0, problem=None, recovered=None),
        )

    def figures(self) -> Figures:
        return Figures(
            health=self.health(),
            scan=Progress(listed=3, read=1, total=2, errors=1),
            last_full_reconcile=1_714_566_896.5,
            index_bytes=4096,
            edits={("embedded", ""): 2, ("refused", "photo_modified"): 1},
            logins={"ok": 1},
            pictures={"memory": 4},
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
        number = len(self.pairs)
        pair = TokenPair(
            access_token=f"access{number}.a-b_c",
            refresh_token=f"refresh{number}.a-b_c",
            access_seconds=900,
            refresh_seconds=2592000,
        )
        self.pairs[pair.access_token] = pair
        return pair

    async def refresh(self, refresh_token: str, address: str, *, shared: bool = False) -> TokenPair:
        self._check()
        if shared and refresh_token == "exchanged":
            raise ExchangedMeanwhile
        self.addresses.append(address)
        for access, pair in list(self.pairs.items()):
            if pair.refresh_token == refresh_token:
                new = self._issue()
                del self.pairs[access]
                return new
        raise InvalidRefreshToken

    async def logout(self, access_token: str | None, refresh_token: str | None) -> None:
        self._check()
        for access, pair in list(self.pairs.items()):
            if access_token == access or refresh_token == pair.refresh_token:
                del self.pairs[access]
                return
        raise InvalidToken

    def authenticate(self, credential: str) -> Principal:
        if is_api_token(credential):
            return self.sessions.authenticate(credential)
        if credential not in self.pairs:
            raise InvalidToken
        session_id = credential.rpartition("access")[2]  # like a real one's, it opens nothing
        return Principal(kind="session", id=session_id, name=None, scopes=SCOPES["write"])

    def subscribe(self, wake: Callable[[], None], last_id: str | None) -> Reader:
        return self.hub.subscribe(wake, last_id)


def _sessions(clock) -> Sessions:
    """The real sessions and API tokens, over a database in memory."""
    store = TokenStore(open_database(None, durable=True))
    return Sessions(
        PasswordVerifier(PASSWORD, clock),
        TokenService(store, "s" * 32, clock, 900, 2592000),
        ApiTokenService(store.api_tokens, clock),
        FailureLimit(clock),
    )
