"""The JSON that goes in and out; the OpenAPI document is made of these models.

Answers to reads are never built from these models: the index keeps each photo's JSON encoded, and
a test holds that it is what ``Photo`` says here.
"""

from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field

from tagline.api.inputs import BodyInput
from tagline.api.metadata import MOMENT_EXAMPLE, PhotoMetadata
from tagline.api.text import UUID, uuid_text
from tagline.errors import PHOTO_NOT_FOUND, Awaited
from tagline.library import ScanState

ID_EXAMPLE = "0b5ef24b-6d1c-5b0e-9d0a-5c8b7a0f6c11"
ETAG_EXAMPLE = "3f8a1c0d9e2b7a6455d01c2e"

PhotoId = Annotated[str, Field(json_schema_extra={"format": "uuid"}, examples=[ID_EXAMPLE])]
GivenPhotoId = Annotated[
    str,
    AfterValidator(uuid_text),
    Field(
        description="The photo's `id`, in upper or lower case.",
        examples=[ID_EXAMPLE],
        json_schema_extra={"format": "uuid", "pattern": f"^{UUID}$"},
    ),
]
"""A photo's id as a client gives it."""
Moment = Annotated[AwareDatetime, Field(examples=[MOMENT_EXAMPLE])]


class LoginRequest(BodyInput):
    """The password of this server."""

    password: str = Field(
        max_length=4096, examples=["correct horse battery staple"], description="The password."
    )


class TokenResponse(BaseModel):
    """A pair of tokens. The access token goes into ``Authorization: Bearer …``."""

    access_token: str = Field(description="Sent with each request, until it expires.")
    refresh_token: str = Field(
        description="Good for one call of `POST /refresh`, which gives a new pair."
    )
    token_type: str = Field(default="bearer", json_schema_extra={"const": "bearer"})
    expires_in: int = Field(description="Seconds that the access token lives.", examples=[900])
    refresh_expires_in: int = Field(
        description="Seconds that the refresh token lives.", examples=[2592000]
    )


class LoginResponse(TokenResponse):
    """A new session's tokens."""


class RefreshResponse(TokenResponse):
    """The session's new tokens; the refresh token that was sent is dead."""


class CookieSessionResponse(BaseModel):
    """A session whose tokens came in cookies, where no script can read them."""

    token_type: str = Field(default="cookie", json_schema_extra={"const": "cookie"})
    expires_in: int = Field(description="Seconds until `POST /refresh` is needed.", examples=[900])
    refresh_expires_in: int = Field(
        description="Seconds that it can be refreshed.", examples=[2592000]
    )


class RefreshRequest(BodyInput):
    """The refresh token of the newest pair."""

    refresh_token: str = Field(max_length=4096, description="The refresh token.")


class LogoutRequest(BodyInput):
    """Which session to end, where that is not the bearer's."""

    refresh_token: str | None = Field(
        default=None, max_length=4096, description="A refresh token of the session to end."
    )


class Gps(BaseModel):
    """A position."""

    latitude: float = Field(description="Decimal degrees, north positive.", examples=[59.913868])
    longitude: float = Field(description="Decimal degrees, east positive.", examples=[10.752245])
    altitude: float | None = Field(description="Metres above sea level.", examples=[23.0])


class DescriptionSource(BaseModel):
    """A place that holds a description of the photo."""

    place: str = Field(
        description="`xmp_sidecar`, `json_sidecar`, `exif`, `iptc`, `xmp`, `user_comment` or "
        "`xp_comment`.",
        examples=["exif"],
    )
    agrees: bool = Field(description="Whether it says what `metadata.description` says.")
    text: str | None = Field(description="What it says, where it does not agree.")


