"""What the server and a worker process say to each other over their socket.

The server sends a job in JSON behind its length, and with it the descriptor of an open file. The
worker answers with one byte for the outcome, a length, and the picture or a word that says why
there is none. Lengths are four bytes, big-endian.
"""

import struct

import msgspec

from tagline.pictures.recipe import PictureType, Size

LENGTH = struct.Struct(">I")
ANSWER = struct.Struct(">cI")

READY = b"A"
"""Said once, unasked, when the worker has loaded its decoders and given up its rights."""

MADE = b"P"
REFUSED = b"R"

ANSWER_LIMIT_BYTES = 64 * 1024 * 1024
"""No picture is as large; the server does not trust what a worker says."""

JOB_LIMIT_BYTES = 4096


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one picture may cost.

    ``max_pixels`` is judged by the file's header, before anything is decoded. ``memory_bytes`` is
    address space of the worker process; ``seconds`` are of its processors, and of the clock.
    """

    max_pixels: int = 200_000_000
    memory_bytes: int = 2048 * 1024 * 1024
    seconds: int = 30


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One picture to be made from ``length`` bytes at ``offset`` of the file that comes with it.

    ``kind`` is what the first bytes told: it chooses the decoder, and no other is tried.
    """

    kind: str
    offset: int
    length: int
    orientation: int
    stored: Size | None
    edge: int
    media_type: PictureType
    max_pixels: int
    seconds: int


def packed(job: Job) -> bytes:
    """A job as it goes over the socket."""
    said = msgspec.json.encode(job)
    return LENGTH.pack(len(said)) + said


def unpacked(said: bytes) -> Job:
    """A job from its JSON."""
    return msgspec.json.decode(said, type=Job)
