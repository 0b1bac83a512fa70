"""Programs that copy photos in through a real mount, and behind its back."""

import asyncio

import pytest

from tests.hard.mounts.test_mounts_edits import whole
from tests.hard.writers.copying import (
    SETTLED_SOON,
    Ledger,
    describe,
    key_of,
    specimens,
    until_described,
    why_not_in_waiting,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
async def copies(mount, start_copy):
    """Each format through the mount by an open file, and into the branch below by closed pieces."""
    through, below = [], []
    for name, specimen in specimens().items():
        target = mount.point / f"through-{key_of(name, specimen)}"
        through.append(await start_copy(specimen, "pieces", target, [specimen.stops[1]]))
    for name, specimen in specimens(50).items() if mount.below else ():
        target = mount.below[-1] / f"below-{key_of(name, specimen)}"
        below.append(await start_copy(specimen, "pieces", target, [specimen.stops[1]]))
    await asyncio.gather(*(copy.word() for copy in (*through, *below)))
    return through, below


async def test_a_photo_that_is_being_copied_in_on_a_real_mount_is_left_alone(
    mount, copies, start_server, exiftool
):
    """Through the mount a lease tells of the writer; below it only what is missing of the file."""
    through, below = copies
    server = await start_server(mount.point, **SETTLED_SOON)
    both = (*through, *below)
    shown = await server.until_keys(*(copy.target.name for copy in both))
    ledger = Ledger()
    answers = await asyncio.gather(
        *(describe(server, ledger, key, photo["id"]) for key, photo in shown.items())
    )
    faults = [
        f"{key}: {wrong}"
        for key, answer in zip(shown, answers, strict=True)
        if (wrong := why_not_in_waiting(answer))
    ]
    print(mount.name, awaited(shown, answers))  # noqa: T201 - what each mount lets one see
    for copy in both:
        copy.go_on()
    await asyncio.gather(*(copy.finish() for copy in both))
    await server.ask("POST", "/rescan")
    keys = [copy.target.name for copy in both]
    await until_described(server, ledger, [k for k in keys if not ledger.of(k).acknowledged])
    await server.ask("POST", "/rescan")
    faults += whole(mount, {copy.target.name: copy.specimen for copy in both})
    await server.stop()
    again = await (await start_server(mount.point, **SETTLED_SOON)).by_key()
    for key in keys:
        if (text := again[key]["metadata"]["description"]) != ledger.of(key).acknowledged:
            faults.append(f"{key} says {text!r}, not {ledger.of(key).acknowledged!r}")
    assert not faults, "\n".join(faults)


def awaited(shown, answers):
    """What the refusals await, by where the writer is."""
    told = {"through": set(), "below": set()}
    for key, answer in zip(shown, answers, strict=True):
        if answer.status == 409:
            told[key.partition("-")[0]].add(answer.json.get("awaited"))
    return told
