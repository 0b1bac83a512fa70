"""Photos without a date are last in either direction, whatever page they are met on."""

import msgspec
import pytest

from tagline.index import open_index
from tagline.model import PhotoQuery, Sort
from tests.rows import make_row

UNDATED = 4


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_page_by_page_each_photo_comes_once(descending: bool, limit: int) -> None:
    """Cursors lead through dated and undated photos as one list of both would."""
    dates = [f"2020-01-0{day}T00:00:00.000000Z" for day in (2, 1, 3)]
    index = open_index(None)
    index.apply(
        make_row(number, f"{number}.jpg", taken_at=date)
        for number, date in enumerate([*dates, *[None] * UNDATED])
    )
    query = PhotoQuery(sort=Sort.TAKEN_AT, descending=descending, limit=limit)
    found: list[str] = []
    while True:
        page = index.page(query)
        found += [msgspec.json.decode(item)["object_key"] for item in page.items]
        if page.next_key is None:
            break
        query = msgspec.structs.replace(query, after=page.next_key)
    dated, undated = ["1.jpg", "0.jpg", "2.jpg"], ["3.jpg", "4.jpg", "5.jpg", "6.jpg"]
    direction = -1 if descending else 1
    assert found == dated[::direction] + undated[::direction]
