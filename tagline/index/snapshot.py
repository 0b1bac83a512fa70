"""The transactions that make an empty database into a given one."""

from collections.abc import Iterator, Mapping

from tagline.index.lines import Changes

BATCH = 256
"""Documents of one table in a transaction: short enough not to hold the interpreter lock."""


def snapshot(tables: Mapping[str, Mapping[str, bytes]]) -> Iterator[Changes]:
    """Every document once; documents of several tables under one id in one transaction.

    Safe while the tables change: a document changed meanwhile is given old, new or not at all.
    """
    names = list(tables)
    if names:
        yield {name: {} for name in names}
    for position, name in enumerate(names):
        earlier = [tables[n] for n in names[:position]]
        ids = list(tables[name])
        for start in range(0, len(ids), BATCH):
            batch = [i for i in ids[start : start + BATCH] if not any(i in t for t in earlier)]
            yield {n: _documents(tables[n], batch) for n in names[position:]}


def _documents(rows: Mapping[str, bytes], ids: list[str]) -> dict[str, bytes | None]:
    return {i: raw for i in ids if (raw := rows.get(i)) is not None}
