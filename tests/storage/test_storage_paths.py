"""Keys, ignore rules and names of temporary files, as pure rules."""

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagline.errors import UnsafeKey
from tagline.model.keys import key_from_path
from tagline.storage.paths import IgnoreRules, is_temporary, parts_of, temporary_name

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
