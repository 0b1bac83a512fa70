"""Which programs show the text that Tagline wrote: every format before and after, reader by reader.

    python -m benchmarks.portability [CORPUS] [--write]

Each sample says an old text in every place that its format has (Exif, XMP, IPTC) before Tagline
writes the new one; a HEIC comes from the corpus, since nothing here can make one. Cells: ``new``
for the new text, ``old`` for the old one, ``-`` for no text, ``garbled`` for anything else, and
``old -> new`` for before and after; ``new (dots)`` has a dot for each
byte outside ASCII. The sidecar columns say what lies beside the photo afterwards:
the ``.xmp`` as exiftool and Exiv2 read it, the ``.json`` as any JSON parser does.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from benchmarks.blocks import XMP_ID, photoshop, segment
from benchmarks.measuring import ROOT, provenance, publish, text_table
from tagline.errors import TaglineError
from tagline.library import PhotoWriter, Target
from tagline.model import MetadataChange, Precondition
from tagline.storage import LocalStorage

DOCUMENT = ROOT / "docs" / "portability.md"
OLD = "Ein alter Text"
NEW = "Großmutter am Meer, 1962 (海辺)"
Reader = Callable[[Path], str]


def _program(*command: str) -> Reader:
    """What a program prints about a file; nothing when it fails."""

    def read(path: Path) -> str:
        words = [word.replace("{}", str(path)) for word in command]
        done = subprocess.run(words, capture_output=True, check=False, timeout=60)
        return done.stdout.decode("utf-8", "replace").strip()

    return read


def _exiv2(key: str) -> Reader:
    run = _program("exiv2", "-K", key, "-Pt", "{}")

    def read(path: Path) -> str:
        # exiv2 shows the language of an alternative ahead of its text
        return run(path).removeprefix('lang="x-default" ')

    return read


def _pillow(path: Path) -> str:
    try:
        with Image.open(path) as image:
            said = image.getexif().get(0x010E, "")
    except (OSError, SyntaxError, ValueError):
        return ""
    # Pillow takes the bytes of ASCII tags for Latin-1.
    try:
        return str(said).encode("latin-1").decode()
    except UnicodeError:
        return str(said)


EXIFTOOL = ("exiftool", "-s3", "-q", "-q")
READERS: dict[str, Reader] = {
    "exiftool EXIF": _program(*EXIFTOOL, "-EXIF:ImageDescription", "{}"),
    "exiftool XMP": _program(*EXIFTOOL, "-XMP-dc:Description", "{}"),
    "exiftool IPTC": _program(*EXIFTOOL, "-IPTC:Caption-Abstract", "{}"),
    "Exiv2 EXIF": _exiv2("Exif.Image.ImageDescription"),
    "Exiv2 XMP": _exiv2("Xmp.dc.description"),
    "Pillow": _pillow,
    "ImageMagick": _program("identify", "-quiet", "-format", "%[EXIF:ImageDescription]", "{}[0]"),
    "libexif": _program("exif", "-m", "--tag=0x010e", "{}"),
}
PROGRAMS = {"exiftool": "exiftool", "Exiv2": "exiv2", "ImageMagick": "identify", "libexif": "exif"}


def readers() -> dict[str, Reader]:
    """Those whose programs are installed."""
    absent = {name for name, program in PROGRAMS.items() if shutil.which(program) is None}
    return {name: read for name, read in READERS.items() if name.split()[0] not in absent}


def samples(corpus: Path | None) -> Iterator[tuple[str, bytes]]:
    """File name and bytes of one photo a format."""
    image = Image.effect_noise((96, 64), 60).convert("RGB")
    exif = Image.Exif()
    exif[0x010E], exif[0x010F] = OLD, "Canon"
    packet = xmp(OLD)

    def saved(kind: str, **more: object) -> bytes:
        target = BytesIO()
        image.save(target, kind, **more)
        return target.getvalue()

    jpeg = saved("JPEG", exif=exif)
    end = 2 + 2 + int.from_bytes(jpeg[4:6], "big")
    blocks = segment(0xE1, XMP_ID + packet) + segment(0xED, photoshop(OLD))
    yield "all.jpg", jpeg[:end] + blocks + jpeg[end:]
    yield "exif.jpg", jpeg
    yield "nothing.jpg", saved("JPEG")
    yield "photo.png", saved("PNG", exif=exif, pnginfo=_png_text(packet))
    yield "nothing.png", saved("PNG")
    yield "photo.webp", saved("WEBP", exif=exif, xmp=packet)
    yield "nothing.webp", saved("WEBP")
    yield "photo.tif", saved("TIFF", tiffinfo={0x010E: OLD, 0x02BC: packet})
    yield "nothing.tif", saved("TIFF")
    yield "photo.dng", saved("TIFF", tiffinfo={0x010E: OLD, 0xC612: bytes((1, 4, 0, 0))})
    yield "photo.avif", saved("AVIF", exif=exif, xmp=packet)
    yield "photo.gif", saved("GIF")
    if corpus is not None and corpus.is_dir():
        for path in sorted(corpus.rglob("*.heic"))[:1]:
            yield "photo.heic", path.read_bytes()


def _png_text(packet: bytes) -> PngInfo:

    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", packet.decode())
    return info


def xmp(text: str) -> bytes:
    """A packet with a description."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description><rdf:Alt>'
        f'<rdf:li xml:lang="x-default">{text}</rdf:li></rdf:Alt></dc:description>'
        f'</rdf:Description></rdf:RDF></x:xmpmeta>{" " * 500}<?xpacket end="w"?>'
    ).encode()


