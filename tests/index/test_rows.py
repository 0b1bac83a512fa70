"""In which order the documents of photos come."""

from hypothesis import example, given
from hypothesis import strategies as st

from tagline.index.rows import ascend, encode_document, sort_key

KEYS = st.sampled_from(["a", "a/b", "a-b", "a0", "b", "ä", "日", 'q"', "\\x41"])


def document(object_key: str, number: int) -> bytes:
    """As much of a photo's JSON as is sorted by."""
    photo_id = f"00000000-0000-4000-8000-{number:012}"
    return encode_document({"id": photo_id, "object_key": object_key, "size": 1})


@given(st.lists(st.tuples(KEYS, st.integers(0, 3)), max_size=4))
@example([("a", 0), ("a", 1)])
def test_documents_ascend_only_where_their_keys_do(rows: list[tuple[str, int]]) -> None:
    """An object key that is escaped in JSON sorts elsewhere than its JSON does."""
    documents = [document(key, number) for key, number in rows]
    keys = [key for key, _ in rows]
    plain = not any('"' in key or "\\" in key for key in keys)
    assert ascend(documents) == (plain and sorted(set(keys)) == keys)
    if ascend(documents):
        assert sorted(documents, key=sort_key) == documents


def test_documents_whose_ids_are_longer_are_not_judged() -> None:
    """They are then sorted by keys that are decoded."""
    assert not ascend([encode_document({"id": "x" * 40, "object_key": "a"})])
