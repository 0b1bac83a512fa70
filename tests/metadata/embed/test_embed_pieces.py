"""A large photo, which is left where it lies, is edited byte for byte like one in memory."""

import io
import random
import re
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tagline.errors import EditRefused
from tagline.metadata import content, registry
from tagline.metadata.content import Pieces, joined, matches, same, same_content
from tagline.metadata.field_types import FieldEdit
from tagline.metadata.fields import BY_NAME, describing
from tagline.model import BytesSource, bytes_of
from tests.metadata.embed.samples_embed import camera_exif, noise

TEXT = "Großmutter & Enkel"
EDITS = {
    "description": (describing(TEXT, None),),
    "again": (describing("other words", TEXT),),
    "keywords": (FieldEdit(field=BY_NAME["keywords"], old=None, new=("a", "b")),),
    "rating": (FieldEdit(field=BY_NAME["rating"], old=None, new=3),),
    "removal": (describing(None, "other words"),),
}
JPEGS = {
    "jpg": {},
    "jpg exif": {"exif": camera_exif()},
    "jpg trailer": {},
}


def pieces(data: bytes, seed: int = 1) -> Pieces:
    """The same bytes as a file that is not held, in a few parts."""
    rng = random.Random(seed)
    cuts = sorted({0, len(data), *(rng.randrange(len(data) + 1) for _ in range(5))})
    return Pieces((BytesSource(data), start, end - start) for start, end in pairwise(cuts))


def edited(data: bytes | Pieces, name: str) -> list[bytes]:
    """What each edit in turn makes of a file, refusals included."""
    results: list[bytes] = []
    for edits in EDITS.values():
        embed = registry.embedder_of(data, name)
        assert embed is not None
        try:
            data = embed(data, edits)
        except EditRefused as error:
            results.append(error.reason.encode())
        else:
            results.append(bytes_of(data))
    return results


@pytest.fixture(params=[7, 1 << 20])
def step_bytes(request, monkeypatch):
    """Steps that cut everything, and those of every day."""
    monkeypatch.setattr(content, "STEP_BYTES", request.param)


@pytest.mark.usefixtures("step_bytes")
def test_every_edit_is_the_same_as_in_memory(sample):
    """PNG, WebP and TIFF of every kind: the same bytes, or the same reason for none."""
    kind, before = sample
    assert edited(pieces(before), f"a.{kind}") == edited(before, f"a.{kind}")


@pytest.mark.usefixtures("step_bytes")
@pytest.mark.parametrize("kind", JPEGS)
def test_every_edit_of_a_jpeg_is_the_same_as_in_memory(kind):
    """JPEG with and without Exif, and with a video behind its end."""
    buffer = io.BytesIO()
    noise("RGB").save(buffer, "JPEG", **JPEGS[kind])
    before = buffer.getvalue() + (b"\0\0\0\x18ftypmp42\xff\xd9" * 9 if "trailer" in kind else b"")
    assert edited(pieces(before), "a.jpg") == edited(before, "a.jpg")


@given(st.binary(min_size=1, max_size=200), st.integers(0, 99), st.data())
def test_pieces_answer_like_bytes(data, seed, draw):
    """Length, slices, searches and comparisons, whatever the parts and the steps."""
    made = pieces(data, seed)
    start, end = (draw.draw(st.integers(0, len(data))) for _ in range(2))
    assert (len(made), bytes_of(made), made[start:end]) == (len(data), data, data[start:end])
    assert [made[k] for k in range(-len(data), len(data))] == list(data) * 2
    wanted = data[start : start + 3] or b"x"
    assert made.find(wanted, 0, len(data)) == data.find(wanted)
    assert made.startswith(wanted, start) == data.startswith(wanted, start)
    assert made.endswith(wanted) == data.endswith(wanted)
    low, high = sorted((start, end))
    assert same(made, (low, high), data, (low, high))
    assert same_content(
        joined(made, [(0, low), b"new", (high, len(data))]), data[:low] + b"new" + data[high:]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(content, "STEP_BYTES", 5)
        pattern = re.compile(rb"\xff[^\x00\xff]|\xd9(?<=\xff\xd9)")
        expected = [match.span() for match in pattern.finditer(data, low)]
        assert list(matches(pattern, made, low)) == expected


class Endless:
    """A file of noise that nobody keeps, behind a head."""

    def __init__(self, head: bytes, size: int) -> None:
        self.head, self.size = head, size
        self.piece = bytes(1 + k % 250 for k in range(1 << 16))

    def read_at(self, offset: int, length: int) -> bytes:
        """Some of it."""
        end = min(offset + length, self.size)
        made = b"".join(self.piece for _ in range(offset >> 16, (max(end - 1, 0) >> 16) + 1))
        whole = bytearray(made[offset & 0xFFFF : (offset & 0xFFFF) + max(end - offset, 0)])
        if offset < len(self.head):
            known = self.head[offset:end]
            whole[: len(known)] = known
        return bytes(whole)


def test_an_edit_of_a_large_photo_takes_little_memory():
    """A JPEG of 128 MiB with a motion photo's video: less than 12 MiB besides."""
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64)).save(buffer, "JPEG")
    source = Endless(buffer.getvalue(), 128 << 20)
    data = Pieces([(source, 0, source.size)])
    embed = registry.embedder_of(data, "a.jpg")
    assert embed is not None
    tracemalloc.start()
    try:
        after = embed(data, EDITS["description"])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(after) > source.size
    assert peak < 12 << 20


def test_a_part_too_large_to_be_held_is_refused():
    """What nobody foresaw ends in a refusal, and so in a sidecar, rather than in memory."""
    data = Pieces([(Endless(b"", 64 << 20), 0, 64 << 20)])
    with pytest.raises(EditRefused, match="too large"):
        data[0 : content.SLICE_MAX_BYTES + 1]
