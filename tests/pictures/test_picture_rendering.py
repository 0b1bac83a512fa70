"""Pictures of files of every kind, made by a worker process."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageCms, ImageOps
from tests_pictures_samples import (
    ADOBE_RGB,
    DISPLAY_P3,
    SIZE,
    largest_difference,
    png_bomb,
    saved,
    scene,
)

from tagline.errors import PictureRefused
from tagline.metadata import heif
from tagline.model import BytesSource

STONEHENGE = "exiv2/test/data/Stonehenge.heic"


def turned_exif(orientation: int) -> Image.Exif:
    """An Exif block that says how to turn the picture."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def refused(make, data: bytes, **job) -> str:
    """The reason why there is no picture."""
    with pytest.raises(PictureRefused) as caught:
        make(data, **job)
    return caught.value.reason


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff", "avif"])
def test_every_orientation_comes_out_upright(make, kind, orientation):
    """Pixels and size are those of Pillow's own turning."""
    data = saved(scene(), kind.upper(), exif=turned_exif(orientation), quality=95)
    expected = ImageOps.exif_transpose(Image.open(BytesIO(data)))
    made = make(data, kind=kind, orientation=orientation, stored=SIZE, edge=200)
    assert made.size == expected.size == (SIZE if orientation < 5 else SIZE[::-1])
    assert largest_difference(made, expected) < 20


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/webp"])
def test_a_picture_is_small_and_says_nothing_else(make, media_type):
    """The longer side is as asked for; position, camera and profile stay in the original."""
    exif = turned_exif(1)
    exif[0x010F] = "Maker"
    data = saved(scene((960, 640)), "JPEG", exif=exif, icc_profile=DISPLAY_P3, comment="x")
    raw = make.raw(data, media_type=media_type, edge=120)
    made = Image.open(BytesIO(raw))
    assert made.size == (120, 80)
    assert made.get_format_mimetype() == media_type
    assert not {"exif", "icc_profile", "xmp", "comment"} & set(made.info)
    assert b"Maker" not in raw


def test_a_small_photo_is_not_enlarged(make):
    """It keeps its size."""
    assert make(saved(scene(), "PNG"), kind="png", edge=1024).size == SIZE


@pytest.mark.parametrize("profile", [DISPLAY_P3, ADOBE_RGB], ids=["Display P3", "Adobe RGB"])
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff"])
def test_colours_come_out_in_srgb(make, kind, profile):
    """Within the codecs' tolerance they are as LittleCMS converts them, and not as they were."""
    image = scene()
    options = {"quality": 95} if kind == "jpeg" else {"lossless": True} if kind == "webp" else {}
    data = saved(image, kind.upper(), icc_profile=profile, **options)
    expected = ImageCms.profileToProfile(
        image,
        ImageCms.ImageCmsProfile(BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
    )
    made = make(data, kind=kind, edge=200)
    assert largest_difference(made, expected) < 14
    assert largest_difference(expected, image) > 25


def test_a_camera_s_word_for_adobe_rgb_counts(make):
    """A JPEG without a profile whose Exif says R03 is Adobe RGB, by the rules of camera files."""
    exif = Image.Exif()
    exif[0x8769] = {0xA005: {1: "R03"}}
    named = saved(scene(), "JPEG", quality=95, exif=exif)
    assert Image.open(BytesIO(named)).getexif().get_ifd(0xA005)[1] == "R03"
    embedded = saved(scene(), "JPEG", quality=95, icc_profile=ADOBE_RGB)
    assert largest_difference(make(named), make(embedded)) < 3
    assert largest_difference(make(named), make(saved(scene(), "JPEG", quality=95))) > 25


@pytest.mark.parametrize("profile", [b"junk", DISPLAY_P3[:200], DISPLAY_P3[:16] + b"CMYK" * 40])
def test_a_bad_profile_is_passed_over(make, profile):
    """The colours are then taken as they are."""
    made = make(saved(scene(), "JPEG", quality=95, icc_profile=profile), edge=200)
    assert largest_difference(made, scene()) < 20


def test_grey_with_a_profile_for_colours_stays_grey(make):
    """Cameras write such files."""
    data = saved(scene().convert("L"), "JPEG", quality=95, icc_profile=DISPLAY_P3)
    assert largest_difference(make(data, edge=200), scene().convert("L")) < 8


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_shines_through_is_kept_or_white(make, mode):
    """WebP keeps it; JPEG, which cannot, has white there."""
    image = scene().convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 48, 32))
    data = saved(image.convert(mode), "PNG")
    kept = make(data, kind="png", media_type="image/webp")
    assert kept.mode == "RGBA"
    assert kept.getpixel((4, 4))[3] < 8
    assert kept.getpixel((60, 40))[3] > 247
    laid = make(data, kind="png", media_type="image/jpeg")
    assert laid.mode == "RGB"
    assert min(laid.getpixel((4, 4))) > 245


