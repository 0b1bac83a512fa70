"""The frozen values that every layer above the siblings speaks of."""

import msgspec


class Gps(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A position: decimal degrees (north and east positive), metres above sea level."""

    latitude: float
    longitude: float
    altitude: float | None = None


class DescriptionSource(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One place that holds a description.

    ``place`` is one of ``xmp_sidecar``, ``json_sidecar``, ``exif``, ``iptc``, ``xmp``,
    ``user_comment``, ``xp_comment``. ``text`` is given only where it differs from the
    description that the photo shows.
    """

    place: str
    agrees: bool
    text: str | None = None


class Metadata(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All that a person may edit. ``None`` means that the photo says nothing.

    ``rating`` is from 0 (unrated, and said so) to 5. ``taken_at`` is RFC 3339 with the offset of
    the place, or local time without an offset where the zone is unknown.
    """

    description: str | None = None
    title: str | None = None
    keywords: tuple[str, ...] = ()
    rating: int | None = None
    taken_at: str | None = None


class Stamp(msgspec.Struct, frozen=True):
    """What of a photo tells its versions apart: see the members of ``Photo``."""

    etag: str
    last_modified: str


stamp_of = msgspec.json.Decoder(Stamp).decode
"""The stamp in a photo's JSON."""


class Photo(msgspec.Struct, frozen=True, kw_only=True):
    """A photo as clients see it; its JSON is exactly these members in this order.

    Times are RFC 3339 in UTC with microseconds. ``taken_at`` of a photo that names no time zone
    is its local time written as if it were UTC, and ``taken_at_offset`` is then ``None``.
    ``width`` and ``height`` are the stored pixel dimensions, before ``orientation`` (EXIF 3.0,
    4.6.5.1: 1 to 8) is applied. ``not_embedded`` says
    why the description is beside the photo and not in it. ``etag`` is unquoted.
    """

    id: str
    object_key: str
    metadata: Metadata
    last_modified: str
    media_type: str
    size: int
    width: int | None
    height: int | None
    orientation: int | None
    taken_at: str | None
    taken_at_offset: str | None
    camera: str | None
    make: str | None
    model: str | None
    lens: str | None
    gps: Gps | None
    stored_in: tuple[str, ...]
    description_sources: tuple[DescriptionSource, ...]
    writable: bool
    not_embedded: str | None = None
    problem: str | None
    etag: str


class FileState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a stat says of a file: equal states mean an unchanged file.

    The device number is left out on purpose: btrfs, ZFS and network mounts give a new one at every
    mount, and an inode number with both times and the size is as telling without it.
    """

    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    def is_unwritten_since(self, before: "FileState") -> bool:
        """Whether size and modification time are those of before.

        A change of mode, links or attributes moves the change time alone.
        """
        return self.size == before.size and self.mtime_ns == before.mtime_ns

    def is_touched(self, later: "FileState") -> bool:
        """Whether a later state is of the same file, not written since as far as it tells.

        Who wants to be sure compares the content.
        """
        return self.inode == later.inode and later.is_unwritten_since(self)


class IndexedFile(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A file that an index row was made from, and its state then."""

    object_key: str
    state: FileState


class IndexedPhoto(msgspec.Struct, frozen=True, kw_only=True):
    """An index row: the photo, its content fingerprint, and the files it was read from.

    ``files[0]`` is the photo itself; its sidecars follow, sorted by object key. ``adopted`` are the
    keys of those that are the photo's by its fingerprint and not by their names, ``stale`` of those
    that are its own by name and another photo's by the fingerprint in them.
    """

    photo: Photo
    fingerprint: str
    files: tuple[IndexedFile, ...]
    adopted: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
