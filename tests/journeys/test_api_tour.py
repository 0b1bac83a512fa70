"""The tour of the API, block by block, against a real server."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.journeys.conftest import make_image

TOUR = Path(__file__).parents[2] / "docs" / "api.md"
MARK = "\x1e"


def steps() -> list[tuple[str, str]]:
    """Each command of the tour, and what the page shows behind it."""
    found: list[tuple[str, str]] = []
    for block in re.findall(r"```console\n(.*?)```", TOUR.read_text(), re.DOTALL):
        for line in block.splitlines(keepends=True):
            if line.startswith("$ "):
                found.append((line[2:], ""))
            else:
                found[-1] = (found[-1][0], found[-1][1] + line)
    return found


def shape(text: str) -> str:
    """What is shown, as a pattern: white space means nothing, ``…`` is anything."""
    return ".*?".join(re.escape("".join(part.split())) for part in text.split("…"))


@pytest.mark.timeout(120)
@pytest.mark.needs("curl")
async def test_the_tour_is_as_it_shows(tmp_path, start_server):
    """Every command gives what stands behind it."""
    photos = tmp_path / "photos"
    for number, name in enumerate(("1974/bergen.jpg", "1974/oslo.jpg", "2019/beach.png")):
        (photos / name).parent.mkdir(parents=True, exist_ok=True)
        make_image(number).save(photos / name)
    server = await start_server(photos)
    script = "".join(f"printf '{MARK}'\n{command}" for command, _ in steps())
    done = subprocess.run(
        ["bash", "-uc", script],
        env={**server.environment, "API": server.url},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.stderr == ""
    answers = done.stdout.split(MARK)[1:]
    for (command, shown), answer in zip(steps(), answers, strict=True):
        given = "".join(answer.split())
        assert re.fullmatch(shape(shown), given, re.DOTALL), f"{command}{answer}"
