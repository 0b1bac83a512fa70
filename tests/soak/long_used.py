"""A house that has used Tagline for years: all that has a limit has come to it."""

import asyncio
import shutil
from pathlib import Path

from tagline.index.encoded import encode_document
from tagline.index.history import CONTENT
from tagline.index.ledger import HistoryLimits
from tagline.index.opening import HISTORY_FILE_NAME, open_database
from tagline.model import Actor, MetadataChange, PastChange, photo_id
from tagline.sync.lost import MOST
from tests.hard.processes import Server, save_photo

PICTURE_CACHE_MEGABYTES = 24
"""Pictures on disk are let go of within the first day."""
_AT_ONCE = 1000


def fill_history(data: Path) -> None:
    """Make a history of photos long gone that has as many changes as are kept, and as many bytes.

    Args:
        data: the data directory of a server that does not run.
    """
    limits = HistoryLimits()
    database = open_database(data / HISTORY_FILE_NAME, durable=False, content=CONTENT)
    for first in range(1, limits.changes + 1, _AT_ONCE):
        rows = {str(n): _change(n, limits) for n in range(first, first + _AT_ONCE)}
        database.encoded.commit({"changes": rows})
    assert 0.98 * limits.bytes < database.encoded.live_bytes <= limits.bytes
    database.close()


def _change(n: int, limits: HistoryLimits) -> bytes:
    photo = photo_id(f"{n // limits.per_photo:032x}")
    text = "x" * (limits.bytes // limits.changes // 2 - 118)
    return encode_document(
        PastChange(
            n=n,
            photo_id=photo,
            at="2014-05-01T12:34:56.000000Z",
            by=Actor(kind="session", name=photo),
            before=MetadataChange(description=text),
            after=MetadataChange(description=text),
        )
    )


async def lose_rows(server: Server) -> None:
    """Have as many photos come and go as are remembered after they went."""
    before = (await server.health())["index"]["photos"]
    card = server.photos / "card"
    await asyncio.to_thread(_fill_card, card)

    async def has(photos: int) -> bool:
        return (await server.health())["index"]["photos"] == photos

    await server.until(lambda: has(before + MOST), 120)
    await asyncio.to_thread(shutil.rmtree, card)
    await server.until(lambda: has(before), 120)


def _fill_card(card: Path) -> None:
    card.mkdir()
    for number in range(MOST):
        save_photo(card / f"{number:05}.png", number, (4, 4))
