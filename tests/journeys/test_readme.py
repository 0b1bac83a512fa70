"""The first session of the README, word by word, against a real server."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"


def commands(heading: str, number: int = 0) -> str:
    """A block of shell commands below a heading of the README."""
    section = README.read_text().split(heading)[1]
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)[number]


def first_session() -> str:
    """The shell commands of the README's first session, behind the start of the server."""
    return commands("## A first session").split("API=http://127.0.0.1:8000\n")[1]


def run(server, script: str) -> str:
    """What commands print to a server."""
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env={**server.environment, "API": server.url},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout


@pytest.mark.needs("curl")
async def test_the_first_session_works_as_written(server, photos, exiftool):
    """Login, list and describe with curl; exiftool shows the text in the photo."""
    for other in sorted(photos.rglob("*.*")):
        if other.is_file() and other.name != "plain.jpg":
            other.unlink()
    (photos / "plain.jpg").rename(photos / "IMG_0001.jpg")

    async def alone():
        return set(await server.photos_by_key()) == {"IMG_0001.jpg"}

    await server.until(alone)
    printed = run(server, first_session())
    answers = [json.loads(line) for line in printed.replace("}{", "}\n{").splitlines()]
    assert answers[0]["total"] == 1
    assert answers[1]["metadata"]["description"] == "Grandmother at the sea"
    tags = exiftool(photos / "IMG_0001.jpg")
    assert tags["IFD0:ImageDescription"] == "Grandmother at the sea"
    assert tags["XMP-dc:Description"] == "Grandmother at the sea"


@pytest.mark.needs("curl")
async def test_many_at_once_and_undo_work_as_written(server, photos, exiftool):
    """After the first session all photos get keywords, and one of them loses them again."""
    heading = "## Many at once, and undo"
    script = first_session()
    run(server, f"{script}\n{commands(heading)}")
    shown = await server.photos_by_key()
    assert {tuple(p["metadata"]["keywords"]) for p in shown.values()} == {("Oslo", "1974")}
    assert exiftool(photos / "plain.jpg")["XMP-dc:Subject"] == ["Oslo", 1974]
    run(server, f"{script}\n{commands(heading, 1)}")
    now = (await server.photos_by_key()).values()
    assert sorted(len(p["metadata"]["keywords"]) for p in now) == [0] + [2] * 8


@pytest.mark.needs("curl")
async def test_a_script_with_a_token_works_as_written(server, photos):
    """The command line makes a token through the running server, and curl lists with it."""
    written = commands("## A token for a script").replace("~/try", str(photos))
    said = run(server, written.replace(".venv/bin/tagline", f"{sys.executable} -m tagline"))
    assert json.loads(said)["limit"] == 1
