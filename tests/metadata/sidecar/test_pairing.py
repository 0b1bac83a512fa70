"""Which sidecar belongs to which photo."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.metadata.pairing import SidecarNames, pair, photos_of_sidecar, sidecars_of

EXTENSIONS = {"jpg", "jpeg", "heic", "cr2", "nef", "png"}
LONG = "a_photo_with_a_name_that_is_much_too_long_for_google_takeout"


def is_photo(name: str) -> bool:
    """Whether the extension is a photo's."""
    return name.rpartition(".")[2].lower() in EXTENSIONS


@pytest.mark.parametrize(
    ("photo", "sidecar"),
    [
        ("IMG.jpg", "IMG.jpg.json"),
        ("IMG.jpg", "IMG.jpg.JSON"),
        ("IMG.JPG", "IMG.JPG.json"),
        ("IMG.jpg", "IMG.jpg.supplemental-metadata.json"),
        ("IMG.jpg", "IMG.jpg.supplemental-me.json"),
        ("IMG.jpg", "IMG.jpg.s.json"),
        ("IMG.jpg", "IMG.jpg..json"),
        ("IMG(1).jpg", "IMG.jpg(1).json"),
        ("IMG(1).jpg", "IMG(1).jpg.json"),
        ("IMG(12).jpg", "IMG.jpg.supplemental-metadata(12).json"),
        ("IMG(12).jpg", "IMG.jpg.suppl(12).json"),
        ("IMG(1).jpg", "IMG(1).jpg.supplemental-metadata.json"),
        (LONG[:47] + ".jpg", LONG[:46] + ".json"),
        (LONG[:47] + "(1).jpg", LONG[:46] + "(1).json"),
        (LONG[:43] + ".jpg", (LONG[:43] + ".jpg")[:46] + ".json"),
        (LONG[:41] + ".jpg", LONG[:41] + ".jpg..json"),
        (LONG[:40] + ".jpg", LONG[:40] + ".jpg.s.json"),
    ],
)
def test_takeout_s_names_are_found(photo: str, sidecar: str) -> None:
    """Every way in which Takeout names a sidecar leads to its photo, and back."""
    names = [photo, sidecar, "metadata.json", "other.png"]
    assert pair(names, is_photo)[photo].json == sidecar
    assert pair(names, is_photo)["other.png"] == SidecarNames()
    assert photos_of_sidecar(sidecar, names, is_photo) == [photo]
    assert photos_of_sidecar(sidecar, [photo], is_photo) == [photo]


@pytest.mark.parametrize(
    "sidecar",
    [
        "IMG.json",
        "IMG.jpg(2).json",
        "IMG.jpg.supplemental-metadatas.json",
        "IMG.jpg.txt.json",
        "IMG.jpgs.json",
        "IMG-edited.jpg.json",
        "img.jpg.json",
        "metadata.json",
        "IMG.jpg",
        ".json",
        "(1).json",
    ],
)
def test_other_names_are_no_sidecars(sidecar: str) -> None:
    """Names that merely look alike belong to nobody."""
    names = ["IMG.jpg", "IMG(1).jpg", sidecar]
    assert pair(names, is_photo)["IMG.jpg"].json is None
    assert photos_of_sidecar(sidecar, names, is_photo) == []


def test_an_edited_variant_is_a_photo_of_its_own() -> None:
    """IMG-edited.jpg takes nothing of IMG.jpg's."""
    names = ["IMG.jpg", "IMG-edited.jpg", "IMG.jpg.json"]
    assert pair(names, is_photo)["IMG-edited.jpg"] == SidecarNames()


def test_the_counter_decides_between_copies() -> None:
    """A photo and its numbered copies each have their own sidecar."""
    names = ["A.jpg", "A(1).jpg", "A.jpg.json", "A.jpg(1).json"]
    assert pair(names, is_photo) == {
        "A.jpg": SidecarNames(json="A.jpg.json"),
        "A(1).jpg": SidecarNames(json="A.jpg(1).json"),
    }


def test_the_full_name_goes_first() -> None:
    """IMG.ext.json goes before Takeout's names for it, whole ones before clipped ones."""
    names = ["A.jpg", "A.jpg.supplemental-metadata.json", "A.jpg.s.json"]
    assert pair(names, is_photo)["A.jpg"].json == "A.jpg.supplemental-metadata.json"
    assert pair([*names, "A.jpg.JSON"], is_photo)["A.jpg"].json == "A.jpg.JSON"
    assert pair([*names, "A.jpg.JSON", "A.jpg.json"], is_photo)["A.jpg"].json == "A.jpg.json"


