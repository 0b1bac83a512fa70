"""Thumbnails and previews of photos that clients know by id."""

from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager

from tagline.errors import PhotoNotFound
from tagline.index import PhotoIndex
from tagline.library.editing import Editor
from tagline.metadata.preview import shown
from tagline.model import FileState, Photo
from tagline.model.keys import name_of as file_name_of
from tagline.pictures.descriptor import descriptor_of
from tagline.pictures.recipe import Recipe, Subject, Wanted, name_of
from tagline.pictures.service import Brought, Picture, Pictures
from tagline.storage import OpenObject


class Picturer:
    """Pictures by photo id; use it on the event loop."""

    def __init__(self, index: PhotoIndex, editor: Editor, pictures: Pictures) -> None:
        self._index = index
        self._editor = editor
        self._pictures = pictures

    def wanted(self, photo_id: str, recipe: Recipe) -> Wanted:
        """A photo's picture by its name, made or not; from memory.

        Raises:
            PhotoNotFound: no photo has this id.
        """
        row = self._index.get(photo_id)
        if row is None:
            raise PhotoNotFound(photo_id)
        subject = _subject_of(row.photo, row.files[0].state)
        return Wanted(subject, recipe, name_of(subject, recipe))

    async def picture(self, wanted: Wanted) -> Picture:
        """A picture of a photo, made where it is not kept.

        Raises:
            PhotoNotFound: no photo has this id.
            PictureRefused: there cannot be one.
            PicturesBusy: too much is asked for at once.
            StorageError: the file cannot be read.
        """
        photo_id = wanted.subject.photo_id
        return await self._pictures.picture(wanted, lambda: self._bring(photo_id))

    @asynccontextmanager
    async def _bring(self, photo_id: str) -> AsyncGenerator[Brought]:
        photo, opened = await self._editor.open(photo_id)
        with ExitStack() as held:
            held.callback(opened.close)
            yield await self._editor.disk.run(_brought, photo, opened, held)


def _brought(photo: Photo, opened: OpenObject, held: ExitStack) -> Brought:
    """What of the open file is to be decoded; ``held`` closes what is opened for that. Blocks.

    Raises:
        StorageError: the file cannot be read.
    """
    subject = _subject_of(photo, opened.state)
    found = shown(opened, file_name_of(photo.object_key))
    offset, length = (found.offset, found.length) if found is not None else (0, 0)
    part = descriptor_of(opened.file, opened, offset, length)
    file, start = held.enter_context(part)
    return Brought(
        subject=subject,
        kind=found.kind if found is not None else None,
        turned=found is not None and found.turned,
        file=file,
        offset=start,
        length=length,
    )


def _subject_of(photo: Photo, state: FileState) -> Subject:
    known = photo.width is not None and photo.height is not None
    return Subject(
        photo_id=photo.id,
        state=state,
        orientation=photo.orientation or 1,
        stored=(photo.width or 0, photo.height or 0) if known else None,
    )
