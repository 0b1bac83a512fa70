"""Photos on real mounts are described as on a disk."""

import asyncio
import json
import os
import subprocess
import sys

import pytest

from tests.hard.writers.copying import SETTLED_SOON, key_of, specimens

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def put_photos(mount):
    """A photo of each format; on a pool every second one lies in the second branch."""
    photos = {key_of(name, specimen): specimen for name, specimen in specimens().items()}
    for number, (key, specimen) in enumerate(photos.items()):
        places = mount.below if len(mount.below) > 1 else [mount.point]
        (places[number % len(places)] / key).write_bytes(specimen.data)
    return photos


def whole(mount, photos):
    """What is wrong with the files."""
    faults = [f"{path.name} was left" for path in mount.point.rglob(".tagline*")]
    for key, specimen in photos.items():
        path = mount.point / key
        if not path.exists():
            faults.append(f"{key} is gone")
        elif lost := specimen.lost(path.read_bytes()):
            faults.append(f"{key} is cut: {path.stat().st_size} bytes, lost {lost}")
    return faults


async def by_command(mount, photos, text):
    """``tagline describe``; what it says against any photo."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tagline", "describe"),
        *(str(mount.point / key) for key in photos),
        text,
        env={"PATH": os.environ["PATH"], **SETTLED_SOON},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    return (await process.communicate())[1].decode().splitlines()


def shown_by_exiftool(mount, photos, exiftool):
    """The description of each photo, from its sidecar where there is one."""
    places = {}
    for key in photos:
        beside = mount.point / f"{key}.xmp"
        places[str(beside if beside.exists() else mount.point / key)] = key
    fields = ("-XMP-dc:Description", "-IFD0:ImageDescription")
    command = [exiftool, "-j", *fields, *places]
    told = subprocess.run(command, capture_output=True, check=False).stdout
    return {
        places[seen["SourceFile"]]: seen.get("Description", seen.get("ImageDescription"))
        for seen in json.loads(told)
    }


async def test_answers_on_a_real_mount_are_true(mount, start_server, exiftool):
    """Each format, first and later descriptions, by PATCH and command: 200 says what is there.

    The entity tag of each answer passes the next ``If-Match``; a new index says the same.
    """
    photos = put_photos(mount)
    server = await start_server(mount.point, **SETTLED_SOON)
    shown = await server.until_keys(*photos)
    faults = []
    for key in photos:
        headers = {}
        for text in (f"first of {key}", f"second of {key}, which is longer", f"third of {key}"):
            answer = await server.describe(shown[key]["id"], text, headers=headers)
            if answer.status != 200:
                faults.append(f"{key}, {text!r}: {answer.status} {answer.json['detail']}")
                continue
            headers = {"If-Match": f'"{answer.json["etag"]}"'}
            said = answer.json["metadata"]["description"]
            again = await server.photo(shown[key]["id"])
            if said != text or again["metadata"]["description"] != text:
                faults.append(f"{key}, {text!r}: 200 with {said!r}, {again['metadata']}")
    told = shown_by_exiftool(mount, photos, exiftool)
    faults += [f"exiftool: {k} says {told.get(k)!r}" for k in photos if told[k] != f"third of {k}"]
    faults += await by_command(mount, photos, "by command")
    told = shown_by_exiftool(mount, photos, exiftool)
    faults += [f"exiftool: {k} says {told.get(k)!r}" for k in photos if told[k] != "by command"]
    await server.stop()
    again = await start_server(mount.point, "another", **SETTLED_SOON)
    for key, photo in (await again.until_keys(*photos)).items():
        if (photo["id"], photo["metadata"]["description"]) != (shown[key]["id"], "by command"):
            faults.append(f"a new index: {key} says {photo['metadata']['description']!r}")
    faults += whole(mount, photos)
    assert not faults, "\n".join(faults)
