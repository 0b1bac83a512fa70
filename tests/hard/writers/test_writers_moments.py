"""Sidecars that others write, files that are opened at the last moment, chmod in a loop."""

import asyncio
import json

import pytest

from tests.hard.processes import save_photo
from tests.hard.writers.copying import (
    Ledger,
    describe,
    key_of,
    specimens,
    until_described,
    why_not_in_waiting,
)
from tests.hard.writers.specimens import Specimen

pytestmark = pytest.mark.slow

PROPERTIES = "".join(f"<mine:p{n}>word {n}</mine:p{n}>" for n in range(200))
PACKET = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    f'xmlns:mine="http://example.com/mine/">{PROPERTIES}</rdf:Description></rdf:RDF></x:xmpmeta>'
).encode()
DOCUMENT = json.dumps({"title": "b.gif", "other": "word " * 1000, "more": "end"}).encode()
SIDECARS = {
    "a.jpg.xmp": (PACKET, b"word 199"),
    "b.gif.json": (DOCUMENT, b'"end"'),
    "c.dng.xmp": (PACKET, b"word 199"),
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("manner", ["pieces", "reopened", "in_place"])
async def test_a_sidecar_that_another_program_is_writing_is_not_replaced(
    directory, server, start_copy, judge, manner
):
    """Held still amid its text: refused; in the end it holds all of theirs, and the new text."""
    for seed, name in enumerate(("a.jpg", "b.gif", "c.dng")):
        save_photo(directory / name, seed)
    copies = []
    for name, (data, _) in SIDECARS.items():
        if manner == "in_place":  # over an older and shorter one
            (directory / name).write_bytes(data[:1200])
        whole = Specimen("", data, (0, 0, 0), ())
        copies.append(await start_copy(whole, manner, directory / name, [len(data) // 2]))
    await asyncio.gather(*(copy.word() for copy in copies))
    shown = await server.until_keys("a.jpg", "b.gif", "c.dng")
    ledger = Ledger()
    answers = await asyncio.gather(
        *(describe(server, ledger, key, shown[key]["id"]) for key in sorted(shown))
    )
    faults = []
    if manner != "reopened":  # nothing shows that writer, but a sidecar that is cut is told
        faults = [
            f"{key}: {wrong}"
            for key, answer in zip(sorted(shown), answers, strict=True)
            if key != "b.gif" and (wrong := why_not_in_waiting(answer))
        ]
    for copy in copies:
        copy.go_on()
    await asyncio.gather(*(copy.finish() for copy in copies))
    await until_described(server, ledger, shown)
    for name, (_, theirs) in SIDECARS.items():
        if theirs not in (directory / name).read_bytes():
            faults.append(f"{name} lost {theirs!r}")
    faults += await judge(server, ledger, ())
    assert not faults, "\n".join(faults)


EMBEDDED = ("JPEG", "motion photo", "PNG", "WebP", "TIFF")


@pytest.mark.needs("strace")
@pytest.mark.timeout(120)
async def test_who_opens_a_photo_just_before_the_exchange_loses_nothing(
    directory, server, start_copy, trace, judge
):
    """Opened between the last look and the exchange, and written to after it: all of it is there.

    Each writer has the file open that had the name; the edit is made when it has ended, or refused.
    """
    new = {key_of(name, s): s for name, s in specimens(50).items() if name in EMBEDDED}
    copies = []
    for key, specimen in new.items():
        save_photo(directory / key, len(copies))
        copies.append(await start_copy(specimen, "late", directory / key, [specimen.stops[1]]))
    shown = await server.until_keys(*new)
    await asyncio.gather(*(copy.word() for copy in copies))
    tracer = await trace(server, "renameat2", injected="delay_enter=700000")
    ledger = Ledger()

    async def one(copy):
        key = copy.target.name
        edit = asyncio.create_task(describe(server, ledger, key, shown[key]["id"]))
        await tracer.until(f'"{key}", RENAME_EXCHANGE')
        copy.go_on()
        assert await copy.word() == "at 0"
        # By the answer, or by another exchange: what has the name then is what the writer has open.
        back = asyncio.create_task(tracer.until_again(f'"{key}", RENAME_EXCHANGE'))
        await asyncio.wait({edit, back}, return_when=asyncio.FIRST_COMPLETED)
        back.cancel()
        copy.go_on()
        await copy.finish()
        return await edit

    answers = await asyncio.gather(*map(one, copies))
    faults = [
        f"{copy.target.name}: {wrong}"
        for copy, answer in zip(copies, answers, strict=True)
        if answer.status == 409 and (wrong := why_not_in_waiting(answer))
    ]
    await tracer.end()
    await until_described(server, ledger, new)
    faults += await judge(server, ledger, copies)
    assert not faults, "\n".join(faults)


EDITS = 12


@pytest.mark.timeout(120)
async def test_a_program_that_changes_permissions_all_the_time_spoils_no_answer(
    directory, server, start_copy, judge
):
    """Every edit is made, says the new text, and its entity tag passes the next ``If-Match``."""
    photos = {key_of(name, specimen): specimen for name, specimen in specimens().items()}
    copies = []
    for key, specimen in photos.items():
        (directory / key).write_bytes(specimen.data)
        copies.append(await start_copy(specimen, "chmod", directory / key, []))
    await asyncio.gather(*(copy.word() for copy in copies))
    shown = await server.until_keys(*photos)
    ledger, faults = Ledger(), []

    async def one(key):
        photo = shown[key]
        headers = {}
        for number in range(EDITS):
            text = ledger.next_text(key)
            answer = await server.describe(photo["id"], text, headers=headers)
            if answer.status != 200:
                faults.append(f"{key}, edit {number}: {answer.status} {answer.json['detail']}")
                headers = {}
                continue
            ledger.of(key).acknowledged = text
            headers = {"If-Match": f'"{answer.json["etag"]}"'}
            if (said := answer.json["metadata"]["description"]) != text:
                faults.append(f"{key}, edit {number}: 200 with {said!r}, not {text!r}")

    await asyncio.gather(*map(one, photos))
    for copy in copies:
        await copy.end()
    faults += await judge(server, ledger, copies)
    assert not faults, "\n".join(faults)
