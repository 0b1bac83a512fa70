"""Every parser on mutated files: any bytes give a result, soon and without much memory."""

from collections.abc import Callable, Sequence

import pytest

from tagline.metadata import (
    SidecarFile,
    SidecarFiles,
    exif,
    iptc,
    pair,
    photoshop,
    read_photo,
    registry,
    sidecar_json,
    sidecar_xmp,
    why_incomplete,
    why_incomplete_sidecar,
    xmp,
)
from tagline.metadata.fingerprint import fingerprint
from tagline.metadata.registry import FORMATS, is_photo
from tagline.model import BytesSource
from tests.fuzz.fuzzing import inputs, within_limits

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]

SHARE = 0.5 / (2 * len(FORMATS) + 7)
PACKET = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    b'rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:tiff="http://ns.adobe.com/'
    b'tiff/1.0/" tiff:Make="Canon"><dc:description><rdf:Alt><rdf:li xml:lang="x-default">words'
    b"</rdf:li></rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta>"
    b'<?xpacket end="w"?>'
)
JSON = (
    b'{"title": "a.jpg", "description": "words", "photoTakenTime": {"timestamp": "1562320800", '
    b'"formatted": "Jul 5, 2019"}, "geoData": {"latitude": 1.5}, "tagline": {"version": 1, '
    b'"fingerprint": "1:00000000000000000000000000000000"}}'
)


def blocks(files: dict[str, list[bytes]], kind: str) -> list[bytes]:
    """The metadata blocks of one kind that the originals hold."""
    containers = [registry.read_container(BytesSource(data), "a.jpg") for data in files[""]]
    found = [getattr(container, kind) for container in containers]
    return [block for block in found if isinstance(block, bytes) and block]


def run(target: str, originals: Sequence[bytes], work: Callable[[bytes], object]) -> None:
    """Give the work mutated originals; whatever it raises is a failure."""
    for each in inputs(target, originals, SHARE):
        try:
            within_limits(each.name, lambda data=each.data: work(data))
        except Exception as error:
            error.add_note(f"input {each.name}, {len(each.data)} bytes")
            raise


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.name)
def test_every_container_reader_answers(files, row):
    """A mutated file of any format gives a container, and its fingerprint can be taken."""

    def work(data: bytes) -> None:
        source = BytesSource(data)
        container = row.read(source)
        fingerprint(source, container.image_data)

    own = next((files[e] for e in (*row.extensions, row.name) if e in files), files[""])
    run(f"container {row.name}", own, work)


def test_the_exif_reader_answers(files):
    """A mutated EXIF block gives values."""
    run("exif", blocks(files, "exif"), exif.read)


def test_the_xmp_reader_answers(files):
    """A mutated XMP packet gives values."""
    run("xmp", [PACKET, *blocks(files, "xmp")], xmp.read)


def test_the_iptc_reader_answers(files):
    """Mutated IPTC gives values."""
    run("iptc", blocks(files, "iptc"), iptc.read)


def test_the_photoshop_reader_answers(files):
    """Mutated Photoshop resources give resources."""
    made = [b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\4\x1c\x02\0\0"]
    run("photoshop", [*made, *blocks(files, "iptc")], photoshop.find_iptc)


def test_the_sidecar_readers_answer():
    """Mutated sidecars give values, or are no sidecars."""

    def work(data: bytes) -> None:
        sidecar_json.read(data)
        sidecar_xmp.read(data)
        why_incomplete_sidecar("a.json", data)
        why_incomplete_sidecar("a.xmp", data)

    run("sidecars", [JSON, PACKET], work)


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.name)
def test_every_judge_of_completeness_answers(files, row):
    """A mutated file of any format is judged to be all there or not."""
    own = next((files[e] for e in (*row.extensions, row.name) if e in files), files[""])
    name = f"a.{row.extensions[0]}"
    run(f"whole {row.name}", own, lambda data: why_incomplete(BytesSource(data), name))


def test_whole_photos_are_read(files):
    """A mutated photo with mutated sidecars gives a reading with a fingerprint."""

    def work(data: bytes) -> None:
        half = len(data) // 2
        sidecars = SidecarFiles(
            xmp=SidecarFile(name="a.jpg.xmp", data=PACKET[: half % 500] + data[half : half + 500]),
            json=SidecarFile(name="a.jpg.json", data=JSON[: half % 300] + data[half : half + 99]),
        )
        assert read_photo(BytesSource(data), "a.jpg", sidecars).fingerprint

    run("photo", files[""], work)


def test_names_are_paired():
    """Mutated directory listings are paired, and every photo in them has its entry."""
    names = [
        b"IMG_1.jpg\nIMG_1.jpg.xmp\nIMG_1.xmp\nIMG_1(1).jpg\nIMG_1.jpg(1).json\nIMG_1.CR2\n"
        b"IMG_1.jpg.supplemental-metadata.json\nA very long name of a photo from somewhere.jpg\n"
        b"A very long name of a photo from somewhere.js.json\n\xc3\xa4.png\n.jpg\na..jpg\n" * 40
    ]

    def work(data: bytes) -> None:
        listed = set(data.decode("utf-8", "surrogateescape").split("\n"))
        assert pair(listed, is_photo).keys() == {name for name in listed if is_photo(name)}

    run("pairing", names, work)