def test_a_colour_that_stands_for_nothing_is_white(make):
    """PNG may name one colour that is transparent."""
    data = saved(Image.new("RGB", SIZE, (10, 20, 30)), "PNG", transparency=(10, 20, 30))
    assert min(make(data, kind="png").getpixel((9, 9))) > 245


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/webp"])
@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("png", "1"),
        ("png", "L"),
        ("png", "P"),
        ("png", "I;16"),
        ("gif", "P"),
        ("jpeg", "L"),
        ("jpeg", "CMYK"),
        ("tiff", "1"),
        ("tiff", "I;16"),
        ("tiff", "I"),
        ("tiff", "F"),
        ("tiff", "CMYK"),
        ("tiff", "LAB"),
        ("tiff", "YCbCr"),
        ("webp", "RGB"),
    ],
)
def test_pixels_of_every_kind_come_out(make, kind, mode, media_type):
    """Light stays light and dark stays dark, whatever the pixels are made of."""
    ramp = Image.linear_gradient("L").resize((64, 64))
    if mode == "I;16":
        image = Image.frombytes(
            "I;16", (64, 64), b"".join(b"\0" + bytes([v]) for v in ramp.tobytes())
        )
    elif mode == "LAB":
        neutral = Image.new("L", (64, 64), 128)
        image = Image.merge("LAB", (ramp, neutral, neutral))
    elif mode in {"CMYK", "LAB", "YCbCr"}:
        image = ramp.convert("RGB").convert(mode)
    elif mode == "1":
        image = ramp.point(lambda v: 255 * (v > 127), "1")
    else:
        image = ramp.convert(mode)
    made = make(saved(image, kind.upper()), kind=kind, media_type=media_type).convert("L")
    assert made.size == (64, 64)
    assert made.getpixel((32, 2)) < 40
    assert made.getpixel((32, 61)) > 200


def test_flat_numbers_are_black(make):
    """An image of one value has no range to be stretched."""
    made = make(saved(Image.new("F", (8, 8), 7.5), "TIFF"), kind="tiff")
    assert max(made.getpixel((4, 4))) < 8


@pytest.mark.parametrize("kind", ["gif", "webp", "png", "tiff", "avif"])
def test_of_an_animation_the_first_frame_is_shown(make, kind):
    """The others are left alone."""
    frames = [Image.new("RGB", SIZE, colour) for colour in ("red", "blue")]
    data = saved(frames[0], kind.upper(), save_all=True, append_images=frames[1:])
    red, _, blue = make(data, kind=kind).getpixel((20, 20))
    assert red > 220
    assert blue < 30


def test_a_multi_picture_jpeg_shows_its_first_picture(make):
    """MPF files of phones and 3D cameras."""
    frames = [Image.new("RGB", SIZE, colour) for colour in ("red", "blue")]
    data = saved(frames[0], "MPO", save_all=True, append_images=frames[1:])
    assert make(data).getpixel((20, 20))[0] > 220


def turned_heic(data: bytes, quarters: int) -> bytes:
    """A HEIC whose box says to turn its image left by so many quarters."""
    at = data.index(b"irot") + 4
    return data[:at] + bytes([quarters]) + data[at + 1 :]


