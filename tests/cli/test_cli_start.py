"""What an operator reads when the server does not start as it should."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PASSWORD = "correct horse battery staple"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Settings of a server that ends at once: its address belongs to no machine (RFC 5737)."""
    (tmp_path / "photos").mkdir()
    return {
        "PATH": os.environ["PATH"],
        "PHOTO_STORAGE_PATH": str(tmp_path / "photos"),
        "DATABASE_URL": f"tinydb:///{tmp_path}/data",
        "BACKEND_PASSWORD": PASSWORD,
        "TAGLINE_HOST": "192.0.2.1",
    }


def serve(environment: dict[str, str]) -> tuple[int, str]:
    """Exit code and standard error of a server that cannot listen on its address."""
    done = subprocess.run(
        [sys.executable, "-m", "tagline", "serve"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


NO_SUCH_ADDRESS = (
    2,
    "tagline: TAGLINE_HOST: cannot listen on '192.0.2.1'; give an address of this machine\n",
)


def test_a_damaged_index_is_told_in_the_log(environment, tmp_path):
    """The index is made anew, and the log says why the first scan reads everything."""
    assert serve(environment) == NO_SUCH_ADDRESS
    (tmp_path / "data" / "photos.jsonl").write_bytes(b"damaged\n")
    code, told = serve(environment)
    first, last = told.splitlines()
    assert (code, f"{last}\n") == NO_SUCH_ADDRESS
    assert "WARNING" in first
    assert "the index: photos.jsonl" in first


def test_damaged_tokens_stop_the_start_with_advice(environment, tmp_path):
    """A damaged token file is told with what to do; when it is deleted, the server starts."""
    assert serve(environment) == NO_SUCH_ADDRESS
    tokens = tmp_path / "data" / "tokens.jsonl"
    written = bytearray(tokens.read_bytes())
    written[len(written) // 2] ^= 0xFF
    tokens.write_bytes(written)
    code, told = serve(environment)
    assert code == 1
    assert told.startswith("tagline: tokens.jsonl is damaged: ")
    assert told.endswith("; restore it, or delete it, which ends all sessions and API tokens.\n")
    tokens.unlink()
    assert serve(environment) == NO_SUCH_ADDRESS


def test_a_short_password_is_told_and_allowed(environment):
    """A short password is a warning in the log, which does not show it."""
    code, told = serve(environment | {"BACKEND_PASSWORD": "hush", "TAGLINE_LOG_FORMAT": "json"})
    assert code == 2
    assert "BACKEND_PASSWORD: has fewer than 8 characters" in told.splitlines()[0]
    assert told.startswith("{")
    assert "hush" not in told
