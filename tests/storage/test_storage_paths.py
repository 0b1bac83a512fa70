"""Keys, ignore rules and names of temporary files, as pure rules."""

import fnmatch
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagline.errors import UnsafeKey
from tagline.model.keys import key_from_path
from tagline.storage.paths import (
    IgnoreRules,
    aside_name,
    has_aside_name,
    is_temporary,
    kept_name,
    parts_of,
    read_aside_name,
    temporary_name,
)

NAMES = st.binary(min_size=1, max_size=60).filter(
    lambda name: b"/" not in name and b"\0" not in name and name not in {b".", b".."}
)


@given(st.lists(NAMES, min_size=1, max_size=4))
def test_every_path_has_a_safe_key(parts):
    """Whatever names a file system holds, their key gives back exactly them."""
    assert parts_of(key_from_path(b"/".join(parts))) == tuple(parts)


@given(st.text(max_size=40) | st.text("./\\x0abf\0\udc80", max_size=12))
def test_every_key_is_refused_or_names_one_path_below(text):
    """Any text is refused, or is the one key of a path that goes down only."""
    try:
        parts = parts_of(text)
    except UnsafeKey:
        return
    assert key_from_path(b"/".join(parts)) == text
    assert parts
    for part in parts:
        assert part not in {b"", b".", b".."}
        assert not {0, ord("/")} & set(part)


@given(st.text(min_size=1, max_size=20), st.lists(st.text("*?[]!ab/.", max_size=6), max_size=3))
def test_globs_match_as_fnmatch_does(name, globs):
    """A name is hidden by the fixed list or by what fnmatch says of it, and by nothing else."""
    fixed = IgnoreRules().hide(name, name)
    wanted = any(fnmatch.fnmatchcase(name, bare) for glob in globs if (bare := glob.strip("/")))
    assert IgnoreRules(globs).hide(name, name) == (fixed or wanted)


@pytest.mark.parametrize(
    "name",
    [
        *(".", ".a", "@eaDir", "#recycle", "#RECYCLE", "lost+found", "LOST+FOUND"),
        *("$Recycle.Bin", "System Volume Information", "SYSTEM VOLUME INFORMATION"),
    ],
)
def test_the_fixed_list_hides_in_any_case(name):
    """Names of the fixed list are hidden at any depth, however they are written."""
    assert IgnoreRules().hide(name, name)
    assert IgnoreRules().hide_path(f"a/{name}/b/c.jpg")


@pytest.mark.parametrize(
    "name", ["a.jpg", "#1.jpg", "$5.jpg", "lost", "System.jpg", "recycle", "é"]
)
def test_the_fixed_list_hides_nothing_else(name):
    """Names that only begin alike are shown."""
    assert not IgnoreRules().hide(name, name)
    assert not IgnoreRules().hide_path(f"{name}/{name}")


def test_temporary_names_are_short_hidden_and_distinct():
    """A temporary name never depends on the photo's, and no walk shows it."""
    names = {temporary_name().decode() for _ in range(100)}
    assert len(names) == 100
    for name in names:
        assert len(name) < 40
        assert is_temporary(name)
        assert IgnoreRules().hide(name, name)
    assert not is_temporary("a.tmp")
    assert not is_temporary(".tagline-a")


@given(st.binary(min_size=1, max_size=224).filter(lambda name: not {0, 47} & {*name}))
def test_a_name_put_aside_tells_its_own(name):
    """The hidden name gives the own one back, and knows the old file and the new one."""
    aside = aside_name(name, (3, 1_000), (5, 2_000))
    assert IgnoreRules().hide(os.fsdecode(aside), os.fsdecode(aside))
    assert not is_temporary(os.fsdecode(aside))
    assert len(kept_name(aside)) <= 255
    assert read_aside_name(kept_name(aside)) is None
    if has_aside_name(name):
        told = read_aside_name(aside)
        assert told.name == name
        assert told.is_old((3, 1_000))
        assert told.is_new((5, 2_000))
        assert not told.is_old((5, 2_000))
        assert not told.is_new((3, 1_000))


def test_what_is_no_name_put_aside_tells_nothing():
    """Temporary files, kept ones and those of other programs are none."""
    for name in (temporary_name(), b".tagline-0123456789abcdef", b"a.jpg", b".tagline-sidecars"):
        assert read_aside_name(name) is None
    assert not has_aside_name(b"a.kept")
    assert not has_aside_name(b"a" * 225)
    assert has_aside_name(b"a" * 224)
    assert not has_aside_name(b"a" * 224, 254)
