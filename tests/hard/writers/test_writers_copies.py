"""Photos that are described while other programs are still copying them in, or over old ones."""

import asyncio
import os
import random
from dataclasses import replace

import pytest

from tests.hard.writers.copying import (
    Ledger,
    describe,
    describe_by_command,
    describe_together,
    key_of,
    specimens,
    until_described,
    why_not_in_waiting,
)

pytestmark = pytest.mark.slow

MANNERS = (
    *("pieces", "allocated", "truncated", "mapped", "renamed"),
    *("reopened", "yesterday", "in_1970", "in_2100"),
)
ROUNDS = 3 if os.environ.get("TAGLINE_WRITERS") == "all" else 2


async def copy_each(directory, start_copy, rounds=ROUNDS):
    """Start copying each format in each manner; two of the three places to stop, in turn."""
    copies = []
    for row, manner in enumerate(MANNERS):
        # Each is another picture: of copies of one, a text may follow the wrong one.
        for column, (name, specimen) in enumerate(specimens(100 * row).items()):
            target = directory / f"{manner}-{key_of(name, specimen)}"
            left_out = (row + column) % 3 if rounds == 2 else None
            stops = [at for place, at in enumerate(specimen.stops) if place != left_out]
            copies.append(await start_copy(specimen, manner, target, stops))
    return copies


def key_now(copy):
    """The key of the file that is being written."""
    return ("part-" if copy.manner == "renamed" else "") + copy.target.name


async def attempts(server, ledger, directory, copies, turn):
    """Describe every photo by one of three ways; what each was answered wrongly."""
    # A photo of which more is there is another one, until it is whole.
    await server.ask("POST", "/rescan")
    ids = {key: photo["id"] for key, photo in (await server.by_key()).items()}
    ways = {0: [], 1: [], 2: []}
    for number, copy in enumerate(copies):
        ways[(number + turn) % 3].append(key_now(copy))

    async def single(key):
        return {key: await describe(server, ledger, key, ids[key])}

    singles = (single(key) for key in ways[0])
    together = describe_together(server, ledger, {key: ids[key] for key in ways[1]})
    command = describe_by_command(directory, ledger, ways[2])
    said, *answered = await asyncio.gather(command, together, *singles)
    faults = [f"tagline describe {key}: described" for key in ways[2] if key not in said]
    for answers in answered:
        for key, answer in answers.items():
            if wrong := why_not_in_waiting(answer):
                faults.append(f"{key}, {'alone' if key in ways[0] else 'of many'}: {wrong}")
    return faults


@pytest.mark.timeout(240)
async def test_no_photo_is_described_while_it_is_being_copied_in(
    directory, server, start_copy, judge
):
    """Each format in each manner, held still in its head, image and end: by PATCH, batch, command.

    Each is refused with what is awaited, every file is whole in the end, and described then.
    """
    copies = await copy_each(directory, start_copy)
    ledger, faults = Ledger(), []
    for turn in range(ROUNDS):
        await asyncio.gather(*(copy.word() for copy in copies))
        await server.until_keys(*map(key_now, copies))
        faults += [
            f"stop {turn}: {fault}"
            for fault in await attempts(server, ledger, directory, copies, turn)
        ]
        for copy in copies:
            copy.go_on()
    await asyncio.gather(*(copy.finish() for copy in copies))
    keys = [copy.target.name for copy in copies]
    ledger.told = {key: ledger.of(key) for key in keys}
    await until_described(server, ledger, [k for k in keys if not ledger.of(k).acknowledged])
    faults += await judge(server, ledger, copies)
    assert not faults, "\n".join(faults)


async def described_before(server, directory, old):
    """Put photos there and describe each twice; where the last change is undone, by key."""
    for key, specimen in old.items():
        (directory / key).write_bytes(specimen.data)
    shown = await server.until_keys(*old)
    undone = {}
    for key in old:
        photo_id = shown[key]["id"]
        for text in ("before", "after"):
            answer = await server.describe(photo_id, text)
            assert answer.status == 200, answer
        history = await server.ask("GET", f"/photos/{photo_id}/history")
        undone[key] = f"/photos/{photo_id}/history/{history.json['items'][0]['n']}/restore"
    return undone


@pytest.mark.timeout(120)
async def test_nothing_is_undone_in_a_photo_that_another_program_has_open(
    directory, server, start_copy, judge
):
    """A program is about to put a backup over described photos: undoing waits, as does editing."""
    old = {key_of(name, specimen): specimen for name, specimen in specimens().items()}
    undone = await described_before(server, directory, old)
    copies = [
        await start_copy(specimen, "held", directory / key, [specimen.stops[1]])
        for key, specimen in old.items()
    ]
    await asyncio.gather(*(copy.word() for copy in copies))
    shown = await server.by_key()
    asked = {f"undoing {key}": server.ask("POST", path) for key, path in undone.items()}
    asked |= {f"editing {key}": server.describe(shown[key]["id"], "edited") for key in old}
    answers = await asyncio.gather(*asked.values())
    faults = [
        f"{what}: {wrong}"
        for what, answer in zip(asked, answers, strict=True)
        if (wrong := why_not_in_waiting(answer))
    ]
    for copy in copies:
        copy.go_on()
    await asyncio.gather(*(copy.finish() for copy in copies))
    ledger = Ledger()
    await until_described(server, ledger, undone)
    faults += await judge(server, ledger, copies)
    assert not faults, "\n".join(faults)


SETTLING_SECONDS = 2.0


@pytest.mark.timeout(120)
async def test_a_photo_that_grows_between_looks_is_left_alone(
    directory, start_server, start_copy, judge
):
    """Each piece is written by a descriptor of its own, behind an image that looks complete.

    Nothing but the growth shows the writer; the edits are made when it has ended.
    """
    server = await start_server(directory, TAGLINE_SETTLE_SECONDS=str(SETTLING_SECONDS))
    copies = []
    for name, specimen in specimens().items():
        growing = with_tail(specimen)
        target = directory / key_of(name, specimen)
        first = len(specimen.data)
        stops = [*range(first, len(growing.data), 200)]
        copies.append(await start_copy(growing, "reopened", target, stops, pause=0.15))
    ledger = Ledger()
    await asyncio.gather(*(copy.word() for copy in copies))
    shown = await server.until_keys(*(copy.target.name for copy in copies))
    edits = [
        asyncio.create_task(describe(server, ledger, key, photo["id"]))
        for key, photo in shown.items()
    ]
    await asyncio.gather(*(copy.finish() for copy in copies))
    answers = await asyncio.gather(*edits)
    paused = max(copy.longest_pause for copy in copies)
    if paused > SETTLING_SECONDS * 0.9:
        pytest.skip(f"this machine held a writer up for {paused:.1f} s, which is rest")
    faults = [
        f"{key}: {wrong}"
        for key, answer in zip(shown, answers, strict=True)
        if answer.status not in {200, 404} and (wrong := why_not_in_waiting(answer))
    ]
    left = [copy.target.name for copy in copies if not ledger.of(copy.target.name).acknowledged]
    await until_described(server, ledger, left)
    faults += await judge(server, ledger, copies)
    assert not faults, "\n".join(faults)


def with_tail(specimen):
    """The same with more behind what makes it complete: twenty boxes of 200 bytes."""
    noise = random.Random(7)
    tail = b"".join(b"\0\0\0\xc8skip" + noise.randbytes(192) for _ in range(20))
    return replace(specimen, data=specimen.data + tail, kept=(*specimen.kept, tail))
