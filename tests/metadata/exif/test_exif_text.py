"""How EXIF text is understood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagline.metadata import exif_text


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"plain\0", "plain"),
        (b"EASTMAN KODAK COMPANY", "EASTMAN KODAK COMPANY"),
        ("Grüße".encode() + b"\0junk\xff", "Grüße"),
        ("Grüße".encode("latin-1"), "Grüße"),
        ("café".encode("latin-1"), "café"),
        ("naïve caf".encode() + b"\xc3", "naïve caf"),
        (b" outer blanks stay \0", " outer blanks stay "),
        (b" " * 31 + b"\0", None),
        (b"\0text behind", None),
        (b"", None),
    ],
)
def test_text(raw, expected):
    """UTF-8 first, then Latin-1, up to the first NUL; blanks alone are nothing."""
    assert exif_text.text(raw) == expected


@pytest.mark.parametrize(
    ("raw", "order", "expected"),
    [
        (b"ASCII\0\0\0a comment\0\0", ">", "a comment"),
        ("ASCII\0\0\0Grüße".encode(), ">", "Grüße"),
        (b"UNICODE\0" + "Grüße".encode("utf-16-le"), "<", "Grüße"),
        (b"UNICODE\0" + "Grüße".encode("utf-16-be"), "<", "Grüße"),
        (b"UNICODE\0" + "Grüße".encode("utf-16-le"), ">", "Grüße"),
        (b"UNICODE\0\xff\xfe" + "a日".encode("utf-16-le"), ">", "a日"),
        (b"JIS\0\0\0\0\0" + "日本語".encode("iso2022_jp"), ">", "日本語"),
        (b"JIS\0\0\0\0\0" + "日本語".encode("shift_jis"), ">", "日本語"),
        ("JIS\0\0\0\0\0日本語".encode(), ">", "日本語"),
        (bytes(8) + b"no code", ">", "no code"),
        (b"forgot the code", ">", "forgot the code"),
        (b"ASCII\0\0\0" + b" " * 20, ">", None),
        (bytes(64), ">", None),
        (b"", ">", None),
    ],
)
def test_user_comment(raw, order, expected):
    """Each character code is honoured, and what programs do instead is understood."""
    assert exif_text.user_comment(raw, order) == expected


@given(st.binary(max_size=60), st.sampled_from("<>"))
def test_any_bytes_decode(raw, order):
    """No bytes are refused by any of the decoders."""
    exif_text.text(raw)
    exif_text.user_comment(raw, order)
    exif_text.utf16(raw, "utf-16-le")


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
    st.sampled_from("<>"),
)
def test_xp_text_round_trips(words, order):
    """What is written for Windows reads back, but for a byte order mark at its start."""
    if words.strip() and words[0] not in "\ufeff\ufffe":
        assert exif_text.utf16(exif_text.encode_xp(words), "utf-16-le") == words


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
    st.sampled_from("<>"),
)
def test_user_comment_round_trips(words, order):
    """Whatever is written as a UserComment reads back, whichever order the reader guesses."""
    if words.strip() and words[0] not in "\ufeff\ufffe":
        assert exif_text.user_comment(exif_text.encode_user_comment(words, order), order) == words
