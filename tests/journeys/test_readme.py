"""The first session of the README, word by word, against a real server."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"


def first_session() -> str:
    """The shell commands of the README's first session, behind the start of the server."""
    section = README.read_text().split("## A first session")[1]
    block = re.search(r"```sh\n(.*?)```", section, re.DOTALL)
    assert block
    return block[1].split("API=http://127.0.0.1:8000\n")[1]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_the_first_session_works_as_written(server, photos, exiftool):
    """Login, list and describe with curl; exiftool shows the text in the photo."""
    for other in sorted(photos.rglob("*.*")):
        if other.is_file() and other.name != "plain.jpg":
            other.unlink()
    (photos / "plain.jpg").rename(photos / "IMG_0001.jpg")

    async def alone():
        return set(await server.photos_by_key()) == {"IMG_0001.jpg"}

    await server.until(alone)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", first_session()],
        env={**server.environment, "API": server.url},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    answers = [json.loads(line) for line in done.stdout.replace("}{", "}\n{").splitlines()]
    assert answers[0]["total"] == 1
    assert answers[1]["metadata"]["description"] == "Grandmother at the sea"
    tags = exiftool(photos / "IMG_0001.jpg")
    assert tags["IFD0:ImageDescription"] == "Grandmother at the sea"
    assert tags["XMP-dc:Description"] == "Grandmother at the sea"
