"""The JSON of lists: pages of photos, folders, keywords and months."""

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from tagline.api.payloads import Photo, PhotoId

CURSOR_EXAMPLE = "WJ0cYV7Zp3wxOTc0L29zbG8uanBnAA"


class _Page(BaseModel):
    """What every page of photos says beside its items."""

    total: int = Field(description="Photos there are in all that meet the filters.", examples=[231])
    limit: int = Field(description="As asked for.", examples=[100])
    offset: int = Field(description="How many of them come before this page.", examples=[0])
    next: str | None = Field(
        description="The `cursor` of the next page; null where this one is the last.",
        examples=[CURSOR_EXAMPLE],
    )


class PhotoListResponse(_Page):
    """A page of photos."""

    items: list[Photo]


class PhotoReference(BaseModel):
    """A photo's id alone."""

    id: PhotoId


class PhotoIdListResponse(_Page):
    """A page of ids, for `fields=id`."""

    items: list[PhotoReference]


def _nothing_required(schema: JsonDict) -> None:
    del schema["required"]


class PhotoPart(Photo):
    """Some members of a photo: those that `fields` names."""

    model_config = ConfigDict(json_schema_extra=_nothing_required)


class PhotoPartListResponse(_Page):
    """A page of parts of photos, for other `fields`."""

    items: list[PhotoPart]


class Folder(BaseModel):
    """A folder with photos in it, or below it."""

    folder: str = Field(
        description="Its object key; empty for the photo directory itself.", examples=["1974/oslo"]
    )
    photos: int = Field(description="Photos directly in it.", examples=[12])
    photos_below: int = Field(
        description="Photos in it and in all folders below it.", examples=[231]
    )


class FolderListResponse(BaseModel):
    """A part of the tree of folders, each one before those below it."""

    total: int = Field(description="Folders there are in all.", examples=[40])
    limit: int = Field(description="As asked for.", examples=[1000])
    offset: int = Field(description="As asked for.", examples=[0])
    items: list[Folder]


class Keyword(BaseModel):
    """A keyword, as most photos write it."""

    keyword: str = Field(examples=["Oslo"])
    photos: int = Field(description="Photos that have it, however they write it.", examples=[12])


class KeywordListResponse(BaseModel):
    """A part of the keywords, the most frequent ones first."""

    total: int = Field(description="Keywords there are in all.", examples=[214])
    limit: int = Field(description="As asked for.", examples=[100])
    offset: int = Field(description="As asked for.", examples=[0])
    items: list[Keyword]


class Month(BaseModel):
    """A month with photos in it."""

    month: str = Field(description="In UTC, as `taken_at`.", examples=["2019-07"])
    photos: int = Field(description="Photos taken then.", examples=[12])


class TimelineResponse(BaseModel):
    """A part of the months, the earliest first."""

    total: int = Field(description="Months there are in all.", examples=[97])
    limit: int = Field(description="As asked for.", examples=[2000])
    offset: int = Field(description="As asked for.", examples=[0])
    undated: int = Field(description="Photos without `taken_at`.", examples=[3])
    items: list[Month]