class Photo(BaseModel):
    """A photo as the disk holds it. Times are RFC 3339 in UTC with microseconds."""

    id: PhotoId = Field(
        description="Stays the same over renames, moves and edits of the description."
    )
    object_key: str = Field(
        description="The path below the photo directory. Bytes that are not UTF-8 are written "
        "`\\xHH`.",
        examples=["1974/oslo.jpg"],
    )
    metadata: PhotoMetadata
    last_modified: Moment = Field(
        description="The newest modification time of the photo and its sidecars."
    )
    media_type: str = Field(examples=["image/jpeg"])
    size: int = Field(description="Bytes of the original.", examples=[2483911])
    width: int | None = Field(
        description="Stored pixels across, before `orientation` is applied.", examples=[4032]
    )
    height: int | None = Field(
        description="Stored pixels down, before `orientation` is applied.", examples=[3024]
    )
    orientation: int | None = Field(description="EXIF orientation, 1 to 8.", examples=[1])
    taken_at: Moment | None = Field(
        description="When it was taken. Where `taken_at_offset` is null this is the camera's own "
        "clock, written as if that were UTC."
    )
    taken_at_offset: str | None = Field(
        description="The camera's offset from UTC, where the photo names one.",
        examples=["+02:00"],
    )
    camera: str | None = Field(
        description="Make and model in one, for people.", examples=["NIKON D90"]
    )
    make: str | None = Field(examples=["NIKON CORPORATION"])
    model: str | None = Field(examples=["NIKON D90"])
    lens: str | None = Field(examples=["18.0-105.0 mm f/3.5-5.6"])
    gps: Gps | None
    stored_in: list[str] = Field(
        description="The places that hold the description shown; see `description_sources`.",
        examples=[["exif", "xmp"]],
    )
    description_sources: list[DescriptionSource] = Field(
        description="Every place that holds a description, the first of which is shown."
    )
    writable: bool = Field(description="Whether a description could be written now.")
    not_embedded: str | None = Field(
        description="Why the description is in sidecar files and not in the photo itself; else "
        "null.",
        examples=["this format is not edited in place"],
    )
    problem: str | None = Field(
        description="What kept the photo from being read in full, in a sentence; else null."
    )
    etag: str = Field(
        description="Changes exactly when what is said here of the photo does. Unquoted here; "
        "between double quotes in `ETag` and `If-Match`.",
        examples=[ETAG_EXAMPLE],
    )


class RescanError(BaseModel):
    """A file that could not be read."""

    object_key: str
    detail: str


class RescanResponse(BaseModel):
    """What a rescan found: ids of photos that came, changed or went."""

    imported: list[PhotoId]
    updated: list[PhotoId]
    removed: list[PhotoId]
    skipped: int = Field(description="Photos that had not changed.", examples=[20431])
    errors: list[RescanError]


class RescanProgress(BaseModel):
    """How far a rescan is."""

    state: ScanState = Field(examples=["running"])
    started_at: Moment | None = Field(description="Start of the running or the last rescan.")
    finished_at: Moment | None = Field(description="End of the last rescan; null while one runs.")
    listed: int = Field(description="Files met so far.", examples=[20431])
    decoded: int = Field(description="New and changed photos read so far.", examples=[17])
    total: int | None = Field(description="New and changed photos in all, once that is known.")
    rate: float = Field(description="Photos read per second.", examples=[412.5])
    seconds_left: float | None = Field(description="About how long it will still take.")
    result: RescanResponse | None = Field(description="What the last rescan found.")


ErrorType = Annotated[
    str, Field(description="Which error, as a stable word.", examples=["photo_not_found"])
]


class ErrorResponse(BaseModel):
    """An error: a stable word for programs, and a sentence that says what to do."""

    type: ErrorType
    detail: str = Field(examples=[PHOTO_NOT_FOUND])


class ConflictResponse(ErrorResponse):
    """An error that tells more, so that the client can go on; by its type some members are there.

    `photo_modified` has `last_modified` and `etag`, `precondition_failed` has `etag`,
    `being_written` has `awaited`, and `edit_refused` has `reason`.
    """

    last_modified: Moment | None = Field(default=None, description="The current one.")
    etag: str | None = Field(
        default=None, description="The current one, unquoted.", examples=[ETAG_EXAMPLE]
    )
    awaited: Awaited | None = Field(
        default=None, description="What the server waited for in vain.", examples=["writer"]
    )
    reason: str | None = Field(
        default=None,
        description="Why the file cannot be changed safely, as a phrase.",
        examples=["the file has more than one Exif segment"],
    )


class ValidationProblem(BaseModel):
    """One thing that is wrong with a request."""

    loc: list[str | int] = Field(
        description="Where: `path`, `query`, `header` or `body`, then the names inside.",
        examples=[["body", "description"]],
    )
    msg: str = Field(description="What, in words.", examples=["at most 10000 characters"])
    type: str = Field(description="What, as a stable name.", examples=["invalid_value"])


class ValidationErrorResponse(BaseModel):
    """Everything that is wrong with a request."""

    type: Annotated[str, Field(description="Which error.", examples=["validation_error"])]
    detail: list[ValidationProblem]
