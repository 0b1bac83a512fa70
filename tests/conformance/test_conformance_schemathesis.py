"""Schemathesis: every check, over every operation, and along the links between them."""

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_schemathesis_finds_nothing(server, tool):
    """No request made of the document is answered otherwise than the document says."""
    command = [
        tool("st"), "--config-file", str(CONFIGURATION), "run", f"{server.url}/openapi.json",
        "--checks", "all", "--continue-on-failure", "--max-failures", "20",
        "--max-examples", os.environ.get("TAGLINE_EXAMPLES", "100"),
        "--seed", os.environ.get("TAGLINE_SEED", "1"),
        "--generation-database", "none",
    ]  # fmt: skip
    reports = Path(os.environ.get("API_REPORT", server.data))
    command += ["--report", "junit", "--report-junit-path", str(reports / "schemathesis.xml")]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "200",
        "API_URL": server.url,
        "BACKEND_PASSWORD": server.environment["BACKEND_PASSWORD"],
    }
    done = await asyncio.to_thread(
        subprocess.run,
        command,
        cwd=server.data,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    (reports / "schemathesis.txt").write_text(done.stdout)
    print(done.stdout)  # noqa: T201 - pytest shows it when the test fails
    assert done.returncode == 0
    assert "No issues found" in done.stdout