@pytest.mark.shared
def test_heic_is_turned_once(make, shared: Path):
    """What its container says is done by its decoder, and not done again."""
    data = (shared / "corpus" / STONEHENGE).read_bytes()
    container = heif.read(BytesSource(data))
    stored = (container.width, container.height)
    plain = make.named("a.heic", data, stored=stored, edge=100)
    assert plain.size == (100, 67)
    if b"irot" not in data:
        return
    for quarters, turn in enumerate((None, Image.Transpose.ROTATE_90)):
        changed = turned_heic(data, quarters)
        orientation = heif.read(BytesSource(changed)).orientation or 1
        made = make.named("a.heic", changed, orientation=orientation, stored=stored, edge=100)
        expected = plain if turn is None else plain.transpose(turn)
        assert largest_difference(made, expected) < 30


@pytest.mark.shared
def test_heic_without_a_box_that_turns_follows_its_orientation(make, shared: Path):
    """As the photo's JSON says it."""
    data = (shared / "corpus" / STONEHENGE).read_bytes().replace(b"irot", b"free")
    plain = make.named("a.heic", data, edge=100)
    made = make.named("a.heic", data, orientation=6, edge=100)
    assert largest_difference(made, plain.transpose(Image.Transpose.ROTATE_270)) < 30


@pytest.mark.shared
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_the_corpus_gives_pictures_or_reasons(make, corpus: list[Path]):
    """Every real file is shown where Pillow opens it, and refused with a reason elsewhere."""
    for path in corpus:
        data = path.read_bytes()
        try:
            made = make.named(path.name, data, edge=128)
        except PictureRefused:
            with pytest.raises((OSError, SyntaxError, ValueError)), Image.open(path) as image:
                image.load()
        else:
            assert max(made.size) <= 128


@pytest.mark.parametrize("kind", ["png", "webp", "tiff", "gif", "avif", "heif"])
def test_a_file_cut_short_is_damaged(make, kind):
    """Half a file gives a reason, or what there is of it."""
    source = "AVIF" if kind == "heif" else kind.upper()
    data = saved(Image.effect_noise((300, 200), 80).convert("RGB"), source)
    assert refused(make, data[: len(data) // 2], kind=kind) in {"damaged", "unsupported"}
    assert refused(make, data[:40], kind=kind) in {"damaged", "unsupported"}
    assert refused(make, b"", kind=kind) in {"damaged", "unsupported"}


def test_a_jpeg_cut_short_shows_what_there_is(make):
    """As browsers do."""
    data = saved(scene((960, 640)), "JPEG", quality=95)
    made = make(data[: len(data) * 2 // 3], edge=96)
    assert largest_difference(made.crop((0, 0, 96, 8)), scene().crop((0, 0, 96, 8))) < 20
    assert refused(make, data[:300]) == "damaged"


@pytest.mark.parametrize("kind", ["", "jxl", "psd", "svg", "../png"])
def test_kinds_without_a_decoder_are_unsupported(make, kind):
    """No other decoder is tried."""
    assert refused(make, saved(scene(), "PNG"), kind=kind) == "unsupported"


def test_a_decoder_is_given_its_own_kind_only(make):
    """A PostScript file that claims to be a JPEG starts no interpreter, nor does a PNG decode."""
    for data in (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", saved(scene(), "PNG")):
        assert refused(make, data, kind="jpeg") == "damaged"


def test_bombs_are_refused_by_their_headers(make):
    """Nothing is decoded of 3.6 thousand million pixels; the next picture comes as ever."""
    assert refused(make, png_bomb(60_000, 60_000), kind="png") == "too_large"
    assert refused(make, saved(scene(), "PNG"), kind="png", max_pixels=6143) == "too_large"
    assert make(saved(scene(), "PNG"), kind="png", max_pixels=6144).size == (64, 43)


def test_a_part_of_a_file_is_all_that_is_seen(make):
    """An offset and a length bound what the decoder reads."""
    inner, outer = saved(scene(), "PNG"), saved(Image.new("RGB", (9, 9)), "PNG")
    data = outer + inner + outer
    made = make(data, kind="png", offset=len(outer), length=len(inner))
    assert largest_difference(made, make(inner, kind="png")) == 0
    assert refused(make, data, kind="png", offset=len(outer) + 1, length=len(inner)) == "damaged"