def _word(said: str, old: str) -> str:
    """How a cell puts what a reader showed."""
    if not said:
        return "-"
    if said == "".join(c if c.isascii() else "." * len(c.encode()) for c in NEW):
        return "new (dots)"
    return "new" if said == NEW else "old" if said == old else "garbled"


def row(directory: Path, name: str, data: bytes, programs: dict[str, Reader]) -> list[str]:
    """One photo: what each reader shows before and after, and what lies beside it then."""
    path = directory / name
    path.write_bytes(data)
    before = {reader: read(path) for reader, read in programs.items()}
    change = MetadataChange(description=NEW)
    try:
        written = PhotoWriter(LocalStorage(directory)).edit(
            Target(object_key=name), change, Precondition()
        )
        where = "sidecars" if written.not_embedded else "the file"
    except TaglineError as error:
        where = f"refused: {error}"
    cells = [name, where]
    for reader, read in programs.items():
        was, now = _word(before[reader], before[reader]), _word(read(path), before[reader])
        cells.append(was if was == now else f"{was} -> {now}")
    return [*cells, _xmp_beside(path, programs), _json_beside(path)]


def _xmp_beside(path: Path, programs: dict[str, Reader]) -> str:
    sidecar = path.with_name(f"{path.name}.xmp")
    if not sidecar.exists():
        return ""
    names = [name for name in ("exiftool XMP", "Exiv2 XMP") if name in programs]
    said = {_word(programs[name](sidecar), OLD) for name in names}
    return " ".join(sorted(said))


def _json_beside(path: Path) -> str:
    sidecar = path.with_name(f"{path.name}.json")
    if not sidecar.exists():
        return ""
    return _word(json.loads(sidecar.read_text("utf-8")).get("description") or "", OLD)


def main() -> None:
    """Write into one photo of each format, and print the table."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    default = ROOT.parent / "shared" / "corpus"
    arguments.add_argument("corpus", type=Path, nargs="?", default=default)
    arguments.add_argument("--write", action="store_true", help="write the table into the docs")
    options = arguments.parse_args()
    programs = readers()
    with tempfile.TemporaryDirectory(prefix="portability-") as name:
        rows = [row(Path(name), file, data, programs) for file, data in samples(options.corpus)]
    head = ("photo", "written into", *programs, "XMP sidecar", "JSON sidecar")
    text = text_table(head, rows) + f"\nThe new text is `{NEW}`.\n"
    publish("portability", text + "\n" + provenance("benchmarks.portability"), options, DOCUMENT)


if __name__ == "__main__":
    main()