def test_an_ambiguous_clipped_name_belongs_to_nobody() -> None:
    """Two photos that share their first 46 characters take no sidecar of just those."""
    one, two = LONG[:50] + ".jpg", LONG[:51] + ".jpg"
    names = [one, two, LONG[:46] + ".json"]
    assert {s.json for s in pair(names, is_photo).values()} == {None}


def test_xmp_by_full_name_and_by_stem() -> None:
    """IMG.ext.xmp is the photo's own; IMG.xmp too, where no other photo shares the stem."""
    names = ["A.jpg", "A.jpg.XMP", "A.xmp", "B.jpg", "B.CR2", "B.xmp", "B.CR2.xmp"]
    assert pair(names, is_photo) == {
        "A.jpg": SidecarNames(xmp="A.jpg.XMP", stem_xmp="A.xmp"),
        "B.jpg": SidecarNames(),
        "B.CR2": SidecarNames(xmp="B.CR2.xmp"),
    }
    assert photos_of_sidecar("B.xmp", names, is_photo) == []
    assert photos_of_sidecar("A.xmp", names, is_photo) == ["A.jpg"]


def test_a_photo_s_own_sidecar_is_no_stem_sidecar() -> None:
    """IMG.jpg.xmp is IMG.jpg's, not that of IMG.jpg.png."""
    names = ["IMG.jpg", "IMG.jpg.png", "IMG.jpg.xmp"]
    assert pair(names, is_photo)["IMG.jpg.png"] == SidecarNames()


def test_one_photo_is_paired_as_in_the_whole() -> None:
    """A photo asked for alone gets what it gets among all, listed or not."""
    names = ["A.jpg.json", "A.xmp"]
    assert sidecars_of("A.jpg", names, is_photo) == SidecarNames(
        stem_xmp="A.xmp", json="A.jpg.json"
    )
    assert sidecars_of("note.txt", names, is_photo) == SidecarNames()


NAMES = st.lists(
    st.builds(
        "".join,
        st.tuples(
            st.sampled_from(["A", "B", "A(1)", LONG[:46], LONG[:47], LONG[:50], LONG[:51], ""]),
            st.sampled_from([".jpg", ".JPG", ".cr2", ".jpg.png", ""]),
            st.sampled_from(["", "", ".s", ".supplemental-metadata", ".", "(1)", ".suppl(1)"]),
            st.sampled_from(["", "", ".json", ".JSON", ".xmp", ".XMP"]),
        ),
    ),
    max_size=25,
)


@settings(max_examples=250, deadline=None)
@given(NAMES, st.randoms(use_true_random=False))
def test_pairing_is_a_function_of_the_set_of_names(names: list[str], chance: random.Random) -> None:
    """Order and repetition make no difference, and every sidecar is one of the names."""
    paired = pair(names, is_photo)
    shuffled = names * 2
    chance.shuffle(shuffled)
    assert pair(shuffled, is_photo) == paired
    assert set(paired) == {name for name in names if is_photo(name)}
    for found in paired.values():
        assert {found.xmp, found.stem_xmp, found.json} <= {*names, None}


@settings(max_examples=250, deadline=None)
@given(NAMES)
def test_no_sidecar_belongs_to_two_photos(names: list[str]) -> None:
    """Each sidecar file is one photo's at most, and its photo is found from it."""
    paired = pair(names, is_photo)
    owners: dict[str, set[str]] = {}
    for photo, found in paired.items():
        assert sidecars_of(photo, names, is_photo) == found
        for name in {found.xmp, found.stem_xmp, found.json} - {None}:
            owners.setdefault(str(name), set()).add(photo)
    for name, photos in owners.items():
        assert len(photos) == 1
        assert photos_of_sidecar(name, names, is_photo) == sorted(photos)


def test_a_large_directory_takes_linear_time() -> None:
    """Four times the names take about four times as long, not sixteen."""

    def seconds(count: int) -> float:
        names: list[str] = []
        for number in range(count):
            photo = f"IMG_{number:06}.jpg"
            names += photo, f"{photo}.supplemental-metadata.json", f"IMG_{number:06}.xmp"
        best = 9.0
        for _ in range(3):
            start = time.process_time()
            assert len(pair(names, is_photo)) == count
            best = min(best, time.process_time() - start)
        return best

    assert seconds(12_000) < 10 * max(seconds(3_000), 0.005)
